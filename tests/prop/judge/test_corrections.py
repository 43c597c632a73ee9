"""Late, edited and deleted deals: judged again from a checkpoint, the difference listed."""

from decimal import Decimal

import pytest

from prop.judge.corrections import CorrectionKind, Edit, compare, corrected, judge_again
from prop.judge.inputs import Deal, Sample
from prop.judge.judging import Judge, LateInput
from prop.judge.rules import RuleCode
from prop.judge.state import Status
from tests.prop.judge.worlds import MINUTE, at, rules

BEGIN = at("2026-03-02T08:00+00:00")
LOT = 10**8
JUDGE = Judge(rules(daily_loss=Decimal(5), profit_target=Decimal(8), lots_max=Decimal(2)))
OPENED = Deal(BEGIN + MINUTE, "A", "EURUSD", True, LOT)
BAD_FILL = Deal(BEGIN + 2 * MINUTE, "A", "EURUSD", False, LOT, -6_000)
SAMPLES = [
    Sample(BEGIN + MINUTE, 100_000, 100_000),
    Sample(BEGIN + 2 * MINUTE, 94_000, 94_000),
    Sample(BEGIN + 3 * MINUTE, 94_000, 94_000),
]
INPUTS = [OPENED, SAMPLES[0], BAD_FILL, *SAMPLES[1:]]


@pytest.fixture
def judged():
    state = JUDGE.start(BEGIN)
    return state.to_json(), JUDGE.judge(state, INPUTS)


def again(judged, *edits):
    checkpoint, before = judged
    state, after = judge_again(JUDGE, checkpoint, corrected(INPUTS, edits))
    return state, compare(before, after)


def test_deleted_deal_reverses_the_breach_that_it_made(judged):
    """The dealer deletes a bad fill of −60.00: what samples showed until then is moved by as much."""
    state, (reversal,) = again(judged, Edit(BAD_FILL, None, shown_at=BEGIN + 4 * MINUTE))
    assert (reversal.kind, reversal.was.rule, reversal.now) == (CorrectionKind.REVERSAL, RuleCode.DAILY_LOSS, None)
    assert (state.status, state.balance) == (Status.RUNNING, 100_000)


def test_edited_deal_that_breaks_as_before_changes_nothing(judged):
    better = Deal(BAD_FILL.at, "A", "EURUSD", False, LOT, -5_500)
    assert again(judged, Edit(BAD_FILL, better, shown_at=BEGIN + 4 * MINUTE))[1] == []


def test_edit_that_reaches_the_target_is_a_reversal_and_a_pass(judged):
    won = Deal(BAD_FILL.at, "A", "EURUSD", False, LOT, 8_000)
    _state, corrections = again(judged, Edit(BAD_FILL, won, shown_at=BEGIN + 4 * MINUTE))
    assert [each.kind for each in corrections] == [CorrectionKind.REVERSAL, CorrectionKind.NEW_COMPLETION]


def test_late_deal_is_refused_and_judged_again(judged):
    """Two lots more were open all along: the breach is another one, and came earlier."""
    late = Deal(BEGIN + MINUTE + 1, "B", "EURUSD", True, 2 * LOT)
    state = JUDGE.start(BEGIN)
    JUDGE.judge(state, INPUTS[:4])
    with pytest.raises(LateInput):
        JUDGE.step(state, late)
    _state, (change,) = again(judged, Edit(None, late, shown_at=late.at))
    assert (change.kind, change.was.rule, change.now.rule) == (
        CorrectionKind.CHANGED_BREACH,
        RuleCode.DAILY_LOSS,
        RuleCode.LOTS,
    )


def test_state_of_another_version_is_refused(judged):
    with pytest.raises(ValueError, match="another version"):
        judge_again(JUDGE, {**judged[0], "version": 0}, INPUTS)
