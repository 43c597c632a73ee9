"""A challenge whose fee was paid with money that a bank took back is paused, pays nothing, and is resumed or ended by a person."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import transaction
from django.utils import timezone
from django.utils.html import strip_tags

from crm import events, work
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import AccessEvent, Notification
from prop.challenges.fees import post_fee
from prop.challenges.resets import reset_phase, reset_price
from prop.challenges.reviews import REVIEW, decide_phase
from prop.choices import ChallengeState, PauseState, PayoutState, StageState
from prop.models import Challenge, ChallengePause, PhaseAccount
from prop.pauses.pausing import pause_challenges
from prop.pauses.reviews import decide_pause
from prop.payouts.requests import offer_of
from tests.cast import Cast, signed_in
from tests.prop.appeals.test_appeals import breached, decide, filed
from tests.prop.payouts.test_payouts import confirm, pay_out
from tests.prop.payouts.world import ask, earn, run_funded
from tests.racing import race
from tests.wallet.conftest import load_rates
from tests.wallet.factories import make_psp
from tests.wallet.intents import captured, dispute_event, make_intent
from trading.accounts.changes import follow_restrictions
from wallet.deposits.verbs import apply_payment
from wallet.disputes.verbs import apply_dispute
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Dispute
from wallet.psp.values import EventKind

pytestmark = pytest.mark.django_db


def run_paid(cast: Cast, *, spent: int = 200) -> tuple[PhaseAccount, Deposit]:
    """A funded account bought after a deposit of 500 EUR; with 100 EUR from elsewhere the wallet has 600 less what is spent."""
    load_rates()
    deposit = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    deposit.refresh_from_db()
    row = run_funded(cast)
    row.challenge.bought_at = max(timezone.now(), deposit.settled_at)
    row.challenge.save(update_fields=["bought_at"])
    with transaction.atomic():
        post_fee(row.challenge, Decimal(spent), key="spent", actor=cast.client.user)
    return row, deposit


def charge_back(deposit: Deposit, kind: EventKind = EventKind.CHARGEBACK) -> None:
    apply_dispute(psp_id=deposit.psp_id, event=dispute_event(deposit, kind, 50_000))


def wallet_of(cast: Cast) -> int:
    return posting.balance(posting.wallet_of(cast.client, "EUR"))


def test_a_payout_on_its_way_waits_until_the_challenge_is_resumed(cast: Cast) -> None:
    row, deposit = run_paid(cast)
    earn(row)
    payout = ask(row)
    operation = pay_out(cast, payout)
    charge_back(deposit)
    events.drain()
    pause = ChallengePause.objects.get()
    row.account.refresh_from_db()
    assert (pause.uncovered, pause.state, row.account.trading_wanted) == (100, PauseState.OPEN, False)
    assert Notification.objects.filter(kind="prop.challenge_paused", user=cast.client.user).count() == 1
    assert follow_restrictions(client_id=cast.client.pk) == []
    confirm(operation)
    payout.refresh_from_db()
    assert payout.state == PayoutState.SENDING and wallet_of(cast) == 0
    decide_pause(pause_id=pause.pk, outcome="resumed", reason="Paid again", actor=cast.finance)
    payout.refresh_from_db()
    row.account.refresh_from_db()
    assert payout.state == PayoutState.PAID and row.account.trading_wanted
    assert wallet_of(cast) == 90_001 and verify().holds


def test_an_ended_challenge_pays_nothing(cast: Cast) -> None:
    row, deposit = run_paid(cast)
    earn(row)
    payout = ask(row)
    operation = pay_out(cast, payout)
    charge_back(deposit)
    events.drain()
    pause = ChallengePause.objects.get()
    with pytest.raises(DomainError):
        decide_pause(pause_id=pause.pk, outcome="ended", reason="", actor=cast.finance)
    with pytest.raises(NotAllowed):
        decide_pause(pause_id=pause.pk, outcome="ended", reason="Fraud", actor=cast.agent)
    decide_pause(pause_id=pause.pk, outcome="ended", reason="Not settled", actor=cast.finance)
    confirm(operation)
    row.refresh_from_db()
    row.challenge.refresh_from_db()
    row.account.refresh_from_db()
    payout.refresh_from_db()
    assert (row.state, row.challenge.state, payout.state) == (
        StageState.ENDED,
        ChallengeState.ENDED,
        PayoutState.FAILED,
    )
    assert row.account.trading_ended_at is not None and wallet_of(cast) == 0 and offer_of(row.challenge) is None
    with pytest.raises(WrongState):
        decide_pause(pause_id=pause.pk, outcome="resumed", reason="Paid", actor=cast.finance)


@pytest.mark.parametrize("case", ["covered", "older", "reversed"])
def test_nothing_is_paused_where_the_fee_is_paid(cast: Cast, case: str) -> None:
    """The wallet covered it, the challenge was bought before the deposit, or the bank gave the money back meanwhile."""
    row, deposit = run_paid(cast, spent=100 if case == "covered" else 200)
    if case == "older":
        row.challenge.bought_at = deposit.settled_at - dt.timedelta(seconds=1)
        row.challenge.save(update_fields=["bought_at"])
    charge_back(deposit)
    if case == "reversed":
        charge_back(deposit, EventKind.CHARGEBACK_REVERSED)
    events.drain()
    assert not ChallengePause.objects.exists()


def test_a_pass_that_stood_on_it_is_not_approved(cast: Cast) -> None:
    row, deposit = run_paid(cast)
    row.state, row.ended_at = StageState.REVIEW, timezone.now()
    row.work = work.open_item(REVIEW, brand=cast.brand, client_id=cast.client.pk, opened_at=timezone.now())
    row.save()
    row.challenge.state = ChallengeState.REVIEW
    row.challenge.save(update_fields=["state"])
    charge_back(deposit)
    events.drain()
    pause = ChallengePause.objects.get()
    with pytest.raises(WrongState, match="paused"):
        decide_phase(phase_account_id=row.pk, outcome="passed", actor=cast.finance)
    with pytest.raises(WrongState, match="reached target first"):
        decide_pause(pause_id=pause.pk, outcome="ended", reason="Not settled", actor=cast.finance)
    decide_phase(phase_account_id=row.pk, outcome="rejected", reason="Charged back", actor=cast.finance)
    decide_pause(pause_id=pause.pk, outcome="ended", reason="Not settled", actor=cast.finance)
    pause.refresh_from_db()
    assert pause.state == PauseState.ENDED


@pytest.mark.parametrize("outcome", ["resumed", "ended"])
def test_a_lost_challenge_that_is_unpaid_is_not_given_back(cast: Cast, outcome: str) -> None:
    """No reset is sold and no appeal upheld, until a person resumes it; never once it was ended."""
    lost = breached(cast)
    deposit = make_intent(cast.client, make_psp(cast.brand))
    apply_payment(psp_id=deposit.psp_id, view=captured(deposit))
    Challenge.objects.update(bought_at=timezone.now())
    with transaction.atomic():
        post_fee(lost.challenge, Decimal(wallet_of(cast) - 100) / 100, key="spent", actor=cast.client.user)
    appeal = filed(cast, lost)
    charge_back(deposit)
    events.drain()
    pause = ChallengePause.objects.get()
    lost.account.refresh_from_db()
    assert lost.account.trading_paused_at is not None
    with pytest.raises(WrongState, match="paused"):
        decide(appeal, cast.finance)
    decide(appeal, cast.finance, "dismissed")
    lost.challenge.refresh_from_db()
    assert reset_price(lost) is None
    with pytest.raises(WrongState, match="paused"):
        reset_phase(phase_account_id=lost.pk, actor=cast.client.user)
    decide_pause(pause_id=pause.pk, outcome=outcome, reason="Decided", actor=cast.finance)
    lost.challenge.refresh_from_db()
    assert (lost.challenge.state, lost.state) == (ChallengeState.BREACHED, StageState.BREACHED)
    assert (reset_price(lost) is not None) == (outcome == "resumed")


def test_pages_say_that_and_why_it_is_paused(cast: Cast) -> None:
    row, deposit = run_paid(cast)
    charge_back(deposit)
    events.drain()
    pause = ChallengePause.objects.get()
    portal = signed_in(cast.client.user).get(f"/portal/challenges/{row.challenge_id}/").content.decode()
    assert "Your challenge is paused" in portal and "Request payout" not in portal
    staff = signed_in(cast.finance)
    assert "€100.00" in strip_tags(staff.get(f"/prop/challenges/{row.challenge_id}/").content.decode())
    assert deposit.reference in staff.get(pause.get_absolute_url()).content.decode()
    assert AccessEvent.objects.filter(target=f"prop.pause:{pause.pk}", user=cast.finance).exists()
    assert staff.post(pause.get_absolute_url(), {"outcome": "resumed", "reason": ""}).status_code == 422
    assert staff.post(pause.get_absolute_url(), {"outcome": "resumed", "reason": "Paid"}).status_code == 302
    row.challenge.refresh_from_db()
    assert row.challenge.paused_at is None


@pytest.mark.django_db(transaction=True)
def test_two_workers_pause_once(cast: Cast) -> None:
    _row, deposit = run_paid(cast)
    charge_back(deposit)
    dispute = Dispute.objects.get()
    done = race(lambda: pause_challenges(dispute_id=dispute.pk), lambda: pause_challenges(dispute_id=dispute.pk))
    assert done.has_waited and ChallengePause.objects.count() == 1
