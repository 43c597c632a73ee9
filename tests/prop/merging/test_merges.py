"""Two funded accounts of a trader become one: reviewed by two people, raised once, and no breach invented or missed."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils.html import strip_tags

from crm import approvals
from crm.errors import NotAllowed, WrongState
from crm.models import AccessEvent, Notification, OutboxEvent, WorkItem, WorkProposal
from prop.challenges.returned_fees import unrefunded
from prop.choices import ChallengeState, MergeState, StageState
from prop.judge import live
from prop.judge.again import judges_of
from prop.merging.requests import offers_of, request_merge
from prop.merging.reviews import decide_merge
from prop.merging.settling import continue_merge, settle_merge
from prop.models import AccountMerge, Challenge, ChallengePayout, PhaseAccount
from prop.payouts.requests import offer_of
from prop.scaling.proposing import propose_growth
from prop.scaling.terms import progress_of
from tests.cast import Cast, signed_in
from tests.faults.killing import killed_at
from tests.prop.judge.running import NOON, run_another, show, trade
from tests.prop.payouts.test_payouts import confirm, pay_out
from tests.prop.payouts.world import ask, earn, run_funded
from tests.prop.scaling.test_scaling import put_in
from tests.racing import race
from trading.accounts.balance_operations import settle
from trading.choices import DealEntry
from trading.models import BalanceOperation, TradingAccount
from trading.platforms.errors import FinalError

pytestmark = pytest.mark.django_db


def second_of(cast: Cast, row: PhaseAccount) -> PhaseAccount:
    """The same trader's other funded account of the version, with nothing traded on it."""
    made = run_another(row, key="two", state=ChallengeState.FUNDED)
    read(made, 0)
    return made


def read(row: PhaseAccount, seconds: int, balance: str = "10000", equity: str = "") -> None:
    show(row, seconds, balance, equity or balance)
    live.judge_account(row.pk)
    row.refresh_from_db()


@pytest.fixture
def pair(cast: Cast) -> tuple[PhaseAccount, PhaseAccount]:
    """An account with a loss of 300 (of 500 in a day, 1,000 in all), and one that is where it began."""
    kept = run_funded(cast)
    earn(kept, profit=Decimal(-300))
    return kept, second_of(cast, kept)


