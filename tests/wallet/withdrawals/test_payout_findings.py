"""Payments whose end no message settles: one person says what the PSP told, another books it."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from crm import approvals, events
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import OutboxEvent
from tests.wallet.disputes.test_refund import finish, give_back
from tests.wallet.factories import available
from tests.wallet.withdrawals.test_withdrawal import approved, rich, said, state, wallet
from tests.wallet.withdrawals.test_withdrawal_parts import mixed
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind
from wallet.choices.withdrawals import FindingKind, WithdrawalState
from wallet.ledger import posting
from wallet.ledger.verification import verify
from wallet.models import PayoutFinding, PspMovement, Withdrawal
from wallet.psp.errors import PspUnknown
from wallet.psp.values import TransferStatus
from wallet.withdrawals import investigations, sending
from wallet.withdrawals.returned_payouts import ReturnTerms

__all__ = ["mixed", "rich"]
pytestmark = pytest.mark.django_db


def told(cast, withdrawal, kind, *, number="R-77", actor=None, amount=None, **terms) -> PayoutFinding:
    return investigations.propose_outcome(
        withdrawal_id=withdrawal.pk,
        kind=kind,
        reason="Support of the PSP, by phone",
        psp_reference=number,
        actor=actor or cast.finance,
        amount=amount,
        terms=ReturnTerms(**terms),
    )


def agreed(cast, finding) -> PayoutFinding:
    return approvals.approve(PayoutFinding, finding.pk, actor=cast.second_finance)


@pytest.fixture
def paid(rich, outside):
    withdrawal = approved(rich, outside)
    sending.send_payout(withdrawal.pk)
    outside.deliver(wait_for=1)
    assert state(withdrawal) == WithdrawalState.SETTLED
    return withdrawal


@pytest.fixture
def stuck(rich, outside, monkeypatch):
    """Sent, the answer lost, and a PSP that can't be asked by our reference."""

    def ask(*_args):
        raise PspUnknown("not by your reference")

    outside.running.fault("lose_answer", times=1)
    withdrawal = approved(rich, outside)
    assert sending.send_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    monkeypatch.setattr(sending, "_find", ask)
    assert sending.look_up_payout(withdrawal.pk) == WithdrawalState.UNKNOWN
    return withdrawal


def sent_long_ago(withdrawal) -> None:
    Withdrawal.objects.filter(pk=withdrawal.pk).update(sent_at=dt.datetime.now(dt.UTC) - dt.timedelta(hours=2))


def test_what_is_stuck_ends_by_two_people_who_asked_the_psp(rich, stuck):
    with pytest.raises(DomainError, match="Reports are matched by it"):
        told(rich, stuck, FindingKind.PAID, number=" ")
    with pytest.raises(WrongState, match="outcome isn't possible"):
        told(rich, stuck, FindingKind.CAME_BACK)
    finding = told(rich, stuck, FindingKind.PAID)
    with pytest.raises(WrongState):
        told(rich, stuck, FindingKind.PAID, number="R-78")
    with pytest.raises(NotAllowed, match="someone else"):
        approvals.approve(PayoutFinding, finding.pk, actor=rich.finance)
    with pytest.raises(IntegrityError, match="payout_finding_is_decided_by_somebody_else"), transaction.atomic():
        PayoutFinding.objects.update(state="rejected", decided_by=rich.finance, decided_at=dt.datetime.now(dt.UTC))
    assert state(stuck) == WithdrawalState.UNKNOWN and available(wallet(rich)) == 80_000
    assert agreed(rich, finding).journal_id == Withdrawal.objects.get().journal_id
    assert state(stuck) == WithdrawalState.SETTLED and posting.balance(wallet(rich)) == 80_000
    assert PspMovement.objects.get(kind="payout").psp_reference == "R-77"
    assert verify().holds


def test_what_is_stuck_is_no_business_of_others(rich, stuck):
    for person in (rich.agent, rich.auditor, rich.support, rich.client_user):
        with pytest.raises(NotAllowed):
            told(rich, stuck, FindingKind.PAID, actor=person)
    assert not PayoutFinding.objects.exists()


def test_never_paid_is_said_after_an_hour_and_believed_only_if_the_psp_knows_no_better(rich, stuck, monkeypatch):
    with pytest.raises(DomainError, match="less than an hour"):
        told(rich, stuck, FindingKind.NOT_PAID, number="")
    sent_long_ago(stuck)
    finding = told(rich, stuck, FindingKind.NOT_PAID, number="")
    approvals.reject(PayoutFinding, finding.pk, actor=rich.second_finance, note="Ask in writing")
    finding = told(rich, stuck, FindingKind.NOT_PAID, number="")
    agreed(rich, finding)
    assert state(stuck) == WithdrawalState.FAILED and available(wallet(rich)) == 100_000
    assert said(stuck, TransferStatus.PAID).state == "failed", "told, not booked"
    # And it was paid after all: the client, who has it, gives it out of the wallet.
    agreed(rich, told(rich, stuck, FindingKind.PAID, number="R-79"))
    assert state(stuck) == WithdrawalState.SETTLED and posting.balance(wallet(rich)) == 80_000
    assert verify().holds


