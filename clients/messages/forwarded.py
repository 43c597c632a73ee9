"""What a forwarded e-mail says: the quoted original with its files, read under the client's key when it is sent."""

from __future__ import annotations

from typing import Final

from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients.messages import files
from clients.models import IncomingMail, MailAttachment, Message, SentAttachment
from crm.i18n import formats

TEMPLATE: Final = "clients.forward"
QUOTED_CHARS_MAX: Final = 50_000


def is_forward(message: Message) -> bool:
    """Check whether an e-mail went to a colleague or another firm, and not to the client."""
    return message.template == TEMPLATE


def files_of(original: IncomingMail | Message) -> list[MailAttachment | SentAttachment]:
    """List the files of an e-mail that we kept."""
    return list(original.attachments.exclude(store_key="").order_by("number"))


def contents_of(message: Message) -> list[tuple[str, bytes, str]]:
    """Decrypt the files that a forward takes along: name, content, type. Raises: as `sealed_files.read`."""
    original = original_of(message)
    if original is None or not message.forwards_files:
        return []
    return [(row.name, files.read(row), row.content_type) for row in files_of(original)]


def quote_of(message: Message) -> str:
    """Quote the original below a forward, line by line; empty for any other e-mail. Raises: KeyDestroyed.

    Each line is marked, so that nothing a stranger wrote is taken for a button or a value of our own texts.
    """
    original = original_of(message)
    if original is None:
        return ""
    with translation.override(message.language):
        if isinstance(original, IncomingMail):
            author, at, text = original.from_name or _("Client"), original.received_at, original.body["text"]
        else:
            author, at, text = message.client.brand.name, original.created_at, original.as_kept
        head = [
            _("Forwarded e-mail"),
            _("From: %(author)s") % {"author": author},
            _("Date: %(at)s") % {"at": formats.moment(timezone.localtime(at))},
            _("Subject: %(subject)s") % {"subject": original.subject},
            "",
        ]
    lines = [*head, *text[:QUOTED_CHARS_MAX].splitlines()]
    return "\n\n" + "\n".join(f"> {line}".rstrip() for line in lines)


def original_of(message: Message) -> IncomingMail | Message | None:
    """Find the e-mail that a forward quotes."""
    return message.forwards_mail or message.forwards_sent
