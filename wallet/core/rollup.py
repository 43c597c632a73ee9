"""Money of several brands in one currency, for a card that is read at a glance. Books and reports never add currencies up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import Brand, User
from crm.rates import fx
from crm.security.scope import reach_of
from crm.ui.kpis import once_per_page


@dataclass(frozen=True)
class Total:
    """A sum in the reader's currency. `without` is what couldn't be converted, by currency: it isn't in `amount`."""

    amount: Decimal = Decimal(0)
    is_converted: bool = False
    without: tuple[tuple[str, Decimal], ...] = ()

    def __add__(self, other: Total) -> Total:
        left_out = dict(self.without)
        for currency, amount in other.without:
            left_out[currency] = left_out.get(currency, Decimal(0)) + amount
        is_converted = self.is_converted or other.is_converted
        return Total(self.amount + other.amount, is_converted, tuple(sorted(left_out.items())))


@dataclass(frozen=True)
class Rollup:
    """The reader's own currency, and today's reference rates of the others into it; None where there is no rate."""

    currency: str
    rates: dict[str, fx.Rate | None] = field(default_factory=dict)

    def of(self, amount: Decimal, currency: str) -> Total:
        """Convert an amount; where its currency has no rate, it is left out and named."""
        if currency == self.currency or not amount:
            return Total(amount)
        rate = self._rate(currency)
        return Total(rate.convert(amount), is_converted=True) if rate else Total(without=((currency, amount),))

    def _rate(self, currency: str) -> fx.Rate | None:
        """Read the rate of a currency that no brand in reach keeps its books in, once."""
        if currency not in self.rates:
            self.rates.update(fx.rates_into(self.currency, [currency], on=timezone.now().date()))
        return self.rates[currency]

    def figure(self, total: Total) -> str:
        """Show a sum in whole units, with "≈" where other currencies are in it. `missing` says what isn't."""
        shown = formats.money(total.amount, self.currency, is_whole=True)
        return f"≈ {shown}" if total.is_converted else shown

    def missing(self, total: Total) -> str:
        """Name what a sum leaves out, "without XYZ 3,000: no rate"; "" where it is whole."""
        amounts = [formats.money(amount, currency, is_whole=True) for currency, amount in total.without if amount]
        return _("without %(amounts)s: no rate") % {"amounts": " + ".join(amounts)} if amounts else ""

    def text(self, total: Total) -> str:
        """Show a sum with what it leaves out: "≈ €1,234 (without XYZ 3,000: no rate)"."""
        missing = self.missing(total)
        return f"{self.figure(total)} ({missing})" if missing else self.figure(total)


def rollup_of(user: User) -> Rollup:
    """Choose the base currency of the reader's brand, else of the first brand in reach, and read the rates of the others."""

    def read() -> Rollup:
        brands = Brand.objects.filter(pk__in=reach_of(user).whole_brands).order_by("pk")
        currencies = list(brands.values_list("base_currency", flat=True))
        own = user.brand.base_currency if user.brand else next(iter(currencies), "EUR")
        others = sorted(set(currencies) - {own})
        return Rollup(own, fx.rates_into(own, others, on=timezone.now().date()) if others else {})

    return once_per_page(user, "wallet.rollup", read)  # type: ignore[no-any-return]
