"""Where a new plan can start from: rate cards as brokers usually agree them, to be changed before anybody sees them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ib.agreements.cards import RateCard
from trading.choices import SymbolGroup

RATES: Final = {
    SymbolGroup.FX_MAJORS: Decimal(7),
    SymbolGroup.FX_MINORS: Decimal(8),
    SymbolGroup.METALS: Decimal(9),
    SymbolGroup.INDICES: Decimal("1.2"),
}


@dataclass(frozen=True)
class PlanTemplate:
    """`is_pool`: the levels share the rate, and together can't get more."""

    code: str
    label: Promise
    text: Promise
    icon: str
    card: RateCard
    is_pool: bool = True


def _shared(*percent: int) -> RateCard:
    return RateCard(
        {str(group): rate for group, rate in RATES.items()},
        {level: Decimal(part) / 100 for level, part in enumerate(percent, start=1)},
        {},
    )


def _fixed(*parts: str) -> RateCard:
    """Give each level an amount per lot instead of a share of the rate."""
    return RateCard(
        {},
        {},
        {
            (str(group), level): (rate * Decimal(part)).quantize(Decimal("0.1"))
            for group, rate in RATES.items()
            for level, part in enumerate(parts, start=1)
        },
    )


TEMPLATES: Final = {
    template.code: template
    for template in (
        PlanTemplate(
            "rebate",
            _("Rebate per lot"),
            _("The referring partner gets the whole rate. Partners above get nothing."),
            "coins",
            _shared(100),
        ),
        PlanTemplate(
            "shared",
            _("Rebate shared by three levels"),
            _("One rate per lot, split 70 / 20 / 10 between the referring partner and two levels above."),
            "network",
            _shared(70, 20, 10),
        ),
        PlanTemplate(
            "fixed",
            _("Fixed amounts per level"),
            _("Each level gets its own amount per lot, independent of the others."),
            "layers",
            _fixed("0.7", "0.2"),
            is_pool=False,
        ),
        PlanTemplate(
            "empty",
            _("Empty plan"),
            _("Start with one level and FX majors, and add what you need."),
            "plus",
            RateCard({}, {}, {}),
        ),
    )
}
