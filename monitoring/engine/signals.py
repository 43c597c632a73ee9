"""The registry of signals: what is counted about a day, which family it belongs to, and what makes it worth a review.

A signal is declared once here and is then scored, explained and documented (`docs/domain/monitoring.md` lists each; a test
holds the list). Counts are judged per active hour; a share (`out_of`) per case in which it could have happened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from monitoring.choices import Family, Feature

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Signal:
    """One thing counted about an agent's day.

    floor: below it a count is never a reason. rate: what is usual per hour (or per case of `out_of`) before anybody was
    seen. out_of: the measure that this one is a share of. counts: the measure that is counted, where it has another name.
    """

    feature: Feature
    family: Family
    floor: int
    rate: float = 0.3
    out_of: str = ""
    counts: str = ""

    @property
    def measure(self) -> str:
        return self.counts or self.feature.value


REGISTRY: dict[Feature, Signal] = {}


def declare(
    feature: Feature, family: Family, floor: int, *, rate: float = 0.3, out_of: str = "", counts: str = ""
) -> None:
    """Add a signal to the registry, once."""
    assert feature not in REGISTRY, f"{feature} is declared twice"
    REGISTRY[feature] = Signal(feature, family, floor, rate, out_of, counts)


declare(Feature.VIEWS, Family.VOLUME, 25)
declare(Feature.CLIENTS, Family.VOLUME, 20)
declare(Feature.BUSIEST_HOUR, Family.VOLUME, 15)
declare(Feature.SEARCHES, Family.VOLUME, 40)
declare(Feature.LISTS, Family.VOLUME, 25)
declare(Feature.LIST_ROWS, Family.TAKING, 250, rate=10.0)
declare(Feature.OUTSIDE_VIEWS, Family.REACH, 5)
declare(Feature.OUTSIDE_CLIENTS, Family.REACH, 4)
declare(Feature.OUTSIDE_SHARE, Family.REACH, 5, rate=0.1, out_of="views", counts="outside_views")
declare(Feature.OUTSIDE_SILENT, Family.REACH, 4)
declare(Feature.OUTSIDE_SILENT_SHARE, Family.REACH, 4, rate=0.4, out_of="outside_clients", counts="outside_silent")
declare(Feature.NEW_CLIENTS, Family.REACH, 5)
declare(Feature.ONE_OWNER, Family.REACH, 5)
declare(Feature.DORMANT_VIEWS, Family.DORMANT, 4)
declare(Feature.DORMANT_SHARE, Family.DORMANT, 5, rate=0.05, out_of="views", counts="dormant_views")
declare(Feature.HIGH_VALUE_OUTSIDE, Family.VALUE, 3, rate=0.05)
declare(Feature.HIGH_VALUE_SHARE, Family.VALUE, 4, rate=0.1, out_of="clients", counts="high_value_clients")
declare(Feature.MONEY_LOOKS, Family.VALUE, 3, rate=0.05)
declare(Feature.SILENT, Family.SILENT, 6, rate=0.3, out_of="clients")
declare(Feature.SILENT_REVEALS, Family.SILENT, 4, rate=0.2, out_of="revealed_clients", counts="reveals_without_call")
declare(Feature.REVEALS, Family.CONTACT, 5)
declare(Feature.REVEALS_WITHOUT_CALL, Family.CONTACT, 4)
declare(Feature.REVEAL_SHARE, Family.CONTACT, 5, rate=0.2, out_of="clients", counts="revealed_clients")
declare(Feature.REVEALS_OUTSIDE, Family.CONTACT, 3, rate=0.05)
declare(Feature.EXPORTS, Family.TAKING, 2, rate=0.02)
declare(Feature.DOWNLOADS, Family.TAKING, 5)
declare(Feature.PRINTS, Family.TAKING, 3, rate=0.05)
declare(Feature.OFF_HOURS, Family.HOURS, 5, rate=0.05, counts="odd_hours")
declare(Feature.SHORT_CALLS, Family.CALLS, 4, rate=0.1, out_of="answered_calls")
declare(Feature.CALLS, Family.CALLS, 25)
declare(Feature.CALLS_WITHOUT_RECORD, Family.CALLS, 8, out_of="calls")
declare(Feature.REPEAT_CALLS, Family.CALLS, 6, rate=0.1, out_of="calls")
declare(Feature.NEW_DEVICES, Family.IDENTITY, 1, rate=0.002)
declare(Feature.NEW_COUNTRIES, Family.IDENTITY, 1, rate=0.001)
declare(Feature.NEW_NETWORKS, Family.IDENTITY, 1, rate=0.005)
declare(Feature.SECOND_DEVICES, Family.IDENTITY, 1, rate=0.002)
declare(Feature.STEADY_PACE, Family.PACE, 10, rate=0.15, out_of="steps")
declare(Feature.FAST_STEPS, Family.PACE, 12, rate=0.1, out_of="steps")
declare(Feature.SEQUENTIAL, Family.PACE, 6, rate=0.02, out_of="steps")
declare(Feature.EDITS, Family.EDITS, 8)
declare(Feature.EDITS_OUTSIDE, Family.EDITS, 3, rate=0.03)
# A family of their own: another system's history doesn't have them, and they must not water down what it has.
declare(Feature.ONE_PARTNER, Family.AFTERWARDS, 4, rate=0.05)
declare(Feature.LEFT_AFTER_LOOKS, Family.AFTERWARDS, 2, rate=0.01)
declare(Feature.NO_RESULT, Family.AFTERWARDS, 6, rate=0.6, out_of="reached_before")

FEATURES: tuple[Feature, ...] = tuple(REGISTRY)
# What leaks slowly shows here: a little more each day than the person's own, for weeks (`monitoring.engine.drift`).
DRIFTING: tuple[Feature, ...] = (
    Feature.OUTSIDE_SILENT,
    Feature.OUTSIDE_CLIENTS,
    Feature.NEW_CLIENTS,
    Feature.SILENT,
    Feature.REVEALS_WITHOUT_CALL,
)
FAMILY_OF: dict[Feature, Family] = {feature: signal.family for feature, signal in REGISTRY.items()}
FLOORS: dict[Feature, int] = {feature: signal.floor for feature, signal in REGISTRY.items()}
# How much a family's improbability says about misuse, of 1: learned on made-up floors by several authors, part of the way.
WEIGHTS: dict[Family, float] = {
    Family.VOLUME: 0.5,
    Family.REACH: 0.9,
    Family.DORMANT: 1.1,
    Family.VALUE: 1.25,
    Family.SILENT: 2.2,
    Family.CONTACT: 1.3,
    Family.TAKING: 1.0,
    Family.HOURS: 0.8,
    Family.CALLS: 1.2,
    Family.IDENTITY: 1.05,
    Family.PACE: 0.8,
    Family.EDITS: 0.4,
    Family.AFTERWARDS: 1.0,
    Family.DRIFT: 1.6,
}
FAMILIES: tuple[Family, ...] = tuple(Family)
# What a feed counts of a day, in this order; signals pick from it.
MEASURES: tuple[str, ...] = tuple(
    dict.fromkeys([signal.measure for signal in REGISTRY.values()] + [s.out_of for s in REGISTRY.values() if s.out_of])
)
_COUNTED = [MEASURES.index(signal.measure) for signal in REGISTRY.values()]
_OUT_OF = [MEASURES.index(signal.out_of) if signal.out_of else -1 for signal in REGISTRY.values()]


def counts_and_trials(measures: Array) -> tuple[Array, Array]:
    """Turn rows of MEASURES into the scorer's counts and trials, a column per signal."""
    padded = np.concatenate([measures, np.zeros((len(measures), 1))], axis=1)
    return measures[:, _COUNTED], padded[:, _OUT_OF]
