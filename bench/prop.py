"""`bench prop`: 20,000 challenge accounts with one equity sample a second judged on one core, a restart among them.

The yardstick is the plain step, one account after the other, on such samples: what the arrays save. What is measured is
judging alone: samples come from memory. A hundred accounts a second trade, and take the plain step as well.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterable
from decimal import Decimal
from random import Random

import numpy as np

from bench import prop_live, prop_pages
from bench.harness import Figure, at_most, own_database, say
from prop.judge.days import to_msc, to_time
from prop.judge.fleet import Fleet
from prop.judge.inputs import Deal, Sample
from prop.judge.judging import Judge
from prop.judge.rules import DailyLossBase, MaximumLoss, Rules
from prop.judge.state import State, Verdict, VerdictKind

# Accounts, seconds.
SIZES = {"tiny": (200, 30), "quick": (20_000, 60), "full": (20_000, 1_800)}
TRADES_A_SECOND = 100
PLAIN_SAMPLES = 20_000
START_CENTS = 10_000_000
BEGIN = to_msc(
    to_time(0).replace(year=2026, month=3, day=2, hour=21, minute=59, second=40)
)  # Athens' midnight is twenty seconds away


def judges(count: int) -> list[Judge]:
    """Four programmes, as plans have them: static and trailing, by balance and by equity."""
    kinds = [(MaximumLoss.STATIC, DailyLossBase.BALANCE), (MaximumLoss.STATIC, DailyLossBase.HIGHER)]
    kinds += [(MaximumLoss.TRAILING_EQUITY, DailyLossBase.EQUITY), (MaximumLoss.TRAILING_BALANCE, DailyLossBase.HIGHER)]
    shared = [
        Judge(
            Rules(
                currency="EUR",
                starting_balance=Decimal(100_000),
                profit_target=Decimal(10),
                daily_loss=Decimal(5),
                daily_loss_base=base,
                maximum_loss=Decimal(10),
                maximum_loss_kind=kind,
                minimum_days=4,
                inactive_days=30,
                lots_max=Decimal(50),
            )
        )
        for kind, base in kinds
    ]
    return [shared[place % len(shared)] for place in range(count)]


class Market:
    """A second's balances and equities of all accounts: a random walk in cents, some accounts close to their limits."""

    def __init__(self, count: int) -> None:
        self.random, self.count = np.random.default_rng(29), count
        self.balance = np.full(count, START_CENTS, dtype=np.int64)
        self.floating = self.random.integers(-499_900, 300_000, count)
        self.speed = self.random.choice([50, 400, 3_000], count, p=[0.5, 0.4, 0.1])

    def next(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        self.floating += (self.random.standard_normal(self.count) * self.speed).astype(np.int64)
        equity = self.balance + self.floating
        return self.balance.copy(), equity, equity - (self.random.random(self.count) * self.speed).astype(np.int64)


def trades(random: Random, count: int, at: int) -> list[tuple[int, Deal]]:
    names = (f"{at}-{number}" for number in range(min(TRADES_A_SECOND, count // 100)))
    return [(random.randrange(count), Deal(at, name, "EURUSD", True, 10**8, 0, 10_000_000)) for name in names]


def run_seconds(fleet: Fleet, market: Market, seconds: range) -> tuple[list[float], list[float], int]:
    """Judge each second, and return the wall-clock and processor milliseconds of each, and the number of breaches.

    Verdicts are let go of, as the live judge does: those of a midnight alone are twenty thousand.
    """
    random, walls, works, breaches = Random(29), [], [], 0
    for second in seconds:
        at = BEGIN + second * 1000
        deals, shown = trades(random, market.count, at), market.next()
        wall, work = time.perf_counter(), time.process_time()
        for place, deal in deals:
            breaches += breaches_in(fleet.step(place, deal))
        breaches += breaches_in(verdict for _place, verdict in fleet.sample(at, *shown))
        walls.append((time.perf_counter() - wall) * 1000)
        works.append((time.process_time() - work) * 1000)
    return walls, works, breaches


def breaches_in(verdicts: Iterable[Verdict]) -> int:
    return sum(verdict.kind == VerdictKind.BREACH for verdict in verdicts)


def plain_ms(count: int) -> float:
    """Processor milliseconds of one second of `count` accounts by the plain step alone."""
    made, market = judges(min(count, PLAIN_SAMPLES // 10)), Market(min(count, PLAIN_SAMPLES // 10))
    states = [judge.start(BEGIN) for judge in made]
    works = []
    for second in range(1, 11):
        samples = [Sample(BEGIN + second * 1000, *map(int, row)) for row in zip(*market.next(), strict=True)]
        work = time.process_time()
        for judge, state, sample in zip(made, states, samples, strict=True):
            judge.step(state, sample)
        works.append((time.process_time() - work) * 1000)
    return sum(works) / len(works) / len(made) * count


def restart(fleet: Fleet) -> tuple[Fleet, float]:
    """Write every state, read it in again, as a worker that starts does; with its seconds of processor time."""
    work = time.process_time()
    written = [json.dumps(fleet.state(place).to_json()) for place in range(len(fleet.states))]
    states = [State.from_json(json.loads(text)) for text in written]
    return Fleet(fleet.judges, states), time.process_time() - work


def measure(size: str) -> list[Figure]:
    count, seconds = SIZES[size]
    made, market = judges(count), Market(count)
    fleet = Fleet(made, [judge.start(BEGIN) for judge in made])
    say(f"{count} accounts, {seconds} seconds")
    half = seconds // 2
    walls, works, breaches = run_seconds(fleet, market, range(1, half + 1))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    more = run_seconds(fleet, market, range(half + 1, seconds))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    walls, works, breaches = walls + more[0], works + more[1], breaches + more[2]
    resumed, restarting = restart(fleet)
    shown, at = market.next(), BEGIN + (seconds + 1) * 1000
    lost = sorted(map(str, fleet.sample(at, *shown))) != sorted(map(str, resumed.sample(at, *shown)))
    plain = plain_ms(count)
    work = Figure(
        "processor time of a second of all accounts, mean", sum(works) / len(works), "ms", plain, "plain step"
    )
    return [
        at_most(work, 1000),
        at_most(Figure("processor time of the slowest second (the first, or the cut-off)", max(works), "ms"), 1000),
        Figure("wall clock of the slowest second", max(walls), "ms"),
        at_most(Figure("memory grown in the second half", grown, "MB"), 20),
        Figure("states written and read at a restart, processor time", restarting, "s"),
        at_most(Figure("verdicts that a restart changed", float(lost), "verdicts"), 0),
        Figure("breaches found", breaches, "verdicts"),
    ]


def run(size: str) -> list[Figure]:
    figures = measure(size)
    say("live, in a database")
    with own_database("prop"):
        return [*figures, *prop_live.run(size), *prop_pages.run(size)]
