"""Files that people attach to decisions about money: a row names the file, the content is stored encrypted beside it.

A shelf is a folder below PRIVATE_DIR with a key purpose of its own, so that a file of one is never opened as one of
another.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.security import sealed_files
from wallet.models import AttachedFile

BYTES_MAX = 10 * 1024 * 1024


@dataclass(frozen=True)
class Shelf:
    """Where one kind of attachments is stored, and the purpose of its key."""

    name: str
    purpose: str

    @property
    def folder(self) -> Path:
        return Path(settings.PRIVATE_DIR) / self.name

    @property
    def owner(self) -> sealed_files.Owner:
        return sealed_files.of_instance(self.purpose)


BREAKS = Shelf("breaks", "break-file")
JOURNALS = Shelf("manual-journals", "manual-journal-file")


def keep(row: AttachedFile, shelf: Shelf, *, below: int, name: str, content: bytes) -> None:
    """Seal the content and fill the row's file fields; the row is not saved. Raises DomainError (too large, no room)."""
    if len(content) > BYTES_MAX:
        raise DomainError(_("The file is larger than 10 MB."))
    path = f"{below}/{secrets.token_hex(16)}"
    written = sealed_files.write(shelf.folder / path, content, owner=shelf.owner)
    row.file_name, row.file_path = Path(name).name[-160:] or "file", path
    row.file_sha256, row.file_bytes = written.sha256, written.size_bytes


def content_of(row: AttachedFile, shelf: Shelf) -> bytes:
    """Decrypt the file as it was attached. Raises sealed_files.FileDamaged, FileMissing."""
    return sealed_files.read(shelf.folder / row.file_path, owner=shelf.owner)