def ask_for(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> AccountMerge:
    kept, closed = pair
    return request_merge(kept_id=kept.pk, closed_id=closed.pk, request_key="click", actor=cast.client.user)


def approve(cast: Cast, merge: AccountMerge) -> None:
    decide_merge(merge_id=merge.pk, outcome="closing", actor=cast.finance)
    proposal = WorkProposal.objects.get(item=merge.work, state="pending")
    approvals.approve(WorkProposal, proposal.pk, actor=cast.administrator)


def stop(merge: AccountMerge) -> None:
    """The platform has stopped trading on the closed account, and it was read and judged after that."""
    TradingAccount.objects.filter(pk=merge.closed.account_id).update(trading_applied=False)
    assert continue_merge(merge_id=merge.pk) is None, "not before it was read once more"
    AccountMerge.objects.filter(pk=merge.pk).update(stopped_at=NOON + dt.timedelta(seconds=60))
    read(merge.closed, 61)


def send(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> tuple[AccountMerge, BalanceOperation]:
    merge = ask_for(cast, pair)
    approve(cast, merge)
    stop(merge)
    assert continue_merge(merge_id=merge.pk) is not None
    return merge, BalanceOperation.objects.get(idempotency_key=f"challenge-merge:{merge.pk}")


def test_two_accounts_become_one_after_two_people_agreed(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> None:
    kept, closed = pair
    merge = ask_for(cast, pair)
    assert (merge, merge.size, merge.amount) == (ask_for(cast, pair), 10_000, 10_000)
    with pytest.raises(NotAllowed):
        decide_merge(merge_id=merge.pk, outcome="closing", actor=cast.agent)
    assert "being merged" in offer_of(closed.challenge).problem
    approve(cast, merge)
    closed.account.refresh_from_db()
    assert not closed.account.trading_wanted and continue_merge(merge_id=merge.pk) is None
    assert not BalanceOperation.objects.filter(idempotency_key__startswith="challenge-merge").exists()
    stop(merge)
    continue_merge(merge_id=merge.pk)
    assert continue_merge(merge_id=merge.pk) is None
    operation = BalanceOperation.objects.get(idempotency_key=f"challenge-merge:{merge.pk}")
    assert (operation.account_id, operation.amount) == (kept.account_id, 10_000)
    confirm(operation)
    settle_merge(operation_id=operation.pk)
    for each in (kept, closed, merge):
        each.refresh_from_db()
    assert (kept.size, kept.state, merge.state) == (20_000, StageState.RUNNING, MergeState.MERGED)
    closed.account.refresh_from_db()
    closed.challenge.refresh_from_db()
    assert (closed.state, closed.challenge.state) == (StageState.ENDED, "ended")
    assert closed.account.trading_ended_at is not None and not closed.account.trading_wanted
    assert Notification.objects.filter(kind="prop.merge_news", user=cast.client.user).count() == 1
    assert [judge.limits.maximum for _since, judge in judges_of(kept)] == [100_000, 200_000]


def test_what_may_be_lost_afterwards_is_what_both_could_lose(
    cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]
) -> None:
    """200 were left of the day on the one, 500 on the other: 700 together, and not a cent more. The loss of 300 stays."""
    kept, _closed = pair
    _merge, operation = send(cast, pair)
    confirm(operation)
    put_in(kept, operation, 70)
    read(kept, 71, "19700", "19000.01")
    assert kept.state == StageState.RUNNING and kept.judged["state"]["aside"] == 1_000_000
    read(kept, 72, "19700", "19000")
    assert (kept.state, kept.breach.rule, kept.breach.threshold) == (StageState.BREACHED, "daily_loss", 9_000)


def test_before_the_platform_confirms_the_old_limits_hold(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> None:
    """Breached meanwhile, the account doesn't grow, and the other one goes on as it was."""
    kept, closed = pair
    merge, operation = send(cast, pair)
    read(kept, 62, "9700", "9500")
    assert kept.state == StageState.BREACHED
    confirm(operation)
    for each in (kept, closed, merge, closed.account):
        each.refresh_from_db()
    assert (merge.state, merge.problem, kept.growth, closed.state) == ("failed", "changed", 0, StageState.RUNNING)
    assert closed.account.trading_wanted


def test_a_deposit_that_comes_too_late_is_taken_back(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> None:
    kept, closed = pair
    merge, operation = send(cast, pair)
    read(closed, 62, "10000", "9500")
    assert closed.state == StageState.BREACHED
    confirm(operation)
    back = BalanceOperation.objects.get(idempotency_key=f"challenge-merge-back:{merge.pk}")
    assert (back.account_id, back.kind, back.amount) == (kept.account_id, "withdrawal", -10_000)


def test_what_is_traded_while_trading_is_stopped_ends_the_merge(
    cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]
) -> None:
    _kept, closed = pair
    merge = ask_for(cast, pair)
    approve(cast, merge)
    trade(closed, 50, DealEntry.IN)
    stop(merge)
    assert continue_merge(merge_id=merge.pk).problem == "changed"
    closed.account.refresh_from_db()
    assert closed.account.trading_wanted and not BalanceOperation.objects.exists()


def test_a_refused_deposit_changes_neither_account(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> None:
    kept, closed = pair
    merge, operation = send(cast, pair)
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, problem=FinalError("no such group"))
    settle_merge(operation_id=operation.pk)
    for each in (kept, closed, merge, closed.account):
        each.refresh_from_db()
    assert (merge.problem, kept.growth, closed.state) == ("refused", 0, StageState.RUNNING)
    assert closed.account.trading_wanted


def test_each_check_names_what_stands_in_the_way(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> None:
    kept, closed = pair
    (offer,) = offers_of(closed)
    assert (offer.row, offer.problem) == (
        kept,
        "The account to close has to have neither profit nor loss; it has \u2212€300.00.",
    )
    (offer,) = offers_of(kept)
    (note,) = offer.notes
    assert offer.problem == "" and "€100.00 weren’t refunded yet and are refunded with the next payout" in note
    trade(closed, 20, DealEntry.IN)
    read(closed, 30)
    assert offers_of(kept)[0].problem == "Close all positions on both accounts first."
    trade(closed, 31, DealEntry.OUT, profit="0")
    read(closed, 40)
    Challenge.objects.filter(pk=closed.challenge_id).update(paused_at=NOON)
    assert offers_of(kept)[0].problem == "Only running funded accounts are merged."
    Challenge.objects.filter(pk=closed.challenge_id).update(paused_at=None)
    PhaseAccount.objects.filter(pk=kept.pk).update(growth=10_001)
    kept.refresh_from_db()
    assert offers_of(kept)[0].problem == "Together €30,001.00; merged accounts may have at most €20,000.00."
    with pytest.raises(WrongState, match="at most"):
        ask_for(cast, pair)


def test_used_drawdown_of_a_trailing_limit_is_not_forgotten(cast: Cast) -> None:
    """A profit that was lost again leaves the account at its size, but nearer to its trailing limit."""
    kept = run_funded(cast, max_loss_kind="trailing_balance")
    closed = second_of(cast, kept)
    read(kept, 0)
    for second, profit, balance in ((10, "400", "10400"), (20, "-400", "10000")):
        trade(closed, second, DealEntry.IN)
        trade(closed, second + 1, DealEntry.OUT, profit=profit)
        read(closed, second + 5, balance)
    assert offers_of(kept)[0].problem == "The account to close has used part of its maximum loss."


def test_a_payout_under_way_waits_and_scaling_counts_on(cast: Cast) -> None:
    kept = run_funded(cast, scaling_profit=10, scaling_growth=25)
    closed = second_of(cast, kept)
    earn(kept, 60, profit=Decimal(1000))
    payout = ask(kept)
    assert "A payout of one of the accounts" in offers_of(kept)[0].problem
    type(payout).objects.filter(pk=payout.pk).update(state="rejected", decided_by=cast.finance, decided_at=NOON)
    merge = ask_for(cast, (kept, closed))
    assert propose_growth(phase_account_id=kept.pk) is None, "not while it is being merged"
    approve(cast, merge)
    stop(merge)
    continue_merge(merge_id=merge.pk)
    confirm(BalanceOperation.objects.get(idempotency_key=f"challenge-merge:{merge.pk}"))
    kept = PhaseAccount.objects.select_related("phase", "account__server").get(pk=kept.pk)
    progress = progress_of(kept)
    assert (progress.profit, progress.profit_needed, progress.size) == (1_000, 2_000, 20_000)


def merged(cast: Cast, kept: PhaseAccount, closed: PhaseAccount, at: int) -> None:
    _merge, operation = send(cast, (kept, closed))
    confirm(operation)
    put_in(kept, operation, at)
    read(kept, at + 1, "20000")


def test_a_fee_follows_the_merge_and_each_is_refunded_once(cast: Cast) -> None:
    """100 of either account's fee go back with the next payout, and both sales are heard of as returned."""
    kept = run_funded(cast)
    read(kept, 0)
    closed = second_of(cast, kept)
    merged(cast, kept, closed, 70)
    earn(kept, 80, start=Decimal(20_000))
    kept.refresh_from_db()
    payout = ask(PhaseAccount.objects.get(pk=kept.pk))
    assert payout.refund == 200 and unrefunded(kept.challenge) == 0
    confirm(pay_out(cast, payout), ticket=100)
    returned = OutboxEvent.objects.filter(name="prop.challenge_fee_returned").order_by("pk")
    assert [event.payload["challenge_id"] for event in returned] == [kept.challenge_id, closed.challenge_id]
    with pytest.raises(IntegrityError, match="refunded once"), transaction.atomic():
        again = ChallengePayout.objects.get(pk=payout.pk)
        again.pk, again.state, again.request_key, again.refund = None, "requested", "again", Decimal("0.01")
        again.decided_by = again.decided_at = again.operation = again.journal = again.ended_at = None
        again.work = WorkItem.objects.exclude(pk=payout.work_id).filter(challenge_payout=None)[0]
        again.save()


def test_a_fee_that_comes_after_the_first_payout_is_refunded_with_the_next(cast: Cast) -> None:
    kept = run_funded(cast)
    earn(kept)
    payout = ask(kept)
    operation = pay_out(cast, payout)
    confirm(operation)
    closed = second_of(cast, kept)
    assert payout.refund == 100 and unrefunded(kept.challenge) == 0
    AccountMerge.objects.filter(pk=ask_for_row(cast, kept, closed).pk).update(
        state="merged", decided_by=cast.finance, decided_at=NOON, stopped_at=NOON, operation=operation
    )
    assert unrefunded(kept.challenge) == 100


def ask_for_row(cast: Cast, kept: PhaseAccount, closed: PhaseAccount) -> AccountMerge:
    return AccountMerge.objects.create(
        kept=kept,
        closed=closed,
        size=10_000,
        amount=10_000,
        request_key="click",
        requested_by=cast.client.user,
        requested_at=NOON,
        work=WorkItem.objects.filter(challenge_payout__isnull=False)[0],
    )


def test_pages_of_trader_and_staff(cast: Cast, pair: tuple[PhaseAccount, PhaseAccount]) -> None:
    kept, closed = pair
    trader, page = signed_in(cast.client.user), f"/portal/challenges/{kept.challenge_id}/"
    assert "Request merge" in trader.get(page).content.decode()
    assert trader.post(f"{page}merge/", {"closed_id": closed.pk, "request_key": "click"}).status_code == 302
    merge = AccountMerge.objects.get()
    text = strip_tags(trader.get(page).content.decode())
    assert "€10,000.00 from account" in text and "being merged with another one" in text
    staff = signed_in(cast.finance)
    text = strip_tags(staff.get(merge.get_absolute_url()).content.decode())
    assert "€20,000.00" in text and "No position is open." in text
    assert AccessEvent.objects.filter(target=f"prop.merge:{merge.pk}", user=cast.finance).exists()
    assert "€10,000.00" in strip_tags(staff.get("/prop/merges/").content.decode())
    assert staff.post(merge.get_absolute_url(), {"outcome": "rejected", "reason": ""}).status_code == 422
    assert staff.post(merge.get_absolute_url(), {"outcome": "rejected", "reason": "Two traders"}).status_code == 302
    address = f"/prop/challenges/{kept.challenge_id}/merge/"
    assert staff.post(address, {"closed_id": closed.pk, "request_key": "again"}).status_code == 302
    assert AccountMerge.objects.filter(state="requested", requested_by=cast.finance).exists()
    assert merge.get_absolute_url() in staff.get(kept.get_absolute_url()).content.decode()
    assert signed_in(cast.other_agent).get(merge.get_absolute_url()).status_code in (403, 404)


@pytest.mark.django_db(transaction=True)
def test_killed_and_doubled_workers_raise_the_balance_once(cast: Cast) -> None:
    kept = run_funded(cast)
    read(kept, 0)
    closed = second_of(cast, kept)
    merge = ask_for(cast, (kept, closed))
    approve(cast, merge)
    stop(merge)
    assert killed_at(2, lambda: continue_merge(merge_id=merge.pk)) and not BalanceOperation.objects.exists()
    assert race(lambda: continue_merge(merge_id=merge.pk), lambda: continue_merge(merge_id=merge.pk)).has_waited
    operation = BalanceOperation.objects.get()
    operation.move_to("sent")
    operation.sent_at = NOON
    operation.save()
    settle(operation.pk, ticket=99)
    for step in (1, 4, 8):
        assert killed_at(step, lambda: settle_merge(operation_id=operation.pk))
        kept.refresh_from_db()
        closed.refresh_from_db()
        assert (kept.growth, closed.state) == (0, StageState.RUNNING)
    done = race(lambda: settle_merge(operation_id=operation.pk), lambda: settle_merge(operation_id=operation.pk))
    kept.refresh_from_db()
    assert done.has_waited and kept.growth == 10_000 and kept.growths.count() == 1
