"""Abuse by traders: precision and recall on simulated brokerages, by account; and how long a book takes to judge."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict

from bench.harness import Figure, at_least, at_most, say
from bench.risk.traders import World, figures, simulate
from risk.abuse.choices import Abuse
from risk.abuse.engine import judge

# The detectors were tuned on seeds below 100 in the default world; none of these seeds or worlds was looked at for it.
CONFIRMATION = {
    "tiny": {501: World(days=5, ordinary=60, scalpers=4, followers=6, households=5, offices=2, bonus_takers=8)},
    "quick": {
        601: World(),
        602: World(
            days=5,
            ordinary=400,
            scalpers=30,
            followers=40,
            households=40,
            offices=8,
            arbitrage_share=(0.45, 0.85),
            hedged_share=(0.55, 0.85),
            hedge_delay_ms=8_500,
            copied_share=(0.6, 0.9),
            copy_delay_ms=4_200,
            feed_lag_ms=(150, 500),
            tick_ms=900,
        ),
        603: World(
            days=12, ordinary=300, households=60, tick_ms=2_500, feed_lag_ms=(250, 700), arbitrage_share=(0.5, 1)
        ),
    },
}
CONFIRMATION["full"] = CONFIRMATION["quick"] | {
    seed: World(days=10, ordinary=900, scalpers=60, followers=80, households=80, offices=15, hedge_delay_ms=7_000)
    for seed in range(604, 609)
}


def run(size: str) -> list[Figure]:
    """Judge brokerages that the detectors have not seen."""
    quality: dict[Abuse, list[tuple[float, float]]] = defaultdict(list)
    per_10_000 = []
    for seed, world in CONFIRMATION[size].items():
        say(f"brokerage {seed}")
        made = simulate(seed, world)
        book = made.book()
        started = time.perf_counter()
        found = judge(book).findings
        per_10_000.append((time.perf_counter() - started) * 10_000 / len(book))
        for kind, figure in figures(made, found, book).items():
            quality[kind].append(figure)
    made_figures = []
    for kind, rows in quality.items():
        precision, recall = (statistics.mean(column) for column in zip(*rows, strict=True))
        name = kind.value
        made_figures.append(at_least(Figure(f"precision of {name}", precision, "share"), 0.9))
        made_figures.append(at_least(Figure(f"recall of {name}", recall, "share"), 0.8))
    speed = Figure("judge a book in memory, per 10,000 trades", statistics.median(per_10_000), "s")
    return [*made_figures, at_most(speed, 5)]
