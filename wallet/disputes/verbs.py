"""Disputes: what a payer's bank asks and takes, booked part by part, and what finance answers.

inquiry ──► needs response ──► evidence sent ──► won / lost
                  ▲ └────────────────────────────► lost (accepted)
                  └──────────── won: the bank takes it a second time

Money moves with a chargeback and with its reversal only. A dispute stores whether its money is with the bank now, so a
message that comes late, twice or in another order changes nothing.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import Client
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import DepositRestored, DisputeOpened, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.money.amounts import Money, from_minor
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.choices.deposits import DepositState
from wallet.choices.disputes import DISPUTE_OPEN, DisputeState
from wallet.choices.ledger import JournalKind
from wallet.choices.notices import WalletNotice
from wallet.choices.psp import InboxState
from wallet.choices.reconciliation import MovementKind
from wallet.deposits.settlement import Applied, audit_deposit, lock_deposit, note_movement
from wallet.disputes import policies
from wallet.disputes.reversals import take_back
from wallet.ledger import posting
from wallet.models import Deposit, Dispute
from wallet.psp.values import DisputeView, EventKind, WebhookEvent
from wallet.withdrawals.payout_results import AT_THE_PSP, open_refunds_of

REMIND_DAYS_BEFORE = 5


@transaction.atomic
def apply_dispute(*, psp_id: int, event: WebhookEvent) -> Applied:
    """Process a PSP's report of a dispute, a chargeback or its reversal; each part of it is booked once."""
    match = Deposit.objects.filter(psp_id=psp_id, reference=event.reference).first()
    if match is None:
        return Applied(InboxState.UNMATCHED, f"No deposit {event.reference} at this PSP")
    deposit = lock_deposit(pk=match.pk)
    if deposit.settled_at is None and deposit.state not in (DepositState.HELD, DepositState.RETURNED):
        # The payment's own message comes later: the inbox tries again.
        raise WrongState(f"{deposit.reference} isn't settled yet")
    lock(Client, deposit.client_id, "brand")
    view = _view(deposit, event)
    if view.currency != deposit.received_currency or not 0 < view.amount_minor <= (deposit.received_minor or 0):
        return Applied(
            InboxState.FAILED, f"{view.amount_minor} {view.currency} disputed of {deposit.reference}: that never came"
        )
    dispute = _known(deposit, view)
    if event.kind == EventKind.CHARGEBACK:
        return _taken(deposit, dispute, view, is_second="SECOND" in event.event_type.upper())
    if event.kind == EventKind.CHARGEBACK_REVERSED:
        return _returned(deposit, dispute, view)
    return _news(dispute, view)


def _view(deposit: Deposit, event: WebhookEvent) -> DisputeView:
    """Return the dispute of an event; one without a number of its own gets its payment's."""
    if event.dispute is not None:
        return event.dispute
    payment = event.payment
    assert payment is not None, "a chargeback tells of a dispute or of a payment"
    received = payment.received_minor or payment.amount_minor
    amount = received if payment.currency == deposit.received_currency else 0
    return DisputeView(
        reference=deposit.reference,
        psp_dispute_id=deposit.psp_reference,
        amount_minor=amount,
        currency=payment.currency,
        happened_at=payment.happened_at,
    )


def _known(deposit: Deposit, view: DisputeView) -> Dispute:
    """Lock the row of this dispute; create it when it is new."""
    now = timezone.now()
    dispute, is_new = Dispute.objects.select_for_update(of=["self"]).get_or_create(
        psp_id=deposit.psp_id,
        psp_dispute_id=view.psp_dispute_id[:100],
        defaults={
            "deposit": deposit,
            "client_id": deposit.client_id,
            "brand_id": deposit.brand_id,
            "amount_minor": view.amount_minor,
            "currency": view.currency,
            "reason": view.reason[:120],
            "opened_at": view.happened_at or now,
            "evidence_due_at": view.evidence_due_at,
            "state": DisputeState.INQUIRY if view.is_inquiry else DisputeState.NEEDS_RESPONSE,
        },
    )
    if dispute.deposit_id != deposit.pk:
        raise DomainError(f"dispute {view.psp_dispute_id} belongs to a different deposit")
    if is_new:
        audit_dispute(dispute, WalletAction.DISPUTE_OPENED, reason=view.reason)
        publish(
            DisputeOpened(
                client_id=deposit.client_id,
                brand_id=deposit.brand_id,
                dispute_id=dispute.pk,
                deposit_id=deposit.pk,
                amount=dispute.amount,
                currency=dispute.currency,
                reason=dispute.reason,
                evidence_due_at=dispute.evidence_due_at,
            )
        )
    else:
        dispute.reason = view.reason[:120] or dispute.reason
        dispute.evidence_due_at = view.evidence_due_at or dispute.evidence_due_at
        dispute.save(update_fields=["reason", "evidence_due_at", "updated_at"])
    return dispute


