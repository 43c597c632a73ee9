"""What a version of a plan would have cost over the last days, had it paid in place of the versions that did.

The engine calculates the real trades of the brand with the version in force, without writing, and the result is laid beside
what was accrued on them and what the broker earned. It is kept beside the version. A change of one partner's plan is tried the
same way, on the trades of their network: the version of the plan that is in force today.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.files.jobs import start_job
from crm.models import Job, User
from crm.security import audit
from crm.security.policies import require
from ib import engine, plans
from ib.agreements.cards import described, rate_card
from ib.agreements.ratios import check_ratio
from ib.agreements.scopes import Scope
from ib.audit_codes import IbAction
from ib.calculation import facts, monthly, sales
from ib.calculation.tried import Instead, TriedAgreement
from ib.choices import VersionState
from ib.models import Partner, PartnerPlan, Plan, PlanVersion, Upline, WhatIf
from ib.policies import can_manage_partners, can_try_version

DAYS_MAX: Final = 92
LINES_KEPT: Final = 200

# Per partner, in the version's currency: what they earned on these trades, what they would earn, and, of the trades that they
# introduced: what all partners would earn on them, what clients were charged and lost, and what would be passed on to them. Lines
# that the version doesn't change (`ib.calculation.narrowing`) are as they were accrued.
RESULT = """
WITH rate AS (SELECT base, day, rate FROM ib_fx WHERE quote = %(currency)s),
unchanged AS (
  SELECT k.introducer_id, k.partner_id, k.amount FROM ib_paid k JOIN ib_pair p USING (introducer_id, partner_id)
  WHERE NOT p.is_tried AND k.amount IS NOT NULL
), earned AS (
  SELECT partner_id, sum(after) AS after FROM (
    SELECT w.partner_id, w.amount * r.rate AS after FROM ib_wanted w JOIN rate r ON r.base = w.currency AND r.day = w.day
    WHERE w.reason = ''
    UNION ALL SELECT partner_id, amount FROM unchanged{beside_after}) each GROUP BY 1
), had AS (
  SELECT partner_id, sum(before) AS before FROM (
    SELECT partner_id, amount AS before FROM ib_paid WHERE amount IS NOT NULL{beside_before}) each GROUP BY 1
), cost AS (
  SELECT partner_id, sum(cost) AS cost, sum(passed) AS passed FROM (
    SELECT w.introducer_id AS partner_id, w.amount * r.rate AS cost,
      CASE WHEN w.passed_per_lot IS NOT NULL THEN least(w.amount, trunc(w.lots * w.passed_per_lot * w.fx_rate, 8))
        ELSE trunc(w.amount * coalesce(w.passed_percent, 0) / 100, 8) END * r.rate AS passed
    FROM ib_wanted w JOIN rate r ON r.base = w.currency AND r.day = w.day WHERE w.reason = ''
    UNION ALL SELECT introducer_id, amount, 0 FROM unchanged) each GROUP BY 1
), house AS (
  SELECT c.introducer_id AS partner_id, count(*) AS deals, sum(c.lots) AS lots,
    sum(-(coalesce(c.commission, 0) + coalesce(o.commission_per_lot * c.closed_lots, 0)) * r.rate) AS charged,
    sum(-c.result * r.rate) AS lost
  FROM ib_trade c
  LEFT JOIN ib_opened o ON {in_life}
  JOIN rate r ON r.base = c.account_currency AND r.day = (c.closed_at AT TIME ZONE 'UTC')::date
  GROUP BY 1
)
SELECT partner_id, coalesce(before, 0), coalesce(after, 0), coalesce(cost, 0), coalesce(deals, 0), coalesce(lots, 0),
  coalesce(charged, 0), coalesce(lost, 0), coalesce(passed, 0)
