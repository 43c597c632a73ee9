"""Reading a mailbox over IMAP (RFC 9051), within bounds: how many e-mails, how many bytes, how long.

E-mails stay in the mailbox as they are: nothing is marked or deleted there. What was read is known by its UID.
"""

from __future__ import annotations

import datetime as dt
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.messages.reading import MAIL_BYTES_MAX, MEBIBYTE
from clients.models import Mailbox
from crm.connections.choices import WebhookVerdict
from crm.connections.http import address_of
from crm.connections.protocol import Judgement, Key, ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.outside import destinations

SECONDS: Final = 20
# Of an e-mail that is larger than we take: its headers and its text are at the beginning.
BEGINNING_BYTES: Final = MEBIBYTE
SIZE: Final = re.compile(rb"RFC822\.SIZE (\d{1,12})")
UID: Final = re.compile(rb"UID (\d{1,12})")
PORTS: Final = {"imaps": 993, "imap": 143}


@dataclass(frozen=True, slots=True)
class Fetched:
    """One e-mail as fetched; `raw` is its beginning where it is larger than we take."""

    uid: int
    raw: bytes
    size_bytes: int


class _Bounded(imaplib.IMAP4):
    """IMAP that goes to a checked address, and takes no answer larger than we asked for. is_plain: to the sandbox only."""

    def __init__(self, host: str, port: int, *, is_plain: bool) -> None:
        self.is_plain = is_plain
        super().__init__(host, port, timeout=SECONDS)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = destinations.connect((self.host, self.port), timeout)
        if self.is_plain:
            return plain
        return ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def read(self, size: int) -> bytes:
        if size > MAIL_BYTES_MAX + MEBIBYTE:
            raise self.abort("an answer larger than was asked for")
        return super().read(size)


class ImapAdapter:
    """Any IMAP server, or the sandbox's."""

    title = "IMAP"
    keys: Sequence[Key] = (
        Key("username", gettext_lazy("Username"), gettext_lazy("Often the whole e-mail address")),
        Key("password", gettext_lazy("Password"), gettext_lazy("An app password where the provider asks for one")),
    )

    def __init__(self, mailbox: Mailbox) -> None:
        self.mailbox = mailbox

    def check_connection(self) -> str:
        with self.session():
            return ""

    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Refuse: a mailbox sends no webhooks."""
        return Judgement(WebhookVerdict.NO_SIGNATURE)

    @contextmanager
    def session(self) -> Iterator[tuple[imaplib.IMAP4, int]]:
        """Sign in and open the inbox, read-only; yields the session and the inbox's UIDVALIDITY.

        Raises: ServiceRefused (signing in), ServiceTemporary (not reached), ServiceUnknown.
        """
        named = {"service": self.mailbox}
        try:
            server = self._connected()
        except (OSError, imaplib.IMAP4.error) as error:
            raise ServiceTemporary(_("%(service)s can't be reached.") % named) from error
        try:
            keys = self.mailbox.credentials
            try:
                server.login(keys.get("username", ""), keys.get("password", ""))
            except imaplib.IMAP4.abort:
                raise
            except imaplib.IMAP4.error as error:
                raise ServiceRefused(_("%(service)s doesn't accept the username and password.") % named) from error
            self._ok(server.select("INBOX", readonly=True))
            validity = server.response("UIDVALIDITY")[1]
            yield server, int(validity[0]) if validity and validity[0] else 0
        except (OSError, imaplib.IMAP4.error, ValueError) as error:
            raise ServiceUnknown(_("%(service)s didn't respond.") % named) from error
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                server.logout()
            with suppress(OSError):
                server.shutdown()  # where saying good-bye failed

    def fetch(self, server: imaplib.IMAP4, *, after: int, limit: int) -> Iterator[Fetched]:
        """Fetch the e-mails behind a UID, the oldest first, at most `limit`."""
        (found,) = self._ok(server.uid("SEARCH", f"UID {after + 1}:*"))[:1] or [b""]
        # "n:*" always names the newest one, even where it is older than n.
        uids = sorted(uid for uid in map(int, (found or b"").split()) if uid > after)[:limit]
        for uid in uids:
            size = self._size(server, uid)
            if size is None:
                continue  # deleted meanwhile
            wanted = size if size <= MAIL_BYTES_MAX else BEGINNING_BYTES
            answer = self._ok(server.uid("FETCH", str(uid), f"(BODY.PEEK[]<0.{wanted}>)"))
            raw = next((part[1] for part in answer if isinstance(part, tuple)), b"")
            yield Fetched(uid, raw, size)

    def _size(self, server: imaplib.IMAP4, uid: int) -> int | None:
        for part in self._ok(server.uid("FETCH", str(uid), "(RFC822.SIZE)")):
            line = part[0] if isinstance(part, tuple) else part
            if line and (match := SIZE.search(line)):
                return int(match[1])
        return None

    def _connected(self) -> imaplib.IMAP4:
        parts = urlsplit(address_of(self.mailbox, "", settings.SANDBOX_MAIL_URL))
        host, port = parts.hostname or "", parts.port or PORTS.get(parts.scheme, 993)
        is_plain = parts.scheme == "imap" and destinations.is_plain_text_allowed(f"imap://{host}:{port}")
        return _Bounded(host, port, is_plain=is_plain)

    def _ok(self, answer: tuple[str, list[Any]]) -> list[Any]:
        if answer[0] != "OK":
            raise imaplib.IMAP4.error(answer[0])
        return answer[1]
