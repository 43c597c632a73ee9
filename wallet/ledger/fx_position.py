"""Converts money between currencies: at a dated rate, through the broker's FX position, without losing a remainder.

    source wallet  −100.00 EUR      FX position EUR  +100.00
    FX position USD −107.31         target wallet    +107.31 USD

The broker carries the position; the journal names the rate and its day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from django.utils import timezone

from crm.models import Brand
from crm.money.amounts import from_minor, quantize, to_minor
from crm.rates import fx
from wallet.choices.ledger import AccountKind
from wallet.core.limits import limit
from wallet.ledger import posting
from wallet.ledger.posting import Line
from wallet.models import Account

BASIS_POINT = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Conversion:
    """Minor units given and got. `rate` is what the client gets per unit given, markup included; `rate_on` its day."""

    given_minor: int
    given_currency: str
    got_minor: int
    got_currency: str
    rate: Decimal
    rate_on: dt.date
    markup_basis_points: int


class StaleRate(fx.NoRate):
    """There is a rate, but it is too old to be promised or booked at."""


def convert_now(brand: Brand, given_minor: int, given: str, got: str) -> Conversion:
    """Convert an amount now under the brand's policy: at a fresh mid rate less the markup.

    Forth and back each give the mid less the same share, so bid and offer are equally far from it, and nobody gains by
    a round trip. Dollars into a cent account's hundredths of a dollar are the same money: no markup is taken.

    Raises: StaleRate, crm.rates.fx.NoRate.
    """
    now = timezone.now()
    mid = fx.rate(given, got, on=now.date())
    if fx.is_same_money(given, got):
        return convert_minor(given_minor, mid, markup_basis_points=0)
    if not mid.is_fresh(now=now, bank_days_max=limit(brand, "fx_rate_bank_days_max")):
        raise StaleRate(f"The newest rate between {given} and {got} is of {mid.on}.")
    return convert_minor(given_minor, mid, markup_basis_points=markup_of(brand))


def markup_of(brand: Brand) -> int:
    """Return the brand's markup in basis points, at least 1.

    Without a markup, whoever exchanges against a daily rate wins on every day that the market moved.
    """
    return max(1, limit(brand, "fx_markup_basis_points"))


def convert_minor(given_minor: int, mid: fx.Rate, *, markup_basis_points: int) -> Conversion:
    """Convert at a mid rate less the markup; rate and amount are rounded down, never in the client's favour."""
    rate = mid.rate * (BASIS_POINT - markup_basis_points) / BASIS_POINT
    rate = rate.quantize(Decimal("1e-12"), rounding=ROUND_DOWN)
    amount = quantize(from_minor(given_minor, mid.base) * rate, mid.quote, rounding=ROUND_DOWN)
    return Conversion(given_minor, mid.base, to_minor(amount, mid.quote), mid.quote, rate, mid.on, markup_basis_points)


def lines_of(conversion: Conversion, *, source: Account, target: Account) -> tuple[Line, ...]:
    """Build the four postings that carry a conversion from one account into another of the same brand."""
    position = AccountKind.FX_POSITION
    here = posting.house(position, brand_id=source.brand_id, currency=conversion.given_currency)
    there = posting.house(position, brand_id=source.brand_id, currency=conversion.got_currency)
    return (
        Line(source, -conversion.given_minor),
        Line(here, conversion.given_minor),
        Line(there, -conversion.got_minor),
        Line(target, conversion.got_minor),
    )
