"""A refund in coins is fetched by the client: he sees where and until when, staff see how it stands, none is forgotten."""

import datetime as dt
import time

import httpx
import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification
from tests.brand_policies import set_policies
from tests.wallet.factories import available
from tests.wallet.providers import provider, start
from tests.wallet.psp.test_psp_btcpay import ADDRESS, claim, send_coins, wallet_balance
from tests.wallet.psp.test_psp_stripe import give_back
from wallet.choices.withdrawals import ClaimState, WithdrawalState
from wallet.ledger.verification import verify
from wallet.models import Deposit, PspCall, Withdrawal
from wallet.movements.psp_records import PspRecords
from wallet.psp import adapter_of
from wallet.psp.errors import PspRefused
from wallet.psp.values import RefundOrder
from wallet.withdrawals import refund_claims, sending

pytestmark = pytest.mark.django_db


@pytest.fixture
def outside(cast, tmp_path):
    with provider(cast, tmp_path, "btcpay") as running:
        yield running


@pytest.fixture
def refund(cast, outside) -> Withdrawal:
    """EUR 100 of 500 in coins, approved and handed to the server: nobody has claimed it."""
    set_policies(cast.brand, withdrawal_four_eyes_minor=100_000)
    send_coins(start(cast, outside))
    outside.deliver(wait_for=2)
    return give_back(cast, Deposit.objects.get(), "100")


def again(refund: Withdrawal) -> Withdrawal:
    sending.look_up_payout(refund.pk)
    refund.refresh_from_db()
    return refund


def test_the_client_sees_where_to_fetch_it_and_until_when(cast, refund, browse):
    assert (refund.state, refund.claim_state) == (WithdrawalState.SENT, ClaimState.WAITING)
    assert dt.timedelta(days=29) < refund.claim_until - timezone.now() <= dt.timedelta(days=30)
    told = Notification.objects.get(kind="wallet.refund_to_claim")
    assert told.user_id == cast.client.user_id and told.url == reverse("portal_movement", args=[refund.reference])
    page = browse(cast.client.user).get(told.url).content.decode()
    assert refund.claim_url in page and "€100.00" in page and "Claim refund" in page


def test_staff_see_how_it_stands_and_never_the_address(cast, refund, browse):
    page = browse(cast.finance).get(reverse("wallet:withdrawal", args=[refund.pk])).content.decode()
    assert "Awaiting claim" in page and "/claims/" not in page.replace("/ib/claims/", "")
    assert all("/claims/" not in call.answer for call in PspCall.objects.filter(reference=refund.reference))
    assert PspCall.objects.filter(reference=refund.reference).exists()


def test_a_claimed_refund_settles_and_is_shown_as_paid(cast, outside, refund, browse):
    claim(refund.claim_url)
    assert again(refund).claim_state == ClaimState.CLAIMED
    outside.running.control("finish")
    outside.deliver(wait_for=1)
    refund.refresh_from_db()
    assert (refund.state, wallet_balance(cast)) == (WithdrawalState.SETTLED, 40_000)
    page = browse(cast.client.user).get(reverse("portal_movement", args=[refund.reference])).content.decode()
    assert refund.claim_url not in page
    assert verify().holds


def test_a_claim_that_was_cancelled_frees_no_money_while_it_can_be_claimed_again(cast, outside, refund):
    """Else the client would have the money in the wallet, and the link."""
    claim(refund.claim_url)
    outside.running.store.run("UPDATE transfers SET status = 'failed'")
    adapter = adapter_of(outside.psp)
    payout_id = outside.running.store.row("SELECT id FROM transfers")["id"]
    event = adapter.complete(cancelled(payout_id), PspRecords(outside.psp))
    from wallet.disputes.reversals import apply_refund

    apply_refund(psp_id=outside.psp.pk, transfer=event.transfer)
    refund.refresh_from_db()
    assert (refund.state, refund.claim_state, wallet_balance(cast)) == ("sent", ClaimState.WAITING, 50_000)
    assert available(refund.wallet) == 40_000, "still reserved"


def cancelled(payout_id: str):
    from wallet.psp.btcpay.adapter import event_of

    return event_of({"deliveryId": "d1", "type": "PayoutUpdated", "payoutId": payout_id, "timestamp": 0})


