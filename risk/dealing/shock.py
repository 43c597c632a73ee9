# ruff: noqa: S608 - statements made of constants of this module
"""What a price move would do to open positions: clients' floating profit, the company's result, margin calls and negative equity.

Read from stored positions of real accounts, in four statements with bounded answers, and nothing is written. A symbol moves by its
price; a currency moves against all others, so that a symbol with it in front rises and one quoted in it falls. Profits are
converted at today's reference rates. The margin in use stays as the platform reported it.
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
from risk.dealing.choices import ExecutionBook, ShockOutcome
from risk.dealing.routing import SEES as SEES_BOOKS
from trading.risk import dealing
from trading.risk.margin import policy_of

SYMBOLS_MAX: Final = 20
CHOICES_MAX: Final = 300
ACCOUNTS_SHOWN: Final = 50
PERCENT_MIN, PERCENT_MAX = Decimal(-99), Decimal(500)

HELD: Final = """
FROM trading_position p
JOIN trading_tradingaccount a ON a.id = p.account_id AND NOT a.is_demo
JOIN clients_client c ON c.id = a.client_id
LEFT JOIN trading_symbolinfo s ON s.server_id = p.server_id AND s.name = p.symbol
WHERE c.book_id = ANY(%(books)s) AND c.brand_id = %(brand)s
"""
SYMBOLS: Final = f"""
SELECT coalesce(nullif(s.canonical, ''), p.symbol) {HELD} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT {CHOICES_MAX}
"""
CURRENCIES: Final = f"""
SELECT DISTINCT x.code FROM (SELECT s.currency_base AS base, s.currency_profit AS profit {HELD}) h
CROSS JOIN LATERAL (VALUES (h.base), (h.profit)) x (code) WHERE x.code <> '' ORDER BY 1 LIMIT {CHOICES_MAX}
"""
# `factor`: what the price is multiplied by. A symbol that doesn't name its currencies, or without a rate, can't be revalued.
MOVED: Final = f"""
WITH held AS (
  SELECT p.account_id, a.client_id, a.currency, coalesce(nullif(s.canonical, ''), p.symbol) AS house,
    coalesce(s.currency_profit, '') AS profit_currency,
    (p.profit + p.swap) * CASE WHEN a.equity <> 0 THEN a.equity_base / a.equity ELSE 0 END AS floating,
    CASE WHEN p.action = 0 THEN p.lots ELSE -p.lots END AS signed,
    p.lots * p.contract_size * p.price_current * CASE WHEN p.action = 0 THEN 1 ELSE -1 END AS value,
    CASE WHEN %(currency)s = '' THEN 1 + %(move)s WHEN s.currency_base = %(currency)s THEN 1 + %(move)s
      ELSE 1 / (1 + %(move)s) END AS factor
  {HELD} AND (%(currency)s = '' AND coalesce(nullif(s.canonical, ''), p.symbol) = ANY(%(symbols)s)
    OR %(currency)s <> '' AND %(currency)s IN (s.currency_base, s.currency_profit) AND s.currency_base <> s.currency_profit)
), codes AS (
  SELECT currency AS code FROM held UNION SELECT profit_currency FROM held UNION SELECT %(base)s
), rates AS MATERIALIZED (
  SELECT code, keelson_euro_rate(nullif(code, ''), %(today)s) AS rate FROM codes
), book AS (
  SELECT DISTINCT ON (b.client_id) b.client_id, b.book, b.passed_percent FROM risk_clientrouting b
  WHERE b.state = 'approved' AND b.client_id IN (SELECT client_id FROM held)
  ORDER BY b.client_id, b.decided_at DESC, b.id DESC
), moved AS MATERIALIZED (
  SELECT h.account_id, h.client_id, h.house, h.signed, h.floating, coalesce(b.book, '') AS book,
    h.value * (h.factor - 1) * account.rate / profit.rate AS change_account,
    h.value * (h.factor - 1) * base.rate / profit.rate AS change_base,
    1 - coalesce(b.passed_percent, 0) / 100.0 AS kept
  FROM held h
  LEFT JOIN rates account ON account.code = h.currency LEFT JOIN rates profit ON profit.code = h.profit_currency
  LEFT JOIN rates base ON base.code = %(base)s LEFT JOIN book b ON b.client_id = h.client_id
)
"""
SUMS: Final = (
    MOVED
    + """
SELECT grouping(house, book), house, book, count(*), count(DISTINCT client_id), sum(signed), round(sum(floating), 2),
  coalesce(round(sum(change_base), 2), 0), coalesce(round(-sum(change_base * kept), 2), 0),
  count(*) FILTER (WHERE change_base IS NULL)
FROM moved GROUP BY GROUPING SETS ((house), (book), ()) ORDER BY 1 DESC, 8, 2, 3
"""
)
# A level is judged where it is crossed by the move: who was below before isn't counted again.
JUDGED: Final = (
    MOVED
    + """
