"""Originals of PSPs' reports and banks' statements: encrypted on disk before they are read, and read from there.

What is imported is what was stored. A file that is refused leaves nothing behind; what a killed process left is
deleted by a scheduled task.
"""

from __future__ import annotations

import io
import secrets
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.conf import settings

from crm.choices import JobState
from crm.models import Job
from crm.security import sealed_files

IN_MEMORY_BYTES_MAX = 4 * 1024 * 1024
JOBS_READ = 1_000

Progress = Callable[[int, int, str], None]


def no_progress(_done: int, _total: int = 0, _message: str = "") -> None:
    """Ignore progress, where nobody waits for it."""


@dataclass(frozen=True)
class Folder:
    """Files of one kind. purpose: of the key that wraps theirs."""

    name: str
    purpose: str

    @property
    def root(self) -> Path:
        return Path(settings.PRIVATE_DIR) / self.name

    @property
    def owner(self) -> sealed_files.Owner:
        return sealed_files.of_instance(self.purpose)

    def path_of(self, name: str) -> Path:
        """Return a file's path: the first two letters of its name are the folder."""
        return self.root / name[:2] / name

    def keep(self, content: bytes | BinaryIO | Path | Iterator[bytes], *, sync: bool = True) -> StoredOriginal:
        """Encrypt a file to disk with bounded memory. Raises StorageFull, with nothing left behind."""
        name = f"{secrets.token_hex(16)}.sealed"
        if isinstance(content, Path):
            with content.open("rb") as source:
                written = sealed_files.write(self.path_of(name), source, owner=self.owner, sync=sync)
        else:
            written = sealed_files.write(self.path_of(name), content, owner=self.owner, sync=sync)
        return StoredOriginal(self, name, written.sha256, written.size_bytes)

    def ordered(self, parameters: dict[str, Any]) -> StoredOriginal:
        """Return the file that a job was started for."""
        return StoredOriginal(self, parameters["stored_name"], parameters["sha256"], parameters["size_bytes"])

    def stream(self, name: str) -> Iterator[bytes]:
        """Decrypt a file in pieces. Raises: FileMissing, FileDamaged."""
        yield from sealed_files.stream(self.path_of(name), owner=self.owner)


def awaited_names(job_kind: str) -> set[str]:
    """List the files of imports that haven't run yet: no row names them so far."""
    waiting = Job.objects.filter(
        kind=job_kind, state__in=[JobState.QUEUED, JobState.RUNNING], parameters__has_key="stored_name"
    )
    return {parameters["stored_name"] for parameters in waiting.values_list("parameters", flat=True)[:JOBS_READ]}


@dataclass(frozen=True)
class StoredOriginal:
    """One original on disk."""

    folder: Folder
    name: str
    sha256: str
    size_bytes: int

    @property
    def path(self) -> Path:
        return self.folder.path_of(self.name)

    def content(self) -> BinaryIO:
        """Open the original to be read once, from its beginning."""
        return io.BufferedReader(_Opened(self.folder.stream(self.name)))

    def opened(self) -> BinaryIO:
        """Open the original to be read at any place; close it.

        A small one is in memory, a large one in a temporary file that has no name.
        """
        copy = io.BytesIO() if self.size_bytes <= IN_MEMORY_BYTES_MAX else tempfile.TemporaryFile()  # noqa: SIM115
        try:
            for piece in self.folder.stream(self.name):
                copy.write(piece)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return cast("BinaryIO", copy)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)


class _Opened(io.RawIOBase):
    """Pieces of bytes as a file to read from."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size
