"""A payment method's fee for the client: a share and a fixed sum, in whole minor units, never more than the amount."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal

from django.utils import timezone

from crm.models import Brand
from crm.money.amounts import from_minor, quantize, to_minor
from crm.rates import fx

BASIS_POINTS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Fee:
    """The terms, in the currency of the payment."""

    basis_points: int
    fixed_minor: int

    def of(self, amount_minor: int) -> int:
        """Compute the fee on an amount, in minor units: half to even, and at most the amount itself."""
        return fee_of(amount_minor, self.basis_points, self.fixed_minor)


def fee_of(amount_minor: int, basis_points: int, fixed_minor: int) -> int:
    """Compute a fee: a share, rounded half to even, and a fixed part; at most the amount itself."""
    part = (amount_minor * basis_points / BASIS_POINTS).to_integral_value(rounding=ROUND_HALF_EVEN)
    return min(int(part) + fixed_minor, max(amount_minor, 0))


class FromBase:
    """Converts sums in a brand's base currency into minor units of another, at today's rate, which is read once."""

    def __init__(self, brand: Brand, currency: str) -> None:
        self.base, self.currency = brand.base_currency, currency
        self._rate: Decimal | None = None

    @property
    def rate(self) -> Decimal:
        """Units of the currency for one of the base. Raises crm.rates.fx.NoRate."""
        if self._rate is None:
            same = self.base == self.currency
            self._rate = Decimal(1) if same else fx.rate(self.base, self.currency, on=timezone.now().date()).rate
        return self._rate

    def fee(self, base_minor: int) -> int:
        return self._minor(base_minor, ROUND_HALF_EVEN)

    def least(self, base_minor: int) -> int:
        """Convert a lower limit, rounded up: an amount that is shown as the minimum is enough."""
        return self._minor(base_minor, ROUND_UP)

    def most(self, base_minor: int) -> int:
        """Convert an upper limit, rounded down: an amount that is shown as the maximum is not too much."""
        return self._minor(base_minor, ROUND_DOWN)

    def _minor(self, base_minor: int, rounding: str) -> int:
        if not base_minor or self.base == self.currency:
            return base_minor
        amount = quantize(from_minor(base_minor, self.base) * self.rate, self.currency, rounding=rounding)
        return to_minor(amount, self.currency)

    def in_base(self, amount: Decimal) -> int:
        """Convert back, into minor units of the base currency."""
        return to_minor(quantize(amount / self.rate, self.base), self.base)
