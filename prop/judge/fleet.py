"""Many accounts, a sample each every second: samples far from every limit are noted in arrays, all others take the plain step.

The result is the plain step's, verdict by verdict and state by state (`tests/prop/judge/test_fleet.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from prop.judge.inputs import Input, Sample
from prop.judge.judging import Judge
from prop.judge.rules import WARN_AT_PERCENT, MaximumLoss
from prop.judge.state import Extreme, Point, Source, State, Status, Verdict

Integers = NDArray[np.int64]
NEVER = np.iinfo(np.int64).min
ALWAYS = np.iinfo(np.int64).max
COLUMNS = ("at", "balance", "equity", "low", "low_at", "high", "high_at", "floor", "ceiling", "until", "gap")


@dataclass(frozen=True, slots=True)
class Quiet:
    """What a sample must keep to for nothing to change but the last sample and the day's extremes: its balance is this one, its
    equity lies between floor and ceiling (neither reached), its time before `until`. Without what was set aside: as read."""

    balance: int
    floor: int
    ceiling: int
    until: int


def quiet_of(state: State, judge: Judge) -> Quiet | None:
    """Say which samples are quiet for a state; None where any may change something."""
    if state.status != Status.RUNNING or not _is_settled(state, judge):
        return None
    assert state.last is not None
    levels = [NEVER]
    for rule, base, most in judge.loss_floors(state):
        loss = most if rule in state.warned else -(-most * WARN_AT_PERCENT // 100)
        levels.append(base - loss + state.aside)
    trails_equity = judge.rules.maximum_loss_kind == MaximumLoss.TRAILING_EQUITY
    ceiling = state.peak + state.aside + 1 if trails_equity else ALWAYS
    return Quiet(state.last.balance, max(levels), ceiling, state.until)


@dataclass(slots=True)
class Fleet:
    """Accounts by their place in `judges` and `states`. Read a state through `state`: the arrays may be ahead of it."""

    judges: Sequence[Judge]
    states: list[State]
    columns: dict[str, Integers] = field(init=False)
    low_reported: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.columns = {name: np.zeros(len(self.states), dtype=np.int64) for name in COLUMNS}
        self.low_reported = np.zeros(len(self.states), dtype=bool)
        for place in range(len(self.states)):
            self._note(place)

    def sample(
        self, at: int, balance: Integers, equity: Integers, worst: Integers | None = None
    ) -> list[tuple[int, Verdict]]:
        """Judge one sample of each account, in minor units; the verdicts come with the account's place."""
        columns = self.columns
        lowest = equity if worst is None else np.minimum(worst, equity)
        quiet = (lowest > columns["floor"]) & (equity < columns["ceiling"]) & (balance == columns["balance"])
        quiet &= (at < columns["until"]) & (at - columns["at"] <= columns["gap"]) & (at > columns["at"])
        lower, higher = quiet & (lowest < columns["low"]), quiet & (equity > columns["high"])
        for extremes, values, name in ((lower, lowest, "low"), (higher, equity, "high")):
            np.copyto(columns[name], values, where=extremes)
            columns[f"{name}_at"][extremes] = at
        self.low_reported[lower] = (lowest < equity)[lower]
        found = []
        for place in np.flatnonzero(~quiet).tolist():
            reported = None if worst is None else int(worst[place])
            each = Sample(at, int(balance[place]), int(equity[place]), reported)
            found += [(place, verdict) for verdict in self.step(place, each)]
        np.copyto(columns["equity"], equity, where=quiet)
        columns["at"][quiet] = at
        return found

    def step(self, place: int, each: Input) -> list[Verdict]:
        """Take any input of one account, as `Judge.step`."""
        state = self.state(place)
        if state.status != Status.RUNNING and not state.awaits_sample:
            return []
        verdicts = self.judges[place].step(state, each)
        self._note(place)
        return verdicts

    def state(self, place: int) -> State:
        """Bring an account's state up to date and return it."""
        state, columns = self.states[place], self.columns
        at = int(columns["at"][place])
        if columns["floor"][place] == ALWAYS or state.last is None or at == state.last.at:
            return state
        aside = state.aside
        state.at, state.rank = at, Sample.rank
        state.last = Point(at, int(columns["balance"][place]), int(columns["equity"][place]), aside)
        low, high = int(columns["low"][place]) - aside, int(columns["high"][place]) - aside
        if state.low is None or low < state.low.equity:
            source = Source.REPORTED if self.low_reported[place] else Source.SAMPLED
            state.low = Extreme(int(columns["low_at"][place]), low, source)
        if state.high is None or high > state.high.equity:
            state.high = Extreme(int(columns["high_at"][place]), high, Source.SAMPLED)
        return state

    def _note(self, place: int) -> None:
        """Put into the arrays what a sample must keep to for nothing to change but the last sample and the day's extremes."""
        state, judge, columns = self.states[place], self.judges[place], self.columns
        columns["floor"][place], columns["gap"][place] = ALWAYS, judge.gap_msc
        quiet, last, low, high = quiet_of(state, judge), state.last, state.low, state.high
        if quiet is None:
            return
        assert last is not None and low is not None and high is not None
        values = {
            "at": last.at,
            "balance": quiet.balance,
            "equity": last.equity,
            "until": quiet.until,
            "floor": quiet.floor,
            "ceiling": quiet.ceiling,
            "low": low.equity + state.aside,
            "low_at": low.at,
            "high": high.equity + state.aside,
            "high_at": high.at,
        }
        for name, value in values.items():
            columns[name][place] = value


def _is_settled(state: State, judge: Judge) -> bool:
    """Say whether only the last sample counts: nothing has happened since it that the next one settles."""
    is_quiet = not (state.base_is_open or state.implied or state.since_sample) and state.aside_low == state.aside
    is_seen = (
        state.last is not None
        and state.low is not None
        and state.at == state.last.at
        and state.last.aside == state.aside
    )
    is_moving = state.deal_peak is not None or state.straddled is not None
    target = judge.limits.target
    return is_quiet and is_seen and not is_moving and (target is None or state.balance < target)
