"""Judging again takes no lock while it counts: what is read, edited or judged meanwhile is in its result."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.utils import timezone

from prop.choices import CorrectionKind, StageState
from prop.corrections import finding
from tests.cast import Cast
from tests.prop.corrections.test_corrections import breach, edit, find, judge, read
from tests.prop.judge.running import run_phase, show, trade
from trading.choices import DealEntry

pytestmark = pytest.mark.django_db


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Let something happen once, between judging again and the locks."""
    prepare, left = finding._prepare, [act]

    def and_then(phase_account_id: int) -> finding.Prepared | None:
        prepared = prepare(phase_account_id)
        if left:
            left.pop()()
        return prepared

    monkeypatch.setattr(finding, "_prepare", and_then)


def test_an_edit_that_comes_meanwhile_is_in_the_result(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    row = run_phase(cast)
    loss = breach(row)
    edit(loss, profit=-499)
    meanwhile(monkeypatch, lambda: edit(loss, deleted_at=timezone.now()))
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.REVERSAL
    assert [(each["was"], each["now"]) for each in correction.evidence["changed_deals"]] == [(-50_000, None)]


def test_a_sample_that_is_judged_meanwhile_is_not_lost(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    row = run_phase(cast, max_loss_kind="trailing_balance")
    read(row, 0, "10000")
    trade(row, 2, DealEntry.IN)
    gain = trade(row, 4, DealEntry.OUT, profit="700")
    read(row, 10, "10700")
    edit(gain, profit=100)

    def judge_more() -> None:
        show(row, 100, "10100", "9800")
        judge(row)

    meanwhile(monkeypatch, judge_more)
    assert find(row) is None and row.state == StageState.RUNNING
    state = row.judged["state"]
    assert (state["balance"], state["peak"], state["last"]["equity"]) == (1_010_000, 1_010_000, 980_000)
    assert row.quiet_balance is None and row.days.get().lowest_equity == 9_800
