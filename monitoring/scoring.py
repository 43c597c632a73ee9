"""Scoring days against each agent's own habit, day by day and all agents at once.

For each agent and feature: a rate per active hour from decayed sums, pulled towards the role's rate; the higher of a slow
(two months) and a fast (a week) memory, so that a changed job stops alarming soon; times the hours worked and how busy
the day was for peers. The tail is a negative binomial's with the agent's own overdispersion. A day teaches the baseline
only up to μ + 3.5 sd, so that a thief does not teach it, and not at all where misuse was confirmed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitoring import statistics as st
from monitoring.choices import FAMILIES, FAMILY_OF, FEATURES, FLOORS, Family

Array = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RATE_STRENGTH = 4.0  # counts that a prior rate is worth
DISPERSION_STRENGTH = 10.0  # days that the role's overdispersion is worth
DEFAULT_DISPERSION = 0.3  # real agents: shape r about 3.2
DEFAULT_RATE = 0.3  # per hour, before anybody was seen
SLOW_DECAY = 0.985  # per worked day: half is forgotten after 46
FAST_DECAY = 0.87  # … after 5
LEARN_UP_TO_SD = 3.5
HOURS_MAX = 12.0
REFIT_EVERY_DAYS = 7
# What a count below its floor says at most: one such day in ten.
UNREMARKABLE = 0.1
FLOOR_COUNTS = np.array([FLOORS[feature] for feature in FEATURES], dtype=np.float64)
# Below this, a tail fitted to the past says less than the model.
CALIBRATE_FROM_AGENT_DAYS = 400
HISTORY_DAYS = 180
# Scores of people who are hardly known yet say nothing about the tail.
KNOWN_AFTER_DAYS = 6
STATE = ("slow_count", "slow_hours", "fast_count", "fast_hours", "spread", "spread_weight", "days")
FAMILY_COLUMNS = {family: [n for n, name in enumerate(FEATURES) if FAMILY_OF[name] == family] for family in FAMILIES}


@dataclass
class Day:
    """The counts of all agents of one day. `group` is the role at a brand, as an index; `learn` False: excluded."""

    day: dt.date
    agents: Ints
    group: Ints
    counts: Array
    hours: Array
    learn: npt.NDArray[np.bool_]


@dataclass
class Scored:
    """What a day's scoring found: one row per agent of the day."""

    day: dt.date
    agents: Ints
    expected: Array
    exposure: Array
    dispersion: Array
    feature_p: Array
    family_p: Array
    probability: Array


@dataclass
class Tail:
    threshold: float
    scale: float
    fitted_on: dt.date
    agent_days: int