, accounts AS (
  SELECT account_id, sum(change_account) AS change FROM moved GROUP BY 1
), judged AS (
  SELECT a.id, a.client_id, a.login, a.currency, a.equity, a.equity + coalesce(m.change, 0) AS after, a.margin,
    CASE WHEN a.margin > 0 THEN round(100 * a.equity / a.margin, 2) END AS level,
    CASE WHEN a.margin > 0 THEN round(100 * (a.equity + coalesce(m.change, 0)) / a.margin, 2) END AS level_after,
    CASE WHEN a.equity <> 0 THEN a.equity_base / a.equity ELSE 0 END AS rate
  FROM accounts m JOIN trading_tradingaccount a ON a.id = m.account_id
), said AS (
  SELECT j.*, CASE WHEN after < 0 AND equity >= 0 THEN 'negative' WHEN level_after < %(stop)s AND level >= %(stop)s THEN 'stop'
    WHEN level_after < %(call)s AND level >= %(call)s THEN 'call' WHEN margin <= 0 THEN 'unknown' ELSE '' END AS outcome
  FROM judged j
)
"""
)
COUNTS: Final = (
    JUDGED
    + """
SELECT count(*), count(*) FILTER (WHERE outcome = 'call'),
  count(*) FILTER (WHERE level_after < %(stop)s AND level >= %(stop)s), count(*) FILTER (WHERE outcome = 'negative'),
  coalesce(round(sum(after * rate) FILTER (WHERE outcome = 'negative'), 2), 0), count(*) FILTER (WHERE margin <= 0)
FROM said
"""
)
WORST: Final = (
    JUDGED
    + f"""
SELECT s.id, s.client_id, s.login, trim(c.first_name || ' ' || c.last_name), s.currency, s.equity, round(s.after, 2), s.level,
  s.level_after, s.outcome
FROM said s JOIN clients_client c ON c.id = s.client_id WHERE s.outcome IN ('negative', 'stop', 'call')
ORDER BY array_position(ARRAY['negative', 'stop', 'call'], s.outcome), s.after * s.rate, s.id LIMIT {ACCOUNTS_SHOWN}
"""
)


@dataclass(frozen=True)
class Shock:
    """A move in percent, of some symbols or of one currency against all others."""

    percent: Decimal
    symbols: tuple[str, ...] = ()
    currency: str = ""


@dataclass(frozen=True)
class Sum:
    """Positions of a symbol, of a book or of all: floating profit of the clients now, what the move changes of it, and the
    change of the company's result where it keeps the trades. In base currency."""

    name: str
    positions: int
    clients: int
    net_lots: Decimal
    floating: Decimal
    change: Decimal
    house: Decimal
    not_valued: int

    @property
    def after(self) -> Decimal:
        return self.floating + self.change


@dataclass(frozen=True)
class Counts:
    """Accounts that hold what moves, and what the move would do to them. `negative_sum` is in base currency."""

    accounts: int
    calls: int
    stops: int
    negative: int
    negative_sum: Decimal
    without_margin: int


@dataclass(frozen=True)
class Hit:
    """An account whose level or equity the move takes below a limit. Amounts in its own currency."""

    account_id: int
    client_id: int
    login: str
    client: str
    currency: str
    equity: Decimal
    after: Decimal
    level: Decimal | None
    level_after: Decimal | None
    outcome: ShockOutcome


@dataclass(frozen=True)
class WhatIf:
    whole: Sum | None
    by_symbol: Sequence[Sum]
    by_book: Sequence[Sum]
    counts: Counts
    hits: Sequence[Hit]
    call_at: Decimal
    stop_at: Decimal


def sees_shock(user: User) -> bool:
    """Check whether somebody sees what clients hold and on which book they are."""
    return user.has_perm(dealing.SEES) and user.has_perm(SEES_BOOKS)


def choices_of(user: User, brand: Brand) -> tuple[list[str], list[str]]:
    """List the symbols and the currencies of open positions, the most held symbol first. Who: as `what_if`."""
    _require(user)
    values = _reach(user, brand)
    with connection.cursor() as cursor:
        cursor.execute(SYMBOLS, values)
        symbols = [row[0] for row in cursor]
        cursor.execute(CURRENCIES, values)
        return symbols, [row[0] for row in cursor]


def what_if(user: User, brand: Brand, shock: Shock) -> WhatIf:
    """Say what a move would do to a brand's open positions in reach.

    Who: `trading.view_deal_list` and `risk.view_clientrouting`. Raises: NotAllowed.
    """
    _require(user)
    limits = policy_of(brand)
    values = _reach(user, brand) | {
        "move": shock.percent / 100,
        "symbols": list(shock.symbols[:SYMBOLS_MAX]),
        "currency": shock.currency,
        "base": brand.base_currency,
        "today": dt.datetime.now(dt.UTC).date(),
        "call": limits.call_at,
        "stop": limits.stop_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(SUMS, values)
        sums = cursor.fetchall()
        cursor.execute(COUNTS, values)
        counts = Counts(*cursor.fetchone())
        cursor.execute(WORST, values)
        hits = [Hit(*values) for values in ([*row[:-1], ShockOutcome(row[-1])] for row in cursor)]
    parts: dict[int, list[Sum]] = {1: [], 2: [], 3: []}
    for level, house, book, *rest in sums:
        name = str(ExecutionBook(book).label) if book else ""
        parts[level].append(Sum(house if level == 1 else name, *rest))
    whole = parts[3][0] if parts[3] and parts[3][0].positions else None
    return WhatIf(whole, parts[1], parts[2], counts, hits, limits.call_at, limits.stop_at)


def _require(user: User) -> None:
    require_permission(user, dealing.SEES)
    require_permission(user, SEES_BOOKS)


def _reach(user: User, brand: Brand) -> dict[str, Any]:
    return {"books": sorted(reach_of(user).books), "brand": brand.pk}
