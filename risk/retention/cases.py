"""From flags to cases: who has enough of them goes into the queue, whose flags are over leaves it, and some are held back."""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock_all
from crm.events import ClientFlagged, publish_many
from crm.models import Brand, WorkItem
from crm.security.crypto import lasting_key
from risk.brand_policies import CASE_WEIGHT, HELD_BACK, QUIET_DAYS
from risk.retention.choices import CaseState
from risk.retention.churn.scoring import keep_cases
from risk.retention.flags import FLAGS
from risk.retention.flags.judging import Raised, judge, steps, thresholds
from risk.retention.kind import RETENTION
from risk.retention.models import RetentionCase

PURPOSE: Final = "retention-control"
# In one run and brand: the heaviest first, the next run goes on. A first night over old data must not open ten thousand.
MOST_PER_RUN: Final = 300
URGENT_WEIGHT: Final = 4

WEIGHTS: Final = """
WITH weights AS (SELECT * FROM unnest(%(kinds)s::text[], %(weights)s::int[]) w (kind, weight)),
brands AS (SELECT * FROM unnest(%(brands)s::bigint[], %(least)s::int[], %(quiet)s::int[]) b (id, least, quiet))
SELECT f.client_id, f.brand_id, sum(w.weight) AS weight
FROM risk_retentionflag f JOIN weights w USING (kind) JOIN brands b ON b.id = f.brand_id
WHERE f.ended_at IS NULL AND (%(clients)s::bigint[] IS NULL OR f.client_id = ANY(%(clients)s)) AND NOT EXISTS (
  SELECT FROM risk_retentioncase c WHERE c.client_id = f.client_id AND (c.state = 'open'
    OR coalesce(c.ended_at, c.opened_at) > %(now)s::timestamptz - make_interval(days => b.quiet)))
GROUP BY f.client_id, f.brand_id, b.least HAVING sum(w.weight) >= b.least
ORDER BY weight DESC, f.client_id
"""
# Open cases whose flags weigh something else now, or nothing.
CHANGED: Final = """
WITH weights AS (SELECT * FROM unnest(%(kinds)s::text[], %(weights)s::int[]) w (kind, weight))
SELECT c.id, coalesce(sum(w.weight), 0) AS weight FROM risk_retentioncase c
LEFT JOIN risk_retentionflag f ON f.client_id = c.client_id AND f.ended_at IS NULL LEFT JOIN weights w ON w.kind = f.kind
WHERE c.state = 'open' AND (%(clients)s::bigint[] IS NULL OR c.client_id = ANY(%(clients)s))
GROUP BY c.id, c.weight HAVING coalesce(sum(w.weight), 0) <> c.weight
"""


def is_held_back(client_id: int, points: int, key: bytes) -> bool:
    """Decide by a keyed hash whether a client is in the control group: the same answer each time, and not to be guessed."""
    digest = hmac.digest(key, str(client_id).encode(), "sha256")
    return int.from_bytes(digest[:8], "big") * 10_000 < points << 64


@transaction.atomic
def judge_clients(client_ids: Sequence[int], *, now: dt.datetime | None = None) -> list[Raised]:
    """Judge some clients after something happened to them: flags, cases and events in one transaction."""
    now = now or timezone.now()
    raised = judge(client_ids, now=now)
    _publish(raised)
    follow_flags(now, client_ids=client_ids)
    return raised


def judge_all(*, now: dt.datetime | None = None) -> int:
    """Judge every client, some thousands per transaction, then open and close cases. Returns how many flags are new."""
    now, given, count = now or timezone.now(), thresholds(), 0
    for ids in steps():
        with transaction.atomic():
            raised = judge(ids, now=now, given=given)
            _publish(raised)
        count += len(raised)
    follow_flags(now)
    return count


