"""Incoming e-mails: kept once, joined to their thread in whatever order they come, or left for a person to assign.

What joins an e-mail to a client is, in this order: a signed Message-ID of ours that it answers, the signed reply address of a
thread, an earlier e-mail of a thread, and last a sender whom our own mail server has proved and who is one client of the brand.
A sender's address alone joins nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.audit_codes import ClientsAction
from clients.canonical import canonical_email
from clients.choices import ClientsNotice, Stage, TimelineKind
from clients.messages import files, policies, tokens
from clients.messages.choices import IncomingState, MatchedBy, SenderProof
from clients.messages.proof import proof_of
from clients.messages.reading import ReadMail
from clients.messages.reports import note_report
from clients.models import Client, IncomingMail, Mailbox, MailThread, Message
from clients.policies import can
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import MailReceived, UnknownMailReceived, publish
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.notify import notify, push_live
from crm.security import audit
from crm.security.policies import require

EXCERPT_CHARS: Final = 600
CHAIN_MAX: Final = 50
LIVE_EVENT: Final = "mail"


@dataclass(frozen=True, slots=True)
class Place:
    """Whose e-mail it is, in which thread (None: a new one), and what says so."""

    client_id: int
    thread_id: int | None
    by: MatchedBy


@transaction.atomic
def take_mail(*, brand_id: int, read: ReadMail, mailbox: Mailbox | None = None) -> IncomingMail:
    """Keep an e-mail that came in, and join it to its thread where that is known. A copy of one that is kept is only counted."""
    known = IncomingMail.objects.filter(brand=brand_id, fingerprint=read.fingerprint)
    if known.update(copies=F("copies") + 1):
        return known.get()
    proof = proof_of(read.from_address, read.results, server=mailbox.auth_server if mailbox is not None else "")
    place = None if read.report else find_place(brand_id, read, proof)
    if place is not None:
        lock(Client, place.client_id, no_key=True)
    mail = IncomingMail(
        brand_id=brand_id,
        mailbox=mailbox,
        client_id=place.client_id if place is not None else None,
        state=IncomingState.REPORT if read.report else IncomingState.UNASSIGNED,
        proof=proof,
        fingerprint=read.fingerprint,
        message_id=read.message_id[:255],
        references=[one[:255] for one in read.references],
        from_name=read.from_name,
        from_address=read.from_address,
        to_addresses=[one[:254] for one in read.to],
        subject=read.subject,
        is_automatic=read.is_automatic,
        note=read.note,
        sent_at=read.sent_at,
    )
    mail.seal({"text": read.text, "html": read.html}, mail.client_id)
    try:
        with transaction.atomic():
            mail.save()
    except IntegrityError:  # the same e-mail by another worker, a moment ago
        known.update(copies=F("copies") + 1)
        return known.get()
    files.keep(mail, read.attachments)
    if read.report:
        note_report(mail, read.report)
    elif place is not None:
        _join(mail, place, read.text)
    else:
        is_proved = proof == SenderProof.PROVED
        publish(
            UnknownMailReceived(mail_id=mail.pk, is_proved=is_proved, is_automatic=mail.is_automatic, brand_id=brand_id)
        )
    return mail


def find_place(brand_id: int, read: ReadMail, proof: SenderProof) -> Place | None:
    """Find whose e-mail it is; None where nothing proves that."""
    answered = tokens.messages_in(read.references)
    ours = {
        row.pk: row for row in Message.objects.filter(pk__in=answered, client__brand=brand_id).defer("secret", "body")
    }
    for pk in answered:
        if pk in ours:
            return Place(ours[pk].client_id, _thread_of(ours[pk]), MatchedBy.REFERENCE)
    marked = tokens.threads_in(read.to)
    threads = {row.pk: row for row in MailThread.objects.filter(pk__in=marked, client__brand=brand_id)}
    for pk in marked:
        if pk in threads:
            return Place(threads[pk].client_id, pk, MatchedBy.TOKEN)
    earlier = _linked(brand_id, read.message_id, read.references).filter(state=IncomingState.THREADED).first()
    if earlier is not None and earlier.client_id is not None:
        return Place(earlier.client_id, earlier.thread_id, MatchedBy.CHAIN)
    client = client_of_address(brand_id, read.from_address) if proof == SenderProof.PROVED else None
    return Place(client.pk, None, MatchedBy.ADDRESS) if client is not None else None


def client_of_address(brand_id: int, address: str) -> Client | None:
    """Find the one client of a brand who has an address; None where there is none, or more than one."""
    if not address:
        return None
    rows = Client.objects.filter(brand=brand_id, email_canonical=canonical_email(address), merged_into=None)
    found = list(rows.exclude(stage=Stage.CLOSED).defer("search_text")[:2])
    return found[0] if len(found) == 1 else None


def _thread_of(message: Message) -> int:
    """Return the thread of one of our e-mails; a letter of the system begins one with its first reply."""
    if message.thread_id is None:
        thread = MailThread.objects.create(
            client_id=message.client_id, subject=message.subject, last_at=message.created_at
        )
        # Two replies at the same moment: the first thread stays.
        if not Message.objects.filter(pk=message.pk, thread=None).update(thread=thread):
            thread.delete()
            message.refresh_from_db(fields=["thread"])
        else:
            message.thread = thread
    assert message.thread_id is not None
    return message.thread_id


def _linked(brand_id: int, message_id: str, references: tuple[str, ...] | list[str]) -> QuerySet[IncomingMail]:
    """Select the e-mails that this one answers, and those that answer it."""
    linked = Q(message_id__in=references[:CHAIN_MAX]) if references else Q(pk=None)
    if message_id:
        linked |= Q(references__contains=[message_id])
    return IncomingMail.objects.filter(linked, brand=brand_id).exclude(message_id="").order_by("pk")


def _join(mail: IncomingMail, place: Place, text: str) -> None:
    """Put an e-mail into its thread, and what was waiting for it. The caller holds the client's lock, and it is sealed for them."""
    now = timezone.now()
    if place.thread_id is None:
        thread = MailThread.objects.create(client_id=place.client_id, subject=mail.subject)
    else:
        thread = MailThread.objects.get(pk=place.thread_id)
    mail.client_id, mail.thread, mail.matched_by = place.client_id, thread, place.by
    mail.move_to(IncomingState.THREADED)
    mail.save()
    rows = MailThread.objects.filter(pk=thread.pk)
    rows.update(last_at=now, **({} if mail.is_automatic else {"awaits_reply": True}))
    timeline.add_entry(
        client_id=place.client_id,
        kind=TimelineKind.EMAIL,
        title=phrase("From the client: %(subject)s") % {"subject": mail.subject or "–"},
        body=text[:EXCERPT_CHARS],
        url=mail.get_absolute_url(),
        at=mail.received_at,
        data={"incoming_mail_id": mail.pk, "proof": mail.proof},
        dedupe_key=f"incoming-mail:{mail.pk}",
    )
    publish(
        MailReceived(
            mail_id=mail.pk,
            thread_id=thread.pk,
            is_automatic=mail.is_automatic,
            client_id=place.client_id,
            brand_id=mail.brand_id,
        )
    )
    _notify(mail, thread)
    _join_linked(mail, thread)


