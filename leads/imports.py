"""A file of leads comes in: checked first, shown to the person, then taken in as a whole or not at all.

Checking writes a row per line, with what is wrong by column and who is known already. Importing reads those rows back in
batches, scores and routes them with the code that takes a form's lead, and writes by COPY: a hundred thousand lines
take less than a minute.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.types.json import Jsonb

from clients.choices import Gate
from clients.countries import country_name
from clients.country_rules.rules import decide
from clients.custom_fields.arrivals import lead_fields
from crm.choices import JobState
from crm.db.bulk import copy_rows
from crm.db.locking import lock
from crm.errors import DomainError, NotAllowed, WrongState
from crm.events import LeadsImported, publish
from crm.files.jobs import start_job
from crm.i18n.localized_text import phrase
from crm.models import Brand, Job, User
from crm.notices.notify import notify
from crm.security import audit, policies, sealed_files
from crm.security.scope import reach_of
from leads.audit_codes import LeadsAction
from leads.choices import ImportState, LeadsNotice, RowVerdict
from leads.declared.declaration import Reader
from leads.dedupe import weights_of
from leads.distribution.turns import Reserved
from leads.import_files import reading
from leads.import_files.writing import Writer
from leads.models import Campaign, LeadImport, LeadImportRow

FILES = sealed_files.of_instance("lead-import")
BATCH = 5_000
RESERVED_ROWS = 1_000  # decided in one transaction, for which the agents are held
Report = Callable[[int, int, str], None]
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
    "same_as_line",
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
    WHERE r.batch_id = %(batch)s AND r.verdict IN ('new', 'known') AND r.email_canonical <> ''
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
    WHERE r.batch_id = %(batch)s AND r.verdict IN ('new', 'known') AND r.phone <> '' AND w.weight >= %(threshold)s
  ) found ORDER BY row_id, weight DESC, is_closed, client_id
) m WHERE m.row_id = r.id
"""


@dataclass(frozen=True)
class ImportOptions:
    """What holds for lines that don't say it themselves, and whether the leads are assigned by the routing rules."""

    campaign: Campaign | None = None
    source: str = ""
    language: str = ""
    country: str = ""
    is_routed: bool = True


def file_path(batch: LeadImport) -> Path:
    """Locate the sealed original; it is deleted once the leads are imported or the file is discarded."""
    return Path(settings.PRIVATE_DIR) / "lead-imports" / f"{batch.pk}"


