"""A verdict that judging again gives differently is listed, and changes once two people agreed to it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.html import strip_tags

from crm import approvals
from crm.errors import NotAllowed, WrongState
from crm.models import AccessEvent, AuditEvent, DueRow, Notification, WorkProposal
from prop.challenges.resets import reset_phase
from prop.challenges.reviews import decide_phase
from prop.choices import ChallengeState, CorrectionKind, CorrectionState, StageState
from prop.corrections.finding import find_correction, note_changed_deals
from prop.corrections.reviews import decide_correction
from prop.judge import live
from prop.models import Breach, ChallengeDay, JudgementCorrection, PhaseAccount
from tests.cast import Cast, signed_in
from tests.prop.judge.running import NOON, run_phase, show, trade
from trading.choices import DealAction, DealEntry
from trading.models import Deal

pytestmark = pytest.mark.django_db


@pytest.fixture
def row(cast: Cast) -> PhaseAccount:
    return run_phase(cast)


def judge(row: PhaseAccount) -> None:
    live.judge_account(row.pk)
    row.refresh_from_db()


def read(row: PhaseAccount, seconds: int, balance: str) -> None:
    show(row, seconds, balance, balance)
    judge(row)


def breach(row: PhaseAccount) -> Deal:
    """A deal loses 500.00, which is the day's limit."""
    read(row, 0, "10000")
    trade(row, 2, DealEntry.IN)
    loss = trade(row, 4, DealEntry.OUT, profit="-500")
    read(row, 10, "9500")
    assert row.state == StageState.BREACHED
    return loss


def edit(deal: Deal, **values: object) -> None:
    revision = Deal.every.get(pk=deal.pk).revision + 1
    Deal.every.filter(pk=deal.pk).update(**values, revision=revision)


def find(row: PhaseAccount) -> JudgementCorrection | None:
    found = find_correction(phase_account_id=row.pk)
    row.refresh_from_db()
    return found


def decide(cast: Cast, correction: JudgementCorrection, outcome: str = "corrected") -> None:
    decide_correction(correction_id=correction.pk, outcome=outcome, reason="Bad fill", actor=cast.finance)
    proposal = WorkProposal.objects.get(item=correction.work, state="pending")
    approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)
    correction.refresh_from_db()


def test_deleted_deal_reverses_its_breach_after_two_people(cast: Cast, row: PhaseAccount) -> None:
    edit(breach(row), deleted_at=timezone.now())
    PhaseAccount.objects.filter(pk=row.pk).update(ended_at=timezone.now() - dt.timedelta(days=3))
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.REVERSAL and find(row) == correction
    assert (row.state, row.breach.rule, correction.now) == (StageState.BREACHED, "daily_loss", None)
    assert [(each["was"], each["now"]) for each in correction.evidence["changed_deals"]] == [(-50_000, None)]
    with pytest.raises(NotAllowed):
        decide_correction(correction_id=correction.pk, outcome="corrected", reason="Bad fill", actor=cast.agent)
    decide_correction(correction_id=correction.pk, outcome="corrected", reason="Bad fill", actor=cast.finance)
    proposal = WorkProposal.objects.get(item=correction.work)
    with pytest.raises(NotAllowed):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.finance)
    assert PhaseAccount.objects.get().state == StageState.BREACHED
    approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)
    correction.refresh_from_db()
    row = PhaseAccount.objects.select_related("challenge", "account").get()
    assert (row.state, row.challenge.state, row.ended_at) == (StageState.RUNNING, ChallengeState.ACTIVE, None)
    assert (row.account.trading_ended_at, row.account.trading_wanted, row.idle_days) == (None, True, 3)
    taken_back = Breach.objects.get()
    assert (taken_back.phase_account, taken_back.judged_account, correction.breach) == (None, row, taken_back)
    assert Notification.objects.filter(user=cast.client.user, kind="prop.verdict_corrected").count() == 1
    assert AuditEvent.objects.filter(action="prop.correction_decided", actor=cast.administrator).exists()
    read(row, 400, "10000")
    read(row, 410, "9500")
    assert (row.state, row.breach.rule) == (StageState.BREACHED, "daily_loss")