def _join_linked(mail: IncomingMail, thread: MailThread) -> None:
    """Bring together what came before the e-mail that joins it: unassigned answers, and threads of the same client."""
    linked = _linked(mail.brand_id, mail.message_id, mail.references).exclude(pk=mail.pk)
    for row in list(linked[:CHAIN_MAX]):
        if row.state == IncomingState.UNASSIGNED:
            text = _seal_for(row, thread.client_id)
            _join(row, Place(thread.client_id, thread.pk, MatchedBy.CHAIN), text)
        elif row.thread_id not in (None, thread.pk) and row.client_id == thread.client_id:
            _merge_threads(thread.pk, row.thread_id)


def _merge_threads(first: int, second: int | None) -> None:
    """Make one thread of two, of which an e-mail shows that they are one. The older one stays."""
    assert second is not None
    kept, other = min(first, second), max(first, second)
    gone = MailThread.objects.get(pk=other)
    IncomingMail.objects.filter(thread=other).update(thread=kept)
    Message.objects.filter(thread=other).update(thread=kept)
    MailThread.objects.filter(pk=kept).update(
        last_at=timezone.now(), awaits_reply=Q(awaits_reply=True) | Q(pk=kept if gone.awaits_reply else None)
    )
    gone.delete()


def _seal_for(mail: IncomingMail, client_id: int) -> str:
    """Seal an e-mail and its files under the client's key; returns its text. The caller saves."""
    body = mail.body
    mail.seal(body, client_id)
    files.give_to(mail, client_id)
    return body["text"]


