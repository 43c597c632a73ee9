"""Trifles are no alerts: each measure has a floor below which a day says nothing, whatever the person's habit."""

import datetime as dt

import numpy as np
import pytest

from monitoring.alerts import severity_of
from monitoring.choices import Feature, Severity
from monitoring.engine.scoring import Day, Scorer
from monitoring.engine.signals import FEATURES, FLOORS

AGENTS = np.arange(1, 11)
BEGAN = dt.date(2026, 6, 1)


def quiet_desk() -> Scorer:
    """Ten people who do one of each thing on each of forty days."""
    scorer = Scorer(AGENTS, 1)
    for number in range(40):
        day = day_of(np.ones((10, len(FEATURES))), number)
        scorer.learn(day, scorer.score(day))
    return scorer


def day_of(counts: np.ndarray, number: int) -> Day:
    zeros, hours = np.zeros(10, dtype=np.int64), np.full(10, 8.0)
    return Day(BEGAN + dt.timedelta(days=number), AGENTS, zeros, counts, hours, np.ones(10, dtype=np.bool_))


def probability_of(feature: Feature | None, count: int) -> float:
    counts = np.ones((10, len(FEATURES)))
    columns = [FEATURES.index(feature)] if feature else list(range(len(FEATURES)))
    counts[0, columns] = [min(count, FLOORS[FEATURES[column]] - 1) if feature is None else count for column in columns]
    return float(quiet_desk().score(day_of(counts, 41)).probability[0])


@pytest.mark.parametrize("feature", FEATURES)
def test_from_one_to_just_below_the_floor_is_never_an_alert(feature):
    assert probability_of(feature, FLOORS[feature] - 1) > 0.01


def test_all_measures_below_their_floors_at_once_are_not_severe():
    assert severity_of(probability_of(None, 9), []) == Severity.ELEVATED


@pytest.mark.parametrize("feature", [Feature.SEARCHES, Feature.VIEWS, Feature.OUTSIDE_VIEWS, Feature.EXPORTS])
def test_well_above_the_floor_a_habit_counts(feature):
    assert probability_of(feature, (4 if FLOORS[feature] > 2 else 8) * FLOORS[feature]) < 0.001


def test_every_measure_has_a_floor():
    assert set(FLOORS) == set(FEATURES)
    assert FLOORS[Feature.SEARCHES] > 33, "20 → 33 searches raised a Severe alert once"
