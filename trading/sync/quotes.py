"""Prices of what is traded, read beside the new deals for the apps above that judge fills by them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from django.db import connection

from trading.models import TradingServer
from trading.platforms.base import GivesQuotes, Purpose, QuoteData
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for

logger = logging.getLogger(__name__)
SYMBOLS_MAX: Final = 100
CHOSEN_SECONDS: Final = 60
# What is held, and what was traded in the last hour, the most traded first.
TRADED: Final = """
SELECT symbol FROM (
  SELECT symbol FROM trading_deal WHERE server_id = %(server)s AND executed_at > now() - interval '1 hour' AND action IN (0, 1)
  UNION ALL SELECT symbol FROM trading_position WHERE server_id = %(server)s
) t WHERE symbol <> '' GROUP BY symbol ORDER BY count(*) DESC, symbol LIMIT %(most)s
"""

# What apps above do with quotes that were read; where there is none, nothing is read.
AFTER_QUOTES: Final[list[Callable[[TradingServer, list[QuoteData]], object]]] = []
_chosen: dict[int, tuple[float, list[str]]] = {}


def follow_quotes(server: TradingServer) -> int:
    """Read the prices of what is traded on a server, where its platform gives any. Returns how many; never raises for its errors.

    A worker runs it with each reading of new deals, on the same connection.
    """
    if not AFTER_QUOTES:
        return 0
    platform = platform_for(server, Purpose.READS)
    names = _symbols(server) if isinstance(platform, GivesQuotes) else []
    if not names or not isinstance(platform, GivesQuotes):
        return 0
    try:
        quotes = platform.quotes_since(names)
    except PlatformError as problem:
        logger.info("no quotes of %s: %s", server, problem)
        return 0
    for follow in AFTER_QUOTES:
        follow(server, quotes)
    return len(quotes)


def _symbols(server: TradingServer) -> list[str]:
    """Choose whose prices are read; once a minute, as the deals of an hour may be many."""
    at, names = _chosen.get(server.pk, (0.0, []))
    if not names or time.monotonic() - at > CHOSEN_SECONDS:
        with connection.cursor() as cursor:
            cursor.execute(TRADED, {"server": server.pk, "most": SYMBOLS_MAX})
            names = [row[0] for row in cursor]
        _chosen[server.pk] = (time.monotonic(), names)
    return names
