"""Scoring days against each agent's own habit, day by day and all agents at once.

For each agent and signal: a rate per active hour (a share: per case) from decayed sums, pulled towards the peers' rate; for the day
itself the higher of a slow (two months) and a fast (a week) memory, so that a changed job stops alarming soon; times the hours
worked and how busy the day was for peers. The tail is a negative binomial's, or a beta-binomial's for shares, with the agent's own
overdispersion. The same over 5 and 15 days, against the slow memory alone, finds what is spread thin. Each family and window is
calibrated on the past; windows are combined by Cauchy, families by a weighted sum, to which learned trees add what they see
beyond it, and the whole is calibrated once more.
A day teaches the baseline only up to μ + 3.5 sd, so that a thief does not teach it, and not at all where misuse was confirmed.

The same scorer judges the days of the live system and those of another system's history: see `monitoring.engine.signals` for what a
day's counts are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from monitoring.choices import Family
from monitoring.engine import drift, learned
from monitoring.engine import statistics as st
from monitoring.engine.signals import FAMILIES, FAMILY_OF, FEATURES, FLOORS, REGISTRY, WEIGHTS

Array = st.Array
Ints = st.Ints

RATE_STRENGTH = 4.0  # counts that a prior rate is worth
DISPERSION_STRENGTH = 10.0  # days that the role's overdispersion is worth
DEFAULT_DISPERSION = 0.3  # real agents: shape r about 3.2
SLOW_DECAY = 0.985  # per worked day: half is forgotten after 46
FAST_DECAY = 0.87  # … after 5
LEARN_UP_TO_SD = 3.5
HOURS_MAX = 12.0
REFIT_EVERY_DAYS = 7
# What a count below its floor says at most: one such day in ten.
UNREMARKABLE = 0.1
WINDOWS = (1, 5, 15)  # calendar days
# A window must hold so many times the floor of a day.
WINDOW_FLOORS = {1: 1.0, 5: 2.0, 15: 3.0}
FLOOR_COUNTS = np.array([FLOORS[feature] for feature in FEATURES], dtype=np.float64)
DEFAULT_RATES = np.array([REGISTRY[feature].rate for feature in FEATURES])
SHARES = np.array([bool(REGISTRY[feature].out_of) for feature in FEATURES])
# Below this, a tail fitted to the past says less than the model.
CALIBRATE_FROM_AGENT_DAYS = 400
HISTORY_DAYS = 180
# Scores of people who are hardly known yet say nothing about the tail.
KNOWN_AFTER_DAYS = 6
LEVEL_KNOWN_AFTER_DAYS = 10
STATE = ("slow_count", "slow_hours", "fast_count", "fast_hours", "spread", "spread_weight", "days", "drift")
WINDOWED = tuple(family for family in FAMILIES if family != Family.DRIFT)
FAMILY_COLUMNS = {family: [n for n, name in enumerate(FEATURES) if FAMILY_OF[name] == family] for family in WINDOWED}
OF_THE_PLACE = FAMILY_COLUMNS[Family.HOURS] + FAMILY_COLUMNS[Family.IDENTITY]
# One tail per family and window and per slow rise, and one for all of them together.
LANES = tuple(f"{family}:{window}" for family in WINDOWED for window in WINDOWS) + drift.LANES
OVERALL = "overall"
# What no day may exceed in a calibrated family: one saturated signal must not own the list.
OVERALL_FLOOR = 1e-12
FAMILY_WEIGHTS = np.array([WEIGHTS[family] for family in FAMILIES])
NOTHING = np.zeros((0, 0))


@dataclass
class Day:
    """The counts of all agents of one day. `group` is whose peers they are, as an index; `learn` False: excluded.

    trials: out of how many each share's count is; without them shares say nothing.
    """

    day: dt.date
    agents: Ints
    group: Ints
    counts: Array
    hours: Array
    learn: npt.NDArray[np.bool_]
    trials: Array | None = None


@dataclass
class Scored:
    """What a day's scoring found: one row per agent of the day. `window_p` is [agent, window, feature]."""

    day: dt.date
    agents: Ints
    expected: Array
    exposure: Array
    dispersion: Array
    feature_p: Array
    family_p: Array
    probability: Array
    lane_p: Array = field(default_factory=lambda: NOTHING)
    slow_mean: Array = field(default_factory=lambda: NOTHING)
    window_p: Array = field(default_factory=lambda: NOTHING)
    window_counts: Array = field(default_factory=lambda: NOTHING)
    window_means: Array = field(default_factory=lambda: NOTHING)
    omnibus: Array = field(default_factory=lambda: NOTHING)

    @property
    def strength(self) -> Array:
        """What days compete by: the weighted sum of families, before calibration has made it a probability."""
        return self.omnibus if self.omnibus.size else self.probability


