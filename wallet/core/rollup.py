"""Money of several brands in one currency, for a card that is read at a glance. Books and reports never add currencies up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils import timezone

from crm.i18n import formats
from crm.models import Brand, User
from crm.rates import fx
from crm.security.scope import reach_of
from crm.ui.kpis import once_per_page


@dataclass(frozen=True)
class Rollup:
    """The reader's own currency, and today's reference rates of the others into it; None where there is no rate."""

    currency: str
    rates: Mapping[str, fx.Rate | None]

    @property
    def is_converted(self) -> bool:
        return bool(self.rates)

    def of(self, amount: Decimal, currency: str) -> Decimal:
        """Convert an amount; zero where its currency has no rate."""
        if currency == self.currency:
            return amount
        rate = self.rates.get(currency)
        return rate.convert(amount) if rate else Decimal(0)

    def text(self, amount: Decimal) -> str:
        """Show an amount in whole units, with "≈" where other currencies are in it."""
        shown = formats.money(amount, self.currency, is_whole=True)
        return f"≈ {shown}" if self.is_converted else shown


def rollup_of(user: User) -> Rollup:
    """Choose the base currency of the reader's brand, else of the first brand in reach, and read the rates of the others."""

    def read() -> Rollup:
        brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands).order_by("pk")
        currencies = list(brands.values_list("base_currency", flat=True))
        own = user.brand.base_currency if user.brand else next(iter(currencies), "EUR")
        others = sorted(set(currencies) - {own})
        return Rollup(own, fx.rates_into(own, others, on=timezone.now().date()) if others else {})

    return once_per_page(user, "wallet.rollup", read)  # type: ignore[no-any-return]
