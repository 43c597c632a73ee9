"""Writing an SMS or WhatsApp message: what it says to this client, what it costs, and whether and when it may go out."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.brand_policies import MARKETING_HOUR_FROM, MARKETING_HOUR_UNTIL, WHATSAPP_TEMPLATES
from clients.canonical import canonical_phone
from clients.choices import TimelineKind
from clients.facts import rebuild_client
from clients.messages.uploaded_files import CheckedFile, Upload
from clients.models import Client, TextMessage, TextService, TextThread
from clients.telephony import do_not_call
from clients.telephony.hours import next_open, zones_of
from clients.texting.choices import TextChannel, TextState
from clients.texting.numbers import number_mark, opt_out_of
from clients.texting.ready import get_ready
from clients.texting.segments import Size, size_of
from clients.texting.sent_files import check_sendable, keep_with
from clients.texts.letters import common_values
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import phrase
from crm.models import Actor, Brand, User
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit, crypto
from crm.security.policies import YES, Decision, no, require
from crm.texts.catalogue import PLACEHOLDER
from crm.texts.reading import written_for

WORK: Final = "clients.work_on_text"
UNDO_SECONDS: Final = 10
TEXT_CHARS_MAX: Final = 1_600
SEGMENTS_MAX: Final = 10
# WhatsApp takes free text only so long after the client wrote; and so long a reply needn't wait for the morning.
WINDOW: Final = dt.timedelta(hours=24)
EXCERPT_CHARS: Final = 600


@dataclass(frozen=True, slots=True)
class Written:
    """A message as this client gets it. content_id: the approved WhatsApp template that it goes out as."""

    text: str
    size: Size
    template: str = ""
    is_marketing: bool = False
    content_id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    file: CheckedFile | None = None


def service_of(brand: Brand | int, channel: str) -> TextService | None:
    """Find the service that a brand sends on a channel with."""
    service = TextService.objects.filter(brand=brand, is_enabled=True).first()
    return service if service is not None and service.number_of(channel) else None


def channels_of(brand: Brand) -> list[TextChannel]:
    """List the channels that a brand sends on."""
    service = TextService.objects.filter(brand=brand, is_enabled=True).first()
    return service.channels if service is not None else []


def write(client: Client, *, template: str, message: str, file: CheckedFile | None = None) -> Written:
    """Fill a template in for a client, or take free text, which a file may go with.

    Raises: DomainError without a text or file, for a text that is too long, and for a file with a template.
    """
    if not template:
        return _measured(message.strip(), file=file)
    if file is not None:
        raise DomainError(_("A file goes with free text only, not with a template."), code="files")
    declared = get_ready(template)
    found = written_for(declared, client.brand, client.language)
    values = common_values(client, found.language)
    names = list(dict.fromkeys(PLACEHOLDER.findall(found.text.body)))
    content = _approved(client.brand).get((template, found.language), "")
    return _measured(
        found.text.filled(values).body.strip(),
        template=template,
        is_marketing=declared.is_marketing,
        content_id=content,
        values={str(place): values[name] for place, name in enumerate(names, start=1)},
    )


def _measured(text: str, **more: Any) -> Written:
    if not text and more.get("file") is None:
        raise DomainError(_("Enter a text."))
    size = size_of(text)
    if len(text) > TEXT_CHARS_MAX or size.segments > SEGMENTS_MAX:
        raise DomainError(_("The text is too long: at most %(count)s SMS.") % {"count": SEGMENTS_MAX})
    return Written(text, size, **more)


def _approved(brand: Brand) -> dict[tuple[str, str], str]:
    """List the templates that WhatsApp approved, by our text's key and language."""
    lines = (line.split() for line in WHATSAPP_TEMPLATES.of(brand))
    return {(key, language): content for key, language, content in lines}


def approved_keys(brand: Brand) -> set[str]:
    """List the templates that WhatsApp approved in some language."""
    return {key for key, _language in _approved(brand)}


