"""What a dealing desk looks at: who wins and who loses, what clients hold together, and who holds it. Real accounts only.

Results come from the sums by day, week and month (`trading.sync.results`); amounts are in the brand's base currency. "Net" is the
clients': what they win, the broker loses where it holds the other side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from crm.models import Brand, User
from crm.security.policies import require_permission
from crm.security.scope import reach_of
from trading.choices import Period
from trading.models import TradingServer

SEES: Final = "trading.view_deal_list"
SHOWN: Final = 20
EXPORTED_MAX: Final = 10_000
SYMBOLS_MAX: Final = 200
# One row per account, or per client: `{key}`. Both ends of the same list, and what they come to together.
RESULTS: Final = """
WITH rows AS MATERIALIZED (
  SELECT {key} AS id, min(a.id) AS account_id, a.client_id, count(*)::int AS accounts, sum(r.trades)::int AS trades,
    sum(r.wins)::int AS wins, sum(r.lots) AS lots, sum(r.net_base) AS net,
    sum(round(a.floating * CASE WHEN a.equity <> 0 THEN a.equity_base / a.equity ELSE 0 END, 2)) AS floating,
    sum(a.equity_base) AS equity
  FROM trading_accountresult r JOIN trading_tradingaccount a ON a.id = r.account_id AND NOT a.is_demo
  JOIN clients_client c ON c.id = a.client_id
  WHERE r.period = %(period)s AND r.start = %(start)s AND c.brand_id = %(brand)s AND c.book_id = ANY(%(books)s)
    AND (%(server)s::bigint IS NULL OR a.server_id = %(server)s)
  GROUP BY {key}, a.client_id
), shown AS (
  {shown}
)
SELECT s.side, s.account_id, s.client_id, a.login, trim(c.first_name || ' ' || c.last_name), s.accounts, s.trades, s.wins,
  s.lots, s.net, s.floating, s.equity
FROM shown s JOIN trading_tradingaccount a ON a.id = s.account_id JOIN clients_client c ON c.id = s.client_id
ORDER BY s.side DESC, CASE WHEN s.side = 'won' THEN -s.net ELSE s.net END, s.account_id
"""
BOTH_ENDS: Final = """
  (SELECT 'won' AS side, * FROM rows WHERE net > 0 ORDER BY net DESC, id LIMIT %(limit)s)
  UNION ALL (SELECT 'lost', * FROM rows WHERE net < 0 ORDER BY net, id LIMIT %(limit)s)
"""
WHOLE: Final = "  SELECT 'won' AS side, * FROM rows ORDER BY net DESC, id LIMIT %(limit)s"
TOTALS: Final = """
SELECT count(*) FILTER (WHERE r.net_base > 0), count(*) FILTER (WHERE r.net_base < 0), coalesce(sum(r.net_base), 0),
  coalesce(sum(r.net_base) FILTER (WHERE r.net_base > 0), 0), coalesce(sum(r.net_base) FILTER (WHERE r.net_base < 0), 0),
  coalesce(sum(r.lots), 0), coalesce(sum(r.trades), 0)
FROM trading_accountresult r JOIN trading_tradingaccount a ON a.id = r.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id
WHERE r.period = %(period)s AND r.start = %(start)s AND c.brand_id = %(brand)s AND c.book_id = ANY(%(books)s)
  AND (%(server)s::bigint IS NULL OR a.server_id = %(server)s)
"""
HELD: Final = """
FROM trading_position p
JOIN trading_tradingaccount a ON a.id = p.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id
LEFT JOIN trading_symbolinfo s ON s.server_id = p.server_id AND s.name = p.symbol
CROSS JOIN LATERAL (SELECT coalesce(nullif(p.contract_size, 0) / s.house_contract_size, 1) AS factor,
  CASE WHEN p.action = 0 THEN 1 ELSE -1 END AS sign,
  CASE WHEN a.equity <> 0 THEN a.equity_base / a.equity ELSE 0 END AS rate) x
WHERE c.book_id = ANY(%(books)s) AND c.brand_id = %(brand)s AND (%(server)s::bigint IS NULL OR p.server_id = %(server)s)
"""
# Value: what the net volume is worth at the price now, in the symbol's profit currency first, then in the base currency.
EXPOSURE: Final = f"""
WITH parts AS (
  SELECT coalesce(nullif(s.canonical, ''), p.symbol) AS house, coalesce(s.currency_profit, '') AS currency,
    sum(p.lots * x.factor) FILTER (WHERE p.action = 0) AS long, sum(p.lots * x.factor) FILTER (WHERE p.action = 1) AS short,
    count(*) AS positions, count(DISTINCT a.client_id) AS clients,
    sum(p.lots * p.contract_size * p.price_current * x.sign) AS value, sum((p.profit + p.swap) * x.rate) AS profit
  {HELD} GROUP BY 1, 2
)
SELECT house, coalesce(sum(long), 0), coalesce(sum(short), 0), sum(positions)::int, sum(clients)::int, round(sum(profit), 2),
  round(sum(value * keelson_euro_rate(%(base)s, %(today)s) / keelson_euro_rate(nullif(currency, ''), %(today)s)), 0)
