"""E-mails to clients, in the client's language and the brand's words: the row first, the mail server afterwards.

    send_mail_to(client_id=7, template="clients.welcome", context={…}, dedupe_key=f"welcome:{account.pk}")

writes a Message in the caller's transaction; a worker sends it once that committed. The same dedupe_key for the same
client is one letter, so an event handler may run again.
"""

from __future__ import annotations

import datetime as dt
import logging
import smtplib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import ClientsNotice, MessageState, TimelineKind
from clients.facts import rebuild_client
from clients.mail_format import as_email
from clients.mail_services.sending import send
from clients.messages import drafts
from clients.messages.outgoing import can_undo, is_marketing, put_into_thread
from clients.messages.quiet import quiet_until
from clients.messages.sent_files import keep_with
from clients.messages.suppression import reason_against
from clients.messages.uploaded_files import Upload
from clients.models import Client, Message
from clients.queries import is_in_own_book
from clients.texts.letters import common_values, get_letter
from crm.choices import AccessKind
from crm.connections.protocol import ServiceRefused
from crm.db.locking import lock
from crm.errors import DomainError, OutsideWorldError
from crm.i18n import formats
from crm.i18n.languages import base_of, variant_of
from crm.i18n.localized_text import Phrase, localize, phrase
from crm.models import User
from crm.notices.notify import notify
from crm.queue.enqueue import enqueue_on_commit
from crm.queue.for_each import for_each_isolated
from crm.security import access_log, audit, crypto
from crm.security.crypto import KeyDestroyed
from crm.security.sealed_files import FileDamaged, FileMissing
from crm.texts.catalogue import Text
from crm.texts.reading import written_for

logger = logging.getLogger(__name__)
SECRET_PURPOSE = "client-mail"  # noqa: S105 — the name of a key's purpose
TO_MANY = "clients.to_many"
TYPED = frozenset({"clients.free_text", TO_MANY})  # whose subject and text the sender enters
UNDO_MANY_SECONDS = 300  # for one of many that were written in one step
UNDO_SECONDS = 10  # how long a person can undo what they sent
LEASE_SECONDS = 600  # a worker that takes longer is believed dead, and the letter is tried again
BACK_OFF_SECONDS = (60, 300, 1800, 7200, 6 * 3600, 12 * 3600)


@transaction.atomic
def send_mail_to(
    *,
    client_id: int,
    template: str,
    context: Mapping[str, object] | None = None,
    dedupe_key: str = "",
    sender: Any = None,
    delay_seconds: int = 0,
) -> Message | None:
    """Queue an e-mail to a client; None when the client has no e-mail address.

    Who: the verb that calls this has decided. `sender`: the person who wrote or chose it, None for the system.
    delay_seconds: how long it can be undone.
    Raises: DomainError for an unknown letter or a missing value, or for marketing without the client's consent.
    """
    client = Client.objects.select_related("brand", "owner").get(pk=client_id)
    if not client.email:
        return None
    kind = get_letter(template)
    if kind.is_marketing and not client.marketing_consent:
        raise DomainError(_("This client hasn't agreed to news and offers."), code="no_marketing_consent")
    written = written_for(kind, client.brand, client.language)
    language, region = written.language, _format_of(client, written.language)
    values = {
        **common_values(client, language),
        **{name: _shown(value, region) for name, value in (context or {}).items()},
    }
    missing = kind.names - values.keys()
    if missing:
        raise DomainError(_("This e-mail template requires: %(fields)s") % {"fields": ", ".join(sorted(missing))})
    secret = {name: str(values.pop(name)) for name in kind.secrets}
    text = written.text.filled(values)
    fields = {
        "template": template,
        "language": language,
        "to_address": client.email,
        "sender": sender,
        "due_at": timezone.now() + dt.timedelta(seconds=delay_seconds),
        "subject": " ".join(text.heading.split())[:200],
        "body": text.body,
        "secret": crypto.encrypt(orjson.dumps(secret), purpose=SECRET_PURPOSE) if secret else None,
    }
    if dedupe_key:
        message, is_new = Message.objects.get_or_create(client=client, dedupe_key=dedupe_key, defaults=fields)
    else:
        message, is_new = Message.objects.create(client=client, **fields), True
    if is_new:
        _record_on_timeline(message, client)
        enqueue_on_commit("clients.send_message", message.pk, seconds=delay_seconds)
    return message


