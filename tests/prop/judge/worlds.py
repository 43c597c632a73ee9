"""Worlds to judge: rules, and the path of an account over days on which clocks change."""

import datetime as dt
from decimal import Decimal
from random import Random

from hypothesis import strategies as st

from prop.judge.days import ServerDays, to_msc
from prop.judge.inputs import Clock, Deal, Input, NewsEvent, Operation, OperationKind, Sample
from prop.judge.rules import DailyLossBase, LossShare, MaximumLoss, Operations, Rules

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000
START = 100_000  # 1,000.00 in cents: half a per cent is 500
# The days on which clocks go forward and back, in Athens and in New York, begin within the path.
STARTS = {
    "Europe/Athens": (dt.datetime(2026, 3, 27, 18, tzinfo=dt.UTC), dt.datetime(2026, 10, 23, 18, tzinfo=dt.UTC)),
    "America/New_York": (dt.datetime(2026, 3, 6, 19, tzinfo=dt.UTC), dt.datetime(2026, 10, 30, 19, tzinfo=dt.UTC)),
}


def at(text: str) -> int:
    return to_msc(dt.datetime.fromisoformat(text))


def rules(**values) -> Rules:
    made = Rules(**{"currency": "EUR", "starting_balance": Decimal(1000), **values})
    made.require_valid()
    return made


def some_rules(random: Random) -> Rules:
    """Half of the worlds are about losses and targets, the others about trades and days as well."""
    zone, cut_off = random.choice([("Europe/Athens", dt.time(0)), ("America/New_York", dt.time(17))])

    def maybe(*values, when=True):
        return random.choice([None, *values]) if when else None

    target = maybe(Decimal("0.5"), Decimal(1), Decimal("2.5"))
    trails, is_strict = random.choice(list(MaximumLoss)), random.random() < 0.5
    return rules(
        zone=zone,
        cut_off=cut_off,
        profit_target=target,
        daily_loss=maybe(Decimal(2), Decimal("1.3333")),
        daily_loss_base=random.choice(list(DailyLossBase)),
        daily_loss_of=random.choice(list(LossShare)),
        maximum_loss=maybe(Decimal(3), Decimal("2.5")),
        maximum_loss_kind=trails,
        maximum_loss_locks=trails != MaximumLoss.STATIC and random.random() < 0.5,
        minimum_days=maybe(1, 2, 3, when=target),
        maximum_days=maybe(3, 4, 5, when=is_strict),
        inactive_days=maybe(1, 2, 3, when=is_strict),
        largest_day=maybe(Decimal(40), Decimal("66.6667"), when=target),
        weekend_holding=not (is_strict and random.random() < 0.4),
        weekend_close=dt.time(16, 30),
        news_minutes=maybe(2, when=is_strict),
        lots_max=maybe(Decimal("2.5"), when=is_strict),
        trade_lots_max=maybe(Decimal("1.5"), when=is_strict and random.random() < 0.3),
        leverage_max=maybe(Decimal("2.5"), when=is_strict),
        operations=random.choice(list(Operations)),
    )


NEAR, FAR = [SECOND, 30 * SECOND, MINUTE], [MINUTE + 1, 2 * HOUR, 6 * HOUR, 11 * HOUR]
MOVES = [0, 1, -1, 300, -300, 500, -500, -501, -900, 1000, -1067]


class Path:
    """What a platform shows of an account: samples fit the deals, except one in ten; each instant occurs once."""

    def __init__(self, random: Random, start_at: int, days: ServerDays):
        self.random, self.now, self.days = random, start_at, days
        self.balance, self.floating, self.held, self.inputs = START, 0, {}, []

    def step(self) -> None:
        choose, now = self.random.choice, self.now
        self.now += choose(NEAR if self.random.random() < 0.85 else FAR)
        if self.random.random() < 0.1:  # to just before, at or just after the cut-off
            self.now = max(now + 1, self.days.start(self.days.day(now) + 1) + choose([-SECOND, -1, 0, 1, SECOND]))
        kind = choose("ssssssooccm" if self.random.random() < 0.5 else "ssssb")
        {"s": self.sample, "o": self.open, "c": self.close, "m": self.operate, "b": self.clock}[kind]()

    def sample(self) -> None:
        self.floating += self.random.choice(MOVES) if self.held else 0
        wrong = 50 if self.random.random() < 0.1 else 0
        equity = self.balance + self.floating + wrong
        worst = self.random.choice([*[None] * 6, 0, -200, -700])
        self.inputs.append(Sample(self.now, self.balance + wrong, equity, None if worst is None else equity + worst))

    def open(self) -> None:
        lots, name = self.random.choice([5, 10, 15, 16]) * 10**7, self.random.choice("abc")
        self.inputs.append(Deal(self.now, name, self.random.choice(["EURUSD", "GBPJPY"]), True, lots, 0, lots // 1000))
        self.held[name] = self.held.get(name, 0) + lots

    def close(self) -> None:
        if not self.held:
            return
        name = self.random.choice(sorted(self.held))
        lots = self.held[name] // self.random.choice([1, 1, 1, 2])
        net = self.random.choice([*MOVES, 2000, 1500, 1000, 500])
        self.inputs.append(Deal(self.now, name, "EURUSD", False, lots, net))
        self.balance += net
        self.held[name] -= lots
        if not self.held[name]:
            del self.held[name]
        self.floating = self.floating if self.held else 0

    def operate(self) -> None:
        kind = self.random.choice(list(OperationKind))
        amount = self.random.choice([400, 2500]) * (1 if kind == OperationKind.DEPOSIT else -1)
        self.inputs.append(Operation(self.now, amount, kind))
        self.balance += amount

    def clock(self) -> None:
        self.inputs.append(Clock(self.now))


World = tuple[Rules, int, list[Input], tuple[NewsEvent, ...]]


def make_world(seed: int, steps: int) -> World:
    random = Random(seed)
    of = some_rules(random)
    start_at = to_msc(random.choice(STARTS[of.zone])) - random.choice([0, 24, 48]) * HOUR
    path = Path(random, start_at, ServerDays(of.zone, of.cut_off))
    for _step in range(steps):
        path.step()
    deals = [each.at for each in path.inputs if isinstance(each, Deal)]
    offset = random.choice([-2 * MINUTE, 2 * MINUTE, 2 * MINUTE + 1, HOUR])
    news = (NewsEvent(random.choice(deals) + offset, ("USD",)),) if deals else ()
    return of, start_at, path.inputs, news


def worlds(steps: int = 80):
    """Worlds by their seed and length: quick to make, shorter ones are tried first when one fails."""
    return st.builds(make_world, st.integers(0, 2**32), st.integers(2, steps))
