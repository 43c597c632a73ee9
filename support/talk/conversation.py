"""The messages of a ticket: written once, sealed under the client's key, and read by staff or by the client."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.messages.uploaded_files import CheckedFile
from clients.models import IncomingMail, MailAttachment, Message
from crm.errors import DomainError
from crm.models import Actor
from crm.security import crypto
from support.choices import MessageKind
from support.models import Ticket, TicketFile, TicketMessage
from support.talk import files

TEXT_MAX: Final = 10_000
SHOWN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Written:
    """What somebody wrote: a text, and files that were checked."""

    text: str
    files: Sequence[CheckedFile] = ()

    def cleaned(self) -> str:
        """Return the text. Raises: DomainError where there is none, or too much."""
        text = self.text.replace("\x00", "").strip()
        if not text:
            raise DomainError(_("Enter a message."), code="text")
        if len(text) > TEXT_MAX:
            raise DomainError(_("Enter at most %(count)s characters.") % {"count": TEXT_MAX}, code="text")
        return text


def add_message(
    ticket: Ticket,
    kind: MessageKind,
    written: Written,
    *,
    author: Actor,
    is_from_client: bool = False,
    incoming: IncomingMail | None = None,
    sent: Message | None = None,
) -> TicketMessage:
    """Write one message and its files in the caller's transaction. Raises: DomainError, StorageFull."""
    text = written.cleaned()
    message = TicketMessage.objects.create(
        ticket=ticket,
        kind=kind,
        is_from_client=is_from_client,
        author=author,
        at=timezone.now(),
        sealed_for_id=ticket.client_id,
        text_sealed=crypto.encrypt_for_client(ticket.client_id, text.encode()),
        incoming=incoming,
        sent=sent,
    )
    files.keep(message, written.files)
    return message


@dataclass(frozen=True)
class ShownMessage:
    """A message as its reader sees it. `ticket`: another one's, which was merged into the ticket that is read."""

    message: TicketMessage
    text: str
    author: str
    files: Sequence[TicketFile]
    mail_files: Sequence[MailAttachment]
    ticket: Ticket | None = None

    @property
    def is_note(self) -> bool:
        return self.message.kind == MessageKind.NOTE


def conversation(ticket: Ticket, *, is_for_client: bool) -> list[ShownMessage]:
    """List the messages of a ticket, the oldest first, at most the newest two hundred; the caller may see the ticket."""
    rows = TicketMessage.objects.filter(_belongs(ticket)).select_related("author", "ticket", "incoming", "sent")
    if is_for_client:
        rows = rows.filter(kind=MessageKind.REPLY)
    rows = rows.prefetch_related("files", "incoming__attachments").order_by("-at", "-pk")[:SHOWN_MAX]
    return [_shown(row, ticket) for row in reversed(rows)]


def _belongs(ticket: Ticket) -> Q:
    return Q(ticket=ticket) | Q(ticket__merged_into=ticket)


def _shown(row: TicketMessage, ticket: Ticket) -> ShownMessage:
    return ShownMessage(
        row,
        row.text or _("Erased at the client's request."),
        _author(row, ticket),
        list(row.files.all()),
        [file for file in row.incoming.attachments.all() if file.store_key] if row.incoming is not None else [],
        row.ticket if row.ticket_id != ticket.pk else None,
    )


def _author(row: TicketMessage, ticket: Ticket) -> str:
    if row.is_from_client:
        return str(ticket.client)
    return str(row.author) if row.author is not None else str(ticket.client.brand)


def context_of(shown: Sequence[ShownMessage]) -> dict[str, Any]:
    """Return what the fragment of a conversation reads."""
    return {"messages_shown": shown, "is_cut": len(shown) >= SHOWN_MAX}
