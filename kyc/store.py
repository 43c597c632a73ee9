"""Where the files of clients lie: sealed under the client's own key (`crm.security.sealed_files`), below PRIVATE_DIR and outside
the web root. A key names a file and is never a path.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from crm.security import sealed_files
from crm.security.sealed_files import CHUNK_BYTES, NONCE_BYTES, FileDamaged, FileMissing, StorageFull

KEY_SHAPE = re.compile(r"[0-9a-f]{2}/[0-9a-f]{32}")
__all__ = ["CHUNK_BYTES", "NONCE_BYTES", "FileDamaged", "FileMissing", "StorageFull", "StoredFile"]


@dataclass(frozen=True)
class StoredFile:
    key: str
    size_bytes: int
    sha256: str


def root() -> Path:
    return Path(settings.PRIVATE_DIR) / "documents"


def path_of(key: str) -> Path:
    if not KEY_SHAPE.fullmatch(key):
        raise FileMissing(f"{key!r} is not a key of this store")
    return root() / key


def put(
    *,
    client_id: int,
    content: bytes | BinaryIO | Iterable[bytes],
    sync: bool = True,
    owner: sealed_files.Owner | None = None,
) -> StoredFile:
    """Encrypt and keep a file: all of it or nothing. Raises: StorageFull, with nothing left behind.

    owner: the client's, from whoever keeps many files and has read the keys already (`sealed_files.of_clients`).
    """
    name = secrets.token_hex(16)
    key = f"{name[:2]}/{name}"
    written = sealed_files.write(path_of(key), content, owner=owner or sealed_files.of_client(client_id), sync=sync)
    return StoredFile(key, written.size_bytes, written.sha256)


def stream(*, client_id: int, key: str) -> Iterator[bytes]:
    """Decrypt the content in chunks. Raises FileMissing, FileDamaged, or crypto.KeyDestroyed after the client's erasure."""
    yield from sealed_files.stream(path_of(key), owner=sealed_files.of_client(client_id))


def read(*, client_id: int, key: str) -> bytes:
    """Decrypt the whole content: files are bounded by UPLOAD_MAX_BYTES. Raises as `stream`."""
    return b"".join(stream(client_id=client_id, key=key))


def delete(key: str) -> None:
    path_of(key).unlink(missing_ok=True)
