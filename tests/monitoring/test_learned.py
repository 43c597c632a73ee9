"""The learned trees: more evidence never makes a day less unusual, and what is written is what scikit-learn grew."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitoring.engine import learned
from monitoring.engine.signals import FAMILIES
from monitoring.engine.statistics import EVIDENCE_MAX

SAID = st.floats(0, EVIDENCE_MAX)


@given(st.lists(SAID, min_size=len(FAMILIES), max_size=len(FAMILIES)), st.integers(0, len(FAMILIES) - 1), SAID)
def test_more_evidence_never_makes_a_day_less_unusual(said, family, more):
    day = np.array([said, said])
    day[1, family] = max(more, day[0, family])
    total = day.sum(axis=1)
    before, after = learned.strength(day, total)
    assert after >= before


def test_a_quiet_day_is_next_to_nothing_and_a_loud_one_a_case():
    quiet, loud = learned.strength(np.array([[0.1] * len(FAMILIES), [5.0] * len(FAMILIES)]), np.array([0.2, 11.0]))
    assert quiet < 1 < 8.5 < loud


def test_the_stored_trees_answer_as_the_library_that_grew_them(tmp_path):
    # Loaded by the one test process that runs this: scikit-learn takes a second.
    from sklearn.ensemble import HistGradientBoostingClassifier

    from bench import monitoring_points

    chance = np.random.default_rng(7)
    columns = chance.exponential(1.0, (4000, len(FAMILIES) + 1))
    is_attack = columns[:, 0] * columns[:, 3] + chance.exponential(1.0, 4000) > 5
    stored = monitoring_points.learn(columns, is_attack)
    file = tmp_path / "learned.json"
    file.write_text(json.dumps(stored))
    model = HistGradientBoostingClassifier(**monitoring_points.GROWN, monotonic_cst=[1] * columns.shape[1]).fit(
        columns, is_attack
    )
    points = learned.read(file).points(columns[:, :-1], columns[:, -1])
    slope, shift = np.polyfit(model.decision_function(columns), points, 1)
    assert slope > 0
    assert np.abs(model.decision_function(columns) * slope + shift - points).max() < 1e-3


def test_a_family_that_came_since_moves_no_other(tmp_path, monkeypatch):
    said = np.array([[0.5 + n for n in range(len(FAMILIES))]]) / 3
    before = learned.read().points(said, np.array([3.0]))
    monkeypatch.setattr(learned, "FAMILIES", ("new", *FAMILIES))
    after = learned.read().points(np.column_stack([[9.0], said]), np.array([3.0]))
    assert after == before
