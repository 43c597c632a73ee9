"""From counts to a score of 0 to 100 with its reasons: shares shrunk towards what is usual, so that few clients say little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ib.abuse.choices import AbuseSignal
from ib.abuse.signals import Count

# As many usual clients are added to each partner's own before a share is taken.
PRIOR: Final = 6
CLIENTS_MIN: Final = 4


@dataclass(frozen=True)
class Weight:
    """points: what the signal gives at most. usual, full: the share that gives nothing, and the one that gives all."""

    points: int
    usual: float
    full: float


WEIGHTS: Final = {
    AbuseSignal.SELF: Weight(90, 0.02, 0.30),
    AbuseSignal.CLUSTER: Weight(80, 0.05, 0.45),
    AbuseSignal.NETWORK: Weight(15, 0.10, 0.60),
    AbuseSignal.AGAIN: Weight(75, 0.03, 0.30),
    AbuseSignal.QUICK: Weight(70, 0.10, 0.60),
    AbuseSignal.GONE: Weight(85, 0.15, 0.60),
}


@dataclass(frozen=True)
class Reason:
    """A signal with what it adds to the score."""

    count: Count
    points: int


def judge(counts: list[Count]) -> tuple[int, list[Reason]]:
    """Return the score, and the reasons that add to it, strongest first. Reasons add up like independent doubts."""
    reasons = [Reason(count, points) for count in counts if (points := _points(count))]
    reasons.sort(key=lambda reason: -reason.points)
    good = 1.0
    for reason in reasons:
        good *= 1 - reason.points / 100
    return round(100 * (1 - good)), reasons


def _points(count: Count) -> int:
    weight = WEIGHTS[AbuseSignal(count.code)]
    if count.of < CLIENTS_MIN:
        return 0
    share = (count.clients + weight.usual * PRIOR) / (count.of + PRIOR)
    return round(weight.points * min(1.0, max(0.0, (share - weight.usual) / (weight.full - weight.usual))))