def test_kept_verdict_is_not_found_again(cast: Cast, row: PhaseAccount) -> None:
    loss = breach(row)
    edit(loss, deleted_at=timezone.now())
    correction = find(row)
    assert correction is not None
    decide(cast, correction, "kept")
    assert correction.state == CorrectionState.KEPT and find(row) is None and row.state == StageState.BREACHED
    edit(loss, deleted_at=None, profit=Decimal(-600))
    assert find(row) is None and JudgementCorrection.objects.count() == 1


def test_edit_that_is_undone_outdates_what_was_found(cast: Cast, row: PhaseAccount) -> None:
    loss = breach(row)
    edit(loss, profit=Decimal(-100))
    correction = find(row)
    assert correction is not None
    decide_correction(correction_id=correction.pk, outcome="corrected", reason="Bad fill", actor=cast.finance)
    edit(loss, profit=Decimal(-500))
    proposal = WorkProposal.objects.get(item=correction.work)
    with pytest.raises(WrongState, match="differently now"):
        approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)
    assert find(row) is None
    correction.refresh_from_db()
    assert correction.state == CorrectionState.OUTDATED and correction.work.state == "closed"


def test_late_deals_place_the_breach_that_was_missed(cast: Cast, row: PhaseAccount) -> None:
    read(row, 0, "10000")
    read(row, 10, "9700")
    trade(row, 2, DealEntry.IN)
    trade(row, 4, DealEntry.OUT, profit="-600")
    trade(row, 5, DealEntry.IN)
    trade(row, 6, DealEntry.OUT, profit="300")
    read(row, 20, "9700")
    assert DueRow.objects.filter(kind="prop.judge_again", key=row.pk, state="pending").exists()
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.NEW_BREACH
    assert row.state == StageState.RUNNING and not Breach.objects.exists()
    decide(cast, correction)
    row.refresh_from_db()
    assert (row.state, row.breach.equity, row.account.trading_ended_at is None) == (StageState.BREACHED, 9_400, False)
    assert row.judged["minute"] is None


def test_reached_target_is_withdrawn_and_waits_meanwhile(cast: Cast, row: PhaseAccount) -> None:
    read(row, 0, "10000")
    trade(row, 2, DealEntry.IN)
    win = trade(row, 4, DealEntry.OUT, profit="800")
    read(row, 10, "10800")
    assert row.state == StageState.REVIEW
    edit(win, profit=Decimal(700))
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.COMPLETION_WITHDRAWN
    with pytest.raises(WrongState, match="judged again"):
        decide_phase(phase_account_id=row.pk, outcome="passed", actor=cast.finance)
    item = row.work
    decide(cast, correction)
    row.refresh_from_db()
    item.refresh_from_db()
    assert (row.state, row.challenge.state, item.state) == (StageState.RUNNING, ChallengeState.ACTIVE, "closed")
    read(row, 20, "10700")
    trade(row, 22, DealEntry.IN)
    trade(row, 24, DealEntry.OUT, profit="100")
    read(row, 30, "10800")
    assert row.state == StageState.REVIEW and row.work_id != item.pk


def test_running_account_goes_on_with_corrected_figures(row: PhaseAccount) -> None:
    """A false profit that is taken away raises no trailing peak, and the day's figures are those of its deals."""
    PhaseAccount.objects.filter(pk=row.pk).update(started_at=NOON - dt.timedelta(hours=1))
    read(row, 0, "10000")
    trade(row, 2, DealEntry.IN)
    win = trade(row, 4, DealEntry.OUT, profit="400")
    read(row, 10, "10400")
    assert row.judged["state"]["peak"] == 1_040_000
    edit(win, deleted_at=timezone.now())
    assert find(row) is None and row.judged["state"]["peak"] == 1_000_000
    assert ChallengeDay.objects.get().highest_equity == 10_000
    assert AuditEvent.objects.filter(action="prop.judged_again").count() == 1
    read(row, 20, "10000")
    assert find(row) is None and row.state == StageState.RUNNING
    assert AuditEvent.objects.filter(action="prop.judged_again").count() == 1


