"""The evidence against a chargeback: one PDF from our records, sealed, and sent to the bank through the PSP.

Other apps add their records with `evidence_part`, in this order: who the client is, what they agreed to, that it was
them, how they paid, what they did with the money.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.choices import TimelineKind
from clients.models import TimelineEntry
from crm.choices import AccessKind
from crm.errors import DomainError, WrongState
from crm.files.jobs import start_job
from crm.models import Actor, AuditEvent, Job, User
from crm.security import access_log, sealed_files
from crm.security.policies import require
from kyc.models import LevelReached
from trading.models import Deal, TradingAccount
from wallet.audit_codes import WalletAction
from wallet.choices.disputes import DISPUTE_OPEN, DisputeState
from wallet.disputes import policies
from wallet.disputes.verbs import audit_dispute, lock_dispute, note_submitted
from wallet.documents.pdf import letter
from wallet.models import Dispute
from wallet.movements.history import story_of
from wallet.psp import adapter_of
from wallet.psp.calls import about
from wallet.psp.values import Capability, DisputeView, EvidenceFile

ROWS_MAX = 60
TEXT_MAX = 5_000
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """One chapter: its columns, and its rows, oldest first."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    remark: str = ""


PARTS: list[tuple[int, Callable[[Dispute], Part]]] = []


def evidence_part(order: int) -> Callable[[Callable[[Dispute], Part]], Callable[[Dispute], Part]]:
    """Register a chapter. It is written in English: banks read it."""

    def register(part: Callable[[Dispute], Part]) -> Callable[[Dispute], Part]:
        PARTS.append((order, part))
        return part

    return register


@evidence_part(10)
def _identity(dispute: Dispute) -> Part:
    client = dispute.client
    levels = LevelReached.objects.filter(client=client).select_related("document").order_by("level")
    rows = [
        (
            f"{level.reached_at:%Y-%m-%d %H:%M} UTC",
            f"Level {level.level}",
            level.document.get_kind_display() if level.document else "",
        )
        for level in levels
    ]
    return Part(
        "Who the client is",
        ("When", "Verified", "By"),
        rows,
        f"{client.full_name}, born {client.date_of_birth or 'not said'}, {client.address_line}, {client.postal_code} "
        f"{client.city}, {client.country}; registered {client.registered_at:%Y-%m-%d}."
        if client.registered_at
        else client.full_name,
    )


@evidence_part(30)
def _sign_ins(dispute: Dispute) -> Part:
    """List what the client's own login did around the payment, with its IP addresses."""
    rows = (
        AuditEvent.objects.filter(actor_id=dispute.client.user_id, client_id=dispute.client_id, ip__isnull=False)
        .order_by("-id")
        .values_list("at", "action", "ip")[:ROWS_MAX]
        if dispute.client.user_id
        else []
    )
    sessions = UserSession.objects.filter(user_id=dispute.client.user_id).order_by("-pk")[:ROWS_MAX]
    entries = [(at, action, str(ip)) for at, action, ip in rows]
    entries += [(row.created_at, f"signed in: {row.user_agent[:60]}", str(row.ip)) for row in sessions]
    listed = [(f"{at:%Y-%m-%d %H:%M:%S} UTC", what, ip) for at, what, ip in sorted(entries)][-ROWS_MAX:]
    return Part("From where the client acted", ("When", "What", "IP address"), listed)


@evidence_part(40)
def _payment(dispute: Dispute) -> Part:
    deposit = dispute.deposit
    rows = [(f"{step.at:%Y-%m-%d %H:%M:%S} UTC", step.label, step.actor) for step in story_of(deposit).steps]
    paid = f"{deposit.reference}: {deposit.money} by {deposit.psp}, {deposit.instrument or deposit.method}"
    return Part(
        "How it was paid",
        ("When", "What", "By"),
        rows[:ROWS_MAX],
        f"{paid}, payer “{deposit.payer_name}”, PSP reference {deposit.psp_reference}.",
    )


@evidence_part(50)
def _trading(dispute: Dispute) -> Part:
    since = dispute.deposit.settled_at or dispute.deposit.created_at
    accounts = list(
        TradingAccount.objects.filter(client_id=dispute.client_id, is_demo=False).values_list("pk", "login")
    )
    deals = (
        Deal.objects.filter(account_id__in=[pk for pk, _login in accounts], executed_at__gte=since, action__in=(0, 1))
        .order_by("executed_at", "id")
        .values_list("executed_at", "login", "symbol", "lots", "price", "profit")[:ROWS_MAX]
    )
    rows = [
        (f"{at:%Y-%m-%d %H:%M:%S} UTC", login, symbol, f"{lots:.2f}", f"{price:.5f}", f"{profit:.2f}")
        for at, login, symbol, lots, price, profit in deals
    ]
    return Part("What the client did with the money", ("When", "Account", "Symbol", "Lots", "Price", "Result"), rows)


@evidence_part(60)
def _contacts(dispute: Dispute) -> Part:
    entries = (
        TimelineEntry.objects.filter(client_id=dispute.client_id, kind__in=[TimelineKind.CALL, TimelineKind.EMAIL])
        .order_by("-at", "-id")
        .values_list("at", "kind", "title")[:ROWS_MAX]
    )
    rows = [(f"{at:%Y-%m-%d %H:%M} UTC", str(TimelineKind(kind).label), title) for at, kind, title in reversed(entries)]
    return Part("What was said", ("When", "How", "What"), rows)


# ── the document ─────────────────────────────────────────────────────────────────────────────────────────────────────


