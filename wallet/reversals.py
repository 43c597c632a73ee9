"""Deposits taken back: chargebacks, their reversal, refunds. What the wallet can't cover is the house's loss."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from crm.errors import WrongState
from crm.events import DepositReversed, publish
from crm.money import from_minor
from wallet import ledger
from wallet.choices import DEPOSIT_RANK, AccountKind, DepositState, InboxState, JournalKind, MovementKind
from wallet.deposits import Applied, audit_deposit, lock_deposit, note_movement
from wallet.ledger import Entry, Line
from wallet.models import Balance, Deposit
from wallet.psp.base import PaymentView, TransferView


@transaction.atomic
def apply_chargeback(*, psp_id: int, view: PaymentView, reversed_again: bool = False) -> Applied:
    """The client's bank took a payment back, or gave it back again. What the wallet can't cover is the house's loss."""
    found = Deposit.objects.filter(psp_id=psp_id, reference=view.reference).first()
    if found is None:
        return Applied(InboxState.UNMATCHED, f"No deposit {view.reference} at this PSP")
    deposit = lock_deposit(pk=found.pk)
    if deposit.settled_at is None:
        # It came before the payment itself was told: the inbox tries again later.
        raise WrongState(f"{deposit.reference} is not settled yet")
    target = DepositState.CHARGEBACK_REVERSED if reversed_again else DepositState.CHARGED_BACK
    if DEPOSIT_RANK[deposit.state] >= DEPOSIT_RANK[target]:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    if reversed_again:
        if deposit.reversal is None:
            raise WrongState(f"the chargeback of {deposit.reference} is not booked yet")
        posted = ledger.reverse(
            key=f"deposit:{deposit.reference}:chargeback-reversed",
            journal=deposit.reversal,
            description=f"Chargeback reversed: {deposit.reference}",
        )
        note_movement(
            deposit,
            MovementKind.CHARGEBACK_REVERSED,
            deposit.received_minor or 0,
            posted.journal_id,
            at=view.happened_at,
        )
    else:
        _take_back(deposit, JournalKind.CHARGEBACK, deposit.received_minor or 0, at=view.happened_at)
    deposit.state = target
    deposit.save()
    audit_deposit(deposit, f"wallet.deposit_{target.value}")
    return Applied(InboxState.DONE, f"{deposit.reference} is {deposit.state}")


@transaction.atomic
def apply_refund(*, psp_id: int, transfer: TransferView) -> Applied:
    """A refund that was started at the PSP is done. (Its own reference names the deposit: 'D-…' or 'D-…-R1'.)"""
    found = Deposit.objects.filter(psp_id=psp_id, reference=transfer.reference.partition("-R")[0]).first()
    if found is None:
        return Applied(InboxState.UNMATCHED, f"No deposit for refund {transfer.reference}")
    deposit = lock_deposit(pk=found.pk)
    if deposit.state != DepositState.SETTLED or transfer.amount_minor != deposit.received_minor:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state}; only a full refund is booked")
    _take_back(deposit, JournalKind.REFUND, transfer.amount_minor, at=transfer.happened_at)
    deposit.state = DepositState.REFUNDED
    deposit.save()
    audit_deposit(deposit, "wallet.deposit_refunded")
    return Applied(InboxState.DONE, f"{deposit.reference} is refunded")


def _take_back(deposit: Deposit, kind: JournalKind, amount_minor: int, *, at: dt.datetime | None) -> None:
    balance = Balance.objects.select_for_update().get(pk=deposit.wallet_id)
    from_wallet = min(max(balance.available_minor, 0), amount_minor)
    losses = ledger.house(AccountKind.CHARGEBACK_LOSSES, brand_id=deposit.brand_id, currency=deposit.currency)
    lines = [
        Line(deposit.wallet, -from_wallet),
        Line(losses, from_wallet - amount_minor),
        Line(ledger.psp_clearing(deposit.psp, deposit.currency), amount_minor),
    ]
    posted = ledger.post(
        Entry(
            key=f"deposit:{deposit.reference}:{kind.value}",
            kind=kind,
            brand_id=deposit.brand_id,
            lines=[line for line in lines if line.amount_minor],
            description=f"{kind.label}: {deposit.reference}",
        )
    )
    deposit.reversal_id = posted.journal_id
    note_movement(deposit, MovementKind(kind.value), -amount_minor, posted.journal_id, at=at)
    publish(
        DepositReversed(
            client_id=deposit.client_id, brand_id=deposit.brand_id, deposit_id=deposit.pk,
            amount=from_minor(amount_minor, deposit.currency), currency=deposit.currency, kind=kind.value,
        )
    )  # fmt: skip