def preview_of(client: Client, *, template: str, subject: str = "", message: str = "") -> Text:
    """Write an e-mail as this client would get it, with nothing sent or kept. Raises: DomainError, as sending it does."""
    kind = get_letter(template)
    if kind.own and template != "clients.free_text":
        raise DomainError(_("Only the system sends this e-mail."))
    written = written_for(kind, client.brand, client.language)
    values = {**common_values(client, written.language), "subject": subject.strip(), "message": message.strip()}
    return written.text.filled(values)


def _format_of(client: Client, language: str) -> str:
    """Choose the region of an e-mail's language: the one in which the client reads their pages, else the brand's."""
    own = client.user.language if client.user else client.language
    code = own if base_of(own) == base_of(language) else language
    return variant_of(code, client.brand.default_language) or language


def _shown(value: Any, language: str) -> Any:
    """Write a value as the letter's language does: dates and phrases; everything else stays as it is."""
    if isinstance(value, dt.date):
        with translation.override(language):
            return formats.day(value)
    return localize(value, language) if isinstance(value, Phrase) else value


@transaction.atomic
def write_to_client(
    *,
    client_id: int,
    actor: User,
    template: str,
    subject: str = "",
    message: str = "",
    thread_id: int | None = None,
    files: Sequence[Upload] = (),
) -> Message:
    """Send a client an e-mail from a member of staff: a letter of the catalogue, or free text; in a thread, or a new one.

    Who: `clients.log_call` in reach. Raises: NotAllowed; DomainError when there is no address or no text, or for a file that
    isn't sent (`uploaded_files`).
    """
    client = lock(Client, client_id)
    policies.require(policies.can_log(actor, client))
    if not client.email:
        raise DomainError(_("This client has no e-mail address."))
    context = {}
    if template in TYPED:
        context = {"subject": subject.strip(), "message": message.strip()}
        if not all(context.values()):
            raise DomainError(_("Enter a subject and a text."))
    elif get_letter(template).own:
        raise DomainError(_("Only the system sends this e-mail."))
    delay = UNDO_MANY_SECONDS if template == TO_MANY else UNDO_SECONDS
    sent = send_mail_to(client_id=client_id, template=template, context=context, sender=actor, delay_seconds=delay)
    assert sent is not None
    put_into_thread(sent, thread_id)
    kept = keep_with(sent, files)
    if template != TO_MANY:
        drafts.drop_draft(actor, client_id)
    access_log.note(
        user=actor,
        kind=AccessKind.MAIL,
        client_id=client_id,
        brand_id=client.brand_id,
        target=f"clients.message:{sent.pk}",
        in_book=is_in_own_book(actor, client),
    )
    audit.record(
        actor=actor,
        action=ClientsAction.MAIL_SENT,
        target=sent,
        client_id=client_id,
        brand_id=client.brand_id,
        after={
            "template": template,
            "subject": sent.subject,
            **({"files": [f"{file.name} ({file.sha256})" for file in kept]} if kept else {}),
        },
    )
    return sent


@transaction.atomic
def undo_message(*, message_id: int, actor: User) -> Message:
    """Take an e-mail back that wasn't sent yet; its text is a draft again.

    Who: the person who wrote it. Raises: NotAllowed; WrongState once it is being sent.
    """
    client_id = Message.objects.values_list("client_id", flat=True).get(pk=message_id)
    client = lock(Client, client_id)
    message = lock(Message, message_id)
    policies.require(policies.can_log(actor, client))
    policies.require(can_undo(actor, message))
    message.move_to(MessageState.UNDONE)
    message.save(update_fields=["state"])
    if message.template == "clients.free_text":
        drafts.keep_draft(actor, client_id, subject=message.subject, message=message.body, thread_id=message.thread_id)
    timeline.add_entry(
        client_id=client_id,
        kind=TimelineKind.EMAIL,
        actor=actor,
        title=phrase("Not sent: %(subject)s") % {"subject": message.subject},
        dedupe_key=f"message:{message.pk}",
        replaces=True,
    )
    rebuild_client(client_id, "last_contact_at")
    audit.record(
        actor=actor,
        action=ClientsAction.MAIL_UNDONE,
        target=message,
        client_id=client_id,
        brand_id=client.brand_id,
        after={"state": message.state},
    )
    return message