def order_evidence(*, dispute_id: int, actor: User, text: str, submit: bool) -> Job:
    """Start the job that makes the evidence, and sends it where the PSP accepts it.

    Who: `wallet.answer_dispute` in reach.
    """
    dispute = Dispute.objects.select_related("client", "psp").get(pk=dispute_id)
    require(policies.can_answer_dispute(actor, dispute))
    if len(text) > TEXT_MAX:
        raise DomainError(_("Use at most %(n)s characters.") % {"n": TEXT_MAX})
    if submit and not text.strip():
        raise DomainError(_("Explain briefly why the payment is valid."))
    if submit and dispute.state not in (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE):
        raise WrongState(_("This dispute is “%(state)s”.") % {"state": dispute.get_state_display()})
    if submit and not takes_evidence(dispute):
        raise WrongState(
            _("%(psp)s doesn't accept evidence by API. Download the file and submit it there.") % {"psp": dispute.psp}
        )
    access_log.note(
        user=actor,
        kind=AccessKind.EXPORT,
        client_id=dispute.client_id,
        brand_id=dispute.brand_id,
        target=f"wallet.dispute:{dispute.pk}:evidence",
    )
    return start_job(
        "wallet.evidence",
        owner=actor,
        title=_("Evidence for %(dispute)s") % {"dispute": dispute.psp_dispute_id},
        parameters={"dispute_id": dispute.pk, "text": text, "submit": submit},
    )


def takes_evidence(dispute: Dispute) -> bool:
    """Tell whether the dispute's PSP accepts evidence by its API."""
    return Capability.EVIDENCE in adapter_of(dispute.psp).capabilities


def make_evidence(*, dispute_id: int, text: str, progress: Progress) -> bytes:
    """Write the PDF, store it sealed under the client's key, and note it on the dispute. Returns the PDF."""
    dispute = Dispute.objects.select_related("deposit__psp", "client__brand", "psp").get(pk=dispute_id)
    parts, chapters = [], sorted(PARTS, key=lambda one: one[0])
    with translation.override("en"):
        for number, (_order, chapter) in enumerate(chapters, start=1):
            part = chapter(dispute)
            parts.append(part)
            progress(number, len(chapters) + 1, part.title)
        pdf = _pdf(dispute, parts, text)
    name = secrets.token_hex(16)
    written = sealed_files.write(_path(name), pdf, owner=sealed_files.of_client(dispute.client_id))
    with transaction.atomic():
        locked = lock_dispute(dispute_id)
        before = locked.evidence_key
        locked.evidence_key, locked.evidence_sha256 = name, written.sha256
        locked.evidence_bytes, locked.evidence_made_at = written.size_bytes, timezone.now()
        locked.evidence_text = text
        locked.save()
        audit_dispute(locked, WalletAction.EVIDENCE_MADE)
        if before:
            transaction.on_commit(lambda: _path(before).unlink(missing_ok=True))
    progress(len(chapters) + 1, len(chapters) + 1, "")
    return pdf


def _pdf(dispute: Dispute, parts: list[Part], text: str) -> bytes:
    context = {
        "dispute": dispute,
        "deposit": dispute.deposit,
        "client": dispute.client,
        "parts": parts,
        "text": text,
        "made_at": timezone.now(),
    }
    return letter("wallet/documents/pdf/evidence.html", context, brand=dispute.client.brand, language="en", zone="UTC")


def submit_evidence(*, dispute_id: int, pdf: bytes, text: str, actor: Actor) -> Dispute:
    """Send the evidence to the PSP, then note it. Not in a transaction.

    Raises: WrongState, and what the adapter raises.
    """
    dispute = Dispute.objects.select_related("deposit", "client", "psp").get(pk=dispute_id)
    require(policies.can_answer_dispute(actor, dispute))
    if dispute.state not in (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE):
        raise WrongState(_("This dispute is “%(state)s”.") % {"state": dispute.get_state_display()})
    view = DisputeView(
        reference=dispute.deposit.reference,
        psp_dispute_id=dispute.psp_dispute_id,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency,
        reason=dispute.reason,
        evidence_due_at=dispute.evidence_due_at,
    )
    file = EvidenceFile(f"evidence-{dispute.deposit.reference}.pdf", "application/pdf", pdf)
    with about(dispute.deposit.reference):
        adapter_of(dispute.psp).submit_evidence(view, text=text, files=[file])
    return _submitted(dispute_id, actor)


@transaction.atomic
def _submitted(dispute_id: int, actor: Actor) -> Dispute:
    dispute = lock_dispute(dispute_id)
    if dispute.state in (DisputeState.INQUIRY, DisputeState.NEEDS_RESPONSE):
        note_submitted(dispute, actor=actor)
    return dispute


@transaction.atomic
def sent_by_hand(*, dispute_id: int, actor: Actor) -> Dispute:
    """Note that staff sent the downloaded file in the PSP's back office.

    Who: `wallet.answer_dispute` in reach. Raises: NotAllowed, WrongState.
    """
    dispute = lock_dispute(dispute_id)
    require(policies.can_answer_dispute(actor, dispute))
    if not dispute.evidence_key or dispute.state not in DISPUTE_OPEN or dispute.state == DisputeState.SUBMITTED:
        raise WrongState(_("Create the evidence first. Disputes already answered or decided accept no evidence."))
    note_submitted(dispute, actor=actor)
    return dispute


def evidence_of(dispute: Dispute) -> Iterator[bytes]:
    """Decrypt the file in chunks. Raises FileMissing, FileDamaged."""
    if not dispute.evidence_key:
        raise sealed_files.FileMissing("no evidence yet")
    return sealed_files.stream(_path(dispute.evidence_key), owner=sealed_files.of_client(dispute.client_id))


def _path(name: str) -> Path:
    return Path(settings.PRIVATE_DIR) / "evidence" / name[:2] / name
