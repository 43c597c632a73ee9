"""Entries of bank statements: booked on deposits and payouts, assigned by hand or set aside."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.identifiers import learn_many
from crm.db.locking import lock, lock_all, lock_first
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from wallet.audit_codes import WalletAction
from wallet.bank import payers, policies
from wallet.choices.bank import EntryState, OrderState
from wallet.choices.psp import InboxState, Verdict
from wallet.core.creditor_reference import deposits_named_in, wire_reference
from wallet.deposits import verbs as deposits
from wallet.disputes import reversals
from wallet.models import BankBatch, BankEntry, BankOrder, Deposit, WebhookMessage
from wallet.psp.values import PaymentStatus, PaymentView, TransferStatus, TransferView
from wallet.withdrawals import payout_results

BOOKED = (EntryState.MATCHED, EntryState.ASSIGNED)


def due_entries(*, psp_id: int | None = None, limit: int = 5_000) -> list[int]:
    """List the entries that weren't processed: new ones, and those that a crash left."""
    rows = BankEntry.objects.filter(state=EntryState.WAITING)
    rows = rows if psp_id is None else rows.filter(psp_id=psp_id)
    return list(rows.order_by("id").values_list("pk", flat=True)[:limit])


def apply_waiting(*, psp_id: int) -> int:
    """Book an account's entries that weren't processed; return how many."""
    due = due_entries(psp_id=psp_id)
    for pk in due:
        apply_entry(pk)
    return len(due)


@transaction.atomic
def apply_entry(entry_id: int) -> str:
    """Book one entry, once; a second worker waits for the lock and finds it done."""
    entry = lock(BankEntry, entry_id, "psp__brand")
    if entry.state == EntryState.WAITING:
        if entry.amount_minor > 0:
            _came_in(entry)
        else:
            _went_out(entry)
    return entry.state


def _end(entry: BankEntry, state: EntryState, words: str, **more: Any) -> None:
    entry.move_to(state)
    entry.outcome, entry.processed_at = words[:300], timezone.now()
    for name, value in more.items():
        setattr(entry, name, value)
    entry.save()


def _came_in(entry: BankEntry) -> None:
    order = _order_named(entry)
    if order is not None and (entry.return_reason or order.state == OrderState.SETTLED):
        _came_back(entry, order)
        return
    named = deposits_named_in(entry.text, entry.end_to_end)
    deposits = list(Deposit.objects.filter(psp_id=entry.psp_id, reference__in=named)[:2])
    if len(deposits) == 1:
        words = _book(entry, deposits[0], EntryState.MATCHED)
        if words:
            _end(entry, EntryState.UNMATCHED, words)
        return
    several = _("The payment text matches more than one deposit.")
    _end(entry, EntryState.UNMATCHED, several if deposits else _("No matching deposit found."))


def _book(entry: BankEntry, deposit: Deposit, state: EntryState, **more: Any) -> str:
    """Book an entry on a deposit; return the reason where that changes nothing there.

    What arrived is the sum of the deposit's entries.
    """
    deposit = deposits.lock_deposit(pk=deposit.pk)
    others = deposit.bank_entries.filter(state__in=BOOKED, currency=entry.currency, amount_minor__gt=0)
    arrived = sum(others.values_list("amount_minor", flat=True)) + entry.amount_minor
    view = PaymentView(
        reference=deposit.reference,
        psp_reference=deposit.psp_reference or wire_reference(deposit.reference),
        status=PaymentStatus.CAPTURED,
        amount_minor=deposit.amount_minor if entry.currency == deposit.currency else arrived,
        currency=entry.currency,
        received_minor=arrived,
        method="wire",
        instrument=entry.party_label,
        payer_name=entry.party_name[:120],
        happened_at=_noon(entry),
    )
    applied = deposits.apply_payment(psp_id=entry.psp_id, view=view)
    if applied.state != InboxState.DONE:
        return applied.words
    _end(entry, state, applied.words, deposit=deposit, **more)
    _keep_in_inbox(entry, deposit)
    learn_many(payers.sightings_of(deposit.client_id, entry.party, _noon(entry)))
    return ""


def _noon(entry: BankEntry) -> dt.datetime:
    """Return noon of the entry's day: statements have days, not times."""
    return min(dt.datetime.combine(entry.booked_on, dt.time(12), dt.UTC), timezone.now())


def _keep_in_inbox(entry: BankEntry, deposit: Deposit) -> None:
    """Store the entry as an event of the deposit's history; its fingerprint is the key, so none is stored twice."""
    now = timezone.now()
    event = {
        "file_sha256": entry.file.sha256,
        "place": entry.place,
        "booked_on": str(entry.booked_on),
        "amount_minor": entry.amount_minor,
        "currency": entry.currency,
        "text": entry.text,
        "payer": entry.party_name,
        "bank_reference": entry.bank_reference,
    }
    WebhookMessage.objects.create(
        psp_id=entry.psp_id,
        received_at=now,
        body=json.dumps(event, ensure_ascii=False).encode(),
        verdict=Verdict.ACCEPTED,
        event_id=entry.fingerprint,
        event_type="bank.credit",
        reference=deposit.reference,
        state=InboxState.DONE,
        outcome=entry.outcome,
        processed_at=now,
    )


def _order_named(entry: BankEntry) -> BankOrder | None:
    reference = entry.end_to_end.replace(" ", "").upper()
    if not reference:
        return None
    return lock_first(BankOrder.objects.filter(psp_id=entry.psp_id, reference=reference))