def test_deposit_that_is_read_late_raises_no_trailing_peak(cast: Cast) -> None:
    """Its sample was judged before the deposit was known: 1,000.00 looked like profit, and reached the target."""
    row = run_phase(cast, max_loss_kind="trailing_equity", target=20)
    read(row, 0, "10000")
    read(row, 10, "11000")
    assert row.judged["state"]["peak"] == 1_100_000
    deposit = trade(row, 5, DealEntry.IN, profit="1000", lots="0")
    Deal.every.filter(pk=deposit.pk).update(action=DealAction.BALANCE, symbol="")
    read(row, 20, "10950")
    assert find(row) is None and row.state == StageState.RUNNING
    state = row.judged["state"]
    assert (state["peak"], state["aside"], state["balance"]) == (1_000_000, 100_000, 995_000)
    read(row, 30, "10550")
    assert row.state == StageState.RUNNING
    read(row, 40, "10500")
    assert (row.state, row.breach.rule, row.breach.equity) == (StageState.BREACHED, "daily_loss", 9_500)


def test_target_that_a_late_deposit_reached_is_withdrawn(row: PhaseAccount) -> None:
    read(row, 0, "10000")
    read(row, 10, "11000")
    assert row.state == StageState.REVIEW
    deposit = trade(row, 5, DealEntry.IN, profit="1000", lots="0")
    Deal.every.filter(pk=deposit.pk).update(action=DealAction.BALANCE, symbol="")
    correction = find(row)
    assert correction is not None and correction.kind == CorrectionKind.COMPLETION_WITHDRAWN


def test_challenge_that_goes_on_elsewhere_keeps_its_verdict(cast: Cast, row: PhaseAccount) -> None:
    edit(breach(row), deleted_at=timezone.now())
    correction = find(row)
    assert correction is not None
    PhaseAccount.objects.filter(pk=row.pk).update(state=StageState.PASSED, work=correction.work)
    with pytest.raises(WrongState, match="another account"):
        decide_correction(correction_id=correction.pk, outcome="corrected", reason="Bad fill", actor=cast.finance)
    page = strip_tags(signed_in(cast.finance).get(correction.get_absolute_url()).content.decode())
    assert "This verdict can only be kept" in page


def test_accounts_judged_beyond_a_changed_deal_wait(row: PhaseAccount) -> None:
    loss = breach(row)
    later = trade(row, 900, DealEntry.IN)
    with transaction.atomic():
        assert note_changed_deals(deal_ids=[later.pk]) == 0
        assert note_changed_deals(deal_ids=[loss.pk, later.pk]) == 1
    waits = DueRow.objects.get(kind="prop.judge_again", state="pending")
    assert (waits.key, waits.client_id) == (str(row.pk), row.challenge.client_id)


def test_pages_list_the_correction_with_its_evidence(cast: Cast, row: PhaseAccount) -> None:
    edit(breach(row), profit=Decimal(-100))
    correction = find(row)
    assert correction is not None
    staff, address = signed_in(cast.finance), correction.get_absolute_url()
    assert "Reversal of a breach" in strip_tags(staff.get("/prop/corrections/").content.decode())
    assert address in staff.get(row.challenge.get_absolute_url()).content.decode()
    page = strip_tags(staff.get(address).content.decode())
    assert "Breach: Daily loss" in page and "-€500.00" in page.replace("−", "-") and "The phase runs" in page
    assert AccessEvent.objects.filter(target=f"prop.correction:{correction.pk}", user=cast.finance).exists()
    assert staff.post(address, {"outcome": "corrected", "reason": ""}).status_code == 422
    assert staff.post(address, {"outcome": "corrected", "reason": "Bad fill"}).status_code == 302
    assert "Correct verdict" in strip_tags(signed_in(cast.administrator).get("/approvals/").content.decode())
    assert signed_in(cast.other_agent).get(address).status_code in (403, 404)


def test_reset_waits_for_the_decision(cast: Cast, row: PhaseAccount) -> None:
    edit(breach(row), deleted_at=timezone.now())
    assert find(row) is not None
    with pytest.raises(WrongState, match="judged again"):
        reset_phase(phase_account_id=row.pk, actor=cast.client.user)
    page = signed_in(cast.client.user).get(f"/portal/challenges/{row.challenge_id}/").content.decode()
    assert "This account is being judged again" in page and "Reset for" not in page and "12:00:04" in page