def _publish(raised: list[Raised]) -> None:
    """Publish new flags, but for clients of the control group: playbooks leave them alone, too."""
    brands = _brands_of({row.client_id for row in raised})
    held = held_back(brands)
    publish_many(
        ClientFlagged(flag_id=row.flag_id, kind=row.kind, client_id=row.client_id, brand_id=brands[row.client_id])
        for row in raised
        if row.client_id not in held
    )


def _brands_of(client_ids: Iterable[int]) -> dict[int, int]:
    rows = Brand.objects.filter(clients__in=list(client_ids)).values_list("clients", "pk")
    return dict(rows)


def held_back(brands: dict[int, int]) -> set[int]:
    """Select who of these clients, given with their brands, is in the control group."""
    if not brands:
        return set()
    points = {brand.pk: HELD_BACK.of(brand) for brand in Brand.objects.filter(pk__in=set(brands.values()))}
    if not any(points.values()):
        return set()
    key = lasting_key(PURPOSE)
    return {pk for pk, brand_id in brands.items() if is_held_back(pk, points[brand_id], key)}


@transaction.atomic
def follow_flags(now: dt.datetime, *, client_ids: Sequence[int] | None = None) -> int:
    """Open cases for clients whose flags weigh enough, keep the weights of open ones, end those without flags.

    Returns how many were opened.
    """
    brands = {brand.pk: brand for brand in Brand.objects.order_by("pk")}
    values: dict[str, Any] = {
        "kinds": [kind.value for kind in FLAGS],
        "weights": [flag.weight for flag in FLAGS.values()],
        "brands": list(brands),
        "least": [CASE_WEIGHT.of(brand) for brand in brands.values()],
        "quiet": [QUIET_DAYS.of(brand) for brand in brands.values()],
        "clients": list(client_ids) if client_ids is not None else None,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('keelson.retention_flags'))")
        cursor.execute(CHANGED, values)
        changed = dict(cursor.fetchall())
        cursor.execute(WEIGHTS, values)
        found = cursor.fetchall()
    _keep(changed, now)
    return _open(found, brands, now)


def _keep(changed: dict[int, int], now: dt.datetime) -> None:
    """Write the weights of open cases, and end those without flags, unless somebody is at it."""
    rows = lock_all(RetentionCase.objects.filter(state=CaseState.OPEN), pks=list(changed))
    free = Q(claimed_until__isnull=True) | Q(claimed_until__lte=now)
    idle = set(WorkItem.objects.filter(free, retention_case__in=rows).values_list("pk", flat=True))
    over = [row for row in rows if not changed[row.pk] and row.work_id in idle]
    for row in rows:
        row.weight = changed[row.pk]
        row.save(update_fields=["weight"])
    for row in over:
        row.move_to(CaseState.ENDED)
        row.ended_at = now
        row.save(update_fields=["state", "ended_at"])
    work.close_items([row.work_id for row in over])


def _open(found: list[tuple[int, int, int]], brands: dict[int, Brand], now: dt.datetime) -> int:
    left = dict.fromkeys(brands, MOST_PER_RUN)
    chosen = []
    for client_id, brand_id, weight in found:
        if left[brand_id] > 0:
            left[brand_id] -= 1
            chosen.append((client_id, brand_id, int(weight)))
    held = held_back({client_id: brand_id for client_id, brand_id, _weight in chosen})
    cases = []
    for client_id, brand_id, weight in chosen:
        state = CaseState.HELD_BACK if client_id in held else CaseState.OPEN
        case = RetentionCase(client_id=client_id, brand=brands[brand_id], weight=weight, opened_at=now, state=state)
        if client_id not in held:
            urgent = weight >= URGENT_WEIGHT
            priority = WorkPriority.HIGH if urgent else WorkPriority.NORMAL
            case.work = work.new_item(
                RETENTION, brand=brands[brand_id], client_id=client_id, opened_at=now, priority=priority
            )
        cases.append(case)
    WorkItem.objects.bulk_create([case.work for case in cases if case.work is not None])
    RetentionCase.objects.bulk_create(cases)
    if cases:
        keep_cases()
    return sum(case.work is not None for case in cases)
