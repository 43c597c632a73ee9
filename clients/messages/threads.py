"""A thread as it is read: both directions in order, with files and what is known of sender and delivery."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from clients.messages.forwarded import is_forward
from clients.models import IncomingMail, MailAttachment, MailThread, Message, SentAttachment
from crm.security.crypto import KeyDestroyed

SHOWN_MAX = 100


@dataclass(frozen=True)
class Item:
    """One e-mail of a thread: incoming, or one of ours."""

    at: dt.datetime
    text: str
    has_html: bool
    incoming: IncomingMail | None = None
    sent: Message | None = None
    attachments: Sequence[MailAttachment | SentAttachment] = ()

    @property
    def is_forward(self) -> bool:
        return self.sent is not None and is_forward(self.sent)


def items_of(thread: MailThread) -> list[Item]:
    """List the e-mails of a thread, the oldest first: the newest hundred of each direction."""
    came = thread.incoming.prefetch_related("attachments").order_by("-received_at", "-pk")[:SHOWN_MAX]
    went = (
        thread.sent.select_related("sender")
        .prefetch_related("attachments")
        .defer("secret")
        .order_by("-created_at", "-pk")[:SHOWN_MAX]
    )
    items = [item_of(mail) for mail in came]
    items += [
        Item(message.created_at, message.as_kept, False, sent=message, attachments=list(message.attachments.all()))
        for message in went
    ]
    return sorted(items, key=lambda item: item.at)


def item_of(mail: IncomingMail) -> Item:
    """Read one incoming e-mail; one of an erased client has no text any more."""
    try:
        body = mail.body
    except KeyDestroyed:
        body = {"text": _("Erased at the client's request."), "html": ""}
    return Item(
        mail.received_at, body["text"], bool(body["html"]), incoming=mail, attachments=list(mail.attachments.all())
    )
