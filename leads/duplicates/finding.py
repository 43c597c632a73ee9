"""Finding pairs: of new records within a minute, of those who came again immediately, and of all in a nightly round.

Set-based and by index: a pass takes so many records, joins the keyed hashes of identifiers and the dates of birth, and
writes one row per pair. A number, address or device of very many people links nobody.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from clients.models import Client
from crm.due import DueKind, declare, due
from crm.models import Brand, DueRow
from leads.choices import DuplicateState
from leads.duplicates.weighing import Facts, Weighed, points_of, weigh_pair
from leads.models import DuplicatePass, PossibleDuplicate

SHARED_MAX: Final = 20  # records per identifier or date of birth; an office, a call centre, 1 January
COMPARED_MAX: Final = 1_000  # records in one pass
NIGHTLY_MAX: Final = 200_000  # records in one night
SOON: Final = dt.timedelta(seconds=20)
PAIRS: Final = """
WITH fresh AS (
  SELECT id, date_of_birth, country FROM clients_client
  WHERE id = ANY(%(ids)s) AND brand_id = %(brand)s AND merged_into_id IS NULL AND stage NOT IN ('related', 'closed')
), found(one, other, kind) AS (
  SELECT f.id, o.client_id, a.kind FROM fresh f
  JOIN clients_identifier a ON a.client_id = f.id AND a.kind IN ('email', 'phone', 'device')
  CROSS JOIN LATERAL (SELECT array_agg(x.client_id) AS ids FROM (
    SELECT i.client_id FROM clients_identifier i
    WHERE i.kind = a.kind AND i.mark = a.mark AND i.client_id IS NOT NULL LIMIT %(most)s + 1) x) g
  CROSS JOIN LATERAL unnest(g.ids) o(client_id)
  WHERE cardinality(g.ids) <= %(most)s
  UNION ALL
  SELECT f.id, o.id, 'birth_date' FROM fresh f
  CROSS JOIN LATERAL (SELECT array_agg(x.id) AS ids FROM (
    SELECT c.id FROM clients_client c WHERE c.brand_id = %(brand)s AND c.date_of_birth = f.date_of_birth
      AND c.country = f.country LIMIT %(most)s + 1) x) g
  CROSS JOIN LATERAL unnest(g.ids) o(id)
  WHERE f.date_of_birth IS NOT NULL AND f.country <> '' AND cardinality(g.ids) <= %(most)s
), pairs AS (
  SELECT least(one, other) AS one, greatest(one, other) AS other, array_agg(DISTINCT kind) AS kinds
  FROM found WHERE one <> other GROUP BY 1, 2
)
SELECT a.id, b.id, p.kinds, a.first_name, a.last_name, a.country, a.date_of_birth,
  b.first_name, b.last_name, b.country, b.date_of_birth
FROM pairs p JOIN clients_client a ON a.id = p.one JOIN clients_client b ON b.id = p.other
WHERE a.brand_id = %(brand)s AND b.brand_id = %(brand)s AND a.kind = b.kind
  AND a.merged_into_id IS NULL AND b.merged_into_id IS NULL
  AND a.stage NOT IN ('related', 'closed') AND b.stage NOT IN ('related', 'closed')
ORDER BY a.id, b.id
"""
# A pair that people decided stays decided while the facts are the same.
KEEP: Final = """
INSERT INTO leads_possibleduplicate AS p
  (brand_id, first_id, second_id, state, is_household, points, reasons, facts_hash, found_at, reason)
SELECT %(brand)s, n.first_id, n.second_id, 'open', n.is_household, n.points, n.reasons::jsonb, n.facts_hash, %(now)s, ''
FROM unnest(%(firsts)s::bigint[], %(seconds)s::bigint[], %(households)s::bool[], %(points)s::int[], %(reasons)s::text[],
  %(hashes)s::text[]) n(first_id, second_id, is_household, points, reasons, facts_hash)
ON CONFLICT (first_id, second_id) DO UPDATE SET is_household = excluded.is_household, points = excluded.points,
  reasons = excluded.reasons, facts_hash = excluded.facts_hash,
  state = CASE WHEN p.facts_hash <> excluded.facts_hash AND p.state <> 'merged' THEN 'open' ELSE p.state END,
  found_at = CASE WHEN p.facts_hash <> excluded.facts_hash THEN excluded.found_at ELSE p.found_at END
