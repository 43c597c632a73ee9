"""A book of live accounts: round trips of the last weeks, money movements, what their clients share, and the ticks around deals.

Amounts are in the brand's base currency at today's reference rate, so that accounts in different currencies compare.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from clients.choices import Category
from crm.models import Brand
from risk.abuse.book import STILL_OPEN, Account, Book, Cash, CashKind, Floats, Mark, Quotes, Trade, Whole, units
from risk.links.known import known_among
from risk.links.weights import SHARED_MAX

WINDOW: Final = dt.timedelta(days=30)
DEALS_PER_ACCOUNT_MAX: Final = 2_000
TICKS_MAX: Final = 3_000_000
# A trade that ends before it begins has times that say nothing: it is left out and counted. One that begins further ahead than
# this is by a clock that runs ahead: it is judged, and counted.
AHEAD_MAX: Final = dt.timedelta(minutes=5)
# Real accounts, and those of challenges: their money is simulated, their trading is judged all the same.
JUDGED: Final = "(NOT a.is_demo OR EXISTS (SELECT FROM prop_phaseaccount p WHERE p.account_id = a.id))"
ACCOUNTS: Final = f"""
SELECT a.id, a.client_id, a.opened_at, c.category <> %(retail)s,
  coalesce(keelson_euro_rate(%(base)s, %(today)s) / nullif(keelson_euro_rate(a.currency, %(today)s), 0), 1)
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id
WHERE a.id = ANY(%(accounts)s) AND {JUDGED} AND c.brand_id = %(brand)s ORDER BY a.id
"""  # noqa: S608 - constants
# A position is one trade: its openings averaged, its closings until the last one.
TRADES: Final = """
SELECT d.account_id, min(d.id) FILTER (WHERE d.entry = 0), d.symbol, min(d.action) FILTER (WHERE d.entry = 0),
  sum(d.lots) FILTER (WHERE d.entry = 0)::float8,
  (extract(epoch FROM min(d.executed_at) FILTER (WHERE d.entry = 0)) * 1000)::bigint,
  (sum(d.price * d.lots) FILTER (WHERE d.entry = 0) / nullif(sum(d.lots) FILTER (WHERE d.entry = 0), 0))::float8,
  (extract(epoch FROM max(d.executed_at) FILTER (WHERE d.entry <> 0)) * 1000)::bigint,
  sum(d.profit + d.commission + d.fee), sum(d.swap), min(d.server_id),
  coalesce(sum(d.closed_lots), 0) >= coalesce(sum(d.lots) FILTER (WHERE d.entry = 0), 0),
  max(d.read)::integer
FROM unnest(%(accounts)s::bigint[]) AS a(id)
JOIN LATERAL (
  SELECT n.*, count(*) OVER () AS read FROM (
    SELECT * FROM trading_deal x WHERE x.account_id = a.id AND x.executed_at >= %(since)s AND x.deleted_at IS NULL
      AND x.action IN (0, 1) AND x.lots > 0
    ORDER BY x.executed_at DESC, x.id DESC LIMIT %(most)s) n
) d ON true
GROUP BY d.account_id, d.position_id, d.symbol HAVING count(*) FILTER (WHERE d.entry = 0) > 0
"""
# Simulated money is no payment: a starting balance is no deposit, and a profit taken off the account no withdrawal.
CASH: Final = """
SELECT d.account_id, (extract(epoch FROM d.executed_at) * 1000)::bigint, d.profit, d.action
FROM trading_deal d JOIN trading_tradingaccount a ON a.id = d.account_id AND NOT a.is_demo
WHERE d.account_id = ANY(%(accounts)s) AND d.executed_at >= %(since)s AND d.deleted_at IS NULL
  AND d.action IN (2, 3, 6) AND d.profit <> 0 ORDER BY d.executed_at DESC LIMIT 200000