@transaction.atomic
def start_import(
    *, brand: Brand, actor: User, file_name: str, content: bytes, options: ImportOptions = ImportOptions()
) -> LeadImport:
    """Keep a file, encrypted, and have it checked in the background. Nothing is imported yet.

    Who: `leads.import_lead`, reaching the brand. Raises: NotAllowed; DomainError for a file that is no list of leads;
    StorageFull, nothing kept.
    """
    policies.require_permission(actor, "leads.import_lead")
    if brand.pk not in reach_of(actor).brands:
        raise NotAllowed(_("You don't have access to this brand."))
    if brand.archived_at is not None:
        raise DomainError(_("%(brand)s is archived and takes no new leads.") % {"brand": brand})
    if not content.strip():
        raise DomainError(_("The file is empty."))
    if len(content) > settings.UPLOAD_MAX_BYTES:
        raise DomainError(
            _("The file is larger than %(most)s MB. Split it into smaller files.")
            % {"most": settings.UPLOAD_MAX_BYTES // 2**20}
        )
    custom = reading.CustomColumns(lead_fields(brand.pk))
    _lines, _columns, unknown = reading.open_rows(reading.decode(content), custom)
    batch = LeadImport.objects.create(
        brand=brand,
        owner=actor,
        file_name=file_name[:160],
        campaign=options.campaign,
        source=options.source[:60].lower(),
        language=options.language,
        country=options.country,
        is_routed=options.is_routed,
        problems=[_("Ignored columns: %(names)s") % {"names": ", ".join(unknown)[:300]}] if unknown else [],
    )
    sealed_files.write(file_path(batch), content, owner=FILES)
    audit.record(
        actor=actor,
        action=LeadsAction.IMPORT_STARTED,
        target=batch,
        brand_id=brand.pk,
        after={"file": batch.file_name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()},
    )
    batch.check_job = start_job(
        "leads.check_import", owner=actor, parameters={"import": batch.pk}, title=batch.file_name
    )
    batch.save(update_fields=["check_job"])
    return batch


def check(batch: LeadImport, report: Report) -> LeadImport:
    """Read the file into rows, find who is known, count. A file that can't be read ends as failed, with the reason."""
    content = sealed_files.read(file_path(batch), owner=FILES)
    try:
        text = reading.decode(content)
        with transaction.atomic():
            LeadImportRow.objects.filter(batch=batch).delete()
            _write_rows(batch, text, report)
            _judge_countries(batch)
            with connection.cursor() as cursor:
                cursor.execute(MATCH, {**asdict(weights_of(batch.brand)), "brand": batch.brand_id, "batch": batch.pk})
            batch.counts = _count(batch)
            batch.move_to(ImportState.CHECKED)
            batch.save(update_fields=["counts", "state"])
    except DomainError as error:
        batch.move_to(ImportState.FAILED)
        batch.problems, batch.finished_at = [str(error.message)], timezone.now()
        batch.save(update_fields=["state", "problems", "finished_at"])
        file_path(batch).unlink(missing_ok=True)
    return batch


def _write_rows(batch: LeadImport, text: str, report: Report) -> None:
    campaigns = set(Campaign.objects.filter(brand_id=batch.brand_id).values_list("code", flat=True))
    defaults = reading.Defaults(
        batch.country, batch.language, batch.source, batch.campaign.code if batch.campaign else ""
    )
    custom = reading.CustomColumns(lead_fields(batch.brand_id))
    about = text.count("\n") + 1

    weights, declarations = weights_of(batch.brand), Reader(batch.brand, loads_rates=True)

    def values() -> Iterator[tuple[Any, ...]]:
        rows = reading.read_rows(text, defaults, campaigns, custom, weights, declarations)
        for number, row in enumerate(rows, start=1):
            if number % 1000 == 0:
                report(number, max(about, number), _("lines read"))
            yield _row_values(batch, row)

    copy_rows("leads_leadimportrow", COLUMNS, values())


def _row_values(batch: LeadImport, row: reading.Row) -> tuple[Any, ...]:
    verdict = RowVerdict.WRONG if row.errors else RowVerdict.REPEATED if row.same_as_line else RowVerdict.NEW
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
        row.same_as_line,
    )


def _judge_countries(batch: LeadImport) -> None:
    """Set aside the lines from countries that the brand refuses, with the reason; and back those that it accepts by now."""
    rows = LeadImportRow.objects.filter(batch=batch, verdict__in=[RowVerdict.NEW, RowVerdict.KNOWN, RowVerdict.REFUSED])
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


def _count(batch: LeadImport) -> dict[str, int]:
    return dict(Counter(LeadImportRow.objects.filter(batch=batch).values_list("verdict", flat=True).iterator(20_000)))


@transaction.atomic
def confirm(*, import_id: int, actor: User) -> LeadImport:
    """Import a file's leads in the background, once its owner has seen the preview.

    Who: the import's owner, while they may import. Raises: NotAllowed; WrongState when the file isn't checked, or has no line
    that can be imported.
    """
    batch = _locked(import_id, actor)
    if batch.state != ImportState.CHECKED and not (batch.state == ImportState.IMPORTING and _stopped(batch.import_job)):
        raise WrongState(_("This file isn't ready to import."))
    if not (batch.counts.get("new") or batch.counts.get("known")):
        raise WrongState(_("None of the lines in this file can be imported."))
    _require_in_use(batch)
    batch.move_to(ImportState.IMPORTING)
    batch.import_job = start_job(
        "leads.run_import", owner=actor, parameters={"import": batch.pk}, title=batch.file_name
    )
    batch.save(update_fields=["state", "import_job"])
    return batch


@transaction.atomic
def discard(*, import_id: int, actor: User) -> LeadImport:
    """Discard a file that wasn't imported: its rows and the original are deleted. Who: the import's owner.

    Raises: NotAllowed; WrongState when it is being imported or is done.
    """
    batch = _locked(import_id, actor)
    stuck = batch.state == ImportState.CHECKING and _stopped(batch.check_job)
    if batch.state not in (ImportState.CHECKED, ImportState.FAILED) and not stuck:
        raise WrongState(_("This file can't be discarded in its current state."))
    LeadImportRow.objects.filter(batch=batch).delete()
    file_path(batch).unlink(missing_ok=True)
    batch.move_to(ImportState.DISCARDED)
    batch.finished_at = timezone.now()
    batch.save(update_fields=["state", "finished_at"])
    audit.record(actor=actor, action=LeadsAction.IMPORT_DISCARDED, target=batch, brand_id=batch.brand_id)
    return batch


