"""What a partner earns per lot today. A trade is paid by the plan of the partner who introduced the client, at every level."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ib.models import Partner, PartnerPlan, PlanVersion, Upline
from ib.plans import card_of
from trading.choices import SymbolGroup

COLUMNS_MAX: Final = 12


@dataclass(frozen=True)
class RateColumn:
    """One level under one plan in force. Level 1 is the partner's own clients."""

    level: int
    version: PlanVersion

    @property
    def is_own(self) -> bool:
        return self.level == 1


@dataclass(frozen=True)
class Rates:
    """`rows`: (symbol group, amount per lot or None, one per column)."""

    columns: list[RateColumn]
    rows: list[tuple[str, list[Decimal | None]]]

    @property
    def has_gaps(self) -> bool:
        return any(amount is None for _label, amounts in self.rows for amount in amounts)

    @property
    def versions(self) -> list[PlanVersion]:
        return list({column.version.pk: column.version for column in self.columns}.values())


def rates_of(partner: Partner) -> Rates | None:
    """List the rates that apply to a partner: their own plan for their own clients, and for each level below the plans that the
    partners there are on.

    Six statements at most; None where no plan pays anything.
    """
    pairs = set(PartnerPlan.objects.filter(partner=partner, ends_at__isnull=True).values_list("plan_id", flat=True)[:1])
    wanted = {(1, plan_id) for plan_id in pairs}
    below = Upline.objects.filter(
        ancestor=partner,
        ends_at__isnull=True,
        level__gt=1,
        partner__plans__ends_at__isnull=True,
        partner__plans__isnull=False,
    )
    wanted |= set(below.order_by().values_list("level", "partner__plans__plan_id").distinct()[:200])
    versions = {
        version.plan_id: version
        for version in PlanVersion.objects.filter(
            plan_id__in={plan_id for _level, plan_id in wanted}, state="active", ends_at__isnull=True
        )
        .select_related("plan")
        .prefetch_related("rates", "levels", "overrides")
    }
    cards = {plan_id: card_of(version) for plan_id, version in versions.items()}
    columns = [
        RateColumn(level, versions[plan_id])
        for level, plan_id in sorted(
            wanted, key=lambda pair: (pair[0], versions[pair[1]].plan.name if pair[1] in versions else "")
        )
        if plan_id in versions and level in cards[plan_id].levels()
    ][:COLUMNS_MAX]
    groups = sorted({group for column in columns for group in cards[column.version.plan_id].groups()})
    rows = [
        (
            str(SymbolGroup(group).label),
            [cards[column.version.plan_id].of_level(group, column.level) for column in columns],
        )
        for group in groups
    ]
    return Rates(columns, rows) if rows else None
