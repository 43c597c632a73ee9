"""Score another system's history with the scorer of the live pages: what would have been raised, day by day, without hindsight."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from monitoring.choices import Family
from monitoring.engine import budget, drift
from monitoring.engine.scoring import WINDOWS, Day, Scored, Scorer
from monitoring.engine.signals import DRIFTING, FAMILIES, FEATURES, REGISTRY
from monitoring.history.counting import CountedDay, Floor
from monitoring.history.reading import Reader

WARM_UP_DAYS = 14
WARM_UP_SCORE_MAX = 1.9
REASON_P = 0.02
REASONS_MAX = 4
# A day this improbable explains itself; below the second, more or less improbable means nothing.
DAY_SAYS_ENOUGH = 1e-4
SAME_BELOW = 1e-9
GROUP_MIN = 4
SHIFT_HOURS = 8


# Of the list of agent-days, from the command and the page alike.
COLUMNS = ("agent", "date", "score", "alert", "reasons")


@dataclass(frozen=True)
class Judged:
    """One agent-day: how unusual (`score`, −log₁₀ p of what it adds to its case), whether it opens a case, and why."""

    agent: str
    day: dt.date
    score: float
    is_alert: bool
    reasons: list[str]
    raw: float

    def as_row(self) -> list[str | float | int]:
        """Write the agent-day as a row of the list."""
        return [self.agent, self.day.isoformat(), self.score, int(self.is_alert), "; ".join(self.reasons)]


@dataclass
class Judge:
    """Feeds counted days to the scorer and keeps the budget."""

    floor: Floor
    per_100: float = budget.DEFAULT_PER_100

    def __post_init__(self) -> None:
        self.scorer = Scorer(np.zeros(0, dtype=np.int64), 1)
        self.groups: dict[str, int] = {}
        self.highest: dict[int, deque[tuple[int, float]]] = {}
        self.purse = budget.Purse(self.per_100)
        self.opened: dict[int, int] = {}
        self.began: int | None = None

    def judge(self, counted: CountedDay) -> list[Judged]:
        self.began = counted.day if self.began is None else self.began
        day = self._as_day(counted)
        self.scorer.add_agents(day.agents)
        self.scorer.groups = max(len(self.groups), 1)
        (scored,) = self.scorer.run([day])
        return self._raise(counted, scored)

    def _as_day(self, counted: CountedDay) -> Day:
        names = [self._group_name(counted, n) for n in range(len(counted.agents))]
        sizes: dict[str, int] = {}
        for name in names:
            sizes[name] = sizes.get(name, 0) + 1
        group = [self.groups.setdefault(name if sizes[name] >= GROUP_MIN else "", len(self.groups)) for name in names]
        return Day(
            dt.date.fromordinal(counted.day),
            counted.agents,
            np.array(group, dtype=np.int64),
            counted.counts,
            counted.hours,
            np.ones(len(counted.agents), dtype=np.bool_),
            counted.trials,
        )

    def _group_name(self, counted: CountedDay, n: int) -> str:
        """Peers are those of the same role, desk and shift as the file says, and of the same hours where it doesn't."""
        place = int(counted.agents[n])
        hours = self.floor.active[place, 0]
        middle = int((hours * np.arange(24)).sum() / hours.sum() / SHIFT_HOURS) if hours.sum() > 0 else 1
        return f"{counted.groups[n]}@{middle}"

    def _raise(self, counted: CountedDay, scored: Scored) -> list[Judged]:
        raw = -np.log10(np.clip(scored.omnibus, 1e-300, 1.0))
        assert self.began is not None
        rules = np.array(
            [budget.rule_score(*pair) for pair in zip(counted.exported, counted.export_limits, strict=True)]
        )
        if counted.day - self.began < WARM_UP_DAYS:  # what is usual isn't known yet
            raw = np.minimum(raw, WARM_UP_SCORE_MAX)
            rules = np.minimum(rules, budget.SCORE_AT_FULL)
        raw = np.maximum(raw, rules)
        scores = np.array(
            [self._added(int(pk), counted.day, value) for pk, value in zip(counted.agents, raw, strict=True)]
        )
        raised = self._choose(counted, scores)
        return [
            Judged(
                self.floor.names[int(pk)],
                dt.date.fromordinal(counted.day),
                round(float(scores[n]), 4),
                n in raised,
                _reasons(counted, scored, n) if scores[n] >= budget.SCORE_MIN else [],
                float(raw[n]),
            )
            for n, pk in enumerate(counted.agents)
        ]

    def _added(self, agent: int, day: int, score: float) -> float:
        past = self.highest.setdefault(agent, deque())
        while past and day - past[0][0] > budget.EPISODE_DAYS:
            past.popleft()
        earlier = max((value for _day, value in past), default=0.0)
        past.append((day, score))
        return budget.added_score(score, earlier)

    def _choose(self, counted: CountedDay, scores: np.ndarray) -> set[int]:
        """Choose the days that open a case, or go on with one that was opened some days before."""
        self.purse.earn(len(scores))
        chosen: set[int] = set()
        for n in np.argsort(-scores, kind="stable"):
            agent = int(counted.agents[n])
            if agent in self.opened and counted.day - self.opened[agent] <= budget.EPISODE_DAYS:
                if scores[n] < budget.SCORE_AT_FULL:
                    continue
            elif scores[n] >= self.purse.needed():
                self.purse.spend()
            else:
                continue
            self.opened[agent] = counted.day
            chosen.add(int(n))
        return chosen


