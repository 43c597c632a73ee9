"""Files of tickets, kept encrypted under the client's key. What may be kept: `clients.messages.uploaded_files`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from clients.messages.uploaded_files import CheckedFile
from crm.file_columns import folder_path
from crm.security import sealed_files
from support.models import TicketFile, TicketMessage

FOLDER: Final = "tickets"


def keep(message: TicketMessage, files: Sequence[CheckedFile]) -> None:
    """Write the files of a new message. A crash leaves files without a row, which the sweep of orphans deletes."""
    rows = []
    for number, file in enumerate(files):
        key = secrets.token_hex(16)
        sealed_files.write(_path_of(key), file.content, owner=sealed_files.of_client(message.sealed_for_id))
        rows.append(
            TicketFile(
                message=message,
                number=number,
                name=file.name,
                content_type=file.content_type,
                size_bytes=len(file.content),
                sha256=file.sha256,
                sealed_for_id=message.sealed_for_id,
                store_key=key,
            )
        )
    TicketFile.objects.bulk_create(rows)


def stream(row: TicketFile) -> Iterator[bytes]:
    """Decrypt a file in pieces. Raises: as `sealed_files.stream`."""
    return sealed_files.stream(_path_of(row.store_key), owner=sealed_files.of_client(row.sealed_for_id))


def _path_of(key: str) -> Path:
    return folder_path(FOLDER) / key[:2] / key
