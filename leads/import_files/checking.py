"""The check of a file: a row per line, with what is wrong by column, who is in the file twice and who is known already.

Memory stays the same however long the file is: it is read in pieces, and lines are compared with each other in the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby, islice
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from clients.choices import Gate
from clients.countries import country_name
from clients.country_rules.rules import decide
from clients.custom_fields.arrivals import lead_fields
from crm.db.bulk import analyze_new_tables, copy_rows
from crm.imports.checking import Report, end_check, ignored_columns, run_check
from crm.imports.mapping import read_mapping
from crm.imports.reading import Table
from crm.models import Brand
from leads.choices import ImportState, RowVerdict
from leads.declared.declaration import Reader
from leads.dedupe import Person, Weights, first_of, folded, is_one, weigh, weights_of
from leads.import_files import columns, files, reading
from leads.models import Campaign, LeadImport, LeadImportRow

PIECE_ROWS = 2_000
# Of lines with one phone and first name, so many different people are compared: a file of one number for all stays bounded.
PEOPLE_MAX = 200
LAST_LINE = 2**31 - 1
COLUMNS = (
    "batch_id",
    "line",
    "verdict",
    "errors",
    "first_name",
    "last_name",
    "email",
    "email_canonical",
    "phone",
    "country",
    "language",
    "source",
    "campaign_code",
    "message",
    "consent",
    "custom",
    "declared",
    "client_id",
)
# Whom the brand knows, as `leads.dedupe` weighs them, heaviest first: the same e-mail address; or the same phone and first name, no
# other last name, and the brand's points.
MATCH = """
UPDATE leads_leadimportrow r SET client_id = m.client_id, verdict = 'known'
FROM (
  SELECT DISTINCT ON (row_id) row_id, client_id FROM (
    SELECT r.id AS row_id, coalesce(clients_kept(c.merged_into_id), c.id) AS client_id, 1000 AS weight,
      c.stage = 'closed' AS is_closed
    FROM leads_leadimportrow r
    JOIN clients_client c ON c.brand_id = %(brand)s AND c.email_canonical = r.email_canonical AND c.email <> ''
    WHERE r.batch_id = %(batch)s AND r.line BETWEEN %(first)s AND %(last)s
      AND r.verdict IN ('new', 'known') AND r.email_canonical <> ''
    UNION ALL
    SELECT r.id, coalesce(clients_kept(c.merged_into_id), c.id), w.weight, c.stage = 'closed'
    FROM leads_leadimportrow r
    JOIN clients_client c ON c.brand_id = %(brand)s AND c.phone = r.phone AND c.phone <> ''
     AND (r.last_name = '' OR c.last_name = '' OR lower(c.last_name) = lower(r.last_name))
     AND r.first_name <> ''
     AND lower(split_part(trim(c.first_name), ' ', 1)) = lower(split_part(trim(r.first_name), ' ', 1))
    CROSS JOIN LATERAL (SELECT %(phone)s + %(first_name)s
      + CASE WHEN r.country <> '' AND c.country = r.country THEN %(country)s ELSE 0 END
      + CASE WHEN r.last_name <> '' AND lower(c.last_name) = lower(r.last_name) THEN %(last_name)s ELSE 0 END) w(weight)
    WHERE r.batch_id = %(batch)s AND r.line BETWEEN %(first)s AND %(last)s
      AND r.verdict IN ('new', 'known') AND r.phone <> '' AND w.weight >= %(threshold)s
  ) found ORDER BY row_id, weight DESC, is_closed, client_id
) m WHERE m.row_id = r.id
"""
# The first line with a mailbox stays; the others name it.
SAME_MAILBOX = """
UPDATE leads_leadimportrow r SET verdict = 'repeated', same_as_line = f.first_line
FROM (SELECT id, min(line) OVER (PARTITION BY email_canonical) AS first_line FROM leads_leadimportrow
      WHERE batch_id = %s AND verdict = 'new' AND email_canonical <> '') f
WHERE f.id = r.id AND f.first_line < r.line
"""
SHARED_PHONES = """
SELECT id, line, phone, country, first_name, last_name FROM (
  SELECT *, count(*) OVER (PARTITION BY phone) AS times FROM leads_leadimportrow
  WHERE batch_id = %s AND verdict = 'new' AND phone <> '') r
WHERE times > 1 ORDER BY phone, line
"""
REPEATED = """
UPDATE leads_leadimportrow r SET verdict = 'repeated', same_as_line = m.line
FROM unnest(%s::bigint[], %s::bigint[]) m(id, line) WHERE r.id = m.id
"""


def check(batch: LeadImport, report: Report) -> LeadImport:
    """Read the file into rows, find who is known, count. A file that can't be read ends as failed, with the reason."""
    return run_check(batch, lambda: _check(batch, report), job="check_job")


@transaction.atomic
def _check(batch: LeadImport, report: Report) -> None:
    table = files.open_file(batch)
    LeadImportRow.objects.filter(batch=batch).delete()
    rows = _values(batch, table, report)
    # Piece by piece: while a COPY is open the connection answers no query.
    while piece := list(islice(rows, PIECE_ROWS)):
        copy_rows("leads_leadimportrow", COLUMNS, piece)
    analyze_new_tables(PIECE_ROWS)
    with connection.cursor() as cursor:
        cursor.execute(SAME_MAILBOX, [batch.pk])
    _mark_same_phones(batch)
    judge_countries(batch)
    find_known(batch)
    problems = [*files_before(batch), *table.problems, *ignored_columns(batch.mapping, table.header)]
    end_check(batch, ImportState.CHECKED, count(batch), problems, job="check_job")


