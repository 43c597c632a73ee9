"""What all tried challenges come to: ends of each phase, money, pass rate and payout ratio, as it was and as it would have been."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from prop.trials.challenges import ChallengeTrial, Money, Outcome
from prop.trials.reasons import Reason

LINES_KEPT: Final = 200
UNSEEN_MSC: Final = 3_600_000  # an hour without samples is worth naming


@dataclass(slots=True)
class Figures:
    """Sums over the challenges that could be judged; `not_tried` counts the others by their reason."""

    tried: int = 0
    different: int = 0
    open: int = 0
    unseen: int = 0
    samples: int = 0
    not_tried: Counter[str] = field(default_factory=Counter)
    phases: dict[tuple[bool, int], dict[str, Counter[str]]] = field(default_factory=dict)
    before: Money = field(default_factory=Money)
    after: Money = field(default_factory=Money)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def add(self, trial: ChallengeTrial) -> None:
        """Add a challenge that was judged; one with a different outcome is listed."""
        self.tried += 1
        self.samples += trial.samples
        self.open += trial.is_open
        self.unseen += trial.unseen_msc > UNSEEN_MSC
        for step in trial.steps:
            place = (step.row.phase.is_funded, step.row.phase.number)
            counts = self.phases.setdefault(place, {"was": Counter(), "now": Counter()})
            counts["was"][_end(step.was, step.was_rule)] += 1
            counts["now"][_end(step.now, step.now_rule)] += 1
        self.before.add(trial.before)
        self.after.add(trial.after)
        if trial.difference is not None:
            self.different += 1
            if len(self.lines) < LINES_KEPT:
                self.lines.append(trial.to_json())

    def leave_out(self, reason: Reason, number: int = 1) -> None:
        """Count challenges that couldn't be judged."""
        self.not_tried[reason.value] += number

    def to_json(self) -> dict[str, Any]:
        """Return plain values: amounts as text."""
        return {
            "tried": self.tried,
            "different": self.different,
            "open": self.open,
            "unseen": self.unseen,
            "not_tried": dict(self.not_tried),
            "phases": [
                {"is_funded": is_funded, "number": number, **{side: dict(counts[side]) for side in ("was", "now")}}
                for (is_funded, number), counts in sorted(self.phases.items())
            ],
            "before": self.before.to_json(),
            "after": self.after.to_json(),
        }


def _end(outcome: Outcome, rule: str) -> str:
    return f"{outcome}:{rule}" if rule else str(outcome)
