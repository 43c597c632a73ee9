"""Results of withdrawals and refunds: settled, returned, or contradicted by the PSP afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.db.locking import lock, lock_all
from crm.events import DepositReversed, WithdrawalRefused, WithdrawalSettled, publish
from crm.i18n.localized_text import label_of, localize, phrase
from crm.models import Actor
from crm.money.amounts import from_minor
from crm.notices.notify import notify, people_with
from crm.security import audit
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState
from wallet.choices.ledger import AccountKind, JournalKind
from wallet.choices.notices import WalletNotice
from wallet.choices.psp import InboxState
from wallet.choices.reconciliation import MovementKind
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, Purpose, WithdrawalRoute, WithdrawalState, failure_words
from wallet.deposits.verbs import Applied, audit_deposit, lock_deposit
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line
from wallet.models import PspMovement, Withdrawal
from wallet.psp.values import TransferStatus, TransferView
from wallet.withdrawals import refund_claims

AT_THE_PSP = (WithdrawalState.SENDING, WithdrawalState.SENT, WithdrawalState.UNKNOWN)


def reserve(withdrawal: Withdrawal, *, actor: Actor) -> None:
    """Reserve one part's money: out of the wallet (or suspense), to the PSP what it will pay, the fee to us."""
    clearing = posting.psp_clearing(withdrawal.psp, withdrawal.currency)
    lines = [Line(withdrawal.wallet, -withdrawal.amount_minor), Line(clearing, withdrawal.payout_minor)]
    if withdrawal.fee_minor:
        fees = posting.house(AccountKind.FEES, brand_id=withdrawal.brand_id, currency=withdrawal.currency)
        lines.append(Line(fees, withdrawal.fee_minor))
    posted = posting.reserve(
        Entry(
            key=f"withdrawal:{withdrawal.reference}:reserve",
            kind=ledger_kind(withdrawal),
            brand_id=withdrawal.brand_id,
            lines=lines,
            description=f"{withdrawal.reference} {withdrawal.psp}",
        ),
        actor=actor,
    )
    withdrawal.reservation_id = posted.journal_id


def ledger_kind(withdrawal: Withdrawal) -> JournalKind:
    """Return the kind of a withdrawal's journals: a refund's or a withdrawal's."""
    return JournalKind.REFUND if withdrawal.purpose == Purpose.REFUND else JournalKind.WITHDRAWAL


@transaction.atomic
def apply_payout(*, psp_id: int, view: TransferView, way: WithdrawalRoute = WithdrawalRoute.PAYOUT) -> Applied:
    """Move a withdrawal on by what its PSP reports about the payout or refund.

    Late and repeated messages change nothing.
    """
    match = Withdrawal.objects.filter(psp_id=psp_id, reference=view.reference, way=way).first()
    if match is None:
        return Applied(InboxState.UNMATCHED, f"No withdrawal {view.reference} at this PSP")
    withdrawal = lock_withdrawal(match.pk)
    if (view.amount_minor, view.currency) != (withdrawal.payout_minor, withdrawal.currency):
        return Applied(
            InboxState.FAILED, f"The PSP says {view.amount_minor} {view.currency} for {withdrawal.reference}"
        )
    if withdrawal.state == WithdrawalState.APPROVED and view.status != TransferStatus.FAILED:
        # It is there though we thought that nothing had reached the PSP: nobody sends it any more.
        withdrawal.move_to(WithdrawalState.SENDING)
        withdrawal.sent_at = withdrawal.sent_at or timezone.now()
    if withdrawal.state not in AT_THE_PSP:
        if (withdrawal.state == WithdrawalState.SETTLED) != (view.status == TransferStatus.PAID) and (
            view.status != TransferStatus.PENDING
        ):
            return _contradicted(withdrawal, view)
        return Applied(InboxState.IGNORED, f"{withdrawal.reference} is {withdrawal.state} already")
    withdrawal.psp_reference = view.psp_reference or withdrawal.psp_reference
    refund_claims.keep(withdrawal, view)
    if view.status in (TransferStatus.PAID, TransferStatus.RETURNED):
        settle(withdrawal, view)
        if view.status == TransferStatus.RETURNED:
            return _contradicted(withdrawal, view)  # what came back is booked when people say so
    elif view.status == TransferStatus.FAILED:
        fail(withdrawal, reason=failure_words(view.failure) or _("The PSP couldn't process the payout"))
    elif withdrawal.state != WithdrawalState.SENT:
        withdrawal.move_to(WithdrawalState.SENT)
        withdrawal.save()
        audit_withdrawal(withdrawal, WalletAction.WITHDRAWAL_SENT, after={"psp_reference": view.psp_reference})
    return Applied(InboxState.DONE, f"{withdrawal.reference} is {withdrawal.state}")


