"""Incoming SMS and WhatsApp messages: kept once, in the conversation of their number, with its client or for a person to assign.

The client is found by the number's keyed hash. A sender's number can be forged: it shows a message, and proves nothing.
"""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.audit_codes import ClientsAction
from clients.canonical import canonical_phone
from clients.choices import ClientsNotice, TimelineKind
from clients.messages import policies
from clients.models import Client, TextMessage, TextService, TextThread
from clients.policies import can
from clients.telephony.incoming import client_of_number
from clients.texting.choices import OptOutReason, TextState
from clients.texting.media import give_to, note_files
from clients.texting.numbers import STARTS, STOPS, number_mark, opt_in, opt_out, word_of
from clients.texting.protocol import IncomingText
from clients.texting.segments import size_of
from clients.texting.writing import EXCERPT_CHARS, TEXT_CHARS_MAX
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import label_of, phrase
from crm.models import User
from crm.notices.notify import notify, push_live
from crm.security import audit
from crm.security.policies import require

LIVE_EVENT: Final = "text"


@transaction.atomic
def take_text(service: TextService, incoming: IncomingText) -> TextMessage:
    """Keep a message that came in; the same one again changes nothing. A single word such as STOP opts its number out."""
    known = TextMessage.objects.filter(service=service, remote_id=incoming.remote_id).first()
    if known is not None:
        return known
    number = canonical_phone(incoming.number) or incoming.number[:20]
    thread = _thread_for(service, incoming, number)
    text = incoming.text[:TEXT_CHARS_MAX]
    row = TextMessage(
        thread=thread,
        service=service,
        state=TextState.RECEIVED,
        remote_id=incoming.remote_id,
        segments=max(size_of(text).segments, 1),
        files=incoming.files,
        created_at=incoming.at,
    )
    row.seal(text, thread.client_id)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:  # the same message by another worker, a moment ago
        return TextMessage.objects.get(service=service, remote_id=incoming.remote_id)
    note_files(row, incoming.media)
    word = word_of(text)
    if word in STOPS:
        opt_out(thread, OptOutReason.STOP)
    elif word in STARTS:
        opt_in(thread)
    is_word = word in STOPS | STARTS
    thread.last_at = thread.last_received_at = incoming.at
    thread.awaits_reply |= not is_word
    thread.save(update_fields=["last_at", "last_received_at", "awaits_reply"])
    if thread.client_id is not None:
        _show(row, thread, text)
    return row


def _thread_for(service: TextService, incoming: IncomingText, number: str) -> TextThread:
    """Find or begin the conversation of a number, under its client's lock where there is one."""
    place = {"brand_id": service.brand_id, "channel": incoming.channel, "number_mark": number_mark(number)}
    thread = TextThread.objects.filter(**place).first()
    client_id = thread.client_id if thread is not None else None
    if client_id is None:
        client = client_of_number(service.brand_id, number)
        client_id = client.pk if client is not None else None
    if client_id is not None:
        lock(Client, client_id, no_key=True)
    if thread is None:
        fresh = TextThread(client_id=client_id, **place)
        fresh.seal(number, client_id)
        try:
            with transaction.atomic():
                fresh.save()
        except IntegrityError:  # the number's first two messages at the same moment
            thread = TextThread.objects.get(**place)
    thread = lock(TextThread, thread.pk if thread is not None else fresh.pk)
    if thread.client_id is None and client_id is not None:
        _give_to(thread, client_id)
    return thread


def _give_to(thread: TextThread, client_id: int) -> None:
    """Seal a conversation under the key of the client whose number it is. The caller holds both locks."""
    thread.seal(thread.opened, client_id)
    thread.client_id = client_id
    thread.discarded_at = thread.discarded_by = None
    thread.discard_reason = ""
    thread.save()
    for row in thread.messages.filter(sealed_for=None).order_by("created_at", "pk"):
        text = row.opened
        row.seal(text, client_id)
        row.save(update_fields=["sealed", "for_client", "sealed_for"])
        give_to(row, client_id)
        _record_on_timeline(row, thread, text)


