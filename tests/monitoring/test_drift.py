"""A few clients more each day for weeks: no day stands out, the sum does."""

import datetime as dt

import numpy as np

from monitoring.choices import Family, Feature
from monitoring.engine import drift
from monitoring.engine.scoring import LANES, Day, Scorer
from monitoring.engine.signals import FAMILIES, FEATURES

PEOPLE = 30
BEGAN = dt.date(2026, 1, 5)
COLUMN = FEATURES.index(Feature.OUTSIDE_SILENT)


def day_of(number: int, random: np.random.Generator, leak: int) -> Day:
    counts = random.poisson(4.0, (PEOPLE, len(FEATURES))).astype(float)
    counts[0, COLUMN] += leak
    agents, zeros = np.arange(1, PEOPLE + 1), np.zeros(PEOPLE, dtype=np.int64)
    return Day(
        BEGAN + dt.timedelta(days=number), agents, zeros, counts, np.full(PEOPLE, 8.0), np.ones(PEOPLE, dtype=np.bool_)
    )


def test_three_more_a_day_for_weeks_is_the_slowest_rise_of_all():
    random, scorer = np.random.default_rng(4), Scorer(np.arange(1, PEOPLE + 1), 1)
    *_before, last = scorer.run(day_of(n, random, 4 if n >= 45 else 0) for n in range(65))
    lane = LANES.index(f"drift:{Feature.OUTSIDE_SILENT.value}")
    assert int(last.lane_p[:, lane].argmin()) == 0
    assert last.family_p[0, FAMILIES.index(Family.DRIFT)] < 0.01


def test_one_loud_day_is_no_rise():
    before, mean = np.zeros((1, 1)), np.full((1, 1), 4.0)
    assert drift.risen(before, np.full((1, 1), 400.0), mean, mean * 0) == drift.UP_TO_SD


def test_a_sum_is_forgotten_and_never_negative():
    quiet = drift.risen(np.full((1, 1), 1.0), np.zeros((1, 1)), np.full((1, 1), 9.0), np.zeros((1, 1)))
    assert quiet == 0.0