def _require_in_use(batch: LeadImport) -> None:
    """Refuse leads for a brand that was archived since the file was uploaded. Raises: WrongState."""
    brand = Brand.objects.get(pk=batch.brand_id)
    if brand.archived_at is not None:
        raise WrongState(_("%(brand)s is archived and takes no new leads.") % {"brand": brand})


def _stopped(job: Job | None) -> bool:
    """Tell whether a job was cancelled or its worker died, so that the file may be started again."""
    return job is not None and job.state in (JobState.FAILED, JobState.CANCELLED)


def _locked(import_id: int, actor: User) -> LeadImport:
    policies.require_permission(actor, "leads.import_lead")
    batch = lock(LeadImport, import_id, "check_job", "import_job")
    if batch.owner_id != actor.pk:
        raise NotAllowed(_("This import belongs to someone else."))
    return batch


def run(batch: LeadImport, report: Report) -> LeadImport:
    """Take everything in, in one transaction. A failure leaves nothing behind and the file ready to be tried again."""
    _give_back(batch)  # what an attempt that was killed had reserved
    writer = Writer(batch)
    try:
        if batch.is_routed:
            _reserve(batch, writer)
        with transaction.atomic():
            _import(batch, writer, report)
    except Exception:
        with transaction.atomic():
            _give_back(batch)
            LeadImport.objects.filter(pk=batch.pk, state=ImportState.IMPORTING).update(state=ImportState.CHECKED)
        raise
    file_path(batch).unlink(missing_ok=True)
    return batch


@transaction.atomic
def _give_back(batch: LeadImport) -> None:
    """Return the turns that were reserved for leads which weren't written."""
    row = lock(LeadImport, batch.pk)
    Reserved.read(row.reserved).give_back()
    row.reserved = {}
    row.save(update_fields=["reserved"])


def _reserve(batch: LeadImport, writer: Writer) -> None:
    rows = LeadImportRow.objects.filter(batch=batch, verdict=RowVerdict.NEW)
    last_line = 0
    while chunk := list(rows.filter(line__gt=last_line).order_by("line")[:RESERVED_ROWS]):
        writer.reserve(chunk)
        last_line = chunk[-1].line


def _import(batch: LeadImport, writer: Writer, report: Report) -> None:
    _require_in_use(batch)
    _judge_countries(batch)  # the rules, too, may have changed since the check
    with connection.cursor() as cursor:  # someone may have come in since
        cursor.execute(MATCH, {**asdict(weights_of(batch.brand)), "brand": batch.brand_id, "batch": batch.pk})
    rows = LeadImportRow.objects.filter(batch=batch, verdict__in=[RowVerdict.NEW, RowVerdict.KNOWN])
    total = rows.count()
    done, last_line = 0, 0
    while chunk := list(rows.filter(line__gt=last_line).order_by("line")[:BATCH]):
        writer.write(chunk)
        done, last_line = done + len(chunk), chunk[-1].line
        report(done, total, _("leads imported"))
    writer.finish()
    # The people are clients now: their lines go. Those that were not taken in stay, to be corrected.
    rows.delete()
    batch.move_to(ImportState.DONE)
    batch.finished_at = timezone.now()
    batch.counts, batch.reserved = {**_count(batch), "new": writer.new, "known": writer.known}, {}
    batch.save(update_fields=["state", "finished_at", "counts", "reserved"])
    audit.record(
        actor=batch.owner, action=LeadsAction.IMPORTED, target=batch, brand_id=batch.brand_id, after=batch.counts
    )
    publish(
        LeadsImported(import_id=batch.pk, brand_id=batch.brand_id, new=writer.new, known=writer.known),
        actor=batch.owner,
    )
    for agent_id, count in writer.per_agent.items():
        _tell_agent(batch, agent_id, count)


def _tell_agent(batch: LeadImport, agent_id: int, count: int) -> None:
    notify(
        [agent_id],
        kind=LeadsNotice.IMPORTED,
        title=phrase("New leads from an import: %(count)s") % {"count": count},
        body=batch.file_name,
        url="/leads/",
        dedupe_key=f"leads.imported:{batch.pk}",
    )
