"""How unusual the newest figures of many subjects are, against each one's own past: the tails of `engine.statistics`.

For each subject a rate per unit of exposure (a day; or a click, a payment, a call) from its decayed past, pulled towards that of
all; the day's own factor of its peers; and a negative binomial's mid-p with the subject's own overdispersion. The same over
longer windows, each against the past before it; windows are combined by Cauchy. A past figure teaches at most μ + 3.5 sd.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring.anomalies.signals import Signal
from monitoring.engine import statistics as st

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RATE_STRENGTH = 4.0
DISPERSION_STRENGTH = 10.0
TAUGHT_UP_TO_SD = 3.5
# With a shorter past there is no habit to compare with.
KNOWN_SLOTS = 8
HALF_LIFE_DAYS = 30.0
HALF_LIFE_SLOTS = 6 * 24 * 7.0
# What makes a subject's usual day in counts, where amounts are counted in parts of it.
PARTS_OF_A_DAY = 4.0


@dataclass(frozen=True)
class Figures:
    """Counts and exposure of subjects by slot, the newest last: arrays [subject, slot]; `group`: whose peers they are."""

    subjects: Ints
    count: Array
    exposure: Array
    group: Ints


@dataclass(frozen=True)
class Judged:
    """One value per subject: how probable, over which window, and what was seen and expected in it."""

    probability: Array
    window: Ints
    observed: Array
    expected: Array
    dispersion: Array
    exposure: Array
    unit: Array
    newest: Array  # the probability of the newest slot alone


def scaled(count: Array) -> tuple[Array, Array]:
    """Count amounts in parts of the subject's own usual day, and return the unit of each."""
    active = count[:, :-1] > 0
    total = np.where(active, count[:, :-1], 0).sum(axis=1)
    unit = total / np.maximum(active.sum(axis=1), 1) / PARTS_OF_A_DAY
    unit = np.where(unit > 0, unit, 1.0)
    return count / unit[:, None], unit


def learn(count: Array, exposure: Array, half_life: float) -> tuple[Array, Array]:
    """Estimate each subject's rate and overdispersion from its past, twice: the second time without what stood out."""
    weight = 0.5 ** (np.arange(count.shape[1])[::-1] / half_life) * (exposure > 0)
    rate, dispersion = _estimate(count, exposure, weight)
    mean = rate[:, None] * exposure
    cap = mean + TAUGHT_UP_TO_SD * np.sqrt(mean + dispersion[:, None] * mean**2) + 1.0
    return _estimate(np.minimum(count, cap), exposure, weight)


def _estimate(count: Array, exposure: Array, weight: Array) -> tuple[Array, Array]:
    seen, due = (count * weight).sum(axis=1), (exposure * weight).sum(axis=1)
    prior = np.full_like(seen, seen.sum() / max(due.sum(), st.TINY))
    rate = st.shrunk_rate(seen, due, prior, RATE_STRENGTH)
    mean = rate[:, None] * exposure
    spread = (((count - mean) ** 2 - mean) * weight).sum(axis=1)
    squares, slots = (mean**2 * weight).sum(axis=1), weight.sum(axis=1)
    common = np.clip(spread.sum() / max(squares.sum(), st.TINY), 0.05, 20.0)
    usual = (mean * weight).sum(axis=1) / np.maximum(slots, st.TINY)
    return rate, st.shrunk_dispersion(spread, squares, slots, usual, np.full_like(seen, common), DISPERSION_STRENGTH)


def judge(figures: Figures, signal: Signal) -> Judged:
    """Judge the newest slots of all subjects; those without a known past have probability 1."""
    half_life = HALF_LIFE_SLOTS if signal.is_service else HALF_LIFE_DAYS
    count, unit = scaled(figures.count) if signal.is_scaled else (figures.count, np.ones(len(figures.subjects)))
    tails: list[Array] = []
    means: list[Array] = []
    seen: list[Array] = []
    spreads: list[Array] = []
    exposed: list[Array] = []
    for window in signal.windows:
        past, past_exposure = count[:, :-window], figures.exposure[:, :-window]
        rate, dispersion = learn(past, past_exposure, half_life)
        now, exposure = np.round(count[:, -window:].sum(axis=1)), figures.exposure[:, -window:].sum(axis=1)
        mean = rate * exposure
        if not signal.is_fall:
            peers = st.peer_factor(now[:, None], mean[:, None], figures.group, int(figures.group.max(initial=0)) + 1)
            mean = mean * np.maximum(peers[:, 0], 1.0)
        # Slots that follow each other depend on one another: a window is steadier than a slot, but not by as much as it is longer.
        spread = dispersion / np.sqrt(window)
        tail = st.upper_tail(now, mean, spread)
        tail = 1.0 - tail if signal.is_fall else tail
        known = (past_exposure > 0).sum(axis=1) >= KNOWN_SLOTS
        known &= (past > 0).sum(axis=1) >= signal.known
        tails.append(np.where(known & (exposure > 0), np.maximum(tail, st.TINY), 1.0))
        for values, value in ((means, mean), (seen, now), (spreads, spread), (exposed, exposure)):
            values.append(value)
    each = np.stack(tails, axis=1)
    best = each.argmin(axis=1)
    rows = np.arange(len(best))

    def of_best(values: list[Array]) -> Array:
        chosen: Array = np.stack(values, axis=1)[rows, best]
        return chosen

    return Judged(
        st.by_cauchy(each),
        np.array(signal.windows, dtype=np.int64)[best],
        of_best(seen),
        of_best(means),
        of_best(spreads),
        of_best(exposed),
        unit,
        each[:, 0],
    )