@dataclass
class Tail:
    threshold: float
    scale: float
    fitted_on: dt.date
    agent_days: int


@dataclass
class Past:
    """What windows need of one earlier day: counts, slow means, φμ² and trials of all agents; zero where absent."""

    day: dt.date
    counts: Array
    means: Array
    spread: Array
    trials: Array


@dataclass
class Scorer:
    """The baselines of all agents in memory. `score` judges a day, `learn` then lets the baselines have it."""

    agents: Ints
    groups: int
    state: dict[str, Array] = field(default_factory=dict)
    tails: dict[str, Tail] = field(default_factory=dict)
    history: list[Array] = field(default_factory=list)
    recent: list[Past] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place: dict[int, int] = {}
        self.add_agents(self.agents)

    def add_agents(self, agents: Ints) -> None:
        """Let the scorer know of agents; those of a growing floor come as they first appear."""
        new = [int(pk) for pk in agents if int(pk) not in self.place]
        self.place.update({pk: len(self.place) + n for n, pk in enumerate(new)})
        self.agents = np.fromiter(self.place, dtype=np.int64, count=len(self.place))
        for name in STATE:
            self.state[name] = _grown(self.state.get(name), len(self.place))
        for past in self.recent:
            for name in ("counts", "means", "spread", "trials"):
                setattr(past, name, _grown(getattr(past, name), len(self.place)))

    def rows(self, agents: Ints) -> Ints:
        return np.fromiter((self.place[int(pk)] for pk in agents), dtype=np.int64, count=len(agents))

    def score(self, day: Day) -> Scored:
        """Compute a day's expected counts and probabilities per signal, per family and overall. Changes nothing."""
        at = self.rows(day.agents)
        trials = day.trials if day.trials is not None else np.zeros_like(day.counts)
        mean, slow_mean, own_dispersion, exposure = self._expect(day, at, trials)
        dispersion = own_dispersion + 1.0 / (RATE_STRENGTH + self.state["slow_count"][at])
        shared = shared_by_peers(day)
        window_p, window_counts, window_means = [], [], []
        for window in WINDOWS:
            if window == 1:
                count, center, phi, cases = day.counts, mean, dispersion, trials
            else:
                count, center, phi, cases = self._over(
                    window, day, at, slow_mean, own_dispersion * slow_mean**2, trials
                )
            p = st.tail_of(count, center, phi, cases, SHARES)
            p = np.where(count < FLOOR_COUNTS * WINDOW_FLOORS[window], np.maximum(p, UNREMARKABLE), p)
            if window > 1:  # a window says something about today only if today adds to it
                p = np.where(day.counts > slow_mean, p, np.maximum(p, 2 * UNREMARKABLE))
            window_p.append(np.maximum(np.maximum(p, shared), st.common_cause(p)))
            window_counts.append(count)
            window_means.append(center)
        lane_p = np.stack(
            [st.by_cauchy(window_p[n][:, FAMILY_COLUMNS[family]]) for family in WINDOWED for n in range(len(WINDOWS))],
            axis=-1,
        )
        rises = self._rises(day, at, slow_mean, dispersion)
        lane_p = np.concatenate([lane_p, 10.0**-rises], axis=1)
        judged = self._calibrated(lane_p)
        slow_p = np.where((day.counts > slow_mean)[:, drift.COLUMNS], judged[:, -len(drift.LANES) :], UNREMARKABLE)
        windowed = judged[:, : -len(drift.LANES)].reshape(len(at), len(WINDOWED), len(WINDOWS))
        family_p = np.concatenate([st.by_cauchy(windowed), st.by_cauchy(slow_p)[:, None]], axis=1)
        said = st.said(family_p)
        combined = 10.0 ** -learned.strength(said, st.evidence(said, FAMILY_WEIGHTS))
        tail = self.tails.get(OVERALL)
        overall = st.calibrate(combined, tail.threshold, tail.scale, floor=OVERALL_FLOOR) if tail else combined
        return Scored(
            day.day,
            day.agents,
            mean,
            exposure,
            dispersion,
            window_p[0],
            family_p,
            np.clip(overall, 0.0, 1.0),
            lane_p,
            slow_mean,
            np.stack(window_p, axis=1),
            np.stack(window_counts, axis=1),
            np.stack(window_means, axis=1),
            combined,
        )

    def _expect(self, day: Day, at: Ints, trials: Array) -> tuple[Array, Array, Array, Array]:
        """Compute the mean of each agent's counts on such a day, by all memory and by the slow one, the agent's own
        overdispersion, and the day's length in ordinary hours (of a share: its cases)."""
        s = {name: values[at] for name, values in self.state.items()}
        worked = np.where(SHARES, trials, np.clip(day.hours, 1.0, HOURS_MAX)[:, None])
        group_count, group_hours, group_spread, group_weight = (
            self._by_group(s[name], day.group) for name in ("slow_count", "slow_hours", "spread", "spread_weight")
        )
        role_rate = (DEFAULT_RATES * 5 + group_count) / (5 + group_hours)
        slow = st.shrunk_rate(s["slow_count"], s["slow_hours"], role_rate, RATE_STRENGTH)
        fast = st.shrunk_rate(s["fast_count"], s["fast_hours"], slow, RATE_STRENGTH)
        rate = np.maximum(slow, fast)
        factor = st.peer_factor(day.counts, rate * worked, day.group, self.groups)
        exposure = worked * factor
        mean, slow_mean = rate * exposure, slow * exposure
        mean = np.where(SHARES, np.minimum(mean, 0.97 * trials), mean)
        slow_mean = np.where(SHARES, np.minimum(slow_mean, 0.97 * trials), slow_mean)
        weight = 5 * mean**2 + st.TINY
        role_dispersion = np.clip(
            (DEFAULT_DISPERSION * weight + np.maximum(group_spread, 0)) / (weight + group_weight),
            0.05,
            st.DISPERSION_MAX,
        )
        own = st.shrunk_dispersion(
            s["spread"], s["spread_weight"], s["days"], mean, role_dispersion, DISPERSION_STRENGTH
        )
        # In the first days the peers' factor mostly corrects the prior rate: learning through it would keep that rate for good.
        learned = np.where(s["days"] < LEVEL_KNOWN_AFTER_DAYS, worked, exposure)
        return mean, slow_mean, own, learned

    def _over(
        self, window: int, day: Day, at: Ints, mean: Array, spread: Array, trials: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Add up the days of a window that ends today: counts, means, dispersion of the sum, trials.

        How well the habit was known on each of them goes through all of them: a guess that was wrong on one was on the others.
        Days on which the person was hardly known yet are left out.
        """
        count, center, wide, cases = day.counts.copy(), mean.copy(), spread.copy(), trials.copy()
        known, days = self.state["slow_count"][at].copy(), self.state["days"][at, :1].copy()
        doubt = mean / np.sqrt(RATE_STRENGTH + known)
        for past in sorted(self.recent, key=lambda entry: entry.day, reverse=True):
            if 0 < (day.day - past.day).days < window:
                known = np.maximum(known - past.counts[at], 0.0)
                days -= past.means[at].any(axis=1, keepdims=True)
                held = days >= KNOWN_AFTER_DAYS
                count += past.counts[at] * held
                center += past.means[at] * held
                wide += past.spread[at] * held
                cases += past.trials[at] * held
                doubt += past.means[at] * held / np.sqrt(RATE_STRENGTH + known)
        return count, center, (wide + doubt**2) / np.maximum(center, st.TINY) ** 2, cases

    def _by_group(self, values: Array, group: Ints) -> Array:
        sums = np.zeros((self.groups, values.shape[1]))
        np.add.at(sums, group, values)
        return sums[group]

    def _calibrated(self, lane_p: Array) -> Array:
        columns = []
        for n, lane in enumerate(LANES):
            tail = self.tails.get(lane)
            if tail:
                columns.append(st.calibrate(lane_p[:, n], tail.threshold, tail.scale))
            else:  # a slow rise is no probability before it is calibrated
                columns.append(np.maximum(lane_p[:, n], st.FLOOR if lane not in drift.LANES else UNREMARKABLE))
        return np.stack(columns, axis=-1)

    def _rises(self, day: Day, at: Ints, slow_mean: Array, dispersion: Array) -> Array:
        columns = drift.COLUMNS
        before = self.state["drift"][at][:, columns]
        after = drift.risen(before, day.counts[:, columns], slow_mean[:, columns], dispersion[:, columns])
        return np.where(self.state["days"][at][:, columns] >= KNOWN_AFTER_DAYS, after, 0.0)

    def learn(self, day: Day, scored: Scored) -> None:
        """Feed a finished day into the baselines, and its scores into the calibration."""
        at = self.rows(day.agents)[day.learn]
        mean, dispersion = scored.expected[day.learn], scored.dispersion[day.learn]
        exposure = scored.exposure[day.learn]
        sd = np.sqrt(mean + dispersion * mean**2)
        counts = np.minimum(day.counts[day.learn], mean + LEARN_UP_TO_SD * sd)
        for name, decay, added in (
            ("slow_count", SLOW_DECAY, counts),
            ("slow_hours", SLOW_DECAY, exposure),
            ("fast_count", FAST_DECAY, counts),
            ("fast_hours", FAST_DECAY, exposure),
            ("spread", SLOW_DECAY, (counts - mean) ** 2 - mean),
            ("spread_weight", SLOW_DECAY, mean**2),
            ("days", SLOW_DECAY, 1.0),
        ):
            self.state[name][at] = self.state[name][at] * decay + added
        self.state["drift"][np.ix_(at, np.array(drift.COLUMNS, dtype=np.int64))] = -np.log10(
            scored.lane_p[day.learn][:, -len(drift.LANES) :]
        )
        self.remember(day, scored)
        known = self.state["days"][self.rows(day.agents)][:, 0] >= KNOWN_AFTER_DAYS
        self.history.append(np.concatenate([scored.lane_p, scored.omnibus[:, None]], axis=1)[known])
        if len(self.history) > HISTORY_DAYS:
            del self.history[0]

    def remember(self, day: Day, scored: Scored) -> None:
        """Keep a day for the windows of the days after it."""
        at = self.rows(day.agents)
        dispersion = np.maximum(scored.dispersion - 1.0 / (RATE_STRENGTH + self.state["slow_count"][at]), 0.02)
        shape = (len(self.place), len(FEATURES))
        past = Past(day.day, *(np.zeros(shape) for _n in range(4)))
        past.counts[at] = own_counts(day, scored.slow_mean)
        past.means[at] = scored.slow_mean
        past.spread[at] = dispersion * scored.slow_mean**2
        if day.trials is not None:
            past.trials[at] = day.trials
        self.recent = [entry for entry in self.recent if (day.day - entry.day).days < max(WINDOWS)] + [past]

    def refit(self, on: dt.date) -> bool:
        """Fit the tails of the lanes to the scores of the past, where there are enough of them."""
        past = np.concatenate(self.history) if self.history else np.empty((0, len(LANES) + 1))
        if len(past) < CALIBRATE_FROM_AGENT_DAYS:
            return False
        scores = -np.log10(np.clip(past, 1e-300, 1.0))
        had_lanes = LANES[0] in self.tails
        for n, lane in enumerate(LANES):
            threshold, scale = st.fit_tail(scores[:, n])
            self.tails[lane] = Tail(threshold, scale, on, len(past))
        if had_lanes:  # combined scores of before the lanes were calibrated are of another kind
            threshold, scale = st.fit_tail(scores[:, -1])
            self.tails[OVERALL] = Tail(threshold, scale, on, len(past))
        else:
            for day in self.history:
                day[:, -1] = 1.0
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


def shared_by_peers(day: Day) -> Array:
    """Return by which share of the peers a day's hours, devices and places are shared: a holiday on which one department works, a
    release night, new laptops for a desk. What so many have says nothing about one of them."""
    shared = np.zeros_like(day.counts)
    counts = day.counts[:, OF_THE_PLACE]
    shared[:, OF_THE_PLACE] = np.maximum(
        st.shared_share(counts, day.group), st.shared_share(counts, np.zeros_like(day.group))
    )
    return shared


def own_counts(day: Day, usual: Array) -> Array:
    """Return a day's counts as windows add them up: what peers shared counts as usual."""
    return np.where(shared_by_peers(day) > 0, np.minimum(day.counts, usual), day.counts)


def _grown(values: Array | None, rows: int) -> Array:
    """Return an array with zeros for agents that came since."""
    if values is None:
        return np.zeros((rows, len(FEATURES)))
    missing = rows - len(values)
    return np.concatenate([values, np.zeros((missing, values.shape[1]))]) if missing > 0 else values


def excess_of(counts: Array, mean: Array, dispersion: Array) -> tuple[Array, Array]:
    """Return by how much a day raised what was learned of an agent, in counts and in spread, against an expected day."""
    learned = np.minimum(counts, mean + LEARN_UP_TO_SD * np.sqrt(mean + dispersion * mean**2))
    return learned - mean, (learned - mean) ** 2 - mean