def _news(dispute: Dispute, view: DisputeView) -> Applied:
    """Update a dispute without a booking; perhaps the bank has decided."""
    target = {"won": DisputeState.WON, "lost": DisputeState.LOST}.get(view.outcome)
    if target is None and dispute.state == DisputeState.INQUIRY and not view.is_inquiry:
        target = DisputeState.NEEDS_RESPONSE
    if target is None or target == dispute.state or not dispute.can_move_to(target):
        return Applied(InboxState.DONE, f"dispute {dispute.psp_dispute_id} is {dispute.state}")
    if target == DisputeState.LOST and dispute.rounds and not dispute.taken_minor:
        return Applied(InboxState.IGNORED, f"dispute {dispute.psp_dispute_id}: its money came back")
    _move(dispute, target)
    return Applied(InboxState.DONE, f"dispute {dispute.psp_dispute_id} is {dispute.state}")


def _taken(deposit: Deposit, dispute: Dispute, view: DisputeView, *, is_second: bool) -> Applied:
    """Book a chargeback: out of the wallet as far as it covers, the rest is the broker's loss.

    A held deposit's money goes out of suspense.
    """
    if dispute.taken_minor or (dispute.rounds and not is_second):
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    left, amount = deposit.kept_minor, view.amount_minor
    is_held = deposit.settled_at is None
    if is_held and any(refund.state in AT_THE_PSP for refund in open_refunds_of(deposit.pk)):
        raise WrongState(f"a refund of {deposit.reference} is still awaiting its result")
    if amount > left + (0 if is_held else deposit.refunded_minor):
        return Applied(InboxState.FAILED, f"{amount} charged back of {deposit.reference}, of which {left} is left")
    dispute.rounds += 1
    deposit.charged_back_minor += amount
    journal_id = take_back(
        deposit,
        JournalKind.CHARGEBACK,
        amount,
        at=view.happened_at,
        psp_reference=_round(dispute),
        dispute_id=dispute.pk,
        is_held=is_held,
    )
    dispute.chargeback_id, dispute.taken_minor = journal_id, amount
    if dispute.state != DisputeState.SUBMITTED or is_second:
        _set_state(dispute, DisputeState.NEEDS_RESPONSE)
    dispute.save()
    _settle_state(deposit)
    audit_deposit(
        deposit, WalletAction.DEPOSIT_CHARGED_BACK, after={"amount": str(Money.of_minor(amount, view.currency))}
    )
    return Applied(InboxState.DONE, f"{deposit.reference} is {deposit.state}")


def _returned(deposit: Deposit, dispute: Dispute, view: DisputeView) -> Applied:
    """Book the reversal of a chargeback: its journal is mirrored."""
    if not dispute.rounds:
        raise WrongState(f"the chargeback of {deposit.reference} isn't booked yet")
    if not dispute.taken_minor or dispute.chargeback is None:
        return Applied(InboxState.IGNORED, f"{deposit.reference} is {deposit.state} already")
    amount, number = dispute.taken_minor, _round(dispute)
    posted = posting.reverse(
        key=f"deposit:{deposit.reference}:chargeback-reversed:{number}",
        journal=dispute.chargeback,
        description=f"Chargeback reversed: {deposit.reference}",
    )
    note_movement(
        deposit, MovementKind.CHARGEBACK_REVERSED, amount, posted.journal_id, at=view.happened_at, psp_reference=number
    )
    deposit.charged_back_minor -= amount
    dispute.taken_minor = 0
    _move(dispute, DisputeState.WON)
    _settle_state(deposit)
    audit_deposit(
        deposit, WalletAction.DEPOSIT_CB_REVERSED, after={"amount": str(Money.of_minor(amount, view.currency))}
    )
    if deposit.settled_at is None:
        return Applied(InboxState.DONE, f"{deposit.reference} is {deposit.state} again")
    publish(
        DepositRestored(
            client_id=deposit.client_id,
            brand_id=deposit.brand_id,
            deposit_id=deposit.pk,
            dispute_id=dispute.pk,
            amount=from_minor(amount, deposit.received_currency),
            currency=deposit.received_currency,
            reference=number,
        )
    )
    return Applied(InboxState.DONE, f"{deposit.reference} is {deposit.state}")


def _round(dispute: Dispute) -> str:
    """Name one taking of the money: the PSP's number, and from the second time on its count."""
    return dispute.psp_dispute_id if dispute.rounds <= 1 else f"{dispute.psp_dispute_id}:{dispute.rounds}"


