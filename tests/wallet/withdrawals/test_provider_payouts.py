"""Money out of the wallet through PayPal, BTCPay, the cashier and the bank: sent once, settled once, looked up when lost."""

from decimal import Decimal

import httpx
import pytest

from tests.sandbox.psp.running import wait_until
from tests.wallet.factories import fund
from tests.wallet.providers import METHODS, provider, sent_payout
from tests.wallet.psp.test_bank_wire import take_in
from wallet.bank import payment_files
from wallet.choices.withdrawals import WithdrawalState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import PspMovement, Withdrawal
from wallet.psp import adapter_of
from wallet.psp.paypal import adapter as paypal
from wallet.psp.values import TransferStatus
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import WithdrawalRequest, approve_withdrawal, request_withdrawal

pytestmark = pytest.mark.django_db
ADDRESS = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
TO = {
    "paypal": {"account": "clara@example.org"},
    "btcpay": {"address": ADDRESS},
    "praxis": {"account": "PL-123"},
    "bankwire": {"iban": "DE75512108001245126199", "holder": "Clara Weber"},
}
BY_API = ["paypal", "btcpay", "praxis"]


def approved(cast, outside) -> Withdrawal:
    code = outside.psp.code
    cast.client.kyc_level = 2
    cast.client.save()
    fund(cast.client, 100_000)
    withdrawal = request_withdrawal(
        client_id=cast.client.pk,
        request=WithdrawalRequest(
            psp_id=outside.psp.pk, method=METHODS[code], amount=Decimal(200), currency="EUR", destination=TO[code]
        ),
        request_key="k",
        actor=cast.client_user,
    )
    for person in (cast.finance, cast.second_finance):
        withdrawal.refresh_from_db()
        if withdrawal.state in (WithdrawalState.REQUESTED, WithdrawalState.AWAITING_SECOND_APPROVAL):
            approve_withdrawal(withdrawal_id=withdrawal.pk, actor=person)
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.APPROVED
    return withdrawal


def is_paid_once(cast, outside, withdrawal: Withdrawal) -> None:
    withdrawal.refresh_from_db()
    assert withdrawal.state == WithdrawalState.SETTLED
    assert posting.balance(posting.wallet_of(cast.client, "EUR")) == 80_000
    assert PspMovement.objects.filter(kind="payout", psp=outside.psp).count() == 1
    assert len(outside.running.store.rows("SELECT id FROM transfers")) <= 1
    assert verify().holds


@pytest.mark.parametrize("code", BY_API)
def test_a_withdrawal_is_paid_and_told_however_often(cast, tmp_path, code):
    paypal._tokens.clear()
    with provider(cast, tmp_path, code) as outside:
        outside.running.fault("webhook_duplicate", 2)
        withdrawal = approved(cast, outside)
        assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT
        outside.deliver(wait_for=3)
        is_paid_once(cast, outside, withdrawal)


@pytest.mark.parametrize("code", BY_API)
def test_a_payout_without_an_answer_is_looked_up_and_not_sent_again(cast, tmp_path, code):
    paypal._tokens.clear()
    with provider(cast, tmp_path, code) as outside:
        withdrawal = approved(cast, outside)
        adapter_of(outside.psp).check_connection()
        outside.running.fault("webhook_drop")
        if code == "btcpay":  # its first request makes the pull payment, which moves nothing
            adapter = adapter_of(outside.psp)
            from tests.wallet.providers import order

            adapter._pull_payment_for(order(withdrawal.reference, address=ADDRESS), "btc")
        outside.running.fault("lose_answer", times=1)
        assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
        wait_until(
            lambda: adapter_of(outside.psp).find_payout(sent_payout(withdrawal.reference)).status == TransferStatus.PAID
        )
        assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.SETTLED
        is_paid_once(cast, outside, withdrawal)


@pytest.mark.parametrize("code", BY_API)
def test_a_payout_that_fails_gives_the_money_back(cast, tmp_path, code):
    paypal._tokens.clear()
    with provider(cast, tmp_path, code) as outside:
        outside.running.fault("payout_fail", "account_closed")
        withdrawal = approved(cast, outside)
        sending.send_payout(withdrawal.pk)
        outside.deliver(wait_for=1)
        withdrawal.refresh_from_db()
        assert withdrawal.state == WithdrawalState.FAILED
        assert posting.balance(posting.wallet_of(cast.client, "EUR")) == 100_000


def test_a_withdrawal_by_wire_is_settled_by_the_statement(cast, tmp_path):
    with provider(cast, tmp_path, "bankwire") as outside:
        withdrawal = approved(cast, outside)
        assert sending.send_payout(withdrawal.pk) == WithdrawalState.SENT
        assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.SENT
        batch = payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.finance)
        httpx.post(f"{outside.running.url}/bankwire/pain001", content=batch.file).raise_for_status()
        payment_files.mark_batch_sent(batch_id=batch.pk, actor=cast.finance)
        take_in(outside)
        is_paid_once(cast, outside, withdrawal)


def test_a_wire_that_comes_back_before_it_was_booked_gives_the_money_back(cast, tmp_path):
    with provider(cast, tmp_path, "bankwire") as outside:
        withdrawal = approved(cast, outside)
        sending.send_payout(withdrawal.pk)
        batch = payment_files.make_batch(psp_id=outside.psp.pk, currency="EUR", actor=cast.finance)
        httpx.post(f"{outside.running.url}/bankwire/pain001", content=batch.file).raise_for_status()
        outside.running.control("bankwire/returns", {"end_to_end": withdrawal.reference})
        outside.running.store.run("DELETE FROM movements WHERE type = 'payout'")
        take_in(outside)
        withdrawal.refresh_from_db()
        assert (withdrawal.state, withdrawal.reason) == (WithdrawalState.FAILED, "AC04")
        assert posting.balance(posting.wallet_of(cast.client, "EUR")) == 100_000
        assert verify().holds
