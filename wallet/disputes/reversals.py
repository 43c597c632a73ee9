"""Reversals of deposits: chargebacks, their reversal, refunds. What the wallet can't cover is the broker's loss."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace

from django.db import transaction

from crm.db.locking import lock
from crm.errors import WrongState
from crm.events import DepositReversed, publish
from crm.money.amounts import Money, from_minor
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.psp import InboxState
from wallet.choices.reconciliation import MovementKind
from wallet.choices.withdrawals import WithdrawalRoute
from wallet.deposits.verbs import Applied, audit_deposit, lock_deposit, note_movement
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import Balance, Deposit, PspMovement, Withdrawal
from wallet.psp.values import TransferStatus, TransferView
from wallet.withdrawals.payout_results import AT_THE_PSP, apply_payout, open_refunds_of

# The deposit's own reference may begin with R too: 'D-R4DPHFU5H3PR'.
OF_A_REFUND = re.compile(r"^(\w+-\w+)-R\d+$")


@transaction.atomic
def apply_refund(*, psp_id: int, transfer: TransferView) -> Applied:
    """Process a PSP's report about a refund: ours ends as a payout does; one made at the PSP is booked, each once.

    A refund made at the PSP names the deposit: 'D-…' or 'D-…-R1'. While one of ours is without an answer, an unknown
    one may be just that one: the message waits until it is known.
    """
    ours = _our_refund(psp_id, transfer)
    if ours is not None:
        return apply_payout(psp_id=psp_id, view=replace(transfer, reference=ours.reference), way=WithdrawalRoute.REFUND)
    match = Deposit.objects.filter(psp_id=psp_id, reference=OF_A_REFUND.sub(r"\1", transfer.reference)).first()
    if match is None:
        return Applied(InboxState.UNMATCHED, f"No deposit for refund {transfer.reference}")
    deposit = lock_deposit(pk=match.pk)
    if PspMovement.objects.filter(
        psp_id=psp_id, kind=MovementKind.REFUND, psp_reference=transfer.psp_reference
    ).exists():
        return Applied(InboxState.IGNORED, f"Refund {transfer.psp_reference} is booked already")
    if any(refund.state in AT_THE_PSP and not refund.psp_reference for refund in open_refunds_of(deposit.pk)):
        raise WrongState(f"a refund of {deposit.reference} is still awaiting its result")
    if transfer.status != TransferStatus.PAID:
        return Applied(InboxState.IGNORED, f"Refund {transfer.psp_reference} is {transfer.status}; nothing is booked")
    return _made_at_the_psp(deposit, transfer)


def _our_refund(psp_id: int, transfer: TransferView) -> Withdrawal | None:
    rows = Withdrawal.objects.filter(psp_id=psp_id, way=WithdrawalRoute.REFUND)
    refund = rows.filter(reference=transfer.reference).first()
    if refund is None and transfer.psp_reference:
        refund = rows.filter(psp_reference=transfer.psp_reference).first()
    return refund


def _made_at_the_psp(deposit: Deposit, transfer: TransferView) -> Applied:
    """Book a refund that somebody made in the PSP's back office: out of the wallet (or suspense).

    The rest is our loss.
    """
    is_held = deposit.state == DepositState.HELD and deposit.settled_at is None
    # A chargeback of what was refunded already is the broker's loss; suspense has no more than was kept.
    left = deposit.kept_minor if is_held else (deposit.received_minor or 0) - deposit.refunded_minor
    if not (is_held or deposit.state in (DepositState.SETTLED, DepositState.CHARGEBACK_REVERSED)):
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state}; nothing is left to refund")
    if transfer.currency != deposit.received_currency or not 0 < transfer.amount_minor <= left:
        return Applied(
            InboxState.FAILED,
            f"{transfer.amount_minor} {transfer.currency} refunded of {deposit.reference}, which has {left} left",
        )
    deposit.refunded_minor += transfer.amount_minor
    everything = not deposit.kept_minor if is_held else deposit.refunded_minor == deposit.received_minor
    if everything:
        deposit.move_to(DepositState.RETURNED if is_held else DepositState.REFUNDED)
    take_back(
        deposit,
        JournalKind.REFUND,
        transfer.amount_minor,
        at=transfer.happened_at,
        psp_reference=transfer.psp_reference,
        is_held=is_held,
    )
    deposit.save()
    audit_deposit(
        deposit,
        WalletAction.of("deposit", deposit.state) if everything else WalletAction.DEPOSIT_PARTLY_REFUNDED,
        after={
            "amount": str(Money.of_minor(transfer.amount_minor, deposit.received_currency)),
            "by": transfer.psp_reference,
        },
    )
    return Applied(InboxState.DONE, f"{deposit.reference} gave {transfer.amount_minor} {transfer.currency} back")


def take_back(
    deposit: Deposit,
    kind: JournalKind,
    amount_minor: int,
    *,
    at: dt.datetime | None,
    psp_reference: str = "",
    is_held: bool = False,
    dispute_id: int | None = None,
) -> int:
    """Book what was returned to the payer, in the currency that arrived, and publish it; return the journal's id."""
    clearing = Line(posting.psp_clearing(deposit.psp, deposit.received_currency), amount_minor)
    suspense = posting.house(AccountKind.SUSPENSE, brand_id=deposit.brand_id, currency=deposit.received_currency)
    lines = (
        [Line(suspense, -amount_minor), clearing] if is_held else [*_out_of_the_wallet(deposit, amount_minor), clearing]
    )
    is_converted = deposit.wallet.currency != deposit.received_currency and not is_held
    posted = posting.post(
        Entry(
            key=f"deposit:{deposit.reference}:{kind.value}" + (f":{psp_reference}" if psp_reference else ""),
            kind=kind,
            brand_id=deposit.brand_id,
            lines=[line for line in lines if line.amount_minor],
            description=f"{kind.label}: {deposit.reference}",
            rate=deposit.journal.fx_rate if is_converted and deposit.journal else None,
            rate_on=deposit.journal.fx_rate_on if is_converted and deposit.journal else None,
        )
    )
    if kind == JournalKind.CHARGEBACK:
        deposit.reversal_id = posted.journal_id
    note_movement(
        deposit, MovementKind(kind.value), -amount_minor, posted.journal_id, at=at, psp_reference=psp_reference
    )
    if not is_held:
        publish(
            DepositReversed(
                client_id=deposit.client_id,
                brand_id=deposit.brand_id,
                deposit_id=deposit.pk,
                amount=from_minor(amount_minor, deposit.received_currency),
                currency=deposit.received_currency,
                kind=kind.value,
                dispute_id=dispute_id,
                reference=psp_reference,
            )
        )
    return posted.journal_id


