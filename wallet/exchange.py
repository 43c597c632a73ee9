"""Money from one currency into another: at a dated rate, through the house's FX position, never by rounding something away.

    source wallet  −100.00 EUR      FX position EUR  +100.00
    FX position USD −107.31         target wallet    +107.31 USD

The house carries the position; the journal names the rate and its day.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from crm import fx
from crm.money import from_minor, quantize, to_minor
from wallet import ledger
from wallet.choices import AccountKind
from wallet.ledger import Line
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


def convert_minor(given_minor: int, given: str, got: str, *, on: dt.date, markup_basis_points: int = 0) -> Conversion:
    """What an amount is worth in another currency, less the markup, rounded down to the target's smallest unit.

    Dollars into a cent account's hundredths of a dollar are the same money: no markup is taken.

    Raises crm.fx.NoRate when a currency has no rate on or before that day.
    """
    reference = fx.rate(given, got, on=on)
    if fx.is_same_money(given, got):
        markup_basis_points = 0
    rate = (reference.rate * (BASIS_POINT - markup_basis_points) / BASIS_POINT).quantize(Decimal("1e-12"))
    amount = quantize(from_minor(given_minor, given) * rate, got, rounding=ROUND_DOWN)
    return Conversion(given_minor, given, to_minor(amount, got), got, rate, reference.on)


def lines_of(conversion: Conversion, *, source: Account, target: Account) -> tuple[Line, ...]:
    """The four postings that carry a conversion from one account into another of the same brand."""
    position = AccountKind.FX_POSITION
    here = ledger.house(position, brand_id=source.brand_id, currency=conversion.given_currency)
    there = ledger.house(position, brand_id=source.brand_id, currency=conversion.got_currency)
    return (
        Line(source, -conversion.given_minor),
        Line(here, conversion.given_minor),
        Line(there, -conversion.got_minor),
        Line(target, conversion.got_minor),
    )
