"""Files of tickets: bounded, of a kind that we take, scanned for malware, and kept encrypted under the client's key.

They are never opened here and only ever handed out as a download.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.files import File
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from clients.messages.in_child import sniff
from crm.errors import DomainError
from crm.file_columns import folder_path
from crm.files import antivirus
from crm.security import sealed_files
from support.models import TicketFile, TicketMessage

FOLDER: Final = "tickets"
FILES_MAX: Final = 5
NAME_MAX: Final = 120


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that may be kept."""

    name: str
    content: bytes
    content_type: str
    sha256: str


def check(files: Sequence[File[Any]]) -> tuple[CheckedFile, ...]:
    """Read uploads within bounds and have them scanned. Raises: DomainError with what to do instead, ScannerAway."""
    if len(files) > FILES_MAX:
        raise DomainError(_("Attach at most %(count)s files.") % {"count": FILES_MAX}, code="files")
    return tuple(_checked(file, file.name or "") for file in files)


def _checked(file: File[Any], name: str) -> CheckedFile:
    most = settings.UPLOAD_MAX_BYTES
    content = file.read(most + 1)
    name = _clean_name(name)
    if len(content) > most:
        limit = filesizeformat(most)
        raise DomainError(_("“%(name)s” is larger than %(limit)s.") % {"name": name, "limit": limit}, code="files")
    kind = sniff(content, name)
    if not content or not kind:
        text = _("“%(name)s” can't be attached. Send a picture, a PDF, an Office document or a text file.")
        raise DomainError(text % {"name": name}, code="files")
    try:
        antivirus.scan(content)
    except antivirus.FileInfected:
        raise DomainError(_("“%(name)s” contains malware and wasn't saved.") % {"name": name}, code="files")
    except antivirus.TooLargeToScan:
        raise DomainError(_("“%(name)s” is too large to be checked.") % {"name": name}, code="files")
    return CheckedFile(name, content, kind, hashlib.sha256(content).hexdigest())


def _clean_name(name: str) -> str:
    last = Path(name.replace("\\", "/")).name
    return "".join(letter for letter in last if letter.isprintable()).strip(" .")[-NAME_MAX:] or "file"


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