def _values(batch: LeadImport, table: Table, report: Report) -> Iterator[tuple[Any, ...]]:
    custom = reading.CustomColumns(lead_fields(batch.brand_id))
    reader = reading.RowReader(
        defaults=reading.Defaults(
            batch.country, batch.language, batch.source, batch.campaign.code if batch.campaign else ""
        ),
        campaigns=set(Campaign.objects.filter(brand_id=batch.brand_id).values_list("code", flat=True)),
        custom=custom,
        declarations=Reader(batch.brand, loads_rates=True),
    )
    mapping = read_mapping(batch.mapping, columns.fields_of(custom), table.header)
    for number, cells in enumerate(table.rows, start=1):
        if number % 1000 == 0:
            report(number, 0, _("lines read"))
        yield _row_values(batch, reader.read(cells, mapping, table.header))


def _row_values(batch: LeadImport, row: reading.Row) -> tuple[Any, ...]:
    verdict = RowVerdict.WRONG if row.errors else RowVerdict.NEW
    return (
        batch.pk,
        row.line,
        verdict.value,
        Jsonb(row.errors),
        row.first_name,
        row.last_name,
        row.email,
        row.email_canonical,
        row.phone,
        row.country,
        row.language,
        row.source,
        row.campaign,
        row.message,
        row.consent,
        Jsonb(row.custom),
        Jsonb(row.declared.as_json()),
        None,
    )


def _mark_same_phones(batch: LeadImport) -> None:
    """Mark lines whose phone and first name an earlier line has, as `leads.dedupe` weighs them."""
    with connection.chunked_cursor() as shared, connection.cursor() as marking:
        shared.execute(SHARED_PHONES, [batch.pk])
        found = repeated_lines(iter(shared), weights_of(batch.brand))
        while piece := list(islice(found, PIECE_ROWS)):
            marking.execute(REPEATED, [[pk for pk, _line in piece], [line for _pk, line in piece]])


def repeated_lines(rows: Iterator[tuple[Any, ...]], weights: Weights) -> Iterator[tuple[int, int]]:
    """Yield (row, the earlier line of the same person) of rows in the order of their phones and lines."""
    for _phone, same in groupby(rows, key=lambda row: row[2]):
        people: dict[str, list[tuple[int, Person]]] = {}
        for pk, line, phone, country, first_name, last_name in same:
            who = Person("", phone, country, folded(last_name), first_of(first_name))
            others = people.setdefault(who.first_name, [])
            earlier = next((at for at, other in others if is_one(*weigh(who, other, weights), weights.threshold)), None)
            if earlier is not None:
                yield pk, earlier
            elif len(others) < PEOPLE_MAX:
                others.append((line, who))


def judge_countries(batch: LeadImport, first: int = 0, last: int = LAST_LINE) -> None:
    """Set aside the lines from countries that the brand refuses, with the reason; and back those that it accepts by now."""
    verdicts = [RowVerdict.NEW, RowVerdict.KNOWN, RowVerdict.REFUSED]
    rows = LeadImportRow.objects.filter(batch=batch, verdict__in=verdicts, line__range=(first, last))
    brand = Brand.objects.get(pk=batch.brand_id)
    countries = list(rows.order_by().values_list("country", flat=True).distinct())
    refused = [country for country in countries if not decide(brand, country, Gate.LEAD)]
    rows.filter(verdict=RowVerdict.REFUSED).exclude(country__in=refused).update(verdict=RowVerdict.NEW, errors=[])
    for country in refused:
        text = _("%(brand)s doesn't accept leads from %(country)s.") % {
            "brand": brand,
            "country": country_name(country),
        }
        rows.filter(country=country).update(
            verdict=RowVerdict.REFUSED, client_id=None, errors=[{"column": "country", "message": text}]
        )


def find_known(batch: LeadImport, first: int = 0, last: int = LAST_LINE) -> None:
    """Find whom the brand knows among lines of a file."""
    span = {"brand": batch.brand_id, "batch": batch.pk, "first": first, "last": last}
    with connection.cursor() as cursor:
        cursor.execute(MATCH, {**asdict(weights_of(batch.brand)), **span})


def count(batch: LeadImport) -> dict[str, int]:
    """Count an import's rows per verdict."""
    rows: QuerySet[LeadImportRow] = LeadImportRow.objects.filter(batch=batch).order_by()
    return dict(rows.values_list("verdict").annotate(Count("pk")))


def files_before(batch: LeadImport) -> list[str]:
    """Say whether the same file was imported before."""
    same = LeadImport.objects.filter(brand_id=batch.brand_id, sha256=batch.sha256, state=ImportState.DONE)
    earlier = same.exclude(pk=batch.pk).order_by("-pk").first()
    if earlier is None or earlier.finished_at is None:
        return []
    return [
        _(
            "The same file was already imported on %(day)s. Its people are recognised; importing it again adds an enquiry to each."
        )
        % {"day": timezone.localtime(earlier.finished_at).date().isoformat()}
    ]
