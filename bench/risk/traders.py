"""A brokerage of simulated traders whose abuse is known, with the hard cases that only look like it.

Hard negatives: scalpers with fair fills, followers of one signal, households and offices that share devices, cards and networks,
honest clients with a bonus who withdraw their profit. `Market` and `Share` hold what differs between tuning and confirmation.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np

from risk.abuse.book import DAY, HOUR, MINUTE, SECOND, Account, Book, Cash, CashKind, Mark, Quotes, Trade, Whole
from risk.abuse.choices import Abuse

SYMBOLS = {"EURUSD": (1.10, 0.00010), "GBPUSD": (1.27, 0.00014), "XAUUSD": (2400.0, 0.30), "US500": (5600.0, 0.5)}
# A Monday, 00:00 UTC.
START = 1_767_571_200_000


@dataclass(frozen=True)
class World:
    """How many traders of each kind, and how clumsy the abusers are."""

    days: int = 8
    ordinary: int = 220
    scalpers: int = 12
    followers: int = 16
    households: int = 15
    offices: int = 4
    bonus_takers: int = 25
    arbitrageurs: int = 14
    pairs: int = 12
    clusters: int = 6
    bonus_pairs: int = 12
    persons: int = 14
    arbitrage_share: tuple[float, float] = (0.6, 1.0)
    hedged_share: tuple[float, float] = (0.6, 1.0)
    hedge_delay_ms: int = 6_000
    copied_share: tuple[float, float] = (0.7, 1.0)
    copy_delay_ms: int = 2_500
    feed_lag_ms: tuple[int, int] = (300, 900)
    tick_ms: int = 1_500


@dataclass
class Brokerage:
    """What the simulation made, and which accounts abused in which way."""

    accounts: dict[str, Account] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    cash: list[Cash] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    quotes: dict[str, tuple[Whole, np.ndarray, np.ndarray]] = field(default_factory=dict)
    truth: dict[Abuse, set[str]] = field(default_factory=lambda: defaultdict(set))

    def book(self) -> Book:
        return Book(self.trades, self.accounts, cash=self.cash, marks=self.marks, quotes=Quotes(self.quotes))


class Simulation:
    def __init__(self, seed: int, world: World) -> None:
        self.random = np.random.default_rng(seed)
        self.world, self.made = world, Brokerage()
        self.moves: dict[str, tuple[Whole, Whole, Whole]] = {}
        for symbol in SYMBOLS:
            self._market(symbol)

    def run(self) -> Brokerage:
        world = self.world
        for _n in range(world.ordinary):
            self._ordinary(self._account())
        for _n in range(world.scalpers):
            self._scalper(self._account())
        self._followers()
        for _n in range(world.households):
            self._household()
        for _n in range(world.offices):
            self._office()
        for _n in range(world.bonus_takers):
            account = self._account()
            self._ordinary(account)
            self._funds(account, bonus=True, back=self.random.uniform(0.3, 1.5))
        for _n in range(world.arbitrageurs):
            self._arbitrageur(self._account())
        for _n in range(world.pairs):
            self._pair()
        for _n in range(world.clusters):
            self._cluster()
        for _n in range(world.bonus_pairs):
            first, second = self._pair()
            self._funds(first, bonus=True)
            self._funds(second, bonus=self.random.random() < 0.7, back=self.random.uniform(1.2, 2.2))
            self.made.truth[Abuse.BONUS] |= {first, second}
        for _n in range(world.persons):
            self._person()
        return self.made

    # The market: quotes that follow the true price late when it moves fast.

    def _market(self, symbol: str) -> None:
        price, spread = SYMBOLS[symbol]
        times, mids = [], []
        starts, sides, lags = [], [], []
        for day in range(self.world.days):
            if (day % 7) >= 5:
                continue
            count = 10 * HOUR // self.world.tick_ms
            at = START + day * DAY + 7 * HOUR + np.sort(self.random.integers(0, 10 * HOUR, count))
            steps = self.random.standard_t(4, count) * spread * 0.12
            fast = np.flatnonzero(self.random.random(count) < 0.02)
            side = self.random.choice([-1, 1], len(fast))
            steps[fast] += side * spread * self.random.uniform(1.2, 3.0, len(fast))
            lag = self.random.integers(*self.world.feed_lag_ms, len(fast))
            mids.append(price + np.cumsum(steps))
            price = float(mids[-1][-1])
            times.append(at)
            starts.append(at[fast] - lag)
            sides.append(side)
            lags.append(lag)
        at, mid = np.concatenate(times), np.concatenate(mids)
        self.made.quotes[symbol] = (at, mid - spread / 2, mid + spread / 2)
        self.moves[symbol] = (np.concatenate(starts), np.concatenate(sides), np.concatenate(lags))

    def _quote(self, symbol: str, at_ms: int) -> tuple[float, float]:
        at, bid, ask = self.made.quotes[symbol]
        place = max(int(np.searchsorted(at, at_ms, side="right")) - 1, 0)
        return float(bid[place]), float(ask[place])

    # Who there is.

    def _account(self, client: str = "", opened: int | None = None) -> str:
        key = f"{100_000 + len(self.made.accounts)}"
        opened = opened if opened is not None else START - int(self.random.integers(0, 400 * DAY))
        self.made.accounts[key] = Account(key, client or f"c{key}", "USD", opened)
        self._mark(key, "device", "ip_prefix", "card", "email")
        return key

    def _mark(self, account: str, *kinds: str, value: str = "") -> None:
        client = self.made.accounts[account].client
        self.made.marks += [Mark(client, kind, value or f"{kind}-{client}") for kind in kinds]

    def _funds(self, account: str, *, bonus: bool, back: float = 0.0) -> None:
        amount = int(self.random.integers(3, 30)) * 100 * 10_000
        at = START - int(self.random.integers(0, 5 * HOUR))
        self.made.cash.append(Cash(account, at, amount, CashKind.DEPOSIT))
        if bonus:
            self.made.cash.append(Cash(account, at + MINUTE, amount // 2, CashKind.BONUS))
        if back:
            gone = START + int(self.random.uniform(0.5, 1.0) * self.world.days * DAY)
            self.made.cash.append(Cash(account, gone, int(amount * back), CashKind.WITHDRAWAL))

    # What they do.

    def _moment(self) -> int:
        day = int(self.random.integers(0, self.world.days))
        while day % 7 >= 5:
            day = int(self.random.integers(0, self.world.days))
        return START + day * DAY + 7 * HOUR + int(self.random.beta(2, 2) * 9 * HOUR)

    def _symbol(self) -> str:
        return str(self.random.choice(list(SYMBOLS), p=[0.5, 0.2, 0.2, 0.1]))

    def _lots(self) -> float:
        return round(float(self.random.choice([0.1, 0.2, 0.5, 1.0])) * float(self.random.uniform(0.8, 1.2)), 2)

    def _trade(self, account: str, symbol: str, side: int, lots: float, opened: int, closed: int) -> Trade:
        bid, ask = self._quote(symbol, opened)
        price = ask if side > 0 else bid
        bid, ask = self._quote(symbol, closed)
        end = bid if side > 0 else ask
        profit = int(side * (end - price) / SYMBOLS[symbol][1] * lots * 10 * 10_000)
        row = Trade(f"{len(self.made.trades) + 1}", account, symbol, side, lots, opened, price, closed, end, profit)
        self.made.trades.append(row)
        return row

    def _ordinary(self, account: str, count: int = 0) -> None:
        for _n in range(count or int(self.random.integers(8, 90))):
            at, hold = self._moment(), int(self.random.lognormal(7.2, 1.3) * SECOND)
            side = int(self.random.choice([-1, 1]))
            self._trade(account, self._symbol(), side, self._lots(), at, at + min(hold, 12 * HOUR))

    def _scalper(self, account: str) -> None:
        """A real one: fair fills, in and out within a minute or two, out sooner when it goes well."""
        symbol, spread = "EURUSD", SYMBOLS["EURUSD"][1]
        for _n in range(int(self.random.integers(60, 200))):
            at, side = self._moment(), int(self.random.choice([-1, 1]))
            entry, closed = self._quote(symbol, at)[side > 0], at + 150 * SECOND
            for later in range(at + 4 * SECOND, at + 150 * SECOND, 4 * SECOND):
                if side * (self._quote(symbol, later)[side < 0] - entry) > 0.8 * spread:
                    closed = later
                    break
            self._trade(account, symbol, side, self._lots(), at, closed)

    def _followers(self) -> None:
        """Clients who follow one signal by hand: the same trades, minutes apart, closed when each likes."""
        signals = [(self._moment(), self._symbol(), int(self.random.choice([-1, 1]))) for _n in range(40)]
        for _n in range(self.world.followers):
            account = self._account()
            self._ordinary(account, 10)
            for at, symbol, side in signals:
                if self.random.random() < 0.7:
                    opened = at + int(self.random.gamma(2, 45) * SECOND)
                    hold = int(self.random.lognormal(7.0, 0.8) * SECOND)
                    self._trade(account, symbol, side, self._lots(), opened, opened + hold)

    def _household(self) -> None:
        """Two people, months apart: one network, one tablet, one card; one does at times what the other one did."""
        first, second = self._account(), self._account()
        shared = ["ip_prefix", "device", *(["card"] if self.random.random() < 0.6 else [])]
        shared += ["bank_account"] if self.random.random() < 0.3 else []
        for account in (first, second):
            self._mark(account, *shared, value=f"home-{first}")
            self._funds(account, bonus=self.random.random() < 0.3)
        self._ordinary(first)
        self._ordinary(second)
        for row in [row for row in self.made.trades if row.account == first][:8]:
            opened = row.open_ms + int(self.random.uniform(20, 400) * SECOND)
            self._trade(second, row.symbol, row.side, self._lots(), opened, opened + 40 * MINUTE)

    def _office(self) -> None:
        people = [self._account() for _n in range(int(self.random.integers(5, 12)))]
        for n, account in enumerate(people):
            self._mark(account, "ip_prefix", value=f"office-{people[0]}")
            if n < 3:
                self._mark(account, "device", value=f"office-pc-{people[0]}")
            self._ordinary(account)

    def _arbitrageur(self, account: str) -> None:
        """Trades on the broker's stale price while the market has moved; the rest of the trades is a disguise."""
        share = float(self.random.uniform(*self.world.arbitrage_share))
        for _n in range(int(self.random.integers(30, 120))):
            symbol = self._symbol()
            if self.random.random() > share:
                at, side = self._moment(), int(self.random.choice([-1, 1]))
            else:
                starts, sides, lags = self.moves[symbol]
                n = int(self.random.integers(0, len(starts)))
                side = int(sides[n])
                at = int(starts[n] + self.random.uniform(0.2, 0.9) * lags[n])
            hold = int(self.random.choice([4, 20, 90, 600]) * SECOND * self.random.uniform(0.7, 1.5))
            self._trade(account, symbol, side, self._lots(), at, at + hold)
        self.made.truth[Abuse.LATENCY].add(account)

    def _pair(self) -> tuple[str, str]:
        """Two accounts on opposite sides, with own trades between."""
        first, second = self._account(), self._account()
        share = float(self.random.uniform(*self.world.hedged_share))
        for _n in range(int(self.random.integers(10, 30))):
            at, symbol, side, lots = self._moment(), self._symbol(), int(self.random.choice([-1, 1])), self._lots()
            closed = at + int(self.random.lognormal(7.5, 1.0) * SECOND)
            self._trade(first, symbol, side, lots, at, closed)
            if self.random.random() < share:
                late = int(self.random.uniform(0.1, 1.0) * self.world.hedge_delay_ms)
                size = round(lots * float(self.random.uniform(0.88, 1.12)), 2)
                self._trade(second, symbol, -side, size, at + late, closed + int(self.random.uniform(-20, 40) * SECOND))
        self._ordinary(second, int(self.random.integers(1, 8)))
        self.made.truth[Abuse.HEDGE] |= {first, second}
        return first, second

    def _cluster(self, accounts: list[str] | None = None) -> None:
        """A leader and accounts that repeat its trades by machine, each in its own proportion."""
        accounts = accounts or [self._account() for _n in range(int(self.random.integers(3, 7)))]
        self._ordinary(accounts[0], int(self.random.integers(15, 50)))
        led = [row for row in self.made.trades if row.account == accounts[0]]
        for account in accounts[1:]:
            share, ratio = float(self.random.uniform(*self.world.copied_share)), float(self.random.uniform(0.3, 3))
            for row in led:
                if self.random.random() < share:
                    late = int(self.random.uniform(0.05, 1.0) * self.world.copy_delay_ms)
                    lots = max(round(row.lots * ratio, 2), 0.01)
                    closed = row.close_ms + int(self.random.uniform(0.05, 1.0) * self.world.copy_delay_ms)
                    self._trade(account, row.symbol, row.side, lots, row.open_ms + late, closed)
        self.made.truth[Abuse.COPY] |= set(accounts)

    def _person(self) -> None:
        """One person with several accounts, who hides part of it."""
        opened = START - int(self.random.integers(1, 40)) * DAY
        count = int(self.random.integers(2, 5))
        accounts = [self._account(opened=opened + n * int(self.random.integers(1, 20)) * HOUR) for n in range(count)]
        shown = [
            ["document", "ip_prefix"],
            ["photo"],
            ["device", "card", "ip_prefix"],
            ["device", "email"],
            ["bank_account", "device"],
        ][int(self.random.integers(0, 5))]
        for account in accounts:
            self._mark(account, *shown, value=f"person-{accounts[0]}")
            self._funds(account, bonus=self.random.random() < 0.8)
        if self.random.random() < 0.4:
            self._cluster(accounts)
        else:
            for account in accounts:
                self._ordinary(account, 15)
        self.made.truth[Abuse.MULTI] |= set(accounts)


def simulate(seed: int, world: World | None = None) -> Brokerage:
    """Simulate a brokerage."""
    return Simulation(seed, world or World()).run()


def figures(made: Brokerage, found: list, book: Book) -> dict[Abuse, tuple[float, float]]:  # type: ignore[type-arg]
    """Return precision and recall by account, of the kinds whose abusers are known."""
    result = {}
    for kind, truth in made.truth.items():
        raised = {book.accounts[n].key for row in found if row.kind == kind for n in row.accounts}
        right = len(raised & truth)
        result[kind] = (right / len(raised) if raised else 0.0, right / len(truth))
    return result
