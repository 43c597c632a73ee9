"""What days of misuse look like together: small decision trees over the families of signals, learned on made-up floors.

The weighted sum adds families up one by one; trees also see which of them belong together (clients of others without a call,
beside contacts revealed), and how much each must say before it means something. More evidence never makes a day less unusual: each
tree rises in every family (`tests/monitoring/test_learned.py`). `bench/monitoring_points.py` makes the file from histories with
known misuse.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from monitoring.engine.signals import FAMILIES
from monitoring.engine.statistics import Array, Ints

FILE = Path(__file__).with_name("learned.json")
# The trees only add, and only so much of what they see beyond the weighted sum, which holds on floors unlike those learned from.
SHARE = 0.5


@dataclass(frozen=True)
class Trees:
    """Arrays of [tree, node]. A leaf is its own child, so that every day may take `depth` steps in every tree."""

    column: Ints
    threshold: Array
    left: Ints
    right: Ints
    value: Array
    depth: int
    base: float

    def points(self, said: Array, total: Array) -> Array:
        """Add up the trees' values for days: what each family says (`statistics.said`), and their weighted sum."""
        x = np.column_stack([said, total])
        days, trees = np.arange(len(x))[:, None], np.arange(len(self.column))[None, :]
        node = np.zeros((len(x), len(self.column)), dtype=np.int64)
        for _step in range(self.depth):
            goes_left = x[days, self.column[trees, node]] <= self.threshold[trees, node]
            node = np.where(goes_left, self.left[trees, node], self.right[trees, node])
        points: Array = self.base + self.value[trees, node].sum(axis=1)
        return points


def read(path: Path = FILE) -> Trees:
    """Read trees that `bench/monitoring_points.py` wrote; families are named in the file, so new ones don't move the others."""
    stored = json.loads(path.read_bytes())
    places = np.array([FAMILIES.index(name) for name in stored["families"]] + [len(FAMILIES)], dtype=np.int64)
    return Trees(
        column=places[np.array(stored["column"], dtype=np.int64)],
        threshold=np.array(stored["threshold"], dtype=np.float64),
        left=np.array(stored["left"], dtype=np.int64),
        right=np.array(stored["right"], dtype=np.int64),
        value=np.array(stored["value"], dtype=np.float64),
        depth=int(stored["depth"]),
        base=float(stored["base"]),
    )


@functools.cache
def trees() -> Trees:
    """Return the trees that came with this version."""
    return read()


def strength(said: Array, total: Array) -> Array:
    """Return how unusual days are: the weighted sum of what families say, and half of what the trees see beyond it."""
    beyond: Array = np.maximum(trees().points(said, total) - total, 0.0)
    return total + SHARE * beyond