"""
# What more than a few people use links none of them; the whole installation counts, not only the book.
MARKS: Final = f"""
SELECT i.client_id, i.kind, encode(i.mark, 'hex') FROM clients_identifier i
WHERE i.client_id = ANY(%(clients)s) AND (
  SELECT count(*) FROM (
    SELECT 1 FROM clients_identifier o WHERE o.kind = i.kind AND o.mark = i.mark AND o.client_id IS NOT NULL LIMIT {SHARED_MAX + 1}
  ) n
) BETWEEN 2 AND {SHARED_MAX}
"""  # noqa: S608 - constants
# As columns of bytes: a row of Python objects for each of a million quotes would take longer than all judging.
TICKS: Final = """
SELECT server_id, symbol, string_agg(int8send(at_ms), ''), string_agg(float8send(bid), ''),
  string_agg(float8send(ask), '')
FROM (
  SELECT server_id, symbol, at_ms, bid, ask FROM risk_tick
  WHERE server_id = ANY(%(servers)s) AND symbol = ANY(%(symbols)s) AND at >= %(since)s AND at < %(until)s LIMIT %(most)s
) part GROUP BY 1, 2
"""
TICK_DAYS: Final = 7
BONUS_ACTIONS: Final = (3, 6)


@dataclass(frozen=True)
class LiveBook:
    """A book with the ids that its keys stand for.

    capped: accounts of which only the newest deals were read. left_out: trades per account that closed before they opened;
    ahead: those that lie in the future. professionals: clients who aren't retail clients.
    """

    book: Book
    brand: Brand
    capped: frozenset[int] = frozenset()
    left_out: Mapping[int, int] = field(default_factory=dict)
    ahead: Mapping[int, int] = field(default_factory=dict)
    professionals: frozenset[int] = frozenset()

    @property
    def client_ids(self) -> set[int]:
        return {int(account.client) for account in self.book.accounts}

    def reservations(self, account_ids: Iterable[int]) -> dict[str, int]:
        """Return what a finding about these accounts has to say of what it rests on, as facts."""
        ids = set(account_ids)
        found = {"newest_deals": DEALS_PER_ACCOUNT_MAX if ids & self.capped else 0}
        found["left_out"] = sum(self.left_out.get(pk, 0) for pk in ids)
        found["ahead"] = sum(self.ahead.get(pk, 0) for pk in ids)
        return {name: number for name, number in found.items() if number}

    def account_id(self, place: int) -> int:
        return int(self.book.accounts[place].key)

    def client_id(self, place: int) -> int:
        return int(self.book.accounts[place].client)


def load(brand: Brand, account_ids: Iterable[int], *, now: dt.datetime | None = None) -> LiveBook:
    """Read a brand's accounts, and what is judged of them. Demo accounts that are no challenge and other brands' are left out."""
    now = now or timezone.now()
    values: dict[str, Any] = {
        "accounts": sorted(set(account_ids)),
        "brand": brand.pk,
        "base": brand.base_currency,
        "retail": Category.RETAIL.value,
        "today": now.date(),
        "since": now - WINDOW,
        "most": DEALS_PER_ACCOUNT_MAX,
    }
    with connection.cursor() as cursor:
        cursor.execute(ACCOUNTS, values)
        rows = cursor.fetchall()
        rates = {row[0]: row[4] for row in rows}
        accounts = {
            str(pk): Account(str(pk), str(client_id), brand.base_currency, _ms(opened))
            for pk, client_id, opened, _pro, _rate in rows
        }
        values["accounts"] = list(rates)
        trades, capped, left_out, ahead = _trades(cursor, values, rates, now)
        servers = {(int(server), symbol) for server, _slash, symbol in (row.symbol.partition("/") for row in trades)}
        cash = _cash(cursor, values, rates)
        cursor.execute(MARKS, {"clients": sorted({row[1] for row in rows})})
        marks = [Mark(str(client), kind, mark) for client, kind, mark in cursor]
        quotes = _ticks(cursor, servers, values["since"])
    known = [(str(first), str(second)) for first, second in known_among({int(mark.client) for mark in marks})]
    book = Book(trades, accounts, cash=cash, marks=marks, known=known, quotes=quotes)
    return LiveBook(book, brand, capped, left_out, ahead, frozenset(row[1] for row in rows if row[3]))


def _trades(
    cursor: CursorWrapper, values: dict[str, Any], rates: dict[int, Any], now: dt.datetime
) -> tuple[list[Trade], frozenset[int], dict[int, int], dict[int, int]]:
    """Read round trips; with them which accounts have more deals than are read, how many trades of each
    closed before they opened, and how many lie in the future."""
    cursor.execute(TRADES, values)
    trades, capped = [], set()
    left_out: dict[int, int] = defaultdict(int)
    ahead: dict[int, int] = defaultdict(int)
    latest = _ms(now + AHEAD_MAX) or 0
    for (
        account,
        deal,
        symbol,
        action,
        lots,
        opened,
        price,
        closed,
        profit,
        swap,
        server,
        is_closed,
        read,
    ) in cursor.fetchall():
        if read >= DEALS_PER_ACCOUNT_MAX:
            capped.add(account)
        if is_closed and closed is not None and closed < opened:
            left_out[account] += 1
            continue
        if opened > latest:
            ahead[account] += 1
        trades.append(
            Trade(
                str(deal),
                str(account),
                f"{server}/{symbol}",
                1 if action == 0 else -1,
                lots,
                opened,
                price,
                closed if is_closed and closed is not None else STILL_OPEN,
                0.0,
                units(profit * rates[account]),
                units(swap * rates[account]),
            )
        )
    return trades, frozenset(capped), left_out, ahead


def _ms(at: dt.datetime | None) -> int | None:
    return None if at is None else int(at.timestamp() * 1000)


def _cash(cursor: CursorWrapper, values: dict[str, Any], rates: dict[int, Any]) -> list[Cash]:
    cursor.execute(CASH, values)
    found = []
    for account, at_ms, profit, action in cursor:
        amount = units(abs(profit) * rates[account])
        if action in BONUS_ACTIONS:
            if profit > 0:
                found.append(Cash(str(account), at_ms, amount, CashKind.BONUS))
            continue
        kind = CashKind.DEPOSIT if profit > 0 else CashKind.WITHDRAWAL
        found.append(Cash(str(account), at_ms, amount, kind))
    return found


def _ticks(cursor: CursorWrapper, traded: set[tuple[int, str]], since: dt.datetime) -> Quotes:
    """Read the ticks around deals of these symbols, the newest week first and so many in all.

    Where a server has none, its deals can't be judged by prices.
    """
    parts: dict[str, list[Floats]] = defaultdict(list)
    values: dict[str, Any] = {
        "servers": sorted({server for server, _symbol in traded}),
        "symbols": sorted({symbol for _server, symbol in traded}),
    }
    left, until = TICKS_MAX, since + WINDOW + dt.timedelta(days=TICK_DAYS)  # a clock may run ahead
    while traded and until > since and left > 0:
        start = max(until - dt.timedelta(days=TICK_DAYS), since)
        cursor.execute(TICKS, {**values, "since": start, "until": until, "most": left})
        for server, symbol, at_ms, bid, ask in cursor:
            columns = (np.frombuffer(at_ms, ">i8"), np.frombuffer(bid, ">f8"), np.frombuffer(ask, ">f8"))
            parts[f"{server}/{symbol}"].append(np.array(columns))
            left -= len(columns[0])
        until = start
    return Quotes({name: _series(np.concatenate(found, axis=1)) for name, found in parts.items()})


def _series(columns: Floats) -> tuple[Whole, Floats, Floats]:
    """Put quotes in their order. Milliseconds of today are exact as floats."""
    at, bid, ask = columns[:, np.argsort(columns[0], kind="stable")]
    return at.astype(np.int64), bid, ask
