"""Anomalies of traders, partners and operations: how many of those planted are raised, how many false, and how quickly.

Figures are made up: overdispersed habits of a lognormal size, and for operations payments that are declined. Some subjects leave
their habit on the newest day: six times the volume, clicks that stop, four times the declines for half an hour. The yardstick
raises what is beyond the mean and three standard deviations of the subject's own past.
"""

from __future__ import annotations

import time

import numpy as np

from bench.harness import Figure, at_least, at_most
from monitoring.anomalies.judging import Array, Figures, judge
from monitoring.anomalies.raising import SERVICE_PROBABILITY, findings
from monitoring.anomalies.services import KEPT_SLOTS
from monitoring.anomalies.signals import SIGNALS, Signal
from monitoring.brand_policies import ANOMALY_PROBABILITY
from monitoring.choices import Watched

# Traders, partners, payment methods; days that are judged of the first two, and slots of the last.
SIZES = {"tiny": (200, 60, 10, 2), "quick": (5_000, 500, 40, 6), "full": (5_000, 2_000, 100, 20)}
DAYS, PLANTED_SHARE, OUTAGE_SLOTS = 90, 0.01, 3
SECONDS_MAX, FALSE_MAX, FOUND_MIN = 5, 1, 0.8


def measure(size: str) -> list[Figure]:
    """Judge three kinds of subjects day by day."""
    traders, partners, methods, times = SIZES[size]
    random = np.random.default_rng(2027)
    return [
        *_judged("traders", SIGNALS[Watched.TRADES], [_habits(random, traders, 12.0, 6.0) for _day in range(times)]),
        *_judged(
            "partners", SIGNALS[Watched.CLICKS_FALL], [_habits(random, partners, 60.0, 0.0) for _day in range(times)]
        ),
        *_judged(
            "operations", SIGNALS[Watched.METHOD_DECLINES], [_declines(random, methods) for _slot in range(times)]
        ),
    ]


def _habits(random: np.random.Generator, subjects: int, usual: float, change: float) -> tuple[Figures, set[int]]:
    """Make days of counts; the newest day of some is `change` times their habit, and the days before it stay as they are."""
    mean = random.lognormal(np.log(usual), 0.6, (subjects, 1))
    count = random.negative_binomial(3.0, 3.0 / (3.0 + mean), (subjects, DAYS)).astype(float)
    # Of those whom a change of this size shows on, as the signals' floors do.
    able = np.flatnonzero(mean[:, 0] >= usual)
    chosen = random.choice(able, max(2, int(subjects * PLANTED_SHARE)), replace=False)
    days = 1 if change > 1 else 5
    count[chosen, -days:] = np.round(change * mean[chosen])
    group = np.zeros(subjects, dtype=np.int64)
    return Figures(np.arange(subjects), count, np.ones_like(count), group), set(map(int, chosen))


def _declines(random: np.random.Generator, methods: int) -> tuple[Figures, set[int]]:
    """Make three weeks of payments and declines by ten minutes; some methods decline four times as many for half an hour."""
    share = random.uniform(0.05, 0.15, (methods, 1))
    payments = random.poisson(random.lognormal(np.log(40), 0.4, (methods, 1)), (methods, KEPT_SLOTS)).astype(float)
    odds = np.repeat(share, KEPT_SLOTS, axis=1)
    chosen = random.choice(methods, max(1, methods // 10), replace=False)
    odds[chosen, -OUTAGE_SLOTS:] = np.minimum(odds[chosen, -OUTAGE_SLOTS:] * 4 + 0.2, 0.95)
    count = random.binomial(payments.astype(np.int64), odds).astype(float)
    return Figures(np.arange(methods), count, payments, np.arange(methods)), set(map(int, chosen))


def _judged(name: str, signal: Signal, made: list[tuple[Figures, set[int]]]) -> list[Figure]:
    limit = SERVICE_PROBABILITY if signal.is_service else float(ANOMALY_PROBABILITY.default)
    planted = found = false = judged = plain_found = plain_false = 0
    spent = 0.0
    for figures, chosen in made:
        began = time.perf_counter()
        raised = {row.subject for row in findings(signal, figures, judge(figures, signal), limit)}
        spent += time.perf_counter() - began
        plain = _beyond(figures, signal)
        planted, judged = planted + len(chosen), judged + len(figures.subjects)
        found, false = found + len(raised & chosen), false + len(raised - chosen)
        plain_found, plain_false = plain_found + len(plain & chosen), plain_false + len(plain - chosen)
    ways = (1_000 * false / judged, 1_000 * plain_false / judged)
    return [
        at_least(
            Figure(
                f"{name}: found of {planted} that left their habit",
                found / planted,
                "",
                plain_found / planted,
                "mean + 3σ",
            ),
            FOUND_MIN,
        ),
        at_most(Figure(f"{name}: false ones of 1,000 judged", ways[0], "", ways[1], "mean + 3σ"), FALSE_MAX),
        at_most(Figure(f"{name}: {len(made[0][0].subjects):,} judged", spent / len(made), "s"), SECONDS_MAX),
    ]


def _beyond(figures: Figures, signal: Signal) -> set[int]:
    """Find the subjects whose newest figure is three standard deviations from the mean of their past, on the signal's side."""
    value: Array = figures.count / np.maximum(figures.exposure, 1) if signal.is_ratio else figures.count
    mean, spread = value[:, :-1].mean(axis=1), value[:, :-1].std(axis=1)
    away = (mean - value[:, -1]) if signal.is_fall else (value[:, -1] - mean)
    return set(map(int, figures.subjects[away > 3 * spread]))
