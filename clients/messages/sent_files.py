"""Files that staff send with an e-mail: checked like those that come in, kept encrypted under the client's key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clients.messages import files
from clients.messages.uploaded_files import CheckedFile, Upload, check_files
from clients.models import Message, SentAttachment

TOTAL_BYTES_MAX: Final = 10 * 2**20  # base64 makes 14 MB of it, and many servers take 15


def keep_with(message: Message, uploads: Sequence[Upload]) -> list[SentAttachment]:
    """Keep the files of an e-mail that is being written. Raises: as `check_files`."""
    checked = check_files(uploads, total_bytes_max=TOTAL_BYTES_MAX)
    return [_keep(message, number, file) for number, file in enumerate(checked)]


def contents_of(message: Message) -> list[tuple[str, bytes, str]]:
    """Decrypt the files of an e-mail for sending: name, content, type. Raises: as `sealed_files.read`."""
    rows = SentAttachment.objects.filter(message=message).order_by("number")
    return [(row.name, files.read(row), row.content_type) for row in rows]


def _keep(message: Message, number: int, file: CheckedFile) -> SentAttachment:
    return SentAttachment.objects.create(
        message=message,
        number=number,
        name=file.name,
        content_type=file.content_type,
        size_bytes=len(file.content),
        sha256=file.sha256,
        sealed_for_id=message.client_id,
        store_key=files.write(file.content, message.client_id),
    )