def _contradicted(withdrawal: Withdrawal, view: TransferView) -> Applied:
    """Notify approvers that the PSP reports another result than our books have; nothing is booked automatically.

    Once per withdrawal and reported status.
    """
    was_paid = withdrawal.state == WithdrawalState.SETTLED
    values = {"reference": withdrawal.reference, "psp": withdrawal.psp, "state": label_of(withdrawal, "state")}
    body = phrase("The money may be back at the PSP. Check with the PSP and record the result on this page.")
    if view.status == TransferStatus.RETURNED:
        title = phrase("%(psp)s paid %(reference)s, then it was returned")
    elif was_paid:
        title = phrase("%(psp)s reports %(reference)s as failed, but it was already paid")
    else:
        title = phrase("%(psp)s reports %(reference)s as paid, but it's “%(state)s” here")
    if not was_paid:
        body = phrase(
            "The client may have received the money twice. Stop the client's other withdrawals, "
            "check with the PSP and record the result on this page."
        )
    title = title % values
    if not (was_paid or withdrawal.psp_reference):
        withdrawal.psp_reference = view.psp_reference
        withdrawal.save(update_fields=["psp_reference", "updated_at"])
    audit_withdrawal(
        withdrawal,
        WalletAction.PAYOUT_CONTRADICTED,
        reason=view.failure,
        evidence={"psp_reference": view.psp_reference, "status": view.status.value},
    )
    notify(
        people_with("wallet.approve_withdrawal", brand_id=withdrawal.brand_id),
        kind=WalletNotice.PAYOUT_CONTRADICTED,
        title=title,
        body=body,
        url=f"/money/withdrawals/{withdrawal.pk}/",
        dedupe_key=f"payout-contradicted:{withdrawal.pk}:{view.status.value}",
    )
    return Applied(InboxState.FAILED, localize(title))


def settle(withdrawal: Withdrawal, view: TransferView, *, posted: posting.Posted | None = None) -> None:
    """Book a locked withdrawal as paid: post its reservation, or use `posted`, which replaces a released one."""
    posted = posted or posting.settle(
        key=f"withdrawal:{withdrawal.reference}:settle", reservation=withdrawal.reservation
    )
    withdrawal.move_to(WithdrawalState.SETTLED)
    withdrawal.journal_id, withdrawal.finished_at, withdrawal.next_look_up_at = posted.journal_id, timezone.now(), None
    withdrawal.save()
    is_refund = withdrawal.way == WithdrawalRoute.REFUND
    PspMovement.objects.create(
        psp=withdrawal.psp,
        kind=MovementKind.REFUND if is_refund else MovementKind.PAYOUT,
        reference=withdrawal.reference,
        common_reference="" if is_refund else withdrawal.request_reference,
        psp_reference=withdrawal.psp_reference,
        client_id=withdrawal.client_id,
        journal_id=posted.journal_id,
        amount_minor=-withdrawal.payout_minor,
        currency=withdrawal.currency,
        occurred_at=view.happened_at or timezone.now(),
    )
    audit_withdrawal(withdrawal, WalletAction.WITHDRAWAL_SETTLED, after={"journal": posted.journal_id})
    if is_refund:
        _count_refund(withdrawal)
    if withdrawal.purpose == Purpose.WITHDRAWAL:
        publish(
            WithdrawalSettled(
                client_id=withdrawal.client_id,
                brand_id=withdrawal.brand_id,
                withdrawal_id=withdrawal.pk,
                amount=withdrawal.amount,
                currency=withdrawal.currency,
            )
        )


