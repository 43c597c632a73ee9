"""Judging again: what late, edited or deleted deals change in verdicts that were already given.

Nothing is changed silently: the result is a list of corrections, each for a person to decide on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from prop.judge.inputs import Deal, Input, Sample, in_order
from prop.judge.judging import Judge
from prop.judge.state import State, Verdict, VerdictKind

DECISIVE = (VerdictKind.BREACH, VerdictKind.PASSED)


class CorrectionKind(StrEnum):
    """How a verdict changes."""

    REVERSAL = "reversal"
    NEW_BREACH = "new_breach"
    CHANGED_BREACH = "changed_breach"
    COMPLETION_WITHDRAWN = "completion_withdrawn"
    NEW_COMPLETION = "new_completion"
    CHANGED_COMPLETION = "changed_completion"


@dataclass(frozen=True, slots=True)
class Correction:
    """A decisive verdict that is another one now: `was` or `now` is None where there is none."""

    kind: CorrectionKind
    was: Verdict | None
    now: Verdict | None


@dataclass(frozen=True, slots=True)
class Edit:
    """A deal as it was judged and as it is now (None: deleted, or not read then), and since when the platform shows it."""

    was: Deal | None
    now: Deal | None
    shown_at: int


def corrected(inputs: Iterable[Input], edits: Iterable[Edit]) -> list[Input]:
    """Put edits into inputs that were judged.

    Samples between an edited deal and the edit showed its old result: their balance, equity and worst equity are moved by the
    difference. A deal that was only read late changes no sample: the platform had counted it all along.
    """
    result = list(inputs)
    for edit in edits:
        if edit.was is not None:
            result.remove(edit.was)
        if edit.now is not None:
            result.append(edit.now)
        if edit.was is not None:
            difference = (edit.now.net if edit.now else 0) - edit.was.net
            result = [_moved(each, difference, since=edit.was.at, until=edit.shown_at) for each in result]
    return in_order(result)


def moved(samples: Iterable[Sample], by: int, *, since: int, until: int | None) -> list[Sample]:
    """Move the samples that showed a deal's old result by the difference; `until`: the first that shows the new one."""
    return [_shifted(each, by) if since <= each.at and (until is None or each.at < until) else each for each in samples]


def _moved(each: Input, by: int, *, since: int, until: int) -> Input:
    if not isinstance(each, Sample) or not since <= each.at < until:
        return each
    return _shifted(each, by)


def _shifted(each: Sample, by: int) -> Sample:
    worst = None if each.worst is None else each.worst + by
    return replace(each, balance=each.balance + by, equity=each.equity + by, worst=worst)


def judge_again(judge: Judge, checkpoint: dict[str, Any], inputs: Iterable[Input]) -> tuple[State, list[Verdict]]:
    """Judge inputs since a checkpoint (a state as `State.to_json` wrote it), as if for the first time."""
    state = State.from_json(checkpoint)
    return state, judge.judge(state, inputs)


def compare(before: Iterable[Verdict], after: Iterable[Verdict]) -> list[Correction]:
    """List what is decided differently by two judgements of the same time: nothing where both decide alike."""
    was = next((verdict for verdict in before if verdict.kind in DECISIVE), None)
    now = next((verdict for verdict in after if verdict.kind in DECISIVE), None)
    if was == now or (was and now and (was.kind, was.rule, was.at) == (now.kind, now.rule, now.at)):
        return []
    if was and now and was.kind == now.kind:
        changed = CorrectionKind.CHANGED_BREACH if was.kind == VerdictKind.BREACH else CorrectionKind.CHANGED_COMPLETION
        return [Correction(changed, was, now)]
    corrections = []
    if was:
        taken_back = CorrectionKind.REVERSAL if was.kind == VerdictKind.BREACH else CorrectionKind.COMPLETION_WITHDRAWN
        corrections.append(Correction(taken_back, was, None))
    if now:
        added = CorrectionKind.NEW_BREACH if now.kind == VerdictKind.BREACH else CorrectionKind.NEW_COMPLETION
        corrections.append(Correction(added, None, now))
    return corrections