WHERE (p.facts_hash, p.points) IS DISTINCT FROM (excluded.facts_hash, excluded.points)
"""
# Open pairs of these records that no longer share enough.
DROP: Final = """
DELETE FROM leads_possibleduplicate p
WHERE p.state = 'open' AND (p.first_id = ANY(%(ids)s) OR p.second_id = ANY(%(ids)s))
  AND NOT EXISTS (SELECT 1 FROM unnest(%(firsts)s::bigint[], %(seconds)s::bigint[]) n(a, b)
                  WHERE n.a = p.first_id AND n.b = p.second_id)
"""


@transaction.atomic
def compare(brand: Brand, client_ids: Collection[int]) -> int:
    """Find the pairs of these records with any other of the brand and write them; returns how many are listed."""
    ids = sorted(client_ids)
    points = points_of(brand)
    listed = [
        (first, second, weighed)
        for first, second, shared, one, other in _pairs(brand, ids)
        if (weighed := weigh_pair(one, other, shared, points)).is_listed
    ]
    values: dict[str, Any] = {**_columns(listed), "brand": brand.pk, "ids": ids, "now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)
        cursor.execute(DROP, values)
    return len(listed)


def _pairs(brand: Brand, ids: list[int]) -> Iterator[tuple[int, int, list[str], Facts, Facts]]:
    with connection.cursor() as cursor:
        cursor.execute(PAIRS, {"brand": brand.pk, "ids": ids, "most": SHARED_MAX})
        for row in cursor.fetchall():
            yield row[0], row[1], row[2], Facts(*row[3:7]), Facts(*row[7:11])


def _columns(listed: list[tuple[int, int, Weighed]]) -> dict[str, list[Any]]:
    return {
        "firsts": [first for first, _second, _weighed in listed],
        "seconds": [second for _first, second, _weighed in listed],
        "households": [weighed.is_household for _first, _second, weighed in listed],
        "points": [weighed.points for _first, _second, weighed in listed],
        "reasons": [orjson.dumps(weighed.reasons).decode() for _first, _second, weighed in listed],
        "hashes": [weighed.facts_hash for _first, _second, weighed in listed],
    }


def _next_ids(brand_id: int, after: int) -> list[int]:
    rows = Client.objects.filter(brand_id=brand_id, pk__gt=after).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:COMPARED_MAX])


@transaction.atomic
def compare_new(*, brand_id: int) -> bool:
    """Compare the next records that came in since the last pass; True where more are left. Who: the system."""
    position, _is_new = DuplicatePass.objects.get_or_create(brand_id=brand_id)
    ids = _next_ids(brand_id, position.after_new)
    if ids:
        compare(Brand.objects.get(pk=brand_id), ids)
        DuplicatePass.objects.filter(pk=brand_id).update(after_new=ids[-1])
    return len(ids) == COMPARED_MAX


def compare_nightly(*, at_most: int = NIGHTLY_MAX) -> int:
    """Compare the next records of each brand again, a bounded number a night; returns how many. The round then begins again.

    What changed on old records is found by it: a corrected name, a shared device, other points of the brand.
    """
    compared = 0
    for brand in Brand.objects.filter(archived_at=None).order_by("pk"):
        left = at_most
        while left > 0 and (ids := _compare_next(brand)):
            compared, left = compared + len(ids), left - len(ids)
    return compared


@transaction.atomic
def _compare_next(brand: Brand) -> list[int]:
    position, _is_new = DuplicatePass.objects.get_or_create(brand=brand)
    ids = _next_ids(brand.pk, position.after_nightly)
    if ids:
        compare(brand, ids)
    DuplicatePass.objects.filter(pk=brand.pk).update(after_nightly=ids[-1] if ids else 0)
    return ids


def _compare_due(row: DueRow) -> None:
    brand_id = int(row.key)
    if compare_new(brand_id=brand_id):
        due(FIND, key=brand_id, at=timezone.now(), brand_id=brand_id)


FIND = declare(
    DueKind(
        "leads.find_duplicates", gettext_lazy("Possible duplicates"), _compare_due, permission="clients.merge_client"
    )
)


def await_comparison(brand_id: int) -> None:
    """Have a brand's new records compared within a minute: for what has just written some."""
    due(FIND, key=brand_id, at=timezone.now() + SOON, brand_id=brand_id, only_sooner=True)


def note_merge(client_ids: Collection[int], *, is_undone: bool = False) -> None:
    """Note on a pair that its records were merged, or that they are two again."""
    before, after = (DuplicateState.OPEN, DuplicateState.MERGED)
    if is_undone:
        before, after = after, before
    first, second = sorted(client_ids)
    for pair in PossibleDuplicate.objects.filter(first_id=first, second_id=second, state=before):
        pair.move_to(after)
        pair.save(update_fields=["state"])
