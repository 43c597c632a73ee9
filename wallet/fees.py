"""What a method costs the client: a part of the amount and a fixed sum, in whole minor units, and never more than there is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Decimal
from typing import Any

from django.utils import timezone

from crm import fx
from crm.money import from_minor, quantize, to_minor

BASIS_POINTS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Fee:
    """The terms, in the currency of the payment."""

    basis_points: int
    fixed_minor: int

    def of(self, amount_minor: int) -> int:
        """The fee on an amount: half to even, and at most the amount itself."""
        return fee_of(amount_minor, self.basis_points, self.fixed_minor)


def fee_of(amount_minor: int, basis_points: int, fixed_minor: int) -> int:
    part = (amount_minor * basis_points / BASIS_POINTS).to_integral_value(rounding=ROUND_HALF_EVEN)
    return min(int(part) + fixed_minor, max(amount_minor, 0))


def from_base(brand: Any, base_minor: int, currency: str, *, rounding: str = ROUND_HALF_EVEN) -> int:
    """A sum in the brand's base currency as minor units of another, at today's rate. Raises crm.fx.NoRate."""
    base = brand.base_currency
    if currency == base or not base_minor:
        return base_minor
    rate = fx.rate(base, currency, on=timezone.now().date()).rate
    return to_minor(quantize(from_minor(base_minor, base) * rate, currency, rounding=rounding), currency)


def least(brand: Any, base_minor: int, currency: str) -> int:
    """A lower limit, rounded up: what is shown as the least is enough."""
    return from_base(brand, base_minor, currency, rounding=ROUND_UP)


def most(brand: Any, base_minor: int, currency: str) -> int:
    """An upper limit, rounded down: what is shown as the most is not too much."""
    return from_base(brand, base_minor, currency, rounding=ROUND_DOWN)
