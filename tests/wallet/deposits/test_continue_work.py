"""The sweep: what a crash, a lost message or an absent broker left is done by the clock, and one bad row stops no other."""

import datetime as dt

import pytest
from redis.exceptions import ConnectionError as RedisAway

from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.withdrawals.test_withdrawal import approved, rich, state
from wallet import tasks
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WithdrawalState
from wallet.deposits import verbs as deposits
from wallet.ledger import posting
from wallet.models import Deposit, WebhookMessage
from wallet.withdrawals import sending

__all__ = ["rich"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def no_broker(monkeypatch):
    """Redis restarts: nobody can be woken."""

    def away(*_args: object, **_named: object) -> None:
        raise RedisAway("Connection refused")

    for name in ("process_webhook", "process_due_webhooks", "send_payout", "look_up_payout", "look_up_deposit"):
        monkeypatch.setattr(getattr(tasks, name), "apply_async", away)
    monkeypatch.setattr("crm.tasks.deliver_events.apply_async", away)


def test_a_payment_told_while_the_broker_is_away_is_booked_by_the_clock(
    rich, outside, no_broker, django_capture_on_commit_callbacks
):
    deposit = start(rich, outside, "50")
    pay(deposit)
    with django_capture_on_commit_callbacks(execute=True):
        assert outside.deliver(wait_for=2, process=False)[-1] == 200, "the PSP need not know of our Redis"
    assert state(deposit) != DepositState.SETTLED
    assert WebhookMessage.objects.filter(state="waiting").exists()
    tasks.continue_work()
    assert state(deposit) == DepositState.SETTLED
    assert posting.balance(posting.wallet_of(rich.client, "EUR")) == 105_000


def test_a_payout_approved_while_the_broker_is_away_is_sent_by_the_clock(
    rich, outside, no_broker, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        withdrawal = approved(rich, outside)
    assert state(withdrawal) == WithdrawalState.APPROVED
    tasks.continue_work()
    assert state(withdrawal) in (WithdrawalState.SENT, WithdrawalState.SETTLED)


def test_one_row_that_fails_keeps_no_other_waiting(rich, outside, monkeypatch):
    withdrawal = approved(rich, outside)
    bad, good = start(rich, outside, key="bad"), start(rich, outside, key="good")
    pay(good)
    Deposit.objects.filter(pk__in=[bad.pk, good.pk]).update(next_look_up_at=dt.datetime.now(dt.UTC))
    look_up = deposits.look_up_deposit
    monkeypatch.setattr(deposits, "look_up_deposit", lambda pk: 1 / 0 if pk == bad.pk else look_up(pk))
    monkeypatch.setattr(sending, "send_payout", lambda _pk: 1 / 0)
    tasks.continue_work()
    assert state(good) == DepositState.SETTLED
    assert bad.pk in deposits.due_deposits()
    assert state(withdrawal) == WithdrawalState.APPROVED