FROM parts GROUP BY 1 ORDER BY abs(coalesce(sum(long), 0) - coalesce(sum(short), 0)) DESC, 1 LIMIT {SYMBOLS_MAX}
"""  # noqa: S608 - constants
HOLDERS: Final = f"""
SELECT a.id, a.client_id, a.login, trim(c.first_name || ' ' || c.last_name), min(p.symbol),
  coalesce(sum(p.lots * x.factor) FILTER (WHERE p.action = 0), 0),
  coalesce(sum(p.lots * x.factor) FILTER (WHERE p.action = 1), 0), count(*)::int,
  round(sum((p.profit + p.swap) * x.rate), 2), a.margin_level, a.margin > 0
{HELD} AND coalesce(nullif(s.canonical, ''), p.symbol) = %(symbol)s
GROUP BY a.id, c.id ORDER BY abs(sum(p.lots * x.factor * x.sign)) DESC, a.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Result:
    """What a client or an account brought in a period. `side`: won or lost."""

    side: str
    account_id: int
    client_id: int
    login: str
    client: str
    accounts: int
    trades: int
    wins: int
    lots: Decimal
    net: Decimal
    floating: Decimal
    equity: Decimal

    @property
    def win_percent(self) -> int | None:
        return round(self.wins * 100 / self.trades) if self.trades else None


@dataclass(frozen=True)
class Totals:
    """All accounts of a period together, in base currency."""

    winners: int
    losers: int
    net: Decimal
    won: Decimal
    lost: Decimal
    lots: Decimal
    trades: int


@dataclass(frozen=True)
class Exposure:
    """Open positions on one symbol: what clients hold, long and short; `value` of the net, None without a rate."""

    symbol: str
    long_lots: Decimal
    short_lots: Decimal
    positions: int
    clients: int
    profit: Decimal
    value: Decimal | None

    @property
    def net_lots(self) -> Decimal:
        return self.long_lots - self.short_lots


@dataclass(frozen=True)
class Holder:
    """What one account holds on one symbol."""

    account_id: int
    client_id: int
    login: str
    client: str
    name: str
    long_lots: Decimal
    short_lots: Decimal
    positions: int
    profit: Decimal
    margin_level: Decimal
    has_margin: bool

    @property
    def net_lots(self) -> Decimal:
        return self.long_lots - self.short_lots


@dataclass(frozen=True)
class View:
    """What is looked at: a brand that the user reaches, one of its servers or all, and a period."""

    user: User
    brand: Brand
    server: TradingServer | None
    period: Period
    start: dt.date

    def values(self) -> dict[str, Any]:
        return {
            "books": sorted(reach_of(self.user).books),
            "brand": self.brand.pk,
            "period": self.period.value,
            "server": self.server.pk if self.server else None,
            "start": self.start,
            "base": self.brand.base_currency,
            "today": dt.datetime.now(dt.UTC).date(),
        }


def start_of(period: Period, day: dt.date) -> dt.date:
    """Find the first day of the period that a day is in."""
    if period == Period.WEEK:
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if period == Period.MONTH else day


def next_start(period: Period, start: dt.date) -> dt.date:
    """Find the first day of the following period."""
    if period == Period.MONTH:
        return (start + dt.timedelta(days=32)).replace(day=1)
    return start + dt.timedelta(days=7 if period == Period.WEEK else 1)


def previous_start(period: Period, start: dt.date) -> dt.date:
    """Find the first day of the period before."""
    return start_of(period, start - dt.timedelta(days=1))


def brands_of(user: User) -> list[Brand]:
    """List the brands that a user reaches, by name."""
    return list(Brand.objects.filter(pk__in=reach_of(user).brands).order_by("name"))


def servers_of(brand: Brand) -> list[TradingServer]:
    """List the servers on which the brand's clients may have accounts; at most fifty."""
    return list(TradingServer.objects.filter(account_types__brand=brand).distinct().order_by("name")[:50])


def both_ends(view: View, *, by_client: bool, limit: int = SHOWN) -> tuple[list[Result], list[Result]]:
    """List winners and losers, the largest first."""
    results = _results(view, BOTH_ENDS, by_client=by_client, limit=limit)
    return [result for result in results if result.side == "won"], [
        result for result in results if result.side == "lost"
    ]


def whole(view: View, *, by_client: bool) -> list[Result]:
    """List everyone of a period from the largest win to the largest loss; at most `EXPORTED_MAX`."""
    return _results(view, WHOLE, by_client=by_client, limit=EXPORTED_MAX)


def _results(view: View, shown: str, *, by_client: bool, limit: int) -> list[Result]:
    require_permission(view.user, SEES)
    query = RESULTS.format(key="a.client_id" if by_client else "a.id", shown=shown)
    with connection.cursor() as cursor:
        cursor.execute(query, {**view.values(), "limit": limit})
        return [Result(*row) for row in cursor.fetchall()]


def totals(view: View) -> Totals:
    """Sum up clients' results of the view's period. Who: `trading.view_deal_list`. Raises: NotAllowed."""
    require_permission(view.user, SEES)
    with connection.cursor() as cursor:
        cursor.execute(TOTALS, view.values())
        return Totals(*cursor.fetchone())


def exposure(view: View) -> list[Exposure]:
    """List long, short and net per symbol, the largest net first. Who: `trading.view_deal_list`."""
    require_permission(view.user, SEES)
    with connection.cursor() as cursor:
        cursor.execute(EXPOSURE, view.values())
        return [Exposure(*row) for row in cursor.fetchall()]


def holders(view: View, symbol: str, *, limit: int = 200) -> list[Holder]:
    """List who holds a symbol, the largest net first. Who: `trading.view_deal_list`."""
    require_permission(view.user, SEES)
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS, {**view.values(), "symbol": symbol, "limit": limit})
        return [Holder(*row) for row in cursor.fetchall()]


def sum_of(rows: Sequence[Exposure]) -> tuple[Decimal, Decimal]:
    """Sum up an exposure: the value of all nets without their sign, and the profit of all."""
    values = [abs(row.value) for row in rows if row.value is not None]
    return sum(values, Decimal(0)), sum((row.profit for row in rows), Decimal(0))