FROM earned FULL JOIN had USING (partner_id) FULL JOIN cost USING (partner_id) FULL JOIN house USING (partner_id)
ORDER BY abs(coalesce(after, 0) - coalesce(before, 0)) DESC, partner_id
"""
# What caps leave of other lines of partners above, by the rate of the nearest day that is known.
BESIDE = """
    UNION ALL SELECT x.partner_id, x.{amount} * r.rate FROM ib_cap_beside x CROSS JOIN LATERAL (
      SELECT k.rate FROM rate k WHERE k.base = x.currency ORDER BY abs(k.day - x.closed_at::date), k.day LIMIT 1) r
    WHERE x.taken <> x.left_off"""


@dataclass(frozen=True)
class Row:
    """One partner's part; money in the version's currency. `cost`: what all partners would earn on trades they introduced."""

    partner_id: int
    before: Decimal
    after: Decimal
    cost: Decimal
    deals: int
    lots: Decimal
    charged: Decimal
    lost: Decimal
    passed: Decimal = Decimal(0)

    @property
    def difference(self) -> Decimal:
        return self.after - self.before

    @property
    def revenue(self) -> Decimal:
        return self.charged + self.lost

    @property
    def is_over(self) -> bool:
        """Say whether partners would earn more on these trades than the broker did."""
        return self.cost > self.revenue and self.deals > 0


def content_hash(version: PlanVersion) -> str:
    """Sum up what a version says, to tell whether it has changed since a what-if."""
    text = json.dumps(described(version, rate_card(version)), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def request_what_if(*, version_id: int, days: int, for_plan_id: int | None, actor: User) -> Job:
    """Start the job that tries a version out on the last days. Who: as `run_what_if`. Raises: NotAllowed, DomainError."""
    version = PlanVersion.objects.select_related("plan").get(pk=version_id)
    _check(version, days, for_plan_id, actor)
    return start_job(
        "ib.what_if", owner=actor, parameters={"version": version.pk, "days": days, "for_plan": for_plan_id}
    )


@transaction.atomic
def run_what_if(
    *,
    version_id: int,
    days: int,
    for_plan_id: int | None,
    actor: User,
    progress: Callable[[int, int], Any] | None = None,
    at: dt.datetime | None = None,
) -> WhatIf:
    """Try a version out on the trades of the last days and keep the result beside it; nothing is accrued.

    for_plan_id: the plan whose partners would have it; the version's own unless said. at: the end of the days; now unless said.
    Who: who may write or approve the brand's plans. Raises: NotAllowed, DomainError (days, a plan of another brand or one
    that no partner holds).
    """
    version = PlanVersion.objects.select_related("plan__brand").get(pk=version_id)
    plan = _check(version, days, for_plan_id, actor)
    return _run(version, Instead(version.pk, plan.pk), days=days, actor=actor, progress=progress, at=at)


def request_agreement_what_if(
    *, partner_id: int, plan_id: int | None, percent: Decimal, scope: Scope, days: int, actor: User
) -> Job:
    """Start the job that tries a change of one partner's plan. Who: as `run_agreement_what_if`.

    Raises: NotAllowed, DomainError, WrongState.
    """
    partner = Partner.objects.select_related("brand").get(pk=partner_id)
    version = _check_agreement(partner, plan_id, percent, scope, days, actor)
    agreement = {"partner": partner.pk, "plan": version.plan_id, "percent": str(percent), "scope": scope.values}
    return start_job("ib.what_if", owner=actor, parameters={"days": days, "agreement": agreement})


@transaction.atomic
def run_agreement_what_if(
    *,
    partner_id: int,
    plan_id: int | None,
    percent: Decimal,
    scope: Scope,
    days: int,
    actor: User,
    progress: Callable[[int, int], Any] | None = None,
) -> WhatIf:
    """Try a change of one partner's plan on the trades that their network closed in the last days; nothing is agreed or accrued.

    The plan's version of today counts for all of the days, in place of what the partner had for these trades.
    Who: `ib.manage_partners` at the brand. Raises: NotAllowed, DomainError (days, no plan, a scope that can't be), WrongState
    where it is so already.
    """
    partner = Partner.objects.select_related("brand").get(pk=partner_id)
    version = _check_agreement(partner, plan_id, percent, scope, days, actor)
    tried = TriedAgreement(partner.pk, percent, scope.values)
    return _run(version, Instead(version.pk, version.plan_id, tried), days=days, actor=actor, progress=progress)


def _run(
    version: PlanVersion,
    instead: Instead,
    *,
    days: int,
    actor: User,
    progress: Callable[[int, int], Any] | None,
    at: dt.datetime | None = None,
) -> WhatIf:
    now = at or timezone.now()
    from_at, brand = now - dt.timedelta(days=days), version.plan.brand
    agreement = instead.agreement
    network = agreement.partner_id if agreement else None
    tell = progress or (lambda _done, _whole: None)
    tell(0, 3)
    scope = engine.Scope(from_at=from_at, to_at=now, network_of=network)
    with engine.gathered(brand=brand, scope=scope, instead=instead) as calculate:
        tell(1, 3)
        calculate()
        tell(2, 3)
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass('pg_temp.ib_cap_beside') IS NOT NULL")
            sides = {"beside_after": "left_off", "beside_before": "taken"} if cursor.fetchone()[0] else {}
            beside = {name: BESIDE.format(amount=amount) for name, amount in sides.items()}
            result = RESULT.format(
                **{"beside_after": "", "beside_before": "", **beside}, in_life=facts.IN_LIFE.format(o="o")
            )
            cursor.execute(result, {"currency": version.currency})
            rows = [Row(*values) for values in cursor.fetchall()]
    rows = _with_months(rows, version, instead, from_at=from_at, to_at=now)
    kept = WhatIf.objects.create(
        version=version,
        for_plan_id=instead.plan_id,
        partner_id=network,
        percent=agreement.percent if agreement else 100,
        scope=agreement.scope if agreement else {},
        content_hash=content_hash(version),
        from_at=from_at,
        to_at=now,
        currency=version.currency,
        deals=sum(row.deals for row in rows),
        partners=len(rows),
        before=_total(rows, "before"),
        after=_total(rows, "after"),
        charged=_total(rows, "charged"),
        lost=_total(rows, "lost"),
        passed_on=_total(rows, "passed"),
        lines=[{name: str(value) for name, value in asdict(row).items()} for row in rows[:LINES_KEPT]],
        made_by=actor,
    )
    audit.record(
        actor=actor,
        action=IbAction.PLAN_TRIED_OUT,
        target=version,
        brand_id=brand.pk,
        after={
            "days": days,
            "for_plan": instead.plan_id,
            "partner": network,
            "before": str(kept.before),
            "after": str(kept.after),
        },
    )
    tell(3, 3)
    return kept


def _with_months(
    rows: list[Row], version: PlanVersion, instead: Instead, *, from_at: dt.datetime, to_at: dt.datetime
) -> list[Row]:
    """Add shares of net revenue and sold challenges of the same days, by the version and by those that paid.

    Of months in part, that part.

    Of a network alone where one agreement is tried; of others what it changes for them.
    """
    brand, found, zero = version.plan.brand, {row.partner_id: row for row in rows}, Decimal(0)
    before, after = (
        _added(
            monthly.tried(brand, from_at, to_at, currency=version.currency, instead=way),
            sales.tried(brand, from_at, to_at, currency=version.currency, instead=way),
        )
        for way in (None, instead)
    )
    network = None
    if instead.agreement is not None:
        network = set(Upline.objects.filter(ancestor=instead.agreement.partner_id).values_list("partner_id", flat=True))
    for partner_id in {*before, *after}:
        (was, _was_cost), (now, cost) = before.get(partner_id, (zero, zero)), after.get(partner_id, (zero, zero))
        if network is not None and partner_id not in network:
            if was == now:
                continue
            was, now, cost = zero, now - was, zero
        row = found.get(partner_id) or Row(partner_id, zero, zero, zero, 0, zero, zero, zero)
        found[partner_id] = replace(row, before=row.before + was, after=row.after + now, cost=row.cost + cost)
    return sorted(found.values(), key=lambda row: (-abs(row.difference), row.partner_id))


def _added(*parts: dict[int, tuple[Decimal, Decimal]]) -> dict[int, tuple[Decimal, Decimal]]:
    """Add up {partner: (earned, cost)}."""
    found: dict[int, tuple[Decimal, Decimal]] = {}
    for part in parts:
        for partner_id, (earned, cost) in part.items():
            was, was_cost = found.get(partner_id, (Decimal(0), Decimal(0)))
            found[partner_id] = was + earned, was_cost + cost
    return found


def _total(rows: list[Row], name: str) -> Decimal:
    return sum((getattr(row, name) for row in rows), Decimal(0)).quantize(Decimal("0.00000001"))


def _check(version: PlanVersion, days: int, for_plan_id: int | None, actor: User) -> Plan:
    require(can_try_version(actor, version))
    _check_days(days)
    plan = Plan.objects.filter(pk=for_plan_id or version.plan_id, brand_id=version.plan.brand_id).first()
    if plan is None:
        raise DomainError(_("Choose a plan of the same brand."))
    if not PartnerPlan.objects.filter(plan=plan).exists():
        raise DomainError(_("No partner is on %(plan)s. Choose the plan whose partners would get it.") % {"plan": plan})
    return plan


def _check_days(days: int) -> None:
    if not 1 <= days <= DAYS_MAX:
        raise DomainError(_("Choose between 1 and %(most)s days.") % {"most": DAYS_MAX})


def _check_agreement(
    partner: Partner, plan_id: int | None, percent: Decimal, scope: Scope, days: int, actor: User
) -> PlanVersion:
    """Return the version that an agreement which may be made would pay by today."""
    require(can_manage_partners(actor, partner.brand_id))
    _check_days(days)
    if plan_id is None:
        raise DomainError(_("Choose a plan to try."))
    check_ratio(percent)
    plan, _current = plans.check_agreement(partner, plan_id, plans.Terms(percent), scope=scope)
    held = Q(ends_at=None) | Q(ends_at__gt=timezone.now())
    versions = PlanVersion.objects.filter(held, plan=plan, state=VersionState.ACTIVE).select_related("plan__brand")
    return versions.order_by("starts_at")[0]


def rows_of(kept: WhatIf) -> list[tuple[Partner, Row]]:
    """List the lines that were kept with their partners, largest change first; one query."""
    whole = ("partner_id", "deals")
    rows = [
        Row(**{name: int(value) if name in whole else Decimal(value) for name, value in line.items()})  # type: ignore[arg-type]
        for line in kept.lines
    ]
    partners = Partner.objects.in_bulk([row.partner_id for row in rows])
    return [(partners[row.partner_id], row) for row in rows]
