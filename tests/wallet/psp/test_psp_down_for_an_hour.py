"""A PSP that answers nothing for an hour, in the middle of everything: afterwards nothing is stuck, lost or doubled."""

import datetime as dt

import pytest

from crm import events
from crm.errors import DomainError
from tests.wallet.deposits.test_deposit import pay, start
from tests.wallet.factories import available
from tests.wallet.withdrawals.test_withdrawal import approved, paid_in
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WithdrawalState
from wallet.deposits import verbs as deposits
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import Deposit, Psp, Withdrawal
from wallet.tasks import continue_work
from wallet.withdrawals import sending

pytestmark = pytest.mark.django_db


def minutes_pass(minutes: int) -> None:
    """So much later, as the rows see it; then beat runs."""
    for model, fields in ((Withdrawal, ("next_look_up_at", "sent_at", "approved_at")), (Deposit, ("next_look_up_at",))):
        for row in model.objects.all():
            moved = {name: getattr(row, name) - dt.timedelta(minutes=minutes) for name in fields if getattr(row, name)}
            model.objects.filter(pk=row.pk).update(**moved)
    for psp in Psp.objects.exclude(is_down_until=None):
        Psp.objects.filter(pk=psp.pk).update(is_down_until=psp.is_down_until - dt.timedelta(minutes=minutes))
    continue_work()
    events.drain()


@pytest.mark.parametrize("fault", ["outage", "reset"])
def test_after_an_hour_without_the_psp_everything_comes_to_its_end(cast, outside, fault):
    cast.client.kyc_level = 2
    cast.client.save()
    paid_in(cast.client, outside.psp, 1_000_00)
    wallet = posting.wallet_of(cast.client, "EUR")
    before = [approved(cast, outside, "110", key="sent-before")]
    sending.send_payout(before[0].pk)
    waiting = start(cast, outside, "70", key="paid-during")
    outside.running.fault("webhook_drop")
    outside.running.fault(fault)

    during = [approved(cast, outside, str(120 + n), key=f"during{n}") for n in range(3)]
    for withdrawal in during:
        sending.send_payout(withdrawal.pk)
    with pytest.raises(DomainError, match="isn't responding right now"):
        start(cast, outside, "80", key="not-now")
    for _quarter in range(4):
        minutes_pass(15)
        assert {one.state for one in Withdrawal.objects.filter(pk__in=[one.pk for one in during])} <= {
            WithdrawalState.UNKNOWN,
            WithdrawalState.APPROVED,
            WithdrawalState.SENT,
        }
    assert available(wallet) == 1_000_00 - 110_00 - 120_00 - 121_00 - 122_00

    outside.running.control("faults", {"clear": True})
    outside.running.fault("webhook_drop")  # what was told meanwhile never comes
    minutes_pass(5)  # the pause that it was given is over
    pay(waiting)
    again = start(cast, outside, "80", key="not-now")
    pay(again)
    outside.running.control("finish")
    for _quarter in range(8):
        minutes_pass(15)
    ends = {one.reference: one.state for one in Withdrawal.objects.all()}
    assert set(ends.values()) <= {WithdrawalState.SETTLED, WithdrawalState.FAILED}
    assert ends[before[0].reference] == WithdrawalState.SETTLED
    assert {deposit.state for deposit in Deposit.objects.filter(pk__in=[waiting.pk, again.pk])} == {
        DepositState.SETTLED
    }
    paid = {
        row["reference"]: row["amount_minor"]
        for row in outside.running.store.rows("SELECT reference, amount_minor FROM transfers WHERE status = 'paid'")
    }
    assert set(paid) == {reference for reference, state in ends.items() if state == WithdrawalState.SETTLED}
    assert posting.balance(wallet) == available(wallet) == 1_000_00 + 150_00 - sum(paid.values())
    assert not deposits.due_deposits() and not sending.due_payouts()
    assert verify().problems == []