def _reasons(counted: CountedDay, scored: Scored, n: int) -> list[str]:
    """Name the strongest signal of each improbable family, with what was expected and seen, in the window that shows it best."""
    lines: list[tuple[float, str]] = []
    if counted.exported[n] > counted.export_limits[n]:
        lines.append(
            (
                -1.0,
                f"export of {counted.exported[n]:.0f} rows; from {counted.export_limits[n]:.0f} on it is bulk for this agent",
            )
        )
    for column, family in enumerate(FAMILIES):
        if scored.family_p[n, column] < REASON_P:
            line = _strongest(scored, n, family)
            if line:
                lines.append((float(scored.family_p[n, column]), line))
    lines.sort(key=lambda entry: entry[0])
    return [line for _p, line in lines[:REASONS_MAX]]


def _strongest(scored: Scored, n: int, family: Family) -> str:
    columns = [c for c, feature in enumerate(FEATURES) if REGISTRY[feature].family == family]
    if not columns:
        return _rise(scored, n)
    table = np.maximum(scored.window_p[n][:, columns], SAME_BELOW)
    window, best = np.unravel_index(int(table.argmin()), table.shape)
    if table[0].min() < DAY_SAYS_ENOUGH:  # the day alone explains itself
        window, best = np.intp(0), table[0].argmin()
    p = float(table[window, best])
    column = columns[int(best)]
    if p >= 2 * REASON_P:
        return ""
    count = scored.window_counts[n, window, column]
    mean = scored.window_means[n, window, column]
    days = "" if WINDOWS[window] == 1 else f" in {WINDOWS[window]} days"
    label = str(REGISTRY[FEATURES[column]].feature.label)
    return f"{label}{days}: {count:.0f}, expected {mean:.1f} (1 in {min(1 / max(p, 1e-12), 1e9):,.0f})"


def _rise(scored: Scored, n: int) -> str:
    """Name the signal that has risen most over weeks."""
    rises = -np.log10(scored.lane_p[n, -len(drift.LANES) :])
    best = int(rises.argmax())
    label = str(DRIFTING[best].label)
    return f"{label}: above own habit for weeks, {rises[best]:.0f} standard deviations in all"


def judge_file(reader: Reader, *, per_100: float = budget.DEFAULT_PER_100) -> Iterator[Judged]:
    """Judge a history file, a day at a time."""
    floor = Floor()
    judge = Judge(floor, per_100)
    for day, events in reader.days():
        for event in events:
            floor.add(event, day)
        counted = floor.close(day)
        if len(counted.agents):
            yield from judge.judge(counted)