def test_a_psp_that_answers_while_a_finding_waits_is_believed(rich, outside, stuck, monkeypatch):
    sent_long_ago(stuck)
    finding = told(rich, stuck, FindingKind.NOT_PAID, number="")
    outside.wait_for(1)  # it has paid by then, which takes it a moment
    monkeypatch.undo()
    with pytest.raises(WrongState, match="now “Paid”"):
        agreed(rich, finding)
    assert state(stuck) == WithdrawalState.SETTLED and verify().holds


def test_what_came_back_is_in_the_wallet_again_and_was_never_paid_out(rich, paid):
    assert said(paid, TransferStatus.FAILED).state == "failed"
    with pytest.raises(DomainError, match="reference of the payment itself"):
        told(rich, paid, FindingKind.CAME_BACK, number=Withdrawal.objects.get().psp_reference)
    with pytest.raises(DomainError, match="can't exceed the amount paid"):
        told(rich, paid, FindingKind.CAME_BACK, amount=Decimal("200.01"))
    finding = told(rich, paid, FindingKind.CAME_BACK, amount=Decimal("195"))  # the bank kept five
    agreed(rich, finding)
    assert state(paid) == WithdrawalState.CAME_BACK and posting.balance(wallet(rich)) == 99_500
    clearing = posting.psp_clearing(paid.psp, "EUR")
    assert posting.balance(clearing) == 500, "of the payout of 20,000 the PSP holds 19,500 again"
    assert sorted(PspMovement.objects.filter(kind="payout").values_list("amount_minor", flat=True)) == [-20_000, 19_500]
    assert verify().holds
    events.drain()
    rich.client.refresh_from_db()
    assert rich.client.net_deposits == 1000
    assert OutboxEvent.objects.filter(name="wallet.withdrawal_refused").count() == 1
    with pytest.raises(WrongState):
        told(rich, paid, FindingKind.CAME_BACK, number="R-80")


def test_a_refund_that_came_back_leaves_its_deposit_as_it_was(mixed, cast, outside):
    refund = give_back(cast, mixed)
    finish(cast, outside, refund)
    with pytest.raises(DomainError, match="returned in full"):
        told(cast, refund, FindingKind.CAME_BACK, amount=Decimal("99"))
    agreed(cast, told(cast, refund, FindingKind.CAME_BACK))
    mixed.refresh_from_db()
    assert (state(refund), mixed.state, mixed.refunded_minor) == ("came_back", DepositState.SETTLED, 0)
    assert posting.balance(wallet(cast)) == 45_000 and verify().holds
    restored = OutboxEvent.objects.get(name="wallet.deposit_restored")
    assert restored.payload["reference"] == refund.reference


def test_what_the_wallet_does_not_hold_any_more_is_said_so(rich, stuck):
    sent_long_ago(stuck)
    agreed(rich, told(rich, stuck, FindingKind.NOT_PAID, number=""))
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=rich.brand.pk, currency="EUR")
    posting.post(
        posting.Entry(
            key="test:spend",
            kind=posting.JournalKind.ADJUSTMENT,
            brand_id=rich.brand.pk,
            lines=(posting.Line(wallet(rich), -90_000), posting.Line(suspense, 90_000)),
        )
    )
    finding = told(rich, stuck, FindingKind.PAID)
    with pytest.raises(DomainError, match="Chargeback losses"):
        agreed(rich, finding)
    assert state(stuck) == WithdrawalState.FAILED and verify().holds


def test_two_people_do_it_on_the_payments_page(rich, paid, browse):
    page, address = (reverse(f"wallet:{name}", args=[paid.pk]) for name in ("withdrawal", "payout_finding_propose"))
    first, second = browse(rich.finance), browse(rich.second_finance)
    assert "Record as returned" in first.get(page).content.decode()
    assert "Submit for approval" not in browse(rich.agent).get(page).content.decode()
    form = {
        "finding-kind": "came_back",
        "finding-amount": "300",
        "finding-reason": "Returned",
        "finding-psp_reference": "B1",
    }
    wrong = first.post(address, form)
    assert wrong.status_code == 422 and "exceed the amount paid" in wrong.content.decode()
    assert first.post(address, {**form, "finding-amount": ""}).status_code == 302
    assert "Someone else must decide" in first.get(page).content.decode()
    assert "Approve" in second.get(page).content.decode()
    second.post(f"/approvals/payout-finding/{PayoutFinding.objects.get().pk}/approve/")
    shown = second.get(page).content.decode()
    assert state(paid) == WithdrawalState.CAME_BACK and "Paid, then returned" in shown
    assert "funds back in the wallet" in shown