def number_of(client: Client) -> str:
    """Return the number that a client gets messages on. Raises: DomainError where there is no valid one."""
    number = canonical_phone(client.phone, client.country)
    if not number:
        raise DomainError(_("The number on this record isn't a valid phone number."))
    return number


def thread_of(client: Client, channel: str, number: str) -> TextThread | None:
    """Find the conversation with a client's number on a channel."""
    rows = TextThread.objects.filter(brand=client.brand_id, channel=channel, number_mark=number_mark(number))
    return rows.first()


def reason_against(client: Client, channel: TextChannel, written: Written, number: str) -> str:
    """Return why this message can't go to this client; "" where it can."""
    row = opt_out_of(client.brand_id, channel, number_mark(number))
    if row is not None:
        named = {"channel": channel.label, "reason": row.get_reason_display()}
        return _("This number gets no messages by %(channel)s: %(reason)s.") % named
    if written.file is not None and channel != TextChannel.WHATSAPP:
        return _("Files can only be sent by WhatsApp.")
    if written.is_marketing and not client.marketing_consent:
        return _("This client hasn't agreed to news and offers.")
    thread = thread_of(client, channel, number)
    if channel == TextChannel.WHATSAPP and not written.content_id and not _is_in_window(thread):
        return _(
            "The client's last WhatsApp message is more than 24 hours old: choose a template that WhatsApp approved."
        )
    if thread is not None and thread.client_id not in (None, client.pk):
        return _("This number's conversation is with another client.")
    return ""


def _is_in_window(thread: TextThread | None, now: dt.datetime | None = None) -> bool:
    """Check whether the client wrote within the last day."""
    last = thread.last_received_at if thread is not None else None
    return last is not None and last > (now or timezone.now()) - WINDOW


def quiet_until(client: Client, thread: TextThread | None, now: dt.datetime | None = None) -> dt.datetime | None:
    """Return when a message may go out, by the clock where the client lives; None where it may now, and to who wrote today."""
    if _is_in_window(thread, now):
        return None
    hours = range(MARKETING_HOUR_FROM.of(client.brand), MARKETING_HOUR_UNTIL.of(client.brand))
    return next_open(zones_of(client), hours, now or timezone.now())


# ── what a person sends ──────────────────────────────────────────────────────────────────────────────────────────────


def require_textable(client: Client) -> None:
    """Refuse to write to who must not be called: they asked to be left alone. Raises: DomainError."""
    mark = do_not_call.mark_of(client)
    if mark is not None:
        raise DomainError(
            _("This client must not be contacted by phone or message: %(reason)s.")
            % {"reason": mark.get_reason_display()}
        )


@transaction.atomic
def send_text(
    *,
    client_id: int,
    actor: User,
    channel: TextChannel,
    template: str = "",
    message: str = "",
    files: Sequence[Upload] = (),
) -> list[TextMessage]:
    """Send a client an SMS or WhatsApp message: a template, or free text, by WhatsApp with files. It waits ten seconds.

    WhatsApp takes one file per message: the first goes with the text, each further one is a message of its own.

    Who: `clients.log_call` in reach. Raises: NotAllowed; DomainError without a service, a valid number or a text, for a client
    who must not be contacted, opted out or didn't agree to marketing, for free text where WhatsApp takes none, and for a file
    that isn't sent (`sent_files`).
    """
    client = lock(Client, client_id, "brand")
    require(policies.can_log(actor, client))
    require_textable(client)
    first, *further = check_sendable(files) or (None,)
    parts = [write(client, template=template, message=message, file=first)]
    parts += [write(client, template="", message="", file=file) for file in further]
    return [_send_part(client, channel, part, actor) for part in parts]


def _send_part(client: Client, channel: TextChannel, part: Written, actor: User) -> TextMessage:
    row = queue_text(client, channel, part, sender=actor)
    audit.record(
        actor=actor,
        action=ClientsAction.TEXT_SENT,
        target=row,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={
            "channel": channel.value,
            "template": part.template,
            "segments": row.segments,
            **({"file": f"{part.file.name} ({part.file.sha256})"} if part.file is not None else {}),
        },
    )
    return row


