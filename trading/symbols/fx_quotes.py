"""Exchange rates from a connected trading server's own quotes: `platform:<server>/EURUSD+EURAED` in `KEELSON_FX_FEEDS`.

The mid price between bid and ask of symbols that begin with EUR. The first one of a bank day is the day's rate, as every fiat
rate stays what it was. A quote that is old, crossed or wide is no rate: the feed reports it, and finance is notified in time.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Final
from urllib.parse import unquote, urlsplit

from django.utils import timezone

from crm.money.bank_days import is_bank_day
from crm.rates import feeds, fx
from crm.rates.feeds import FeedError, Published
from trading.models import TradingServer
from trading.platforms.base import Purpose, QuoteData
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for

SYMBOLS_MAX: Final = 40
OLD_AFTER: Final = dt.timedelta(minutes=10)
SPREAD_PERCENT_MAX: Final = Decimal(1)


@feeds.reader("platform")
def read_platform(address: str) -> list[Published]:
    """Read today's euro rates from a connected server's quotes; none on a day that is no bank day. Raises: FeedError."""
    server_name, _slash, named = unquote(urlsplit(address).path).partition("/")
    symbols = [symbol for symbol in named.split("+") if symbol]
    server = TradingServer.objects.filter(name__iexact=server_name, is_enabled=True, is_demo=False).first()
    if server is None:
        raise FeedError("No trading server of this name with real accounts is switched on.")
    if not 0 < len(symbols) <= SYMBOLS_MAX or not all(_currency_of(symbol) for symbol in symbols):
        raise FeedError(
            f"Name up to {SYMBOLS_MAX} symbols of the euro, for example platform:{server_name}/EURUSD+EURGBP."
        )
    if not is_bank_day(timezone.now().date()):
        return []
    platform = platform_for(server, Purpose.READS)
    if not hasattr(platform, "quotes"):
        raise FeedError(f"{server.get_kind_display()} gives no quotes here.")
    try:
        quotes: list[QuoteData] = platform.quotes(symbols)
    except PlatformError as problem:
        raise FeedError(str(problem)[:300]) from problem
    if missing := sorted(set(symbols) - {quote.symbol for quote in quotes}):
        raise FeedError(f"No quote of {', '.join(missing)}.")
    return [_published(quote) for quote in quotes]


def _currency_of(symbol: str) -> str:
    """Find the currency of a euro pair such as `EURUSD` or `EURUSD.r`; empty for what is no fiat currency in euro."""
    currency = symbol[3:6]
    is_pair = (
        symbol.startswith("EUR")
        and len(currency) == 3
        and currency.isascii()
        and currency.isalpha()
        and currency.isupper()
    )
    return currency if is_pair and currency != "EUR" and currency not in fx.CRYPTO else ""


def _published(quote: QuoteData) -> Published:
    now = timezone.now()
    if abs(now - quote.at) > OLD_AFTER:
        raise FeedError(f"The quote of {quote.symbol} is of {quote.at:%Y-%m-%d %H:%M} UTC.")
    if not 0 < quote.bid <= quote.ask:
        raise FeedError(f"The quote of {quote.symbol} has no bid below its ask.")
    mid = (quote.bid + quote.ask) / 2
    if (quote.ask - quote.bid) / mid * 100 > SPREAD_PERCENT_MAX:
        raise FeedError(f"The spread of {quote.symbol} is wider than {SPREAD_PERCENT_MAX} %.")
    return Published(now.date(), _currency_of(quote.symbol), mid.quantize(Decimal("1e-12")))
