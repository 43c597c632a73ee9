"""Ways to get the same money twice: by the bank and by us, by a refund there and one here. Each is closed."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from crm import events
from crm.models import Notification
from tests.brand_policies import set_policies
from tests.wallet.disputes.test_disputes import deposit, hear, held
from tests.wallet.factories import available, make_psp
from tests.wallet.intents import dispute_event
from tests.wallet.withdrawals.test_withdrawal import ask, rich, state, wallet
from tests.wallet.withdrawals.test_withdrawal_parts import decide, mixed, shape
from wallet.choices.deposits import DepositState
from wallet.choices.disputes import DisputeState
from wallet.choices.withdrawals import WithdrawalState
from wallet.disputes.refunds import start_refund
from wallet.disputes.reversals import apply_refund
from wallet.disputes.verbs import apply_dispute
from wallet.ledger.verification import verify
from wallet.models import Deposit, Dispute, Withdrawal
from wallet.psp.values import EventKind, TransferStatus, TransferView
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import WithdrawalNotPossible, approve_withdrawal, reject_withdrawal

__all__ = ["deposit", "held", "mixed", "rich"]
pytestmark = pytest.mark.django_db


def charge_back(found: Deposit, minor: int) -> None:
    done = apply_dispute(psp_id=found.psp_id, event=dispute_event(found, EventKind.CHARGEBACK, minor))
    assert done.state == "done", done
    events.drain()


def test_a_refund_of_what_the_bank_took_meanwhile_is_not_approved(mixed, cast, outside):
    """The client asks for his money back here and at his bank."""
    withdrawal = ask(cast, outside, "300")
    assert shape(withdrawal)[0][0] == "refund"
    charge_back(mixed, 30_000)
    with pytest.raises(WithdrawalNotPossible, match="charged back"):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    reject_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance, reason="Your bank has paid you")
    assert verify().holds


def test_a_refund_that_was_approved_is_not_sent_when_the_bank_was_faster(mixed, cast, outside):
    withdrawal = ask(cast, outside, "300")
    decide(cast, withdrawal)
    charge_back(mixed, 30_000)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.FAILED
    assert outside.running.store.rows("SELECT * FROM transfers") == []
    assert available(wallet(cast)) == 30_000, "the chargeback had what was free; the rest is the house's to get back"
    assert verify().holds


def test_a_payout_waits_for_nobody_after_a_chargeback_that_the_wallet_did_not_cover(mixed, cast, outside):
    """All of the wallet is asked for, then the bank takes the deposit: the house would pay both."""
    bank = make_psp(cast.brand, "sepalink", base_url=outside.running.url, kind="bank")
    Deposit.objects.update(settled_at=timezone.now() - dt.timedelta(days=400))  # too old for a refund
    withdrawal = ask(cast, outside, "450", psp=bank)
    assert {part[0] for part in shape(withdrawal)} == {"payout"}
    charge_back(mixed, 10_000)
    with pytest.raises(WithdrawalNotPossible, match="after this request"):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    assert state(withdrawal) == WithdrawalState.REQUESTED
    apply_dispute(psp_id=mixed.psp_id, event=dispute_event(mixed, EventKind.CHARGEBACK_REVERSED, 10_000))
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    assert Dispute.objects.get().state == DisputeState.WON


def test_an_earlier_chargeback_stops_no_later_request(mixed, cast, outside):
    charge_back(mixed, 10_000)
    withdrawal = ask(cast, outside, "100")
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=cast.finance)
    assert state(withdrawal) == WithdrawalState.APPROVED


def test_a_refund_by_staff_of_what_went_back_at_the_psp_is_not_sent(cast, deposit):
    set_policies(cast.brand, withdrawal_four_eyes_minor=1_000_000)
    refund = start_refund(
        deposit_id=deposit.pk, amount=Decimal(500), reason="Asked", request_key="r", actor=cast.finance
    )
    made = TransferView(f"{deposit.reference}-R1", "re_there", TransferStatus.PAID, 50_000, "EUR")
    apply_refund(psp_id=deposit.psp_id, transfer=made)
    with pytest.raises(WithdrawalNotPossible, match="charged back or refunded"):
        approve_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance)
    assert verify().holds


def test_nothing_is_left_of_a_held_deposit_that_bank_and_psp_took_together(cast, held):
    """Else it would stand in the queue for ever, with nothing to release or give back."""
    hear(held, EventKind.CHARGEBACK, 30_000)
    made = TransferView(f"{held.reference}-R1", "re_there", TransferStatus.PAID, 10_000, "EUR")
    apply_refund(psp_id=held.psp_id, transfer=made)
    held.refresh_from_db()
    assert (held.state, held.kept_minor) == (DepositState.RETURNED, 0)
    assert verify().holds


def test_the_psp_gives_no_more_of_a_held_deposit_back_than_is_held(cast, held):
    hear(held, EventKind.CHARGEBACK, 30_000)
    made = TransferView(f"{held.reference}-R1", "re_there", TransferStatus.PAID, 40_000, "EUR")
    assert apply_refund(psp_id=held.psp_id, transfer=made).state == "failed"
    assert verify().holds


def test_a_payment_that_the_psp_calls_paid_before_we_sent_it_is_never_sent(rich, outside):
    """Somebody made it by hand at the PSP, under our reference: people are told, and the sender leaves it."""
    from wallet.withdrawals.payout_results import apply_payout

    withdrawal = ask(rich, outside, "100")
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    view = TransferView(withdrawal.reference, "po_hand", TransferStatus.PAID, withdrawal.payout_minor, "EUR")
    apply_payout(psp_id=withdrawal.psp_id, view=view)
    sending.send_payout(withdrawal.pk)
    assert outside.running.store.rows("SELECT * FROM transfers") == []
    assert state(withdrawal) == WithdrawalState.SETTLED and verify().holds


def test_what_the_psp_paid_before_anybody_approved_it_can_not_be_approved(rich, outside):
    from wallet.withdrawals.payout_results import apply_payout

    withdrawal = ask(rich, outside, "100")
    view = TransferView(withdrawal.reference, "po_hand", TransferStatus.PAID, withdrawal.payout_minor, "EUR")
    assert apply_payout(psp_id=withdrawal.psp_id, view=view).state == "failed"
    assert Notification.objects.filter(kind="wallet.payout_contradicted").exists()
    with pytest.raises(WithdrawalNotPossible, match="already paid"):
        approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)


def test_of_two_payouts_at_one_psp_the_one_that_it_names_is_settled(rich, outside):
    """Of one amount, so that only the reference tells them apart."""
    from wallet.withdrawals.payout_results import apply_payout

    first, second = ask(rich, outside, "100"), ask(rich, outside, "100", key="k2")
    for one in (first, second):
        approve_withdrawal(withdrawal_id=one.pk, actor=rich.finance)
    apply_payout(
        psp_id=second.psp_id,
        view=TransferView(second.reference, "po_2", TransferStatus.PAID, second.payout_minor, "EUR"),
    )
    assert (state(first), state(second)) == (WithdrawalState.APPROVED, WithdrawalState.SETTLED)
    unknown = TransferView("W-NOBODY", "po_3", TransferStatus.PAID, first.payout_minor, "EUR")
    assert apply_payout(psp_id=first.psp_id, view=unknown).state == "unmatched"
    assert state(first) == WithdrawalState.APPROVED and verify().holds


def test_an_answer_without_the_psps_number_does_not_forget_the_one_we_know(rich, outside):
    from wallet.withdrawals.payout_results import apply_payout

    withdrawal = ask(rich, outside, "100")
    Withdrawal.objects.filter(pk=withdrawal.pk).update(
        state="sent",
        psp_reference="po_1",
        approved_at=timezone.now(),
        approved_by=rich.finance,
        reviewed_by=rich.second_finance,
        reviewed_at=timezone.now(),
    )
    view = TransferView(withdrawal.reference, "", TransferStatus.PENDING, withdrawal.payout_minor, "EUR")
    apply_payout(psp_id=withdrawal.psp_id, view=view)
    view = TransferView(withdrawal.reference, "", TransferStatus.PAID, withdrawal.payout_minor, "EUR")
    apply_payout(psp_id=withdrawal.psp_id, view=view)
    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.psp_reference) == ("settled", "po_1")


def test_a_worker_that_was_frozen_until_the_money_went_back_sends_nothing(rich, outside):
    """Frozen between its claim and the request, for longer than others wait before they believe that nothing was sent."""
    withdrawal = ask(rich, outside, "100")
    approve_withdrawal(withdrawal_id=withdrawal.pk, actor=rich.finance)
    claimed = sending._claim(withdrawal.pk)
    past = timezone.now() - dt.timedelta(minutes=5)
    claimed.sent_at = claimed.next_look_up_at = past
    claimed.save(update_fields=["sent_at", "next_look_up_at"])
    sending.look_up_payout(withdrawal.pk)
    assert state(withdrawal) == WithdrawalState.FAILED

    assert sending.send_claimed(claimed) == WithdrawalState.FAILED
    assert outside.running.store.rows("SELECT * FROM transfers") == []
    assert verify().holds