def queue_text(
    client: Client, channel: TextChannel, written: Written, *, sender: Actor = None, dedupe_key: str = ""
) -> TextMessage:
    """Queue a message in the caller's transaction, which holds the client. Raises: DomainError, as `send_text`."""
    service = service_of(client.brand_id, channel)
    if service is None:
        raise DomainError(_("%(channel)s isn't set up at this brand.") % {"channel": channel.label})
    number = number_of(client)
    refusal = reason_against(client, channel, written, number)
    if refusal:
        raise DomainError(refusal)
    thread = _open_thread(client, channel, number)
    if dedupe_key:
        known = TextMessage.objects.filter(thread=thread, dedupe_key=dedupe_key).first()
        if known is not None:
            return known
    now = timezone.now()
    due_at = quiet_until(client, thread, now) or now + dt.timedelta(seconds=UNDO_SECONDS if sender else 0)
    row = TextMessage(
        thread=thread,
        service=service,
        sender=sender,
        template=written.template,
        content_id=written.content_id if channel == TextChannel.WHATSAPP else "",
        is_marketing=written.is_marketing,
        segments=written.size.segments if channel == TextChannel.SMS else 1,
        files=int(written.file is not None),
        dedupe_key=dedupe_key,
        created_at=now,
        due_at=due_at,
    )
    row.seal(written.text, client.pk)
    if row.content_id:
        row.content_values = crypto.encrypt_for_client(client.pk, json.dumps(dict(written.values)).encode())
    row.save()
    if written.file is not None:
        keep_with(row, written.file)
    thread.last_at = now
    thread.awaits_reply = thread.awaits_reply and sender is None
    thread.save(update_fields=["last_at", "awaits_reply"])
    _record_on_timeline(row, client, channel, written.text or (written.file.name if written.file else ""))
    if sender is not None:
        rebuild_client(client.pk, "last_contact_at")
    enqueue_on_commit(WORK, row.pk, seconds=max((due_at - now).total_seconds(), 0))
    return row


def _open_thread(client: Client, channel: TextChannel, number: str) -> TextThread:
    thread = thread_of(client, channel, number)
    if thread is None:
        thread = TextThread(brand_id=client.brand_id, client=client, channel=channel, number_mark=number_mark(number))
        thread.seal(number, client.pk)
        thread.save()
    return thread


def _record_on_timeline(row: TextMessage, client: Client, channel: TextChannel, text: str) -> None:
    titles = {
        TextChannel.SMS: phrase("SMS to the client"),
        TextChannel.WHATSAPP: phrase("WhatsApp message to the client"),
    }
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TEXT,
        actor=row.sender,
        title=titles[channel],
        body=text[:EXCERPT_CHARS],
        url=row.thread.get_absolute_url(),
        data={"text_message_id": row.pk},
        dedupe_key=f"text:{row.pk}",
    )


def can_undo(actor: Actor, row: TextMessage) -> Decision:
    """Decide whether this is the person's own message; that it still waits is the state's matter."""
    is_own = actor is not None and row.sender_id == actor.pk
    return YES if is_own else no(_("Another person sent this message."))


@transaction.atomic
def undo_text(*, message_id: int, actor: User) -> TextMessage:
    """Take a message back that wasn't sent yet.

    Who: the person who wrote it. Raises: NotAllowed; WrongState once it is being sent.
    """
    client_id = TextMessage.objects.values_list("thread__client_id", flat=True).get(pk=message_id)
    client = lock(Client, client_id, "brand")
    row = lock(TextMessage, message_id, "thread")
    require(policies.can_log(actor, client))
    require(can_undo(actor, row))
    row.move_to(TextState.UNDONE)
    row.due_at = None
    row.save(update_fields=["state", "due_at"])
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TEXT,
        actor=actor,
        title=phrase("Message not sent"),
        dedupe_key=f"text:{row.pk}",
        replaces=True,
    )
    rebuild_client(client.pk, "last_contact_at")
    audit.record(
        actor=actor,
        action=ClientsAction.TEXT_UNDONE,
        target=row,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"state": row.state},
    )
    return row
