"""What is on sale side by side: each programme's limits in a line, and prices in a client's own currency where it is another."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.money.amounts import quantize
from crm.rates import fx
from prop.models import ProgrammeVersion
from prop.sentences import percent


@dataclass(frozen=True, slots=True)
class Compared:
    """One programme. Limits are those of its first phase, targets of all of them; empty where there is none."""

    version: ProgrammeVersion
    targets: str
    daily_loss: str
    maximum_loss: str
    days: int
    split: str
    fee: Decimal
    own_fee: str


def compare(versions: Iterable[ProgrammeVersion], rates: Mapping[str, Decimal], own: str) -> list[Compared]:
    """Put programmes side by side; they come with their phases and sizes."""
    return [_line(version, rates, own) for version in versions if version.sizes.all()]


def _line(version: ProgrammeVersion, rates: Mapping[str, Decimal], own: str) -> Compared:
    phases = list(version.phases.all())
    first, fee = phases[0], min(size.fee for size in version.sizes.all())
    splits = [phase.split for phase in phases if phase.split is not None]
    return Compared(
        version=version,
        targets=" · ".join(percent(phase.target) for phase in phases if phase.target is not None),
        daily_loss=percent(first.daily_loss) if first.daily_loss is not None else "",
        maximum_loss=percent(first.max_loss),
        days=first.min_days,
        split=percent(splits[0]) if splits else "",
        fee=fee,
        own_fee=own_price(fee, version.currency, rates, own),
    )


def rates_to(own: str, currencies: Collection[str]) -> dict[str, Decimal]:
    """Read today's rates into a client's own currency; currencies without one are left out."""
    others = {currency for currency in currencies if currency != own}
    rates = fx.rates_into(own, others, on=timezone.localdate()) if others else {}
    return {currency: rate.rate for currency, rate in rates.items() if rate is not None}


def own_price(price: Decimal, currency: str, rates: Mapping[str, Decimal], own: str) -> str:
    """Write about how much a price is in a client's own currency; empty where it is the same, or no rate is known."""
    if currency not in rates:
        return ""
    return _("about %(amount)s") % {"amount": formats.money(quantize(price * rates[currency], own), own)}