def _went_out(entry: BankEntry) -> None:
    order = _order_named(entry)
    if order is None:
        _batch_went_out(entry)
    elif (order.amount_minor, order.currency) != (-entry.amount_minor, entry.currency):
        _end(
            entry,
            EntryState.UNMATCHED,
            _("%(reference)s was ordered for %(amount)s.")
            % {"reference": order.reference, "amount": formats.money(order.money)},
            order=order,
        )
    elif order.state in (OrderState.SETTLED, OrderState.RETURNED):
        _end(
            entry,
            EntryState.UNMATCHED,
            _("%(reference)s is already booked.") % {"reference": order.reference},
            order=order,
        )
    else:
        _settle(order, entry)
        _end(entry, EntryState.PAYOUT, _("%(reference)s paid") % {"reference": order.reference}, order=order)


def _batch_went_out(entry: BankEntry) -> None:
    """Settle a whole payment file by one booking with exactly its total and its id."""
    texts = {entry.batch, entry.end_to_end, *entry.text.split()} - {""}
    batch = BankBatch.objects.filter(psp_id=entry.psp_id, message_id__in=texts).first()
    if batch is None:
        _end(entry, EntryState.OTHER, _("Company entry: fee, transfer or interest"))
        return
    open_orders = lock_all(batch.orders.exclude(state__in=[OrderState.SETTLED, OrderState.RETURNED]))
    if (batch.total_minor, batch.currency) != (-entry.amount_minor, entry.currency) or not open_orders:
        _end(entry, EntryState.UNMATCHED, _("The amount doesn't match the total of %(batch)s.") % {"batch": batch})
        return
    for order in open_orders:
        _settle(order, entry)
    _end(entry, EntryState.PAYOUT, _("%(batch)s: %(count)s payments") % {"batch": batch, "count": len(open_orders)})


def _settle(order: BankOrder, entry: BankEntry) -> None:
    order.move_to(OrderState.SETTLED)
    order.finished_at = timezone.now()
    order.save(update_fields=["state", "finished_at"])
    _tell(order, TransferStatus.PAID, entry)


def _came_back(entry: BankEntry, order: BankOrder) -> None:
    """Handle a payout that the other bank sent back: it fails, or approvers are notified where it was settled."""
    if (order.amount_minor, order.currency) != (entry.amount_minor, entry.currency):
        _end(
            entry,
            EntryState.UNMATCHED,
            _("%(reference)s was partly returned.") % {"reference": order.reference},
            order=order,
        )
        return
    order.move_to(OrderState.RETURNED)
    order.failure = entry.return_reason or "returned"
    order.finished_at = timezone.now()
    order.save(update_fields=["state", "failure", "finished_at"])
    _tell(order, TransferStatus.FAILED, entry)
    _end(entry, EntryState.RETURNED, _("%(reference)s was returned") % {"reference": order.reference}, order=order)


def _tell(order: BankOrder, status: TransferStatus, entry: BankEntry) -> None:
    view = TransferView(
        reference=order.reference,
        psp_reference=order.reference,
        status=status,
        amount_minor=order.amount_minor,
        currency=order.currency,
        failure=order.failure,
        happened_at=_noon(entry),
    )
    if order.is_refund:
        reversals.apply_refund(psp_id=order.psp_id, transfer=view)
    else:
        payout_results.apply_payout(psp_id=order.psp_id, view=view)


@transaction.atomic
def assign_entry(*, entry_id: int, reference: str, actor: Actor, reason: str) -> BankEntry:
    """Assign an unmatched credit to a deposit by hand. It is settled or held by the same rules as any other money.

    Who: `wallet.handle_bank_entries` on the brand. Raises: NotAllowed, WrongState, DomainError (no such deposit, or
    why it can't take the money).
    """
    entry = lock(BankEntry, entry_id, "psp__brand", "file")
    require(policies.can_handle_bank(actor, entry.psp))
    if entry.state != EntryState.UNMATCHED or entry.amount_minor <= 0:
        raise WrongState(_("Only unmatched incoming payments can be assigned."))
    if not reason.strip():
        raise DomainError(_("Enter why this payment belongs to the deposit."))
    deposit = Deposit.objects.filter(psp_id=entry.psp_id, reference=reference.strip().upper()).first()
    if deposit is None:
        raise DomainError(
            _("There is no deposit %(reference)s on this account.") % {"reference": reference.strip()[:40]}
        )
    words = _book(entry, deposit, EntryState.ASSIGNED, assigned_by=actor, reason=reason.strip()[:300])
    if words:
        raise DomainError(words)
    audit.record(
        actor=actor,
        action=WalletAction.BANK_ENTRY_ASSIGNED,
        target=entry,
        client_id=deposit.client_id,
        brand_id=entry.psp.brand_id,
        after={"deposit": deposit.reference, "amount": str(entry.money)},
        reason=reason,
    )
    return entry


@transaction.atomic
def set_entry_aside(*, entry_id: int, actor: Actor, reason: str) -> BankEntry:
    """Set an entry aside that is no client's: the broker's own transfer, interest, a correction.

    Who: `wallet.handle_bank_entries` on the brand. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    entry = lock(BankEntry, entry_id, "psp__brand")
    require(policies.can_handle_bank(actor, entry.psp))
    if entry.state != EntryState.UNMATCHED:
        raise WrongState(_("This entry is already “%(state)s”.") % {"state": entry.get_state_display()})
    if not reason.strip():
        raise DomainError(_("Enter what this entry is."))
    _end(entry, EntryState.OTHER, reason.strip(), assigned_by=actor, reason=reason.strip()[:300])
    audit.record(
        actor=actor,
        action=WalletAction.BANK_ENTRY_SET_ASIDE,
        target=entry,
        brand_id=entry.psp.brand_id,
        after={"amount": str(entry.money)},
        reason=reason,
    )
    return entry
