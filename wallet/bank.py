"""Bank statements: taken in once, each entry acted on once, and what nobody recognises kept for a person.

A statement that came in through our own door is believed as a signed webhook is; what a client wrote on the wire is not. A
credit goes to the deposit that its text names, with the amount that arrived: several wires to one reference add up, and the
rules of arrivals decide (as meant, within tolerance, held). A debit settles the payout or refund that we ordered.

Lock order: entry, deposit, client.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import audit, crypto
from crm.errors import DomainError, WrongState
from crm.jobs import RunningJob, start_job
from crm.models import Job
from crm.notify import notify, people_with
from crm.policies import require
from crm.ui import formats
from crm.words import phrase
from wallet import deposits, outcomes, policies, reversals, statement_tables
from wallet.bank_choices import EntryState, OrderState
from wallet.bank_ends import FileEnds, summary
from wallet.bank_positions import statements_known
from wallet.choices import InboxState, Verdict
from wallet.kept_files import Folder, Kept, Progress, no_progress
from wallet.models import BankBatch, BankEntry, BankFile, BankOrder, Deposit, Psp, WebhookMessage
from wallet.models.bank import ORIGINAL_PURPOSE, PARTY_PURPOSE
from wallet.psp.bank_wire import masked
from wallet.psp.base import PaymentStatus, PaymentView, TransferStatus, TransferView
from wallet.psp.settlement import EndUnknown
from wallet.reconciliation.bank_leg import match_payouts
from wallet.references_bank import deposits_named_in, wire_reference
from wallet.settlement_import import hold
from wallet.statements_in import Entry, Mapping, Statement, stream_statements
from wallet.statements_in.base import fingerprints

BOOKED = (EntryState.MATCHED, EntryState.ASSIGNED)
ORIGINALS = Folder("statements", ORIGINAL_PURPOSE)
# Larger files are taken in by a worker, with a progress bar.
AT_ONCE_BYTES_MAX = 2 * 1024 * 1024
ENTRIES_AT_ONCE = 1_000


# ── taking in ────────────────────────────────────────────────────────────────────────────────────────────────────────


def import_statement(
    *, psp_id: int, file_name: str, content: bytes | BinaryIO | Path, actor: Any, kind: str = "auto",
    mapping: Mapping | None = None, is_complete: bool = False,
) -> BankFile:  # fmt: skip
    """Take in a file of statements and act on its entries. The same file again is the same row, and changes nothing.

    content: the bytes, an open binary file, or a path. It is kept encrypted on disk and read from there; all of it is stored
    or nothing; entries that an earlier file had are not stored again.
    is_complete: somebody stands for it that a CSV wasn't cut off. Otherwise its balances must prove it.
    Who: `wallet.handle_bank_entries` on the PSP's brand; None is the house's own fetching.
    Raises: NotAllowed, BadStatement (with its place), EndUnknown (the file waits for a person to confirm it), StorageFull,
    DomainError for a statement of another account.
    """
    psp = _account(psp_id, actor)
    kept = ORIGINALS.keep(content)
    return import_kept(
        psp=psp, file_name=file_name, kept=kept, actor=actor, kind=kind, mapping=mapping, is_complete=is_complete
    )


def order_statement(*, psp_id: int, file_name: str, content: BinaryIO, actor: Any) -> Job:
    """Keep a large file now and let a worker take it in; the job's page shows how far it is, its Cancel leaves nothing.

    Who: as for importing. Raises: NotAllowed, StorageFull, MappingNeeded for a table whose columns nobody has explained.
    """
    psp = _account(psp_id, actor)
    statement_tables.mapping_for(psp, content)
    content.seek(0)
    kept = ORIGINALS.keep(content)
    try:
        return start_job(
            "wallet.import_statement", owner=actor, title=_("Import of “%(name)s”") % {"name": file_name[:160]},
            parameters={
                "psp_id": psp.pk, "file_name": file_name[:160], "stored_name": kept.name, "sha256": kept.sha256,
                "size_bytes": kept.size_bytes,
            },
        )  # fmt: skip
    except BaseException:
        kept.forget()
        raise


def run_ordered(job: RunningJob) -> BankFile:
    """What the job does: rights are looked at again, progress goes beside the one long transaction."""
    psp = _account(job.parameters["psp_id"], job.owner)
    kept = ORIGINALS.ordered(job.parameters)
    with job.beside() as progress:
        return import_kept(
            psp=psp, file_name=job.parameters["file_name"], kept=kept, actor=job.owner, progress=progress
        )


def original_of(file: BankFile) -> Iterator[bytes]:
    """The file as it came, in pieces. Raises: FileMissing, FileDamaged."""
    yield from ORIGINALS.stream(file.stored_name)


def _account(psp_id: int, actor: Any) -> Psp:
    psp = Psp.objects.select_related("brand").get(pk=psp_id)
    if actor is not None:
        require(policies.can_handle_bank(actor, psp))
    if psp.adapter != "bank_wire":
        raise DomainError(_("%(psp)s is no bank account.") % {"psp": psp})
    return psp


def import_kept(
    *, psp: Psp, file_name: str, kept: Kept, actor: Any, kind: str = "auto", mapping: Mapping | None = None,
    progress: Progress = no_progress, is_complete: bool = False,
) -> BankFile:  # fmt: skip
    """From the disk; the original is deleted when it is refused, or known, and waits when its end is unknown."""
    try:
        return import_original(
            psp=psp, file_name=file_name, kept=kept, actor=actor, kind=kind, mapping=mapping, progress=progress,
            is_complete=is_complete,
        )  # fmt: skip
    except EndUnknown:
        raise
    except BaseException:
        kept.forget()
        raise


def import_original(
    *, psp: Psp, file_name: str, kept: Kept, actor: Any, kind: str = "auto", mapping: Mapping | None = None,
    progress: Progress = no_progress, is_complete: bool = False,
) -> BankFile:  # fmt: skip
    """Store and book an original. Raises EndUnknown with the row under which it waits now."""
    ends = FileEnds()
    try:
        known = BankFile.objects.filter(psp=psp, sha256=kept.sha256).first()
        if known is None:
            with kept.opened() as source:
                is_remembered = False
                if mapping is None and kind in ("auto", "csv", "xlsx"):
                    mapping = statement_tables.mapping_for(psp, source)
                    is_remembered = mapping is not None
                with transaction.atomic():
                    file = _store(psp, file_name, kept, source, kind, mapping, actor, progress, ends)
                    if file.format == "csv" and not (is_complete or ends.are_known):
                        raise EndUnknown(
                            _(
                                "Nothing in the file says where it ends. Confirm under “Reconciliation” that it's complete."
                            )
                        )
                    if is_remembered:
                        statement_tables.count_use(psp, source)
        else:
            file = known
    except EndUnknown as error:
        error.waiting_id = hold(
            psp=psp, file_name=file_name, kept=kept, actor=actor, is_statement=True, format="CSV", row_count=ends.rows,
            first_day=ends.first_day, last_day=ends.last_day, totals=ends.totals, last_row=ends.last_row,
        )  # fmt: skip
        raise
    if file.stored_name != kept.name:  # the same file was here, or came at the same time
        kept.forget()
    apply_waiting(psp_id=psp.pk)
    if known is None:
        match_payouts(psp.brand_id)
        _tell_unmatched(file)
    return file


def _tell_unmatched(file: BankFile) -> None:
    """One line per file for those who can say whose the money is."""
    count = file.entries.filter(state=EntryState.UNMATCHED).count()
    if count:
        notify(
            people_with("wallet.handle_bank_entries", brand_id=file.psp.brand_id),
            kind="wallet.bank_unmatched",
            title=phrase("%(count)s payments at %(bank)s name no deposit") % {"count": count, "bank": file.psp},
            body=phrase("Say whose they are: until then they are in nobody's wallet."),
            url="/money/bank/?state=unmatched",
            dedupe_key=f"bank-unmatched:{file.pk}",
        )


def _require_own_account(psp: Psp, one: Statement) -> None:
    own = "".join(str(psp.credentials.get("iban", "")).split()).upper()
    # MT940 writes the account as sort code and number: its digits stand at the end of the IBAN.
    told = "".join(letter for letter in one.account.upper() if letter.isalnum())
    if told and own and told != own and not own.endswith(told[-8:]):
        raise DomainError(
            _("%(place)s is of the account %(account)s, not of %(own)s. Nothing was imported.")
            % {"place": one.place, "account": masked(one.account), "own": masked(own)}
        )


@transaction.atomic
def _store(
    psp: Psp, name: str, kept: Kept, source: BinaryIO, kind: str, mapping: Mapping | None, actor: Any, progress: Progress,
    ends: FileEnds,
) -> BankFile:  # fmt: skip
    """Statement by statement as the file is read: what is refused at its end undoes all before it."""
    # One file at a time, so that each entry is new once; payments that name the account go on meanwhile.
    Psp.objects.select_for_update(of=["self"], no_key=True).get(pk=psp.pk)
    again = BankFile.objects.filter(psp=psp, sha256=kept.sha256).first()
    if again is not None:
        return again
    kind, found = stream_statements(source, kind, mapping)
    known = statements_known(psp)
    file = BankFile.objects.create(
        psp=psp, sha256=kept.sha256, file_name=name[:160], format=kind, imported_by=actor, imported_at=timezone.now(),
        stored_name=kept.name, size_bytes=kept.size_bytes,
    )  # fmt: skip
    for one in found:
        _require_own_account(psp, one)
        file.statements.append(summary(one, [*known, *file.statements]))
        ends.add(one, file.statements[-1]["before"])
        pairs = list(zip(fingerprints(one.account, one.entries), one.entries, strict=True))
        for start in range(0, len(pairs), ENTRIES_AT_ONCE):
            _store_entries(psp, file, [pair for pair in pairs[start : start + ENTRIES_AT_ONCE] if pair[1].minor])
            progress(min(source.tell(), max(kept.size_bytes - 1, 0)), kept.size_bytes, _("Reading"))
    file.save(update_fields=["statements", "entries_new", "entries_known"])
    audit.record(
        actor=actor, action="wallet.bank_statement_imported", target=file, brand_id=psp.brand_id,
        after={"psp": psp.code, "file": file.file_name, "sha256": file.sha256, "format": kind, "new": file.entries_new,
               "known": file.entries_known},
    )  # fmt: skip
    return file


def _store_entries(psp: Psp, file: BankFile, pairs: list[tuple[str, Entry]]) -> None:
    """Those that no file had yet, and that this one has not told before."""
    marks = [mark for mark, _entry in pairs]
    known = set(BankEntry.objects.filter(psp=psp, fingerprint__in=marks).values_list("fingerprint", flat=True))
    fresh = {mark: entry for mark, entry in pairs if mark not in known}
    BankEntry.objects.bulk_create([_row(psp, file, mark, entry) for mark, entry in fresh.items()])
    file.entries_new += len(fresh)
    file.entries_known += len(pairs) - len(fresh)


def _row(psp: Psp, file: BankFile, mark: str, entry: Entry) -> BankEntry:
    party = {"iban": entry.party_account, "bic": entry.party_bic} if entry.party_account else {}
    return BankEntry(
        psp=psp, file=file, fingerprint=mark, place=entry.place[:120], booked_on=entry.booked_on, value_on=entry.value_on,
        amount_minor=entry.minor, currency=entry.currency, bank_reference=entry.bank_reference,
        end_to_end=entry.end_to_end, batch=entry.batch, text=entry.text, party_name=entry.party_name,
        party_label=masked(entry.party_account), return_reason=entry.return_reason,
        sealed_party=crypto.encrypt(json.dumps(party).encode(), purpose=PARTY_PURPOSE) if party else None,
    )  # fmt: skip


# ── acting on it ─────────────────────────────────────────────────────────────────────────────────────────────────────


def due_entries(*, psp_id: int | None = None, limit: int = 5_000) -> list[int]:
    """Entries that nobody has acted on: new ones, and what a crash left."""
    rows = BankEntry.objects.filter(state=EntryState.WAITING)
    rows = rows if psp_id is None else rows.filter(psp_id=psp_id)
    return list(rows.order_by("id").values_list("pk", flat=True)[:limit])


def apply_waiting(*, psp_id: int) -> int:
    found = due_entries(psp_id=psp_id)
    for pk in found:
        apply_entry(pk)
    return len(found)


@transaction.atomic
def apply_entry(entry_id: int) -> str:
    """Act on one entry, once; a second worker waits its turn and finds it done."""
    entry = BankEntry.objects.select_for_update(of=["self"]).select_related("psp__brand").get(pk=entry_id)
    if entry.state == EntryState.WAITING:
        if entry.amount_minor > 0:
            _came_in(entry)
        else:
            _went_out(entry)
    return entry.state


def _end(entry: BankEntry, state: EntryState, words: str, **more: Any) -> None:
    entry.state, entry.outcome, entry.processed_at = state, words[:300], timezone.now()
    for name, value in more.items():
        setattr(entry, name, value)
    entry.save()


def _came_in(entry: BankEntry) -> None:
    order = _order_named(entry)
    if order is not None and (entry.return_reason or order.state == OrderState.SETTLED):
        _came_back(entry, order)
        return
    named = deposits_named_in(entry.text, entry.end_to_end)
    found = list(Deposit.objects.filter(psp_id=entry.psp_id, reference__in=named)[:2])
    if len(found) == 1:
        words = _book(entry, found[0], EntryState.MATCHED)
        if words:
            _end(entry, EntryState.UNMATCHED, words)
        return
    several = _("It names more than one deposit.")
    _end(entry, EntryState.UNMATCHED, several if found else _("It names no deposit of ours."))


def _book(entry: BankEntry, deposit: Deposit, state: EntryState, **more: Any) -> str:
    """Give the entry to a deposit; why not, where that changes nothing there. What arrived is the sum of its entries."""
    deposit = deposits.lock_deposit(pk=deposit.pk)
    others = deposit.bank_entries.filter(state__in=BOOKED, currency=entry.currency, amount_minor__gt=0)
    arrived = sum(others.values_list("amount_minor", flat=True)) + entry.amount_minor
    view = PaymentView(
        reference=deposit.reference, psp_reference=deposit.psp_reference or wire_reference(deposit.reference),
        status=PaymentStatus.CAPTURED,
        amount_minor=deposit.amount_minor if entry.currency == deposit.currency else arrived,
        currency=entry.currency, received_minor=arrived, method="wire", instrument=entry.party_label,
        payer_name=entry.party_name[:120], happened_at=_noon(entry),
    )  # fmt: skip
    applied = deposits.apply_payment(psp_id=entry.psp_id, view=view)
    if applied.state != InboxState.DONE:
        return applied.words
    _end(entry, state, applied.words, deposit=deposit, **more)
    _keep_in_inbox(entry, deposit)
    return ""


def _noon(entry: BankEntry) -> dt.datetime:
    """Statements tell days, not times."""
    return min(dt.datetime.combine(entry.booked_on, dt.time(12), dt.UTC), timezone.now())


def _keep_in_inbox(entry: BankEntry, deposit: Deposit) -> None:
    """The event as the deposit's story shows it; its key is the entry's, so none is told twice."""
    now = timezone.now()
    told = {
        "file_sha256": entry.file.sha256, "place": entry.place, "booked_on": str(entry.booked_on),
        "amount_minor": entry.amount_minor, "currency": entry.currency, "text": entry.text, "payer": entry.party_name,
        "bank_reference": entry.bank_reference,
    }  # fmt: skip
    WebhookMessage.objects.create(
        psp_id=entry.psp_id, received_at=now, body=json.dumps(told, ensure_ascii=False).encode(), verdict=Verdict.ACCEPTED,
        event_id=entry.fingerprint, event_type="bank.credit", reference=deposit.reference, state=InboxState.DONE,
        outcome=entry.outcome, processed_at=now,
    )  # fmt: skip


# ── money that went out ──────────────────────────────────────────────────────────────────────────────────────────────


def _order_named(entry: BankEntry) -> BankOrder | None:
    wanted = entry.end_to_end.replace(" ", "").upper()
    if not wanted:
        return None
    return BankOrder.objects.select_for_update(of=["self"]).filter(psp_id=entry.psp_id, reference=wanted).first()


def _went_out(entry: BankEntry) -> None:
    order = _order_named(entry)
    if order is None:
        _batch_went_out(entry)
    elif (order.amount_minor, order.currency) != (-entry.amount_minor, entry.currency):
        _end(entry, EntryState.UNMATCHED, _("%(reference)s was ordered as %(amount)s.") %
             {"reference": order.reference, "amount": formats.money(order.money)}, order=order)  # fmt: skip
    elif order.state in (OrderState.SETTLED, OrderState.RETURNED):
        _end(
            entry,
            EntryState.UNMATCHED,
            _("%(reference)s was booked before.") % {"reference": order.reference},
            order=order,
        )
    else:
        _settle(order, entry)
        _end(entry, EntryState.PAYOUT, _("%(reference)s is paid") % {"reference": order.reference}, order=order)


def _batch_went_out(entry: BankEntry) -> None:
    """One booking for a whole payment file: exactly its total, with its id."""
    texts = {entry.batch, entry.end_to_end, *entry.text.split()} - {""}
    batch = BankBatch.objects.filter(psp_id=entry.psp_id, message_id__in=texts).first()
    if batch is None:
        _end(entry, EntryState.OTHER, _("A booking of the house: fee, transfer or interest"))
        return
    open_orders = list(
        batch.orders.select_for_update().exclude(state__in=[OrderState.SETTLED, OrderState.RETURNED]).order_by("id")
    )
    if (batch.total_minor, batch.currency) != (-entry.amount_minor, entry.currency) or not open_orders:
        _end(entry, EntryState.UNMATCHED, _("It is not the total of %(batch)s.") % {"batch": batch})
        return
    for order in open_orders:
        _settle(order, entry)
    _end(entry, EntryState.PAYOUT, _("%(batch)s: %(count)s payments") % {"batch": batch, "count": len(open_orders)})


def _settle(order: BankOrder, entry: BankEntry) -> None:
    order.state, order.finished_at = OrderState.SETTLED, timezone.now()
    order.save(update_fields=["state", "finished_at"])
    _tell(order, TransferStatus.PAID, entry)


def _came_back(entry: BankEntry, order: BankOrder) -> None:
    """The other bank sent a payout back: the withdrawal fails, or people are told where it was settled already."""
    if (order.amount_minor, order.currency) != (entry.amount_minor, entry.currency):
        _end(
            entry,
            EntryState.UNMATCHED,
            _("Part of %(reference)s came back.") % {"reference": order.reference},
            order=order,
        )
        return
    order.state, order.failure = OrderState.RETURNED, (entry.return_reason or "returned")
    order.finished_at = timezone.now()
    order.save(update_fields=["state", "failure", "finished_at"])
    _tell(order, TransferStatus.FAILED, entry)
    _end(entry, EntryState.RETURNED, _("%(reference)s came back") % {"reference": order.reference}, order=order)


def _tell(order: BankOrder, status: TransferStatus, entry: BankEntry) -> None:
    view = TransferView(
        reference=order.reference, psp_reference=order.reference, status=status, amount_minor=order.amount_minor,
        currency=order.currency, failure=order.failure, happened_at=_noon(entry),
    )  # fmt: skip
    if order.is_refund:
        reversals.apply_refund(psp_id=order.psp_id, transfer=view)
    else:
        outcomes.apply_payout(psp_id=order.psp_id, view=view)


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def assign_entry(*, entry_id: int, reference: str, actor: Any, reason: str) -> BankEntry:
    """A person says which deposit a credit belongs to. The rules of arrivals hold as for any other money.

    Who: `wallet.handle_bank_entries` on the brand. Raises: NotAllowed, WrongState, DomainError (no such deposit, or why it
    can't take the money).
    """
    entry = BankEntry.objects.select_for_update(of=["self"]).select_related("psp__brand", "file").get(pk=entry_id)
    require(policies.can_handle_bank(actor, entry.psp))
    if entry.state != EntryState.UNMATCHED or entry.amount_minor <= 0:
        raise WrongState(_("Only money that came in and that nobody recognised can be assigned."))
    if not reason.strip():
        raise DomainError(_("Say how you know that it belongs there."))
    deposit = Deposit.objects.filter(psp_id=entry.psp_id, reference=reference.strip().upper()).first()
    if deposit is None:
        raise DomainError(_("This account has no deposit %(reference)s.") % {"reference": reference.strip()[:40]})
    words = _book(entry, deposit, EntryState.ASSIGNED, assigned_by=actor, reason=reason.strip()[:300])
    if words:
        raise DomainError(words)
    audit.record(
        actor=actor, action="wallet.bank_entry_assigned", target=entry, client_id=deposit.client_id,
        brand_id=entry.psp.brand_id, after={"deposit": deposit.reference, "amount": str(entry.money)}, reason=reason,
    )  # fmt: skip
    return entry


@transaction.atomic
def set_entry_aside(*, entry_id: int, actor: Any, reason: str) -> BankEntry:
    """A person says that an entry is none of a client's: a transfer of the house, interest, a correction.

    Who: `wallet.handle_bank_entries` on the brand. Raises: NotAllowed, WrongState, DomainError without a reason.
    """
    entry = BankEntry.objects.select_for_update(of=["self"]).select_related("psp__brand").get(pk=entry_id)
    require(policies.can_handle_bank(actor, entry.psp))
    if entry.state != EntryState.UNMATCHED:
        raise WrongState(_("This entry is “%(state)s” already.") % {"state": entry.get_state_display()})
    if not reason.strip():
        raise DomainError(_("Say what it is."))
    _end(entry, EntryState.OTHER, reason.strip(), assigned_by=actor, reason=reason.strip()[:300])
    audit.record(
        actor=actor, action="wallet.bank_entry_set_aside", target=entry, brand_id=entry.psp.brand_id,
        after={"amount": str(entry.money)}, reason=reason,
    )  # fmt: skip
    return entry
