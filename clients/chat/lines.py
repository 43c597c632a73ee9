"""The lines of a chat: written once, sealed under the client's key, read in one pass."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from clients.chat.choices import LineKind
from clients.models import Chat, ChatLine
from crm.errors import DomainError
from crm.i18n.localized_text import Phrase, localize
from crm.models import User
from crm.security import crypto

CHARS_MAX: Final = 2_000
SHOWN_MAX: Final = 200


@dataclass(frozen=True)
class Line:
    """A line as a page shows it."""

    pk: int
    kind: str
    author: User | None
    text: str
    at: dt.datetime


def add_line(chat: Chat, kind: LineKind, author: User | None, text: str, key: str = "") -> ChatLine | None:
    """Add a line to a locked chat; None where this form's line is there already.

    Raises: DomainError for an empty or too long text.
    """
    text = text.replace("\x00", "").strip()
    if not text:
        raise DomainError(_("Enter a message."))
    if len(text) > CHARS_MAX:
        raise DomainError(_("Enter at most %(count)s characters.") % {"count": CHARS_MAX})
    key = key[:36]
    if key and ChatLine.objects.filter(chat=chat, key=key).exists():
        return None
    sealed = crypto.encrypt_for_client(chat.sealed_for_id, text.encode())
    line = ChatLine.objects.create(chat=chat, kind=kind, author=author, text_sealed=sealed, key=key)
    chat.lines_count += 1
    chat.last_at = line.created_at
    chat.save(update_fields=["lines_count", "last_at"])
    return line


def add_note(chat: Chat, text: Phrase) -> None:
    """Add what happened, in the language of the client, who reads it too."""
    add_line(chat, LineKind.NOTE, None, localize(text, chat.client.language or chat.client.brand.default_language))


def lines_of(chat: Chat) -> list[Line]:
    """Read the newest two hundred lines, the oldest first; those of an erased client have no text any more."""
    rows = list(ChatLine.objects.filter(chat=chat).select_related("author").order_by("-id")[:SHOWN_MAX])
    opened = crypto.decrypt_many_for_clients([(chat.sealed_for_id, row.text_sealed) for row in rows])
    texts = [text.decode() if isinstance(text, bytes) else _("Erased at the client's request.") for text in opened]
    lines = [Line(row.pk, row.kind, row.author, text, row.created_at) for row, text in zip(rows, texts, strict=True)]
    return lines[::-1]
