"""`python -m bench.monitoring_points floor.jsonl=labels.csv …` learns `monitoring/engine/learned.json` from known misuse.

A floor is another system's history as `manage.py monitoring_score` reads it; its labels are `agent,start,end,…`, a row an attack,
days as ISO. Each day is judged by the scorer as on that day; what families said and their weighted sum, and whether the day was
within an attack, is what is learned. scikit-learn grows the trees: few leaves, rising in every column. Their sum is put on the
weighted sum's scale by its quantiles, so that thresholds and budgets keep their meaning.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

GROWN: dict[str, Any] = {
    "max_iter": 80,
    "learning_rate": 0.1,
    "max_leaf_nodes": 8,
    "l2_regularization": 5.0,
    "min_samples_leaf": 60,
    "early_stopping": False,
    "random_state": 1,
}
QUANTILES = np.array([0.9, 0.99, 0.999])


def rows_of(history: Path, labels: Path) -> tuple[np.ndarray, np.ndarray]:
    """Judge a floor: what families said and their weighted sum, a row a day of an agent; and whether it was of an attack."""
    from monitoring.engine import statistics as st
    from monitoring.engine.scoring import FAMILY_WEIGHTS, Scored
    from monitoring.history.counting import CountedDay, Floor
    from monitoring.history.judging import Judge, Judged
    from monitoring.history.reading import Reader

    attacks: dict[str, list[tuple[str, str]]] = defaultdict(list)
    with labels.open(newline="") as file:
        for label in csv.DictReader(file):
            attacks[label["agent"]].append((label["start"][:10], label["end"][:10]))
    columns: list[np.ndarray] = []
    is_attack: list[bool] = []

    class Keeping(Judge):
        def _raise(self, counted: CountedDay, scored: Scored) -> list[Judged]:
            said = st.said(scored.family_p)
            columns.append(np.column_stack([said, st.evidence(said, FAMILY_WEIGHTS)]))
            day = scored.day.isoformat()
            names = [self.floor.names[int(pk)] for pk in counted.agents]
            is_attack.extend(any(first <= day <= last for first, last in attacks[name]) for name in names)
            return super()._raise(counted, scored)

    floor = Floor()
    judge = Keeping(floor)
    for day, events in Reader(history).days():
        for event in events:
            floor.add(event, day)
        counted = floor.close(day)
        if len(counted.agents):
            judge.judge(counted)
    return np.concatenate(columns), np.array(is_attack)


def learn(columns: np.ndarray, is_attack: np.ndarray) -> dict[str, Any]:
    """Grow the trees, and write them as `monitoring.engine.learned.read` reads them."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    from monitoring.engine.signals import FAMILIES

    model = HistGradientBoostingClassifier(**GROWN, monotonic_cst=[1] * columns.shape[1]).fit(columns, is_attack)
    odds = model.decision_function(columns)
    slope, shift = np.polyfit(np.quantile(odds, QUANTILES), np.quantile(columns[:, -1], QUANTILES), 1)
    grown = [predictor[0].nodes for predictor in model._predictors]
    nodes = max(len(tree) for tree in grown)
    stored: dict[str, Any] = {"families": [family.value for family in FAMILIES]}
    for name, field in (
        ("column", "feature_idx"),
        ("threshold", "num_threshold"),
        ("left", "left"),
        ("right", "right"),
    ):
        stored[name] = [_padded(tree, field, nodes) for tree in grown]
    stored["value"] = [[round(float(v) * slope, 6) for v in _padded(tree, "value", nodes)] for tree in grown]
    stored["depth"] = int(max(tree["depth"].max() for tree in grown))
    stored["base"] = round(float(model._baseline_prediction[0, 0] * slope + shift), 6)
    return stored


def _padded(tree: np.ndarray, field: str, nodes: int) -> list[Any]:
    """Take a field of a tree's nodes; a leaf is its own child, and says nothing of a column."""
    values: list[Any] = []
    for place, node in enumerate(tree):
        if field in ("left", "right"):
            values.append(place if node["is_leaf"] else int(node[field]))
        elif field == "value":
            values.append(float(node[field]) if node["is_leaf"] else 0.0)
        else:
            values.append(0 if node["is_leaf"] else node[field].item())
    return values + [0] * (nodes - len(values))


def main(pairs: Iterable[str]) -> None:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings.dev")
    django.setup()
    from monitoring.engine.learned import FILE

    floors = [rows_of(*(Path(part) for part in pair.split("=", 1))) for pair in pairs]
    learned = learn(np.concatenate([columns for columns, _y in floors]), np.concatenate([y for _x, y in floors]))
    FILE.write_text(json.dumps(learned, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
