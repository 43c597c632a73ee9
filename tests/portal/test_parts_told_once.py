"""A withdrawal of several parts rings the client's bell once for each way it ends, however its parts end one after the other."""

import pytest
from django.db import transaction

from crm import events
from crm.models import Notification
from tests.wallet.conftest import outside  # noqa: F401 — a fixture
from tests.wallet.factories import available, fund
from tests.wallet.withdrawals.test_withdrawal import ask, state, wallet
from tests.wallet.withdrawals.test_withdrawal_parts import card_deposit, decide
from wallet.choices.withdrawals import WithdrawalState
from wallet.models import Withdrawal
from wallet.withdrawals import payout_results, sending
from wallet.withdrawals.payout_results import parts_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def parts(cast, outside):
    """EUR 600, approved: 300 and 200 go back to two card payments, 100 to an account."""
    cast.client.kyc_level = 2
    cast.client.save()
    card_deposit(cast, outside, "300")
    card_deposit(cast, outside, "200")
    fund(cast.client, 15_000, key="profit")
    found = parts_of(ask(cast, outside, "600"))
    assert [(part.way, part.amount_minor) for part in found] == [
        ("refund", 30_000),
        ("refund", 20_000),
        ("payout", 10_000),
    ]
    decide(cast, found[0])
    events.drain()
    return found


def fail(part: Withdrawal, reason: str) -> None:
    """As when its PSP says no."""
    with transaction.atomic():
        row = payout_results.lock_withdrawal(part.pk)
        row.move_to(WithdrawalState.SENDING)
        payout_results.fail(row, reason=reason)


def bell(cast) -> list[str]:
    rows = Notification.objects.filter(user=cast.client_user, kind="portal.withdrawal").order_by("pk")
    return [row.title for row in rows]


def test_three_parts_that_fail_one_after_the_other_are_one_line(parts, cast):
    told = []
    for part in parts:
        fail(part, "account closed")
        events.drain()
        told.append(bell(cast))
    assert [state(part) for part in parts] == [WithdrawalState.FAILED] * 3
    assert told == [
        ["€300.00 of your withdrawal couldn't be paid out"],
        ["€500.00 of your withdrawal couldn't be paid out"],
        ["Your withdrawal of €600.00 failed"],
    ]
    line = Notification.objects.get(user=cast.client_user, kind="portal.withdrawal")
    assert line.body == "The receiving account is closed" and line.read_at is None
    assert available(wallet(cast)) == 65_000


def test_three_parts_that_fail_together_are_told_once_with_their_sum(parts, cast):
    for part in parts:
        fail(part, "Northpay: the key k-123 is wrong")
    events.drain()
    first = Notification.objects.get(user=cast.client_user, kind="portal.withdrawal")
    assert first.title == "Your withdrawal of €600.00 failed"
    assert first.body == "The money is back in your wallet.", "what a PSP answers stays with staff"


def test_what_was_paid_and_what_came_back_are_one_line_each(parts, cast, outside):
    for part in parts[:2]:
        sending.send_payout(part.pk)
    outside.deliver(wait_for=2)
    outside.running.fault("payout_fail", times=1)
    sending.send_payout(parts[2].pk)
    outside.deliver(wait_for=1)
    assert [state(part) for part in parts] == ["settled", "settled", "failed"]
    assert bell(cast) == ["€500.00 was paid out", "€100.00 of your withdrawal couldn't be paid out"]