def _record_on_timeline(row: TextMessage, thread: TextThread, text: str) -> None:
    assert thread.client_id is not None
    timeline.add_entry(
        client_id=thread.client_id,
        kind=TimelineKind.TEXT,
        title=phrase("From the client by %(channel)s") % {"channel": label_of(thread, "channel")},
        body=text[:EXCERPT_CHARS],
        url=thread.get_absolute_url(),
        at=row.created_at,
        data={"text_message_id": row.pk},
        dedupe_key=f"text:{row.pk}",
    )


def _show(row: TextMessage, thread: TextThread, text: str) -> None:
    """Put a message on its client's timeline, and notify the client's owner."""
    _record_on_timeline(row, thread, text)
    client = thread.client
    if client is None or client.owner_id is None:
        return
    push_live(client.owner_id, event=LIVE_EVENT, data={"thread": thread.pk})
    notify(
        [client.owner_id],
        kind=ClientsNotice.TEXT_RECEIVED,
        title=phrase("%(channel)s from %(client)s") % {"channel": label_of(thread, "channel"), "client": str(client)},
        url=thread.get_absolute_url(),
        dedupe_key=f"clients.text_received:{row.pk}",
    )


# ── what a person decides ────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def assign_thread(*, thread_id: int, client_id: int, actor: User) -> TextThread:
    """Say whose number it is: its messages go on that client's record, sealed under their key.

    Who: `clients.assign_mail` on the whole brand, and `clients.log_call` on the client. Raises: NotAllowed; WrongState where it
    has a client; DomainError for another brand's client.
    """
    client = lock(Client, client_id, "brand")
    thread = lock(TextThread, thread_id)
    require(policies.can_assign(actor, thread.brand_id))
    require(can(actor, client, policies.WRITES))
    if client.brand_id != thread.brand_id:
        raise DomainError(_("This client is of another brand."))
    if thread.client_id is not None:
        raise WrongState(_("This number is assigned to a client already."))
    _give_to(thread, client.pk)
    _audit(thread, ClientsAction.TEXT_ASSIGNED, actor)
    return thread


@transaction.atomic
def discard_thread(*, thread_id: int, actor: User, reason: str) -> TextThread:
    """Take an unknown number's messages off the queue, such as spam.

    Who: `clients.assign_mail` on the whole brand. Raises: NotAllowed, WrongState, DomainError (no reason).
    """
    thread = _unknown(thread_id, actor)
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    if thread.discarded_at is not None:
        raise WrongState(_("These messages were discarded already."))
    thread.discarded_at, thread.discarded_by = timezone.now(), actor
    thread.discard_reason, thread.awaits_reply = reason.strip()[:300], False
    thread.save()
    _audit(thread, ClientsAction.TEXT_DISCARDED, actor, thread.discard_reason)
    return thread


@transaction.atomic
def restore_thread(*, thread_id: int, actor: User) -> TextThread:
    """Put an unknown number's messages back into the queue.

    Who: `clients.assign_mail` on the whole brand. Raises: NotAllowed, WrongState.
    """
    thread = _unknown(thread_id, actor)
    if thread.discarded_at is None:
        raise WrongState(_("These messages are in the queue."))
    thread.discarded_at = thread.discarded_by = None
    thread.discard_reason = ""
    thread.save()
    _audit(thread, ClientsAction.TEXT_RESTORED, actor)
    return thread


def _unknown(thread_id: int, actor: User) -> TextThread:
    thread = lock(TextThread, thread_id)
    require(policies.can_assign(actor, thread.brand_id))
    if thread.client_id is not None:
        raise WrongState(_("This number is assigned to a client already."))
    return thread


@transaction.atomic
def close_thread(*, thread_id: int, actor: User) -> TextThread:
    """Note that a conversation needs no reply.

    Who: `clients.log_call` in reach. Raises: NotAllowed; WrongState without a client.
    """
    thread = lock(TextThread, thread_id, "client")
    if thread.client is None:
        raise WrongState(_("Assign this number to a client first."))
    require(can(actor, thread.client, policies.WRITES))
    thread.awaits_reply = False
    thread.save(update_fields=["awaits_reply"])
    _audit(thread, ClientsAction.TEXT_THREAD_CLOSED, actor)
    return thread


def _audit(thread: TextThread, action: ClientsAction, actor: User, reason: str = "") -> None:
    audit.record(
        actor=actor,
        action=action,
        target=thread,
        client_id=thread.client_id,
        brand_id=thread.brand_id,
        after={"channel": thread.channel},
        reason=reason,
    )
