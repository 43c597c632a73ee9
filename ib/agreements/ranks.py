"""Reviewing partners' ranks: on the first of each month, by the volume of the full months before it."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.utils import timezone

from crm.models import Brand
from crm.security import audit
from ib import engine, periods
from ib.audit_codes import IbAction
from ib.calculation.ranks import Rank, Volumes, counted, decide, month_back, starts, volumes
from ib.choices import RunKind, VersionState
from ib.models import CommissionRun, Partner, PartnerPlan, PartnerRank, Plan, PlanTier, PlanVersion

# After an outage the months that were missed are reviewed in their order, a year of them at most.
MONTHS_MAX: Final = 12


@transaction.atomic
def review_ranks(*, brand: Brand, at: dt.datetime | None = None) -> int:
    """Decide the ranks of a brand's partners for the month that runs, and for months that were missed; return how many changed.

    A rank counts from the month's first instant; trades that were calculated since then are calculated again. A month is reviewed
    once. Who: the system's own work.
    """
    tiers = PlanTier.objects.filter(version__plan__brand=brand, version__state=VersionState.ACTIVE)
    if not tiers.exists():
        return 0
    periods.lock_commissions(brand.pk)
    zone, now = ZoneInfo(brand.time_zone), at or timezone.now()
    current = now.astimezone(zone).date().replace(day=1)
    last = CommissionRun.objects.filter(brand=brand, kind=RunKind.RANKS).aggregate(to=Max("to_at"))["to"]
    month = month_back(last.astimezone(zone).date().replace(day=1), -1) if last else current
    if month > current:
        return 0
    month = max(month, month_back(current, MONTHS_MAX))
    since, changed = starts(month, zone), 0
    while month <= current:
        changed += _review_month(brand, month, zone)
        month = month_back(month, -1)
    if changed:
        audit.record(
            actor=None, action=IbAction.RANKS_REVIEWED, target=brand, brand_id=brand.pk, after={"changed": changed}
        )
    # Its row says, too, that the month was reviewed.
    engine.run(brand=brand, scope=engine.Scope(from_at=since, to_at=now), kind=RunKind.RANKS, corrects=True)
    return changed


def _review_month(brand: Brand, month: dt.date, zone: ZoneInfo) -> int:
    """Write the ranks that hold from a month's first instant; return how many differ from the month before."""
    at = starts(month, zone)
    versions = {
        version.plan_id: version
        for version in PlanVersion.objects.filter(
            Q(ends_at=None) | Q(ends_at__gt=at),
            Exists(PlanTier.objects.filter(version=OuterRef("pk"))),
            plan__brand=brand,
            state=VersionState.ACTIVE,
            starts_at__lte=at,
        ).prefetch_related("tiers")
    }
    if not versions:
        return 0
    longest = max(version.tier_months for version in versions.values())
    found = volumes(brand, month_back(month, longest), month)
    known = PartnerRank.objects.filter(plan_id__in=versions)
    held = {(row.partner_id, row.plan_id): row for row in known.filter(ends_at=None)}
    rows = [
        _ranked(version, pair, held.get(pair), found, month, at)
        for pair in _holders(list(versions), at)
        if (version := versions[pair[1]]) and (pair not in held or held[pair].starts_at < at)
    ]
    new = [row for row in rows if row.tier or (row.partner_id, row.plan_id) in held]
    ended = [held[row.partner_id, row.plan_id].pk for row in new if (row.partner_id, row.plan_id) in held]
    PartnerRank.objects.filter(pk__in=ended).update(ends_at=at)
    PartnerRank.objects.bulk_create(new, batch_size=2000)
    return sum(row.tier != (held[pair].tier if (pair := (row.partner_id, row.plan_id)) in held else 0) for row in new)


def _holders(plan_ids: list[int], at: dt.datetime) -> list[tuple[int, int]]:
    """List who is on the plans at an instant, by whichever agreement: (partner, plan)."""
    holds = PartnerPlan.objects.filter(Q(ends_at=None) | Q(ends_at__gt=at), plan_id__in=plan_ids, starts_at__lte=at)
    return list(holds.order_by("partner_id", "plan_id").values_list("partner_id", "plan_id").distinct())


def _ranked(
    version: PlanVersion,
    pair: tuple[int, int],
    before: PartnerRank | None,
    found: Volumes,
    month: dt.date,
    at: dt.datetime,
) -> PartnerRank:
    partner_id, plan_id = pair
    lots = counted(found, version, partner_id, month)
    held = Rank(before.tier, before.missed) if before else Rank()
    rank = decide([tier.lots for tier in version.tiers.all()], version.tier_grace, held, lots)
    return PartnerRank(
        partner_id=partner_id, plan_id=plan_id, tier=rank.tier, missed=rank.missed, lots=lots, starts_at=at
    )


def rank_of(partner: Partner, plan: Plan | None) -> tuple[str, PartnerRank] | None:
    """Find a partner's rank on their plan today, by its name in the version in force: two queries."""
    held = PartnerRank.objects.filter(partner=partner, plan=plan, ends_at=None, tier__gt=0).first() if plan else None
    if held is None:
        return None
    tiers = PlanTier.objects.filter(
        version__plan=plan, version__state=VersionState.ACTIVE, version__ends_at=None, number__lte=held.tier
    )
    tier = tiers.order_by("-number").first()
    return (tier.name, held) if tier else None
