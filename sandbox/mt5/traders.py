"""Simulated traders: people with habits who open and close positions on funded accounts, so that everything moves."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from sandbox.mt5.books import BUY, SELL, Books, Refused
from sandbox.mt5.contracts import GROUPS, SYMBOLS

MIN_EQUITY_USD = Decimal(50)
MINUTE_MSC = 60_000


@dataclass(frozen=True)
class Habit:
    """How someone trades: how often, how long, how large (share of equity as margin), and what."""

    name: str
    weight: int
    hold_minutes: float
    share: Decimal
    symbols: tuple[str, ...]


HABITS = (
    Habit("steady", 6, 12, Decimal("0.04"), ("EURUSD", "GBPUSD", "USDJPY", "AUDUSD", "USDCHF")),
    Habit("scalper", 12, 1.5, Decimal("0.08"), ("EURUSD", "XAUUSD", "US500")),
    Habit("gold bug", 5, 20, Decimal("0.10"), ("XAUUSD",)),
    Habit("index trader", 4, 30, Decimal("0.06"), ("US500", "DE40")),
    Habit("crypto", 3, 45, Decimal("0.15"), ("BTCUSD",)),
    Habit("dormant", 0, 60, Decimal("0.02"), ("EURUSD",)),
)


def habit_of(login: int) -> Habit:
    """Everyone keeps their habit, also over restarts."""
    return HABITS[hashlib.sha256(str(login).encode()).digest()[0] % len(HABITS)]


class Traders:
    """`rhythm` is how many positions all traders together open in a minute; 0 switches them off."""

    def __init__(self, books: Books, seed: int, rhythm: float) -> None:
        self.books, self.rhythm = books, rhythm
        self.random = random.Random(seed + 1)
        self.opened = self.closed = 0

    def step(self, seconds: float) -> None:
        """What happened in these seconds: due positions close, stop-outs strike, new positions open."""
        now = self.books.clock.now_msc()
        store = self.books.store
        for position in [p for p in store.positions.values() if p.close_at_msc and p.close_at_msc <= now]:
            self.books.close(position)
            self.closed += 1
        for login in [login for login, tickets in store.by_login.items() if tickets]:
            self.books.stop_out(login)
        expected = self.rhythm * seconds / 60
        count = int(expected) + (self.random.random() < expected % 1)
        for login in self._choose(count):
            self.trade(login)

    def _choose(self, count: int) -> list[int]:
        if count < 1:
            return []
        users = [
            user.login
            for user in self.books.store.users.values()
            if user.balance > 0 and user.group.startswith("real\\") and habit_of(user.login).weight
        ]
        if not users:
            return []
        return self.random.choices(users, weights=[habit_of(login).weight for login in users], k=count)

    def trade(self, login: int) -> None:
        """Open one position in the way of this account's trader, to be closed when its time has come."""
        books, habit = self.books, habit_of(login)
        view = books.account(login)
        group = GROUPS[view.user.group]
        if view.equity * books.market.in_dollars(group.currency) < MIN_EQUITY_USD:
            return
        symbol = SYMBOLS[self.random.choice(habit.symbols)]
        side = self.random.choice((BUY, SELL))
        price = books.market.quote(symbol, group)[side == BUY]
        one_lot = books.margin(symbol, group, view.user.leverage, Decimal(1), price)
        lots = (view.equity * habit.share / one_lot).quantize(Decimal("0.01"), ROUND_DOWN)
        lots = min(max(lots, Decimal("0.01")), Decimal(symbol.volume_max_lots))
        hold = max(0.2, self.random.expovariate(1 / habit.hold_minutes))
        try:
            books.open(login, symbol.name, side, lots, close_at_msc=books.clock.now_msc() + int(hold * MINUTE_MSC))
        except Refused:
            return  # no free margin, or trading is switched off for the account
        self.opened += 1