def _notify(mail: IncomingMail, thread: MailThread) -> None:
    client = thread.client
    if client.owner_id is None or mail.is_automatic:
        return
    push_live(client.owner_id, event=LIVE_EVENT, data={"thread": thread.pk})
    notify(
        [client.owner_id],
        kind=ClientsNotice.MAIL_RECEIVED,
        title=phrase("E-mail from %(client)s") % {"client": str(client)},
        body=mail.subject,
        url=thread.get_absolute_url(),
        dedupe_key=f"clients.mail_received:{mail.pk}",
    )


# ── what a person decides ────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def assign_mail(*, mail_id: int, client_id: int, actor: User) -> IncomingMail:
    """Say whose e-mail it is; it begins a thread with that client, and is sealed under their key.

    Who: `clients.assign_mail` on the whole brand, and `clients.log_call` on the client. Raises: NotAllowed, WrongState;
    DomainError for another brand's client.
    """
    client = lock(Client, client_id, "brand")
    mail = lock(IncomingMail, mail_id)
    require(policies.can_assign(actor, mail.brand_id))
    require(can(actor, client, policies.WRITES))
    if client.brand_id != mail.brand_id:
        raise DomainError(_("This client is of another brand."))
    _decide(mail, actor, "")
    text = _seal_for(mail, client.pk)
    _join(mail, Place(client.pk, None, MatchedBy.PERSON), text)
    _audit(mail, ClientsAction.MAIL_ASSIGNED, actor)
    return mail


@transaction.atomic
def give_to_lead(*, mail_id: int, client_id: int) -> IncomingMail:
    """Begin a thread with a lead that was captured from this e-mail; it is sealed under their key.

    Who: the system. Raises: WrongState when it isn't unassigned any more.
    """
    client = lock(Client, client_id, "brand")
    mail = lock(IncomingMail, mail_id)
    text = _seal_for(mail, client.pk)
    _join(mail, Place(client.pk, None, MatchedBy.LEAD), text)
    return mail


@transaction.atomic
def discard_mail(*, mail_id: int, actor: User, reason: str) -> IncomingMail:
    """Take an e-mail off the queue: spam, or nobody's business here. It stays in the list of discarded ones.

    Who: `clients.assign_mail` on the whole brand. Raises: NotAllowed, WrongState, DomainError (no reason).
    """
    mail = lock(IncomingMail, mail_id)
    require(policies.can_assign(actor, mail.brand_id))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    mail.move_to(IncomingState.DISCARDED)
    _decide(mail, actor, reason)
    mail.save()
    _audit(mail, ClientsAction.MAIL_DISCARDED, actor, reason)
    return mail


@transaction.atomic
def restore_mail(*, mail_id: int, actor: User) -> IncomingMail:
    """Put a discarded e-mail back into the queue.

    Who: `clients.assign_mail` on the whole brand. Raises: NotAllowed, WrongState.
    """
    mail = lock(IncomingMail, mail_id)
    require(policies.can_assign(actor, mail.brand_id))
    mail.move_to(IncomingState.UNASSIGNED)
    mail.decided_by = mail.decided_at = None
    mail.decision_reason = ""
    mail.save()
    _audit(mail, ClientsAction.MAIL_RESTORED, actor)
    return mail


@transaction.atomic
def close_thread(*, thread_id: int, actor: User) -> MailThread:
    """Note that a thread needs no reply.

    Who: `clients.log_call` in reach. Raises: NotAllowed.
    """
    thread = lock(MailThread, thread_id, "client")
    require(can(actor, thread.client, policies.WRITES))
    thread.awaits_reply = False
    thread.save(update_fields=["awaits_reply"])
    audit.record(
        actor=actor,
        action=ClientsAction.MAIL_THREAD_CLOSED,
        target=thread,
        client_id=thread.client_id,
        brand_id=thread.client.brand_id,
    )
    return thread


def _decide(mail: IncomingMail, actor: User, reason: str) -> None:
    mail.decided_by, mail.decided_at, mail.decision_reason = actor, timezone.now(), reason.strip()[:300]


def _audit(mail: IncomingMail, action: ClientsAction, actor: User, reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=action,
        target=mail,
        client_id=mail.client_id,
        brand_id=mail.brand_id,
        after={"state": mail.state, "proof": mail.proof},
        reason=reason.strip()[:300],
    )
