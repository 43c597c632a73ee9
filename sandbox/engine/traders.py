"""Simulated traders: people with habits who open and close positions on funded accounts, so that everything moves."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from sandbox.engine.books import BUY, SELL, AccountView, Books, MarketOrder, Refused
from sandbox.engine.contracts import GROUPS, SYMBOLS, Symbol
from sandbox.engine.store import Position

MIN_EQUITY_USD = Decimal(50)
MINUTE_MSC = 60_000
DOUBLINGS_MAX = 5
MAJORS = ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCHF")


@dataclass(frozen=True)
class Habit:
    """How someone trades: how often, how long, how large (share of equity as margin), and what.

    `style`: plain; doubling (twice the size after each loss); news (only while something is published); stale (only after
    a jump, at the price before it: latency arbitrage); pair (two accounts take the two sides of one trade).
    """

    name: str
    weight: int
    hold_minutes: float
    share: Decimal
    symbols: tuple[str, ...]
    style: str = "plain"


HABITS = (
    Habit("steady", 6, 12, Decimal("0.04"), MAJORS),
    Habit("scalper", 12, 1.5, Decimal("0.08"), ("EURUSD", "XAUUSD", "US500")),
    Habit("gold bug", 5, 20, Decimal("0.10"), ("XAUUSD",)),
    Habit("index trader", 4, 30, Decimal("0.06"), ("US500", "DE40")),
    Habit("crypto", 3, 45, Decimal("0.15"), ("BTCUSD",)),
    Habit("martingale", 6, 8, Decimal("0.03"), ("EURUSD", "GBPUSD"), "doubling"),
    Habit("news trader", 8, 3, Decimal("0.20"), (*MAJORS, "XAUUSD"), "news"),
    Habit("latency arbitrageur", 10, 0.05, Decimal("0.15"), (*MAJORS, "XAUUSD"), "stale"),
    Habit("hedged pair", 4, 15, Decimal("0.25"), ("EURUSD", "XAUUSD"), "pair"),
    Habit("dormant", 0, 60, Decimal("0.02"), ("EURUSD",)),
)
BY_NAME = {habit.name: habit for habit in HABITS}


def habit_of(login: int) -> Habit:
    """Everyone keeps their habit, also over restarts."""
    return HABITS[hashlib.sha256(str(login).encode()).digest()[0] % len(HABITS)]


class Traders:
    """`rhythm` is how many positions all traders together open in a minute; 0 switches them off."""

    def __init__(self, books: Books, seed: int, rhythm: float) -> None:
        self.books, self.rhythm = books, rhythm
        self.random = random.Random(seed + 1)
        self.opened = self.closed = 0
        self.losses: dict[int, int] = {}
        self.assigned: dict[str, str] = json.loads(books.store.get("habits", "{}"))

    def assign(self, habits: dict[int, str]) -> None:
        """Give logins a habit by name, for good. Raises KeyError for an unknown one."""
        self.assigned.update({str(login): BY_NAME[name].name for login, name in habits.items()})
        self.books.store.put("habits", json.dumps(self.assigned))

    def habit(self, login: int) -> Habit:
        name = self.assigned.get(str(login))
        return BY_NAME[name] if name else habit_of(login)

    def step(self, seconds: float) -> None:
        """Simulate these seconds: due positions close, stop-outs strike, new positions open."""
        now = self.books.clock.now_msc()
        store = self.books.store
        for position in [p for p in store.positions.values() if p.close_at_msc and p.close_at_msc <= now]:
            self._close(position)
        for login in [login for login, tickets in store.by_login.items() if tickets]:
            self.books.stop_out(login)
        expected = self.rhythm * seconds / 60
        count = int(expected) + (self.random.random() < expected % 1)
        for login in self._choose(count):
            self.trade(login)

    def _close(self, position: Position) -> None:
        try:
            deal = self.books.store.deal(self.books.close(position))
        except Refused:
            return  # the market is closed: later
        assert deal is not None
        lost = Decimal(deal["Profit"]) < 0
        self.losses[position.login] = min(DOUBLINGS_MAX, self.losses.get(position.login, 0) + 1) if lost else 0
        self.closed += 1

    def _choose(self, count: int) -> list[int]:
        if count < 1:
            return []
        users = [
            user.login
            for user in self.books.store.users.values()
            if user.balance > 0 and user.group.startswith("real\\") and self.habit(user.login).weight
        ]
        if not users:
            return []
        return self.random.choices(users, weights=[self.habit(login).weight for login in users], k=count)

    def trade(self, login: int) -> None:
        """Open one position in the way of this account's trader, to be closed when its time has come."""
        books, habit = self.books, self.habit(login)
        view = books.account(login)
        if view.equity * books.market.in_dollars(view.group.currency) < MIN_EQUITY_USD:
            return
        choice = self._what(habit)
        if choice is None:
            return
        symbol, side = choice
        lots = self._size(view, habit, symbol, side)
        hold = int(max(0.05, self.random.expovariate(1 / habit.hold_minutes)) * MINUTE_MSC)
        partner = self._partner(login) if habit.style == "pair" else None
        self._open(login, symbol, side, lots, hold, stale=habit.style == "stale")
        if partner is not None:
            self._open(partner, symbol, 1 - side, lots, hold)

    def _open(self, login: int, symbol: Symbol, side: int, lots: Decimal, hold: int, *, stale: bool = False) -> None:
        close_at = self.books.clock.now_msc() + hold
        try:
            self.books.open(MarketOrder(login, symbol.name, side, lots, close_at, is_stale=stale))
        except Refused:
            return  # no free margin, the market is closed, or trading is switched off for the account
        self.opened += 1

    def _what(self, habit: Habit) -> tuple[Symbol, int] | None:
        """Symbol and side; None when this kind of trader waits."""
        market = self.books.market
        if habit.style == "stale":
            for name in habit.symbols:
                moved = Decimal(str(market.middle[name] - market.before[name]))
                symbol = SYMBOLS[name]
                if abs(moved) > symbol.point * symbol.spread_points * 2:
                    return symbol, BUY if moved > 0 else SELL
            return None
        names = [name for name in habit.symbols if habit.style != "news" or name in market.news_left]
        if not names:
            return None
        return SYMBOLS[self.random.choice(names)], self.random.choice((BUY, SELL))

    def _size(self, view: AccountView, habit: Habit, symbol: Symbol, side: int) -> Decimal:
        price = self.books.market.quote(symbol, view.group)[side == BUY]
        one_lot = self.books.margin(symbol, view.group, view.user.leverage, Decimal(1), price)
        lots = view.equity * habit.share / one_lot
        if habit.style == "doubling":
            lots *= 2 ** self.losses.get(view.user.login, 0)
        lots = lots.quantize(Decimal("0.01"), ROUND_DOWN)
        return min(max(lots, Decimal("0.01")), Decimal(symbol.volume_max_lots))

    def _partner(self, login: int) -> int | None:
        """Find the next account of the same habit and currency, round in a ring."""
        users = self.books.store.users
        currency = GROUPS[users[login].group].currency
        ring = sorted(
            other
            for other, user in users.items()
            if user.balance > 0 and self.habit(other).style == "pair" and GROUPS[user.group].currency == currency
        )
        return ring[(ring.index(login) + 1) % len(ring)] if len(ring) > 1 else None