def _record_on_timeline(message: Message, client: Client) -> None:
    """Put an e-mail on the client's timeline; one that a person sent counts as the last contact."""
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.EMAIL,
        actor=message.sender,
        title=message.subject,
        body=message.as_kept,
        data={"message_id": message.pk, "template": message.template},
        dedupe_key=f"message:{message.pk}",
    )
    if message.sender_id:
        rebuild_client(client.pk, "last_contact_at")


# ── the worker's part ──────────────────────────────────────────────────────────────────────────────────────────────


def deliver(message_id: int) -> bool:
    """Hand one waiting e-mail to the mail server; False when it isn't due or another worker has it.

    The claim is committed before the server is spoken to. A worker that dies in between leaves the row in "being sent";
    after its lease it is sent again under the same Message-ID: a letter twice is better than none.
    """
    now = timezone.now()
    claimed = Message.objects.filter(
        Q(state=MessageState.QUEUED) | Q(state=MessageState.SENDING), pk=message_id, due_at__lte=now
    ).update(state=MessageState.SENDING, attempts=F("attempts") + 1, due_at=now + dt.timedelta(seconds=LEASE_SECONDS))
    if not claimed:
        return False
    message = Message.objects.select_related("client__brand", "sender", "answers").get(pk=message_id)
    later = quiet_until(message)
    if later is not None:
        _being_sent(message).update(state=MessageState.QUEUED, due_at=later, attempts=F("attempts") - 1)
        return False
    against = reason_against(message.client.brand_id, message.to_address, is_marketing=is_marketing(message))
    if against is not None:
        _give_up(
            message, _("Not sent: the address is on the suppression list (%(reason)s).") % {"reason": against.label}
        )
        return True
    secret = orjson.loads(crypto.decrypt(bytes(message.secret), purpose=SECRET_PURPOSE)) if message.secret else {}
    try:
        send(as_email(message, secret), brand_id=message.client.brand_id, message_id=message.pk)
    except smtplib.SMTPRecipientsRefused as error:
        _give_up(message, str(error))
    except ServiceRefused as error:
        _give_up(message, error.message)
    except (FileDamaged, FileMissing, KeyDestroyed):
        _give_up(message, _("Not sent: an attachment can't be read."))
    except OutsideWorldError as error:
        _try_later(message, error.message)
    except (smtplib.SMTPException, OSError) as error:
        _try_later(message, f"{type(error).__name__}: {error}")
    else:
        _being_sent(message).update(state=MessageState.SENT, sent_at=timezone.now(), error="", secret=None)
    return True


def deliver_due(*, limit: int = 200) -> int:
    """Send what waits, oldest first; returns how many were tried. For the sweeper and for tests."""
    waiting = Message.objects.filter(
        state__in=[MessageState.QUEUED, MessageState.SENDING], due_at__lte=timezone.now()
    ).order_by("due_at")
    return for_each_isolated(deliver, waiting.values_list("pk", flat=True)[:limit])


def _being_sent(message: Message) -> QuerySet[Message]:
    """Set at once and without a lock: the mail server is never waited for inside a transaction."""
    return Message.objects.filter(pk=message.pk, state=MessageState.SENDING)


def _try_later(message: Message, error: str) -> None:
    if message.attempts > len(BACK_OFF_SECONDS):
        _give_up(message, error)
        return
    logger.warning("message %s not sent: %s", message.pk, error)
    due_at = timezone.now() + dt.timedelta(seconds=BACK_OFF_SECONDS[message.attempts - 1])
    _being_sent(message).update(state=MessageState.QUEUED, due_at=due_at, error=error[:300])


def _give_up(message: Message, error: str) -> None:
    """Mark an e-mail as undeliverable, on the client's timeline too, and notify its sender or the client's owner."""
    with transaction.atomic():
        _being_sent(message).update(state=MessageState.FAILED, error=error[:300], secret=None)
        title = phrase("E-mail could not be delivered: %(subject)s") % {"subject": message.subject}
        timeline.add_entry(
            client_id=message.client_id,
            kind=TimelineKind.EMAIL,
            title=title,
            body=error[:300],
            dedupe_key=f"message-failed:{message.pk}",
        )
        recipient_id = message.sender_id or message.client.owner_id
        if recipient_id:
            notify(
                [recipient_id],
                kind=ClientsNotice.MAIL_FAILED,
                title=title,
                body=str(message.client),
                url=message.client.get_absolute_url(),
                dedupe_key=f"clients.mail_failed:{message.pk}",
            )