@dataclass
class Scorer:
    """The baselines of all agents in memory. `score` judges a day, `learn` then lets the baselines have it."""

    agents: Ints
    groups: int
    state: dict[str, Array] = field(default_factory=dict)
    tails: dict[Family, Tail] = field(default_factory=dict)
    history: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place = {int(pk): n for n, pk in enumerate(self.agents)}
        for name in STATE:
            self.state.setdefault(name, np.zeros((len(self.agents), len(FEATURES))))

    def rows(self, agents: Ints) -> Ints:
        return np.fromiter((self.place[int(pk)] for pk in agents), dtype=np.int64, count=len(agents))

    def score(self, day: Day) -> Scored:
        """Compute a day's expected counts and probabilities per feature, per family and overall. Changes nothing."""
        at = self.rows(day.agents)
        mean, own_dispersion, exposure = self._expect(day, at)
        information = RATE_STRENGTH + self.state["slow_count"][at]
        dispersion = own_dispersion + 1.0 / information
        feature_p = st.upper_tail(day.counts, mean, dispersion)
        feature_p = np.where(day.counts < FLOOR_COUNTS, np.maximum(feature_p, UNREMARKABLE), feature_p)
        family_p = np.stack([st.by_cauchy(feature_p[:, FAMILY_COLUMNS[family]]) for family in FAMILIES], axis=-1)
        judged = self._calibrated(family_p)
        return Scored(
            day.day, day.agents, mean, exposure, dispersion, feature_p, family_p, np.atleast_1d(st.omnibus(judged))
        )

    def _expect(self, day: Day, at: Ints) -> tuple[Array, Array, Array]:
        """Compute mean and own overdispersion of each agent's counts on such a day, and its length in ordinary hours."""
        s = {name: values[at] for name, values in self.state.items()}
        hours = np.clip(day.hours, 1.0, HOURS_MAX)[:, None]
        group_count, group_hours, group_spread, group_weight = (
            self._by_group(s[name], day.group) for name in ("slow_count", "slow_hours", "spread", "spread_weight")
        )
        role_rate = (DEFAULT_RATE * 5 + group_count) / (5 + group_hours)
        slow = st.shrunk_rate(s["slow_count"], s["slow_hours"], role_rate, RATE_STRENGTH)
        fast = st.shrunk_rate(s["fast_count"], s["fast_hours"], slow, RATE_STRENGTH)
        rate = np.maximum(slow, fast)
        exposure = hours * st.peer_factor(day.counts, rate * hours, day.group, self.groups)
        mean = rate * exposure
        weight = 5 * mean**2 + st.TINY
        role_dispersion = np.clip(
            (DEFAULT_DISPERSION * weight + np.maximum(group_spread, 0)) / (weight + group_weight), 0.05, 3.0
        )
        own = st.shrunk_dispersion(
            s["spread"], s["spread_weight"], s["days"], mean, role_dispersion, DISPERSION_STRENGTH
        )
        return mean, own, exposure

    def _by_group(self, values: Array, group: Ints) -> Array:
        sums = np.zeros((self.groups, values.shape[1]))
        np.add.at(sums, group, values)
        return sums[group]

    def _calibrated(self, family_p: Array) -> Array:
        columns = []
        for n, family in enumerate(FAMILIES):
            tail = self.tails.get(family)
            columns.append(
                st.calibrate(family_p[:, n], tail.threshold, tail.scale)
                if tail
                else np.maximum(family_p[:, n], st.FLOOR)
            )
        return np.stack(columns, axis=-1)

    def learn(self, day: Day, scored: Scored) -> None:
        """Feed a finished day into the baselines, and its scores into the calibration."""
        at = self.rows(day.agents)[day.learn]
        mean, dispersion = scored.expected[day.learn], scored.dispersion[day.learn]
        hours = scored.exposure[day.learn]
        sd = np.sqrt(mean + dispersion * mean**2)
        counts = np.minimum(day.counts[day.learn], mean + LEARN_UP_TO_SD * sd)
        for name, decay, added in (
            ("slow_count", SLOW_DECAY, counts),
            ("slow_hours", SLOW_DECAY, hours),
            ("fast_count", FAST_DECAY, counts),
            ("fast_hours", FAST_DECAY, hours),
            ("spread", SLOW_DECAY, (counts - mean) ** 2 - mean),
            ("spread_weight", SLOW_DECAY, mean**2),
            ("days", SLOW_DECAY, 1.0),
        ):
            self.state[name][at] = self.state[name][at] * decay + added
        self.history.append(scored.family_p[self.state["days"][self.rows(day.agents)][:, 0] >= KNOWN_AFTER_DAYS])
        if len(self.history) > HISTORY_DAYS:
            del self.history[0]

    def refit(self, on: dt.date) -> bool:
        """Fit the tails of the families to the scores of the past, where there are enough of them."""
        past = np.concatenate(self.history) if self.history else np.empty((0, len(FAMILIES)))
        if len(past) < CALIBRATE_FROM_AGENT_DAYS:
            return False
        scores = -np.log10(np.clip(past, 1e-300, 1.0))
        for n, family in enumerate(FAMILIES):
            threshold, scale = st.fit_tail(scores[:, n])
            self.tails[family] = Tail(threshold, scale, on, len(past))
        return True

    def run(self, days: Iterable[Day]) -> Iterator[Scored]:
        """Score and learn finished days in order, refitting the tails weekly."""
        for day in days:
            scored = self.score(day)
            yield scored
            self.learn(day, scored)
            newest = max((tail.fitted_on for tail in self.tails.values()), default=dt.date.min)
            if (day.day - newest).days >= REFIT_EVERY_DAYS:
                self.refit(day.day)
