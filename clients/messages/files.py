"""Attachments: kept encrypted under the client's key, or the instance's until the client is known."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from clients.messages.reading import ReadAttachment
from clients.models import IncomingMail, MailAttachment, SentAttachment, TextFile
from crm.security import sealed_files

FOLDER: Final = "mail"
PURPOSE: Final = "mail-attachment"


def path_of(key: str) -> Path:
    """Return where an attachment's file is. A key is made here, and never a path."""
    return Path(settings.PRIVATE_DIR) / FOLDER / key[:2] / key


def owner_of(client_id: int | None) -> sealed_files.Owner:
    """Return whose key wraps an attachment's: erasing the client makes it unreadable."""
    return sealed_files.of_client(client_id) if client_id is not None else sealed_files.of_instance(PURPOSE)


def keep(mail: IncomingMail, attachments: tuple[ReadAttachment, ...]) -> None:
    """Write the attachments of a new e-mail. A crash leaves files without a row, which the sweep of orphans deletes."""
    rows = []
    for number, read in enumerate(attachments):
        key = write(read.content, mail.sealed_for_id) if read.content or read.verdict == "kept" else ""
        rows.append(
            MailAttachment(
                mail=mail,
                number=number,
                name=read.name,
                content_type=read.content_type,
                size_bytes=read.size_bytes,
                sha256=read.sha256,
                verdict=read.verdict,
                sealed_for_id=mail.sealed_for_id if key else None,
                store_key=key,
            )
        )
    MailAttachment.objects.bulk_create(rows)


def give_to(mail: IncomingMail, client_id: int) -> None:
    """Seal the attachments of an e-mail under the key of the client whom it was assigned to. The caller holds its lock."""
    for row in mail.attachments.exclude(store_key=""):
        reseal(row, client_id)


def reseal(row: MailAttachment | TextFile, client_id: int) -> None:
    """Seal a file under another client's key; the one before is deleted when the transaction commits."""
    before = path_of(row.store_key)
    key = write(read(row), client_id)
    row.store_key, row.sealed_for_id = key, client_id
    row.save(update_fields=["store_key", "sealed_for"])
    transaction.on_commit(lambda: before.unlink(missing_ok=True))


def read(row: MailAttachment | SentAttachment | TextFile) -> bytes:
    """Decrypt an attachment. Raises: as `sealed_files.read`."""
    return sealed_files.read(path_of(row.store_key), owner=owner_of(row.sealed_for_id))


def stream(row: MailAttachment | SentAttachment | TextFile) -> Iterator[bytes]:
    """Decrypt an attachment in pieces. Raises: as `sealed_files.stream`."""
    return sealed_files.stream(path_of(row.store_key), owner=owner_of(row.sealed_for_id))


def write(content: bytes, client_id: int | None) -> str:
    """Write a file under a client's key, else the instance's; returns its name."""
    key = secrets.token_hex(16)
    sealed_files.write(path_of(key), content, owner=owner_of(client_id))
    return key
