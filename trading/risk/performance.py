"""How an account fared: by symbol, by hour of day, its track record. From sums, so that it takes the same time
however many deals there are; days whose deals just changed are read from the deals themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import orjson
from django.db import connection
from django.utils import timezone

from trading import queries
from trading.models import Position, TradingAccount

DAYS: Final = queries.CURVE_DAYS
SYMBOLS_MAX: Final = 50
# Sums of the days that stand, and deals of the days whose sums are about to be written again.
WAITS: Final = "(SELECT day FROM trading_changedday WHERE account_id = %(account)s AND day >= %(since)s)"
WAITING: Final = "trading_waiting_deals(%(account)s, %(since)s)"
BY_SYMBOL: Final = f"""
SELECT symbol, sum(trades)::int, sum(lots), sum(net) FROM (
  SELECT symbol, trades, lots, net FROM trading_symbolresult
  WHERE account_id = %(account)s AND day >= %(since)s AND day NOT IN {WAITS}
  UNION ALL SELECT symbol, count(*) FILTER (WHERE is_trade), sum(lots), sum(net) FROM {WAITING} GROUP BY symbol
) s GROUP BY symbol ORDER BY sum(net) DESC, symbol LIMIT {SYMBOLS_MAX}
"""  # noqa: S608 - constants
BY_HOUR: Final = f"""
WITH days AS (
  SELECT r.trades, r.wins, r.net, r.hours, r.hour_nets FROM trading_accountresult r
  WHERE r.account_id = %(account)s AND r.period = 'd' AND r.start >= %(since)s AND r.start NOT IN {WAITS}
  UNION ALL
  SELECT sum(trades), sum(wins), sum(net), array_agg(hour), array_agg(net) FROM (
    SELECT day, hour, count(*) FILTER (WHERE is_trade)::int AS trades, count(*) FILTER (WHERE is_trade AND net > 0)::int AS wins,
      sum(net) AS net FROM {WAITING} GROUP BY 1, 2) h GROUP BY day
), hours AS (
  SELECT h.hour, sum(h.net) AS net FROM days, unnest(days.hours, days.hour_nets) AS h(hour, net) GROUP BY 1
)
SELECT count(*), coalesce(sum(trades), 0), coalesce(sum(wins), 0), coalesce(sum(net), 0), max(net), min(net),
  count(*) FILTER (WHERE net > 0), (SELECT coalesce(json_object_agg(hour, net::text), '{{}}') FROM hours) FROM days
"""  # noqa: S608 - constants


@dataclass(frozen=True)
class SymbolResult:
    symbol: str
    trades: int
    lots: Decimal
    net: Decimal


@dataclass(frozen=True)
class TrackRecord:
    """An account's closed trades of the last three months. `hours` holds 24 sums, by hour of day in UTC."""

    days: int
    trades: int
    wins: int
    net: Decimal
    best_day: Decimal | None
    worst_day: Decimal | None
    good_days: int
    hours: tuple[Decimal, ...]

    @property
    def win_percent(self) -> Decimal | None:
        return (Decimal(self.wins) / self.trades * 100).quantize(Decimal("0.1")) if self.trades else None


@dataclass(frozen=True)
class Held:
    """What an account holds on one symbol."""

    symbol: str
    long_lots: Decimal
    short_lots: Decimal
    positions: int
    profit: Decimal

    @property
    def net_lots(self) -> Decimal:
        return self.long_lots - self.short_lots


def by_symbol(account: TradingAccount, *, days: int = DAYS) -> list[SymbolResult]:
    """List what an account won and lost on each symbol: closed lots and everything that deals moved, best first.

    Here and below the account comes from `queries.get_account`, which decided who may see it.
    """
    with connection.cursor() as cursor:
        cursor.execute(BY_SYMBOL, _of(account, days))
        return [SymbolResult(*row) for row in cursor.fetchall()]


def track_record(account: TradingAccount, *, days: int = DAYS) -> TrackRecord:
    """Sum up an account's closed trades of the last days: days, trades, wins, net, best and worst, and net by hour of day (UTC)."""
    with connection.cursor() as cursor:
        cursor.execute(BY_HOUR, _of(account, days))
        days, trades, wins, net, best, worst, good, hours = cursor.fetchone()
    nets = orjson.loads(hours) if isinstance(hours, str | bytes) else hours
    by_hour = tuple(Decimal(nets.get(str(hour), 0)) for hour in range(24))
    return TrackRecord(days, trades, wins, net, best, worst, good, by_hour)


def _of(account: TradingAccount, days: int) -> dict[str, Any]:
    since = (timezone.now() - dt.timedelta(days=days)).astimezone(dt.UTC).date()
    return {"account": account.pk, "since": since}


def held_of(positions: Sequence[Position]) -> list[Held]:
    """Sum up exposure by symbol, the largest net first, from positions that were read already: no query."""
    sums: dict[str, list[Any]] = {}
    for position in positions:
        row = sums.setdefault(position.symbol, [Decimal(0), Decimal(0), 0, Decimal(0)])
        row[position.action] += position.lots
        row[2] += 1
        row[3] += position.profit + position.swap
    held = [Held(symbol, *values) for symbol, values in sums.items()]
    return sorted(held, key=lambda row_held: (-abs(row_held.net_lots), row_held.symbol))
