"""A deposit given back by staff: reserved, approved by somebody else, refunded once at the PSP, in full or in part."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse

from clients.facts import rebuild_client
from crm import events
from crm.errors import DomainError, IdempotencyConflict, NotAllowed, WrongState
from crm.models import Notification, OutboxEvent
from tests.brand_policies import set_policies
from tests.wallet.factories import available
from tests.wallet.withdrawals.test_withdrawal import ask, state, wallet
from tests.wallet.withdrawals.test_withdrawal_parts import decide, mixed, shape
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.psp import InboxState
from wallet.choices.withdrawals import WithdrawalState
from wallet.deposits.verbs import release_held_deposit
from wallet.disputes.refunds import start_refund
from wallet.disputes.reversals import apply_refund
from wallet.ledger import posting
from wallet.ledger.posting import InsufficientFunds
from wallet.ledger.verification import verify
from wallet.models import Deposit, PspMovement, Withdrawal
from wallet.psp.values import TransferStatus, TransferView
from wallet.withdrawals import sending
from wallet.withdrawals.verbs import approve_withdrawal, reject_withdrawal

__all__ = ["mixed"]
pytestmark = pytest.mark.django_db


def give_back(cast, deposit, amount="100", *, key="r1", actor=None, reason="Paid in by mistake") -> Withdrawal:
    return start_refund(
        deposit_id=deposit.pk, amount=Decimal(amount), reason=reason, request_key=key, actor=actor or cast.finance
    )


def finish(cast, outside, refund: Withdrawal) -> None:
    approve_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance)
    if refund.needs_second:
        raise AssertionError("two others are needed")
    sending.send_payout(refund.pk)
    outside.deliver(wait_for=1)
    refund.refresh_from_db()


def test_a_part_goes_back_and_then_the_rest(mixed, cast, outside):
    refund = give_back(cast, mixed)
    assert (refund.purpose, refund.way, refund.state) == ("refund", "refund", "requested")
    assert available(wallet(cast)) == 35_000
    finish(cast, outside, refund)
    mixed.refresh_from_db()
    assert (refund.state, mixed.state, mixed.refunded_minor) == ("settled", DepositState.SETTLED, 10_000)
    assert posting.balance(wallet(cast)) == 35_000
    assert OutboxEvent.objects.filter(name="wallet.deposit_reversed").count() == 1
    set_policies(cast.brand, withdrawal_four_eyes_minor=100_000)
    finish(cast, outside, give_back(cast, mixed, "200", key="r2"))
    mixed.refresh_from_db()
    assert (mixed.state, mixed.refunded_minor) == (DepositState.REFUNDED, 30_000)
    assert verify().holds
    events.drain()
    cast.client.refresh_from_db()
    assert cast.client.net_deposits == 0


def test_above_the_limit_two_others_approve(mixed, cast):
    refund = give_back(cast, mixed, "300")
    events.drain()
    told = Notification.objects.filter(kind="wallet.withdrawal_requested")
    assert told.filter(user=cast.second_finance, title__contains="awaits your approval").count() == 1
    assert not told.filter(user=cast.finance).exists(), "who asked need not be told"
    assert refund.needs_second
    with pytest.raises(NotAllowed, match="someone else"):
        approve_withdrawal(withdrawal_id=refund.pk, actor=cast.finance)
    approve_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance)
    with pytest.raises(NotAllowed):
        approve_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance)
    assert state(refund) == WithdrawalState.AWAITING_SECOND_APPROVAL


def test_a_rejected_refund_frees_the_money(mixed, cast):
    refund = give_back(cast, mixed)
    reject_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance, reason="No need")
    assert available(wallet(cast)) == 45_000
    assert not OutboxEvent.objects.filter(name="wallet.withdrawal_refused").exists(), "the client never asked for it"


def test_a_wallet_that_does_not_cover_it_is_said_so(mixed, cast, outside):
    spent = posting.Line(wallet(cast), -40_000)
    house = posting.house(AccountKind.SUSPENSE, brand_id=cast.brand.pk, currency="EUR")
    posting.post(
        posting.Entry(
            key="test:spend",
            kind=posting.JournalKind.ADJUSTMENT,
            brand_id=cast.brand.pk,
            lines=(spent, posting.Line(house, 40_000)),
        )
    )
    with pytest.raises(InsufficientFunds, match=r"only €50.00 available"):
        give_back(cast, mixed)


@pytest.mark.parametrize(("free", "is_covered"), [(9_999, False), (10_000, True), (10_001, True)])
def test_a_wallet_covers_what_it_has_to_the_cent(mixed, cast, free, is_covered):
    spent = available(wallet(cast)) - free
    house = posting.house(AccountKind.SUSPENSE, brand_id=cast.brand.pk, currency="EUR")
    lines = (posting.Line(wallet(cast), -spent), posting.Line(house, spent))
    posting.post(
        posting.Entry(key="test:spend", kind=posting.JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines)
    )
    if is_covered:
        assert give_back(cast, mixed, "100").state == WithdrawalState.REQUESTED
    else:
        with pytest.raises(InsufficientFunds, match=r"only €99\.99 available"):
            give_back(cast, mixed, "100")


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("300.01", "Only €300.00"),
        ("0", "above zero"),
        ("-1", "above zero"),
        ("1.001", "decimal places"),
        ("1e30", "too large"),
    ],
)
def test_an_amount_that_can_not_be_is_refused_in_words(mixed, cast, amount, words):
    with pytest.raises(DomainError, match=words):
        give_back(cast, mixed, amount)


def test_what_is_on_its_way_back_is_not_given_back_again(mixed, cast, outside):
    ask(cast, outside, "200")
    with pytest.raises(DomainError, match=r"Only €100.00"):
        give_back(cast, mixed, "150")
    give_back(cast, mixed, "100", key="r2")
    assert shape(ask(cast, outside, "100", key="k2")) == [("payout", "northpay", 10_000, 0)]


def test_the_same_form_twice_is_one_refund_and_needs_a_reason(mixed, cast):
    assert give_back(cast, mixed).pk == give_back(cast, mixed).pk
    with pytest.raises(IdempotencyConflict):
        give_back(cast, mixed, "99")
    with pytest.raises(DomainError, match="Enter a reason"):
        give_back(cast, mixed, key="r3", reason=" ")


@pytest.mark.parametrize("role", ["agent", "desk_head", "mlro", "auditor", "administrator", "support", "client_user"])
def test_other_roles_can_not_give_back(mixed, cast, role):
    with pytest.raises(NotAllowed):
        give_back(cast, mixed, actor=getattr(cast, role))
    assert not Withdrawal.objects.exists()


def held(deposit: Deposit) -> Deposit:
    """As if it had arrived from somebody else: in suspense, not in the wallet."""
    clearing, suspense = (
        posting.psp_clearing(deposit.psp, "EUR"),
        posting.house(AccountKind.SUSPENSE, brand_id=deposit.brand_id, currency="EUR"),
    )
    posted = posting.reverse(key="test:unsettle", journal=deposit.journal, description="test")
    again = posting.post(
        posting.Entry(
            key="test:hold",
            kind=posting.JournalKind.DEPOSIT_HELD,
            brand_id=deposit.brand_id,
            lines=(posting.Line(clearing, -30_000), posting.Line(suspense, 30_000)),
        )
    )
    assert posted.journal_id != again.journal_id
    Deposit.objects.filter(pk=deposit.pk).update(
        state="held",
        hold_reasons=["payer"],
        held_at=dt.datetime.now(dt.UTC),
        journal=None,
        settled_at=None,
        credited_minor=None,
        is_first=False,
    )
    deposit.refresh_from_db()
    return deposit


def test_a_held_deposit_goes_back_whole_and_out_of_suspense(mixed, cast, outside):
    deposit = held(mixed)
    with pytest.raises(DomainError, match="refunded in full"):
        give_back(cast, deposit, "100")
    set_policies(cast.brand, withdrawal_four_eyes_minor=100_000)
    refund = give_back(cast, deposit, "300")
    assert refund.from_suspense
    with pytest.raises(NotAllowed, match="being refunded"):
        release_held_deposit(deposit_id=deposit.pk, actor=cast.finance, reason="ok")
    finish(cast, outside, refund)
    deposit.refresh_from_db()
    assert (deposit.state, refund.state) == (DepositState.RETURNED, "settled")
    assert posting.balance(refund.wallet) == -15_000, "only what the test put into the wallet came from there"
    rebuild_client(cast.client.pk, "net_deposits")
    cast.client.refresh_from_db()
    assert cast.client.net_deposits == 0
    assert verify().holds


# Refunds that somebody made at the PSP


def told(deposit: Deposit, minor: int, psp_reference: str, status=TransferStatus.PAID) -> InboxState:
    view = TransferView(deposit.reference, psp_reference, status, minor, "EUR")
    return apply_refund(psp_id=deposit.psp_id, transfer=view).state


def test_refunds_made_at_the_psp_book_in_parts_each_once(mixed, cast):
    assert told(mixed, 10_000, "re_1") == told(mixed, 5_000, "re_2") == InboxState.DONE
    assert told(mixed, 10_000, "re_1") == InboxState.IGNORED
    assert told(mixed, 1_000, "re_3", TransferStatus.FAILED) == InboxState.IGNORED
    mixed.refresh_from_db()
    assert (mixed.state, mixed.refunded_minor) == (DepositState.SETTLED, 15_000)
    assert told(mixed, 15_001, "re_4") == InboxState.FAILED
    assert told(mixed, 15_000, "re_5") == InboxState.DONE
    mixed.refresh_from_db()
    assert mixed.state == DepositState.REFUNDED
    assert PspMovement.objects.filter(kind="refund").count() == 3
    events.drain()
    cast.client.refresh_from_db()
    assert cast.client.net_deposits == 0
    assert posting.balance(wallet(cast)) == 15_000
    assert verify().holds
    Deposit.objects.update(refunded_minor=29_000)
    assert any("what went back" in problem for problem in verify().problems)


@pytest.mark.parametrize("reference", ["D-R4DPHFU5H3PR", "D-4DPHFU5H3PRR"])
def test_a_refund_names_its_deposit_with_or_without_a_number(mixed, reference):
    Deposit.objects.filter(pk=mixed.pk).update(reference=reference)
    mixed.refresh_from_db()
    assert told(mixed, 10_000, "re_1") == InboxState.DONE
    view = TransferView(f"{reference}-R2", "re_2", TransferStatus.PAID, 5_000, "EUR")
    assert apply_refund(psp_id=mixed.psp_id, transfer=view).state == InboxState.DONE
    mixed.refresh_from_db()
    assert mixed.refunded_minor == 15_000


def test_a_strange_refund_waits_while_ours_has_no_answer(mixed, cast, outside):
    refund = give_back(cast, mixed)
    approve_withdrawal(withdrawal_id=refund.pk, actor=cast.second_finance)
    outside.running.fault("lose_answer", times=1)
    assert sending.send_payout(refund.pk) == WithdrawalState.UNKNOWN
    with pytest.raises(WrongState):
        told(mixed, 10_000, "re_9")
    sending.look_up_payout(refund.pk)
    outside.deliver(wait_for=1)
    assert state(refund) == WithdrawalState.SETTLED
    refund.refresh_from_db()
    assert told(mixed, 10_000, refund.psp_reference) == InboxState.IGNORED, "it was ours"
    assert PspMovement.objects.filter(kind="refund").count() == 1


# Pages


def test_finance_asks_for_a_refund_on_the_deposits_page_and_another_approves(mixed, cast, browse):
    address, page = (reverse(f"wallet:{name}", args=[mixed.pk]) for name in ("deposit_refund", "deposit"))
    first = browse(cast.finance)
    assert "Request refund" in first.get(page).content.decode()
    assert "Request refund" not in browse(cast.agent).get(page).content.decode()
    form = {"refund-amount": "300.01", "refund-reason": "Wrong card", "refund-request_key": "k"}
    wrong = first.post(address, form)
    assert wrong.status_code == 422
    assert "Only €300.00" in wrong.content.decode() and "Wrong card" in wrong.content.decode()
    answer = first.post(address, {**form, "refund-amount": "50"})
    refund = Withdrawal.objects.get()
    assert answer["Location"] == reverse("wallet:withdrawal", args=[refund.pk])
    assert "someone else must decide" in first.get(answer["Location"]).content.decode()
    assert refund.reference in first.get(page).content.decode()
    assert browse(cast.agent).post(address, form).status_code == 403
    shown = browse(cast.second_finance).get(answer["Location"]).content.decode()
    assert "Refund" in shown and "refund of" in shown


def test_an_unknown_payment_is_looked_up_by_a_person_and_never_repeated(mixed, cast, outside, browse):
    withdrawal = ask(cast, outside, "300")
    decide(cast, withdrawal)
    outside.running.fault("lose_answer", times=1)
    sending.send_payout(withdrawal.pk)
    page, look = (reverse(f"wallet:{name}", args=[withdrawal.pk]) for name in ("withdrawal", "withdrawal_look_up"))
    shown = browse(cast.finance).get(page).content.decode()
    assert (
        "Awaiting response from Northpay" in shown
        and "Check status now" in shown
        and "Approve" not in shown.split("k-head")[0]
    )
    assert browse(cast.agent).post(look).status_code == 403
    browse(cast.finance).post(look)
    assert state(withdrawal) in (WithdrawalState.SENT, WithdrawalState.SETTLED)
    assert "Withdrawal status checked with the PSP" in browse(cast.finance).get(page).content.decode()
    assert len(outside.running.store.rows("SELECT 1 FROM transfers")) == 1