def round_of(dispute: Dispute, reference: str) -> int:
    """Return which time the dispute took the money, from the name that events give it."""
    return int(reference.removeprefix(f"{dispute.psp_dispute_id}:")) if reference != dispute.psp_dispute_id else 1


def _settle_state(deposit: Deposit) -> None:
    """Set the deposit's state after money was taken or returned.

    All of it gone: charged back; all of it back: reversed; a part of it: still settled, with what was taken. A held
    one: returned when nothing is left of it, else held.
    """
    gone = deposit.charged_back_minor + deposit.refunded_minor
    if deposit.settled_at is None:
        deposit.move_to(DepositState.RETURNED if gone >= (deposit.received_minor or 0) else DepositState.HELD)
    elif deposit.charged_back_minor and gone >= (deposit.received_minor or 0):
        deposit.move_to(DepositState.CHARGED_BACK)
    elif not deposit.charged_back_minor and deposit.state == DepositState.CHARGED_BACK:
        deposit.move_to(DepositState.CHARGEBACK_REVERSED)
    elif deposit.charged_back_minor and deposit.state == DepositState.CHARGED_BACK:
        deposit.move_to(DepositState.SETTLED)
    deposit.save()


def _set_state(dispute: Dispute, target: DisputeState) -> None:
    dispute.move_to(target)
    dispute.closed_at = None if target in DISPUTE_OPEN else timezone.now()


def _move(dispute: Dispute, target: DisputeState, *, actor: Actor = None, reason: str = "") -> None:
    _set_state(dispute, target)
    dispute.save()
    audit_dispute(dispute, WalletAction.of("dispute", target.value), actor=actor, reason=reason)


# ── what finance decides ─────────────────────────────────────────────────────────────────────────────────────────────


def lock_dispute(pk: int) -> Dispute:
    """Lock a dispute with what its verbs read along."""
    return lock(Dispute, pk, "deposit__psp", "client__brand", "psp")


@transaction.atomic
def accept_loss(*, dispute_id: int, actor: Actor, reason: str) -> Dispute:
    """Accept a dispute without contesting it. Who: `wallet.answer_dispute` in reach.

    Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    dispute = lock_dispute(dispute_id)
    require(policies.can_answer_dispute(actor, dispute))
    if not reason.strip():
        raise DomainError(_("Enter a reason for not contesting this dispute."))
    if dispute.state not in (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE):
        raise WrongState(_("This dispute is “%(state)s”.") % {"state": dispute.get_state_display()})
    _move(dispute, DisputeState.LOST, actor=actor, reason=reason)
    return dispute


def note_submitted(dispute: Dispute, *, actor: Actor) -> None:
    """Note that the evidence is with the bank. The row is locked."""
    dispute.submitted_at, dispute.submitted_by = timezone.now(), actor
    _move(dispute, DisputeState.SUBMITTED, actor=actor)


# ── reminders ────────────────────────────────────────────────────────────────────────────────────────────────────────


def disputes_to_remind_of(*, today: dt.date | None = None, limit: int = 200) -> list[int]:
    """List unanswered disputes whose answer is due within days and that weren't reminded of today."""
    today = today or timezone.now().date()
    last = timezone.now() + dt.timedelta(days=REMIND_DAYS_BEFORE)
    rows = Dispute.objects.filter(
        state__in=[DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE], evidence_due_at__lte=last
    ).exclude(reminded_on=today)
    return list(rows.order_by("evidence_due_at").values_list("pk", flat=True)[:limit])


@transaction.atomic
def remind(dispute_id: int) -> bool:
    """Notify those who may answer, once a day."""
    dispute, today = lock_dispute(dispute_id), timezone.now().date()
    if dispute.reminded_on == today or not dispute.is_open or dispute.evidence_due_at is None:
        return False
    dispute.reminded_on = today
    dispute.save(update_fields=["reminded_on", "updated_at"])
    due = dispute.evidence_due_at
    notify(
        people_with("wallet.answer_dispute", brand_id=dispute.brand_id),
        kind=WalletNotice.DISPUTE_DUE,
        title=phrase("Dispute of %(money)s: response due by %(day)s") % {"money": dispute.money, "day": due.date()},
        body=str(dispute.client),
        url=f"/money/disputes/{dispute.pk}/",
        dedupe_key=f"dispute:{dispute.pk}:{today.isoformat()}",
    )
    return True


def audit_dispute(dispute: Dispute, action: AuditCode, *, actor: Actor = None, reason: str = "") -> None:
    """Record an audit entry about a dispute, with its deposit, state and amount."""
    audit.record(
        actor=actor,
        action=action,
        target=dispute,
        client_id=dispute.client_id,
        brand_id=dispute.brand_id,
        reason=reason,
        after={"deposit": dispute.deposit.reference, "state": dispute.state, "amount": str(dispute.money)},
    )
