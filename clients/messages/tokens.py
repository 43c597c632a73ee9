"""What proves that an e-mail answers one of ours: the Message-ID that we gave, and the address that replies go to. Both are signed.

A row's number alone could be guessed, and an e-mail be put into somebody's thread with it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

from crm.security.crypto import lasting_key

PURPOSE: Final = "mail-thread"
MARK_CHARS: Final = 20
OURS: Final = re.compile(r"<client-message-(\d{1,18})\.([0-9a-f]{20})@[^>]+>")
UNSUBSCRIBE: Final = re.compile(r"(\d{1,18})-([0-9a-f]{20})")
TOKEN: Final = re.compile(r"\+t(\d{1,18})-([0-9a-f]{20})@")


def message_id_of(message_id: int, host: str) -> str:
    """Write the Message-ID of one of our e-mails; the same for each attempt to send it."""
    return f"<client-message-{message_id}.{_mark('message', message_id)}@{host}>"


def messages_in(references: Iterable[str]) -> list[int]:
    """Find which of our e-mails are referred to, in that order; a signature that isn't ours counts for nothing."""
    found = (OURS.fullmatch(reference) for reference in references)
    return [int(match[1]) for match in found if match and _is_ours("message", int(match[1]), match[2])]


def reply_address(address: str, thread_id: int) -> str:
    """Write the address of a mailbox that replies of one thread go to."""
    local, _at, host = address.partition("@")
    return f"{local}+t{thread_id}-{_mark('thread', thread_id)}@{host}"


def threads_in(addresses: Iterable[str]) -> list[int]:
    """Find the threads whose reply address an e-mail was sent to."""
    found = (TOKEN.search(address) for address in addresses)
    return [int(match[1]) for match in found if match and _is_ours("thread", int(match[1]), match[2])]


def unsubscribe_token(message_id: int) -> str:
    """Write what an unsubscribe address of one of our e-mails ends with."""
    return f"{message_id}-{_mark('unsubscribe', message_id)}"


def unsubscribed_message(token: str) -> int | None:
    """Find the e-mail whose unsubscribe address this is."""
    match = UNSUBSCRIBE.fullmatch(token)
    return int(match[1]) if match and _is_ours("unsubscribe", int(match[1]), match[2]) else None


def _mark(kind: str, number: int) -> str:
    return hmac.new(lasting_key(PURPOSE), f"{kind}:{number}".encode(), hashlib.sha256).hexdigest()[:MARK_CHARS]


def _is_ours(kind: str, number: int, mark: str) -> bool:
    return hmac.compare_digest(_mark(kind, number), mark)