def _count_refund(withdrawal: Withdrawal) -> None:
    """Count a refund on its deposit; one that gave everything back is refunded, or returned when it was held."""
    assert withdrawal.source_deposit_id is not None
    deposit = lock_deposit(pk=withdrawal.source_deposit_id)
    deposit.refunded_minor += withdrawal.amount_minor
    everything = deposit.refunded_minor == deposit.received_minor
    if everything and deposit.state in (DepositState.SETTLED, DepositState.CHARGEBACK_REVERSED):
        deposit.move_to(DepositState.REFUNDED)
    elif deposit.state == DepositState.HELD and not deposit.kept_minor:
        deposit.move_to(DepositState.RETURNED)
    deposit.save()
    audit_deposit(
        deposit,
        WalletAction.of("deposit", deposit.state) if everything else WalletAction.DEPOSIT_PARTLY_REFUNDED,
        after={"amount": str(withdrawal.money), "by": withdrawal.reference},
    )
    if withdrawal.purpose == Purpose.REFUND and not withdrawal.from_suspense:
        publish(
            DepositReversed(
                client_id=deposit.client_id,
                brand_id=deposit.brand_id,
                deposit_id=deposit.pk,
                amount=withdrawal.amount,
                currency=withdrawal.currency,
                kind="refund",
                reference=withdrawal.reference,
            )
        )


def give_back(withdrawal: Withdrawal, state: WithdrawalState, *, reason: str, actor: Actor = None) -> None:
    """End one locked part without paying: its reservation is released. `tell_refused` then notifies the client."""
    posted = posting.release(
        key=f"withdrawal:{withdrawal.reference}:release", reservation=withdrawal.reservation, actor=actor
    )
    withdrawal.move_to(state)
    withdrawal.reason = reason[:300]
    withdrawal.journal_id, withdrawal.finished_at, withdrawal.next_look_up_at = posted.journal_id, timezone.now(), None
    withdrawal.save()
    audit_withdrawal(withdrawal, WalletAction.of("withdrawal", state.value), actor=actor, reason=reason)


def fail(withdrawal: Withdrawal, *, reason: str) -> None:
    """End a part that the PSP did not pay: the money is the client's again, and the client is notified."""
    give_back(withdrawal, WithdrawalState.FAILED, reason=reason)
    tell_refused([withdrawal], reason)


def tell_refused(parts: Sequence[Withdrawal], reason: str, *, amount_minor: int | None = None) -> None:
    """Notify the client once of all parts that came back together. amount_minor: where not all of it did."""
    first = parts[0]
    if first.purpose != Purpose.WITHDRAWAL:
        return
    publish(
        WithdrawalRefused(
            client_id=first.client_id,
            brand_id=first.brand_id,
            withdrawal_id=first.pk,
            amount=from_minor(
                sum(part.amount_minor for part in parts) if amount_minor is None else amount_minor, first.currency
            ),
            currency=first.currency,
            reason=reason[:300],
        )
    )


READ_ALONG = ("client__brand", "brand", "psp", "wallet", "reservation", "source_deposit", "method")


def lock_withdrawal(withdrawal_id: int) -> Withdrawal:
    """Lock one withdrawal with what its verbs read along."""
    return lock(Withdrawal, withdrawal_id, *READ_ALONG)


def lock_parts(withdrawal_id: int) -> list[Withdrawal]:
    """Lock all parts of the request that a withdrawal belongs to, in id order: they are decided together."""
    request = Withdrawal.objects.values_list("request_reference", flat=True).get(pk=withdrawal_id)
    return lock_all(Withdrawal.objects.filter(request_reference=request), *READ_ALONG)


def parts_of(withdrawal: Withdrawal) -> list[Withdrawal]:
    """List the parts of a withdrawal's request in order, for display; not locked."""
    return list(
        Withdrawal.objects.filter(request_reference=withdrawal.request_reference)
        .select_related("psp", "method", "source_deposit")
        .defer("sealed_destination")
        .order_by("part")
    )


def open_refunds_of(deposit_id: int) -> list[Withdrawal]:
    """List the refunds of a deposit that haven't ended yet."""
    return list(Withdrawal.objects.filter(source_deposit_id=deposit_id, state__in=WITHDRAWAL_OPEN).order_by("pk"))


def audit_withdrawal(
    withdrawal: Withdrawal,
    action: AuditCode,
    *,
    actor: Actor = None,
    reason: str = "",
    after: dict[str, Any] | None = None,
    evidence: dict[str, Any] | None = None,
) -> None:
    """Record an audit entry about a withdrawal, with its reference and state."""
    audit.record(
        actor=actor,
        action=action,
        target=withdrawal,
        client_id=withdrawal.client_id,
        brand_id=withdrawal.brand_id,
        after={"reference": withdrawal.reference, "state": withdrawal.state, **(after or {})},
        reason=reason,
        evidence=evidence,
    )
