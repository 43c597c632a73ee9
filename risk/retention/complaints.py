"""Words of a complaint in what clients write: looked for when it comes, as messages are sealed under the client's own key."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from django.db import transaction
from django.utils import timezone

from clients.models import Client, IncomingMail
from risk.brand_policies import COMPLAINT_WORDS
from risk.retention.choices import FlagKind
from risk.retention.flags.judging import STAGES
from risk.retention.models import RetentionFlag
from support.models import TicketMessage

TEXT_MAX = 20_000


@lru_cache(maxsize=64)
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(r"\b(?:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + r")")


def complaint_words(text: str, words: Iterable[str]) -> list[str]:
    """List the words of a complaint in a text, each once, in its order: at the beginning of a word, in any case."""
    known = tuple(words)
    if not known:
        return []
    return list(dict.fromkeys(_pattern(known).findall(text[:TEXT_MAX].casefold())))


@transaction.atomic
def look_into_ticket(ticket_id: int) -> bool:
    """Look into the client's newest message in a ticket. Returns whether a flag was raised or renewed."""
    rows = TicketMessage.objects.filter(ticket=ticket_id, is_from_client=True).select_related("ticket__client__brand")
    message = rows.order_by("-at", "-id").first()
    if message is None:
        return False
    return _look(message.ticket.client, message.text)


@transaction.atomic
def look_into_mail(mail_id: int) -> bool:
    """Look into an e-mail of a client. Returns whether a flag was raised or renewed."""
    mail = IncomingMail.objects.filter(pk=mail_id, client__isnull=False).select_related("client__brand").first()
    if mail is None or mail.client is None:
        return False
    return _look(mail.client, f"{mail.subject}\n{mail.body.get('text', '')}")


def _look(client: Client, text: str) -> bool:
    found = complaint_words(text, COMPLAINT_WORDS.of(client.brand))
    if not found or client.stage not in STAGES:
        return False
    now = timezone.now()
    fields = {"since": now, "figures": {"words": ", ".join(found[:3]), "number": None}}
    open_one = RetentionFlag.objects.filter(client=client, kind=FlagKind.COMPLAINT, ended_at__isnull=True)
    # The flag began with the first complaint; what the newest one said is shown.
    if not open_one.update(figures=fields["figures"], seen_at=now):
        RetentionFlag.objects.create(
            client=client, brand=client.brand, kind=FlagKind.COMPLAINT, raised_at=now, seen_at=now, **fields
        )
    return True