def test_a_part_that_was_claimed_is_not_taken_for_all_of_it(cast, outside, refund):
    claim(refund.claim_url)
    outside.running.control("finish")
    outside.running.store.run("UPDATE transfers SET amount_minor = 4000")
    assert (again(refund).state, available(refund.wallet)) == (WithdrawalState.SENT, 40_000)


def test_an_unclaimed_refund_is_named_once_and_taken_back_at_the_server_first(cast, outside, refund, browse):
    assert refund_claims.due_claims() == []
    Withdrawal.objects.filter(pk=refund.pk).update(claim_until=timezone.now() - dt.timedelta(minutes=1))
    assert refund_claims.due_claims() == [refund.pk]
    assert refund_claims.name_unclaimed(refund.pk) and not refund_claims.name_unclaimed(refund.pk)
    assert refund_claims.due_claims() == []
    assert Notification.objects.filter(kind="wallet.refund_unclaimed", user=cast.finance).count() == 1
    assert again(refund).claim_state == ClaimState.OVER, "a look-up does not open it again"
    page = browse(cast.client.user).get(reverse("portal_movement", args=[refund.reference])).content.decode()
    assert refund.claim_url not in page
    answer = browse(cast.finance).post(reverse("wallet:refund_claim_back", args=[refund.pk]), {"reason": "No answer"})
    assert answer.status_code == 302
    refund.refresh_from_db()
    assert (refund.state, wallet_balance(cast)) == (WithdrawalState.FAILED, 50_000)
    assert httpx.post(refund.claim_url, data={"address": ADDRESS}).status_code == 409, "nobody can claim it any more"
    assert verify().holds


def test_what_is_being_paid_is_not_taken_back(cast, outside, refund):
    """The client claims in the very moment: the server's word decides."""
    claim(refund.claim_url)
    outside.running.control("finish")
    deadline = time.monotonic() + 20
    while not outside.running.store.rows("SELECT * FROM transfers WHERE status = 'paid'"):
        assert time.monotonic() < deadline, "the server's own timer has not fired"
        time.sleep(0.05)
    outside.running.store.run("UPDATE transfers SET status = 'pending'")
    state = sending.take_refund_back(withdrawal_id=refund.pk, actor=cast.finance, reason="No answer")
    assert (state, available(refund.wallet)) == (WithdrawalState.SENT, 40_000)
    refund.refresh_from_db()
    assert refund.claim_state == ClaimState.CLAIMED
    with pytest.raises(WrongState):
        sending.take_refund_back(withdrawal_id=refund.pk, actor=cast.finance, reason="Once more")
    outside.running.store.run("UPDATE transfers SET status = 'paid'")
    assert again(refund).state == WithdrawalState.SETTLED


def test_who_may_take_it_back_says_why(cast, refund, browse):
    with pytest.raises(NotAllowed):
        sending.take_refund_back(withdrawal_id=refund.pk, actor=cast.auditor, reason="x")
    with pytest.raises(DomainError, match="Enter a reason"):
        sending.take_refund_back(withdrawal_id=refund.pk, actor=cast.finance, reason=" ")
    assert refund.state == WithdrawalState.SENT


def test_an_address_that_is_no_web_page_is_no_link(cast, outside, refund):
    from dataclasses import replace

    order = RefundOrder(refund.reference, "", "", 10_000, "EUR")
    view = adapter_of(outside.psp).find_refund(order)
    before = refund.claim_url
    with transaction.atomic():
        refund_claims.keep(refund, replace(view, claim_url="javascript:alert(1)"))
    refund.refresh_from_db()
    assert refund.claim_url == before
    with pytest.raises(IntegrityError, match="claim_says_where"), transaction.atomic():
        Withdrawal.objects.filter(pk=refund.pk).update(claim_url="")


def test_other_providers_have_no_claims_to_close(cast):
    from tests.wallet.factories import make_psp

    with pytest.raises(PspRefused):
        adapter_of(make_psp(cast.brand)).withdraw_refund(RefundOrder("R", "D", "P", 1, "EUR"))
