"""Which samples of each minute are kept: judged again, they give every verdict that all of them gave.

Between two turns of an account (a deal, an operation, another balance, any verdict) a sample only moves the lowest and the
highest equity and the last one seen. So the first, the lowest, the highest and the last sample of such a stretch are kept, and
both samples around each turn.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from prop.judge.inputs import Deal, Input, Operation, Sample
from prop.judge.state import Verdict

MINUTE_MSC: Final = 60_000
STRETCH: Final = 4
FIGURES: Final = 4  # of a sample: at, balance, equity, worst


@dataclass(slots=True)
class Minute:
    """One minute's kept samples. `settled`: how many of them are before the current stretch and stay. `deals`: the net amount
    with which each deal was judged, by its ticket."""

    at: int
    samples: list[Sample] = field(default_factory=list)
    settled: int = 0
    deals: dict[str, list[int]] = field(default_factory=dict)

    def add(self, sample: Sample, *, is_turn: bool) -> None:
        """Keep a sample, and let go of those that say no more than others."""
        self.samples.append(sample)
        if is_turn:
            self.settled = len(self.samples)
        elif len(self.samples) - self.settled > STRETCH:
            stretch = self.samples[self.settled :]
            telling = (stretch[0], min(stretch, key=lowest), max(stretch, key=lambda each: each.equity), stretch[-1])
            self.samples[self.settled :] = [each for each in stretch if any(each is other for other in telling)]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"at": self.at, "samples": flat(self.samples), "settled": self.settled, "deals": self.deals}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Minute:
        """Read what `to_json` wrote."""
        return cls(values["at"], samples_in(values["samples"]), values["settled"], values["deals"])


@dataclass(slots=True)
class Keeper:
    """Takes an account's inputs as they are judged. `current`: the minute that isn't over; `over`: those to be stored."""

    current: Minute | None = None
    over: list[Minute] = field(default_factory=list)
    has_moved: bool = False

    def take(self, each: Input, verdicts: Iterable[Verdict]) -> None:
        """Note one input and what the judge said about it."""
        if isinstance(each, Deal | Operation):
            self.has_moved = True
        if not isinstance(each, Sample):
            return
        minute = self.minute_of(each.at)
        has_new_balance = bool(minute.samples) and minute.samples[-1].balance != each.balance
        minute.add(each, is_turn=self.has_moved or has_new_balance or any(verdicts))
        self.has_moved = False

    def minute_of(self, at: int) -> Minute:
        """Return the minute of an instant; the one before it is over."""
        begins = at - at % MINUTE_MSC
        if self.current is None or self.current.at != begins:
            self.end_minute()
            self.current = Minute(begins)
        return self.current

    def end_minute(self) -> None:
        """Close the current minute: nothing more is kept of it."""
        if self.current is not None:
            self.over.append(self.current)
        self.current = None


def lowest(sample: Sample) -> int:
    """Return the lowest equity that a sample reports."""
    return sample.equity if sample.worst is None else min(sample.worst, sample.equity)


def flat(samples: Iterable[Sample]) -> list[int | None]:
    """Write samples as one row of figures."""
    return [figure for each in samples for figure in (each.at, each.balance, each.equity, each.worst)]


def samples_in(figures: list[Any]) -> list[Sample]:
    """Read samples from a row of figures."""
    return [Sample(*figures[place : place + FIGURES]) for place in range(0, len(figures), FIGURES)]
