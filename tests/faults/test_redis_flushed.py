"""Redis is emptied between the steps of a payment: it carries wake-ups only, so nothing is lost and nothing is paid twice.

Redis, worker and beat are real; the database that is emptied is the test's own.
"""

from pathlib import Path

import pytest
import redis

from crm.models import EventDelivery
from tests.sandbox.psp.running import wait_until
from tests.trading.processes import worker_and_beat
from tests.wallet.conftest import Outside, outside  # noqa: F401 — a fixture
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.factories import available
from tests.wallet.withdrawals.test_withdrawal import approved, rich, state, wallet  # noqa: F401 — rich is a fixture
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WithdrawalState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Journal, PspMovement, WebhookMessage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
LATE_SECONDS = 4
DONE_SECONDS_MAX = 90


def lose_what_waits(broker: redis.Redis) -> None:
    """The wake-ups are there, and then they are not."""
    assert broker.llen("default") + broker.llen("events") > 0, "nobody was to be woken: this would prove nothing"
    broker.flushdb()


def wait_for(done: object, broker: redis.Redis) -> None:
    """What waits is done in the end, though Redis is emptied all the time."""
    assert callable(done)

    def emptied_and_done() -> bool:
        broker.flushdb()
        return bool(done())

    wait_until(emptied_and_done, seconds_max=DONE_SECONDS_MAX)


def everything_is_told() -> bool:
    return not (
        EventDelivery.objects.exclude(state="done").exists() or WebhookMessage.objects.filter(state="waiting").exists()
    )


def test_a_deposit_is_booked_once_though_redis_forgets_its_webhooks(rich, outside, empty_redis, tmp_path: Path):
    before = Journal.objects.count()
    deposit = start(rich, outside, "50")
    pay(deposit)
    empty_redis.flushdb()
    outside.running.fault("webhook_duplicate", 1)
    assert set(outside.deliver(wait_for=2, process=False)) == {200}
    assert WebhookMessage.objects.filter(state="waiting").exists()
    lose_what_waits(empty_redis)  # stored, and no worker has it
    with worker_and_beat(tmp_path):
        wait_for(lambda: state(deposit) == DepositState.SETTLED, empty_redis)
        assert set(outside.deliver(process=False)) <= {200}  # the PSP says it again
        wait_for(everything_is_told, empty_redis)
    assert posting.balance(wallet(rich)) == available(wallet(rich)) == 105_000
    assert Journal.objects.count() == before + 1
    assert PspMovement.objects.filter(reference=deposit.reference).count() == 1
    assert Deposit.objects.get(pk=deposit.pk).credited_minor == 5_000
    assert verify().problems == []


def test_a_withdrawal_is_paid_once_though_redis_forgets_it_at_each_step(rich, outside, empty_redis, tmp_path: Path):
    withdrawal = approved(rich, outside)
    lose_what_waits(empty_redis)  # approved, and no worker was told to send it
    outside.running.fault("late_answer", LATE_SECONDS, times=1)
    with worker_and_beat(tmp_path):
        wait_for(lambda: state(withdrawal) == WithdrawalState.SENDING, empty_redis)
        empty_redis.flushdb()  # the PSP has it and has not answered
        wait_for(lambda: state(withdrawal) in (WithdrawalState.SENT, WithdrawalState.SETTLED), empty_redis)
        assert outside.deliver(wait_for=1, process=False) == [200]
        empty_redis.flushdb()
        wait_for(lambda: state(withdrawal) == WithdrawalState.SETTLED, empty_redis)
        wait_for(everything_is_told, empty_redis)
    sent = outside.running.store.rows("SELECT amount_minor FROM transfers WHERE reference = ?", withdrawal.reference)
    assert [row["amount_minor"] for row in sent] == [20_000]
    assert PspMovement.objects.filter(reference=withdrawal.reference).count() == 1
    assert posting.balance(wallet(rich)) == available(wallet(rich)) == 80_000
    assert verify().problems == []
