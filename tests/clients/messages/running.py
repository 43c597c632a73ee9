"""A running sandbox mail server for tests, a brand that reads its mailbox, and e-mails as clients and strangers write them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from django.utils import timezone

from clients.messages.incoming import take_mail
from clients.messages.polling import poll
from clients.messages.reading import read_mail
from clients.models import IncomingMail, Mailbox
from crm.models import Brand
from sandbox.mail.server import PASSWORD, USER, ImapServer, Inbox

ADDRESS, AUTH_SERVER = "support@meridian.example", "mx.meridian.example"


@contextmanager
def running_inbox() -> Iterator[tuple[Inbox, str]]:
    """Yield an inbox, and the address at which IMAP reads it."""
    server = ImapServer(("127.0.0.1", 0), Inbox())
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.inbox, f"imap://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def make_mailbox(brand: Brand, url: str = "sandbox:", **fields: Any) -> Mailbox:
    """A mailbox that was approved long ago."""
    values = {
        "code": "mail",
        "name": "Support mailbox",
        "adapter": "imap",
        "base_url": url,
        "address": ADDRESS,
        "auth_server": AUTH_SERVER,
        "sealed_credentials": Mailbox.sealed({"username": USER, "password": PASSWORD}),
    }
    return Mailbox.objects.create(brand=brand, **{**values, **fields})


def write(
    text: str = "Hello",
    *,
    sender: str = "Clara Weber <clara@example.com>",
    to: str = ADDRESS,
    subject: str = "Question",
    message_id: str = "",
    references: str = "",
    proved: bool = False,
    html: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    **headers: str,
) -> bytes:
    """Write an e-mail as a mail program sends it. proved: our own server says that it comes from its sender's domain."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    if message_id:
        mail["Message-ID"] = message_id
    if references:
        mail["In-Reply-To"] = mail["References"] = references
    if proved:
        host = sender.partition("@")[2].rstrip(">")
        mail["Authentication-Results"] = f"{AUTH_SERVER}; dkim=pass header.d={host}; spf=pass smtp.mailfrom={host}"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def take(brand: Brand, raw: bytes, mailbox: Mailbox | None = None) -> IncomingMail:
    """Take an e-mail in as the mailbox's reader does."""
    return take_mail(brand_id=brand.pk, read=read_mail(raw), mailbox=mailbox)


def read_again(mailbox: Mailbox) -> bool:
    """Let the time pass after which a mailbox is read."""
    Mailbox.objects.filter(pk=mailbox.pk).update(due_at=timezone.now())
    return poll(mailbox.pk)
