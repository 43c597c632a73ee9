"""Compare every row that names a stored file with the file: there, whole, of the right length, and readable with our keys."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.conf import settings

from crm.file_columns import COLUMNS, FileColumn, by_folder, folder_path
from crm.files.file_sweep import is_older_than_files, orphans_in
from crm.security import crypto, sealed_files
from crm.security.sealed_files import FileDamaged, FileMissing, Outline

BATCH_ROWS = 500
PROBLEMS_MAX = 10_000

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One row and the file that it names. client_id: None where the file is under the instance's key."""

    row_id: int
    value: object
    client_id: int | None
    size_bytes: int | None
    sha256: str
    path: Path

    @property
    def place(self) -> str:
        return str(self.path.relative_to(settings.PRIVATE_DIR))


@dataclass
class Verdict:
    files: int = 0
    erased: int = 0
    missing: int = 0
    damaged: int = 0
    orphans: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    is_database_older: bool = False

    @property
    def holds(self) -> bool:
        return not (self.missing or self.damaged)


def verify_files(progress: Progress, *, deep: bool = False) -> Verdict:
    """Check all files. deep: decrypt each whole and compare its digest, instead of reading its key and its length."""
    verdict = Verdict(is_database_older=is_older_than_files())
    for column in COLUMNS:
        progress(column.label)
        for batch in _batches(column):
            _check_batch(column, batch, verdict, deep=deep)
    for folder, columns in by_folder().items():
        verdict.orphans[folder] = sum(1 for _place in orphans_in(folder, columns, older_than_seconds=0))
    return verdict


def _batches(column: FileColumn) -> Iterator[list[NamedFile]]:
    fields = ["pk", column.column, *filter(None, (column.client, column.size, column.sha256))]
    rows = column.with_files().order_by("pk").values(*fields).iterator(chunk_size=BATCH_ROWS)
    folder = folder_path(column.folder)
    files = (
        NamedFile(
            row_id=row["pk"],
            value=row[column.column],
            client_id=row[column.client] if column.client else None,
            size_bytes=row[column.size] if column.size else None,
            sha256=row[column.sha256] if column.sha256 else "",
            path=folder / column.place_of(row[column.column]),
        )
        for row in rows
    )
    while batch := list(islice(files, BATCH_ROWS)):
        yield batch


def _check_batch(column: FileColumn, batch: list[NamedFile], verdict: Verdict, *, deep: bool) -> None:
    outlines: list[tuple[NamedFile, Outline]] = []
    for file in batch:
        verdict.files += 1
        try:
            outlines.append((file, sealed_files.outline(file.path)))
        except (FileMissing, FileDamaged, OSError) as error:
            _note(column, file, error, verdict)
    for (file, outline), key in zip(outlines, _file_keys(column, outlines), strict=True):
        try:
            _check_content(file, outline, key, deep=deep)
        except (FileMissing, FileDamaged, OSError) as error:
            _note(column, file, error, verdict)
        except crypto.KeyDestroyed:
            verdict.erased += 1


def _file_keys(column: FileColumn, outlines: list[tuple[NamedFile, Outline]]) -> list[bytes | Exception]:
    """Unwrap the key of each file, or return why it can't be; the clients' keys are read together."""
    of_clients = [(file.client_id, outline.wrapped) for file, outline in outlines if file.client_id is not None]
    opened = iter(crypto.decrypt_many_for_clients(of_clients))
    return [
        next(opened) if file.client_id is not None else _instance_key(column.purpose, outline.wrapped)
        for file, outline in outlines
    ]


def _instance_key(purpose: str, wrapped: bytes) -> bytes | Exception:
    try:
        return crypto.decrypt(wrapped, purpose=purpose)
    except crypto.InvalidTag as error:
        return error


def _check_content(file: NamedFile, outline: Outline, key: bytes | Exception, *, deep: bool) -> None:
    """Compare a file with its row. Raises: FileDamaged, FileMissing; KeyDestroyed for a client who was erased."""
    if isinstance(key, crypto.InvalidTag):
        raise FileDamaged("our keys don't open it")
    if isinstance(key, Exception):
        raise key
    if file.size_bytes is not None and outline.size_bytes != file.size_bytes:
        raise FileDamaged(f"its content has {outline.size_bytes} bytes instead of {file.size_bytes}")
    if not deep:
        return
    digest = hashlib.sha256()
    file_key = key
    for piece in sealed_files.stream(file.path, owner=sealed_files.Owner(lambda plain: plain, lambda _: file_key)):
        digest.update(piece)
    if file.sha256 and digest.hexdigest() != file.sha256:
        raise FileDamaged("its content has another digest than its row")


def _note(column: FileColumn, file: NamedFile, error: Exception, verdict: Verdict) -> None:
    """Name what is wrong, unless the row meanwhile names another file or none, as a result that expired."""
    if not _still_named(column, file):
        return
    if isinstance(error, FileMissing) and _is_erased(file.client_id):
        verdict.erased += 1
        return
    if isinstance(error, FileMissing):
        verdict.missing += 1
        reason = "missing"
    else:
        verdict.damaged += 1
        reason = f"damaged ({error})"
    if len(verdict.problems) < PROBLEMS_MAX:
        client = f", client {file.client_id}" if file.client_id is not None else ""
        verdict.problems.append(f"{column.model._meta.label} {file.row_id}{client}: {file.place} is {reason}")


def _still_named(column: FileColumn, file: NamedFile) -> bool:
    named: dict[str, Any] = {column.column: file.value}
    return column.with_files().filter(pk=file.row_id, **named).exists()


def _is_erased(client_id: int | None) -> bool:
    from crm.models import SubjectKey

    return client_id is not None and SubjectKey.objects.filter(client_id=client_id, destroyed_at__isnull=False).exists()
