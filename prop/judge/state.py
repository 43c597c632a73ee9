"""What the judge keeps of an account between two inputs, and what it says; both as plain JSON.

The state is small and whole: saved at any input and read again, the judge goes on as if it had never stopped.
Balances and equities in it are *adjusted*: without the operations that the rules set aside.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from prop.judge.rules import RuleCode

VERSION = 1


class Status(StrEnum):
    """Where a phase is."""

    RUNNING = "running"
    BREACHED = "breached"
    PASSED = "passed"


class VerdictKind(StrEnum):
    """What the judge says."""

    WARNING = "warning"
    BREACH = "breach"
    PASSED = "passed"
    WITHHELD = "withheld"
    GAP = "gap"
    UNCONFIRMED = "unconfirmed"
    EVIDENCE = "evidence"
    DAY = "day"


class Source(StrEnum):
    """How an extreme is known."""

    SAMPLED = "sampled"
    REPORTED = "reported"
    DEAL = "deal"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Point:
    """A sample as it was read, with what was set aside then."""

    at: int
    balance: int
    equity: int
    aside: int = 0

    @property
    def adjusted(self) -> int:
        """The equity that the rules count."""
        return self.equity - self.aside


@dataclass(frozen=True, slots=True)
class Extreme:
    """The lowest or highest equity of a day."""

    at: int
    equity: int
    source: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One finding with its evidence. `value` is compared with `threshold`: money in minor units, days, lots in units of
    0.00000001 or hundredths of a leverage, as the rule counts. `at` is when it occurred, `equity` and `balance` are adjusted.
    """

    kind: VerdictKind
    at: int
    day: int
    rule: RuleCode | None = None
    equity: int = 0
    balance: int = 0
    aside: int = 0
    value: int = 0
    threshold: int = 0
    source: Source = Source.SAMPLED
    before: Point | None = None
    after: Point | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Verdict:
        """Read what `to_json` wrote."""
        return cls(
            **{
                **values,
                "kind": VerdictKind(values["kind"]),
                "rule": values["rule"] and RuleCode(values["rule"]),
                "source": Source(values["source"]),
                "before": values["before"] and Point(**values["before"]),
                "after": values["after"] and Point(**values["after"]),
            }
        )


@dataclass(slots=True)
class State:
    """One account's state.

    `at`, `rank`: of the last input. `until`: when time alone changes something next. `base`: what the day's loss is counted from;
    open until the day's first sample. `straddled`: the last day's floor, for what happened since the sample before the cut-off.
    `aside_low`, `since_sample`, `deal_peak`, `implied`: what operations and deals did since the last sample.
    """

    at: int
    rank: int
    started_day: int
    day: int
    base: int
    day_balance: int
    balance: int
    peak: int
    last_trade_day: int
    until: int = 0
    day_equity: int = 0
    status: str = Status.RUNNING
    base_is_open: bool = False
    aside: int = 0
    aside_low: int = 0
    since_sample: int = 0
    deal_peak: int | None = None
    straddled: int | None = None
    last: Point | None = None
    low: Extreme | None = None
    high: Extreme | None = None
    implied: list[Extreme] = field(default_factory=list)
    last_opening_day: int = 0
    days_traded: int = 0
    day_trades: int = 0
    best_day: int = 0
    unseen: int = 0
    positions: dict[str, list[int | None]] = field(default_factory=dict)
    warned: list[str] = field(default_factory=list)
    awaits_sample: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values, with the version of their form."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> State:
        """Read what `to_json` wrote. Raises: ValueError for another version."""
        values = dict(values)
        if values.pop("version", None) != VERSION:
            raise ValueError(
                "This state was written by another version of the judge: judge the account from its start."
            )
        for name, kind in (("last", Point), ("low", Extreme), ("high", Extreme)):
            values[name] = values[name] and kind(**values[name])
        values["implied"] = [Extreme(**each) for each in values["implied"]]
        return cls(**values)
