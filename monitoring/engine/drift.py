"""Slow rises: a little more than the person's own habit each day, for weeks, where no single day and no window stands out.

A cumulative sum per agent and signal: each day adds how many standard deviations it is above (or below) what was expected, at
most 2, so that one loud day, which other families judge, is no rise; the sum never falls below nothing and forgets a twentieth
per worked day. What such a sum is worth is calibrated on the company's own past. Page's CUSUM (Biometrika 41, 1954), clipped.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring.engine.signals import DRIFTING, FEATURES

Array = npt.NDArray[np.float64]

KEPT = 0.95
UP_TO_SD = 2.0
DOWN_TO_SD = -1.5
COLUMNS = [FEATURES.index(feature) for feature in DRIFTING]
LANES = tuple(f"drift:{feature.value}" for feature in DRIFTING)


def risen(before: Array, counts: Array, mean: Array, dispersion: Array) -> Array:
    """Return the sums after a day, in standard deviations; all arrays are [agent, signal]."""
    sd = np.sqrt(mean + dispersion * mean**2 + 0.3)
    return np.maximum(KEPT * before + np.clip((counts - mean) / sd, DOWN_TO_SD, UP_TO_SD), 0.0)
