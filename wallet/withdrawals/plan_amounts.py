"""Finds the nearest amounts that can be paid out, where a part of a plan is outside its method's limits.

A plan fills its sources one after the other, so between two steps of the filling only one part grows with the amount:
first it is too small, then it goes, then perhaps it is too large. So bisection finds the nearest amounts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

# Judges an amount: below zero when a part of its plan is too small, above when one is too large (or it can't be paid at all).
Judge = Callable[[int], int]


def nearest(judge: Judge, steps: Sequence[int], amount: int) -> tuple[int | None, int | None]:
    """Find the next smaller and the next larger amount that can be paid out, in minor units, or None.

    steps: where the next source begins to be filled, ascending, the last one being everything available.
    """
    edges = sorted({0, *(step for step in steps if step > 0)})
    spans = list(pairwise(edges))
    less = next(
        (minor for low, high in reversed(spans) if (minor := _largest(judge, low, min(high, amount - 1)))), None
    )
    more = next((minor for low, high in spans if (minor := _smallest(judge, max(low, amount), high))), None)
    return less, more


def _largest(judge: Judge, low: int, high: int) -> int | None:
    """Find the largest amount in (low, high] that goes; None when there is none."""
    if high <= low:
        return None
    verdict = judge(high)
    if verdict <= 0:
        return None if verdict else high
    bottom, top = low, high  # too large at the top: the last one before that
    while top - bottom > 1:
        middle = (bottom + top) // 2
        bottom, top = (bottom, middle) if judge(middle) > 0 else (middle, top)
    return bottom if bottom > low and judge(bottom) == 0 else None


def _smallest(judge: Judge, low: int, high: int) -> int | None:
    """Find the smallest amount in (low, high] that goes; None when there is none."""
    if high <= low or judge(high) < 0:
        return None
    bottom, top = low, high
    while top - bottom > 1:
        middle = (bottom + top) // 2
        bottom, top = (middle, top) if judge(middle) < 0 else (bottom, middle)
    return top if judge(top) == 0 else None