def _out_of_the_wallet(deposit: Deposit, amount_minor: int) -> list[Line]:
    """Build the postings out of the wallet, as far as it covers the amount; the rest is the broker's loss.

    A wallet in another currency gives what the money was booked at, through the FX position.
    """
    balance = lock(Balance, deposit.wallet_id)
    free, arrived, wallet = max(balance.available_minor, 0), deposit.received_currency, deposit.wallet
    losses = posting.house(AccountKind.CHARGEBACK_LOSSES, brand_id=deposit.brand_id, currency=arrived)
    if wallet.currency == arrived:
        from_wallet = min(free, amount_minor)
        return [Line(wallet, -from_wallet), Line(losses, from_wallet - amount_minor)]
    booked = max((deposit.received_minor or 0) - deposit.fee_minor, 1)
    wanted = -(
        -amount_minor * (deposit.credited_minor or 0) // booked
    )  # rounded up: the house does not pay the rounding
    from_wallet = min(free, wanted)
    covered = amount_minor if from_wallet == wanted else amount_minor * from_wallet // max(wanted, 1)
    here = posting.house(AccountKind.FX_POSITION, brand_id=deposit.brand_id, currency=wallet.currency)
    there = posting.house(AccountKind.FX_POSITION, brand_id=deposit.brand_id, currency=arrived)
    return [
        Line(wallet, -from_wallet),
        Line(here, from_wallet),
        Line(there, -covered),
        Line(losses, covered - amount_minor),
    ]
