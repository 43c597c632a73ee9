"""One account judged by the phase of another version, from its kept samples and its deals as they are now. Writes nothing."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prop.choices import CorrectionState
from prop.judge.again import judge_by, judges_of
from prop.judge.corrections import DECISIVE
from prop.judge.days import to_msc
from prop.judge.inputs import Sample, in_order
from prop.judge.kept import samples_in
from prop.judge.live import completed, deals_between, inputs_of
from prop.judge.state import State, Verdict, VerdictKind
from prop.models import EquityMinute, PhaseAccount, ProgrammePhase
from prop.trials.reasons import NotTried, Reason

STRETCH_MINUTES: Final = 1_440  # read and judged together, so that memory stays flat however long an account ran
BEGINNING: Final = dt.timedelta(days=1)  # samples that begin later than this don't tell how the account began


@dataclass(frozen=True, slots=True)
class AccountTrial:
    """How an account would have fared. verdict: the breach or the reached target; None while it would still run.

    unseen_msc: how long it wasn't seen. samples: how many were judged.
    """

    verdict: Verdict | None
    state: State
    unseen_msc: int
    samples: int


def try_account(row: PhaseAccount, phase: ProgrammePhase) -> AccountTrial:
    """Judge an account from its start by another phase. Raises: NotTried where what is kept of it doesn't allow that."""
    assert row.started_at is not None
    if row.corrections.filter(state=CorrectionState.CORRECTED).exists():
        raise NotTried(Reason.CORRECTED)  # its samples still show what the platform had wrong
    tried = copy.copy(row)
    tried.phase = phase
    judges = judges_of(tried)
    state = judges[0][1].start(to_msc(row.started_at))
    unseen, count = 0, 0
    for samples in _stretches(row):
        samples = [each for each in samples if each.at > state.at]
        if not samples:
            continue
        if not count and samples[0].at > to_msc(row.started_at + BEGINNING):
            raise NotTried(Reason.NO_SAMPLES)
        count += len(samples)
        deals = inputs_of(tried, deals_between(row, state.at, samples[-1].at))
        inputs = in_order([*(each for each in deals if each.at > state.at), *samples])
        verdicts = judge_by(judges, state, inputs)
        unseen += sum(each.value for each in verdicts if each.kind == VerdictKind.GAP)
        found = next((each for each in completed(verdicts) if each.kind in DECISIVE), None)
        if found is not None:
            return AccountTrial(found, state, unseen, count)
    if not count:
        raise NotTried(Reason.NO_SAMPLES)
    return AccountTrial(None, state, unseen, count)


def _stretches(row: PhaseAccount) -> Iterator[list[Sample]]:
    """Read the kept samples of an account from its start, so many minutes at a time, and last those of its current minute."""
    rows = EquityMinute.objects.filter(phase_account=row).order_by("minute").values_list("minute", "samples")
    after = dt.datetime.min.replace(tzinfo=dt.UTC)
    while some := list(rows.filter(minute__gt=after)[:STRETCH_MINUTES]):
        yield [each for _minute, figures in some for each in samples_in(figures)]
        after = some[-1][0]
    if current := row.judged.get("minute"):
        yield samples_in(current["samples"])
