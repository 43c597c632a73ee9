"""The uploaded file of leads, encrypted, until its leads are imported or it is discarded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.imports.files import reading_options
from crm.imports.reading import PIECE_BYTES, Content, Table, open_table
from crm.security import sealed_files
from leads.models import LeadImport

FILES = sealed_files.of_instance("lead-import")
BYTES_MAX = 200 * 2**20


def file_path(batch: LeadImport) -> Path:
    """Locate the sealed original; it is deleted once the leads are imported or the file is discarded."""
    return Path(settings.PRIVATE_DIR) / "lead-imports" / f"{batch.pk}"


def keep(batch: LeadImport, content: bytes | BinaryIO) -> sealed_files.Written:
    """Keep a file, encrypted, without holding it in memory. Raises: DomainError above BYTES_MAX; StorageFull."""
    return sealed_files.write(file_path(batch), _bounded(content), owner=FILES)


def _bounded(content: bytes | BinaryIO) -> Iterator[bytes]:
    size = 0
    pieces = iter([content]) if isinstance(content, bytes) else iter(partial(content.read, PIECE_BYTES), b"")
    for piece in pieces:
        size += len(piece)
        if size > BYTES_MAX:
            raise DomainError(
                _("The file is larger than %(most)s MB. Split it into smaller files.") % {"most": BYTES_MAX // 2**20}
            )
        yield piece


def content_of(batch: LeadImport) -> Content:
    """Return the sealed original, to be read in pieces."""
    return partial(sealed_files.stream, file_path(batch), owner=FILES)


def open_file(batch: LeadImport, *, rows_max: int = 0) -> Table:
    """Open the file as its mapping reads it, whole or with its first rows only. Raises: DomainError for what is no table."""
    return open_table(content_of(batch), batch.file_name, rows_max=rows_max, **reading_options(batch.mapping))
