"""Files that only Keelson can read: encrypted, and written whole or not at all.

A file has a key of its own, wrapped under the key of its owner: a client (so that destroying the client's key makes all of
it unreadable) or this instance. The content is sealed in chunks (AES-256-GCM) with bounded memory; each chunk is bound to the
file's name, to its place and to whether it is the last, so that a file that was cut, reordered or mixed does not open.

    header   b"KEELSON1" | length of wrapped key (2 bytes) | wrapped key
    chunk    length (4 bytes, highest bit: last) | nonce (12) | ciphertext and tag
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.security import crypto

MAGIC = b"KEELSON1"
CHUNK_BYTES = 256 * 1024
NONCE_BYTES = 12
TAG_BYTES = 16
LAST = 1 << 31
# How a file is called whose key is being wrapped again.
REWRAPPING = ".rewrap.partial"
# Disk full, quota reached, file size limit.
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class StorageFull(DomainError):
    """There is no room for the file: nothing of it was kept."""

    code = "storage_full"


class FileDamaged(Exception):
    """The stored bytes are not what was written: cut, changed or mixed up."""


class FileMissing(Exception):
    """There is no such file."""


@dataclass(frozen=True)
class Owner:
    """Whose key wraps a file's key."""

    wrap: Callable[[bytes], bytes]
    unwrap: Callable[[bytes], bytes]


@dataclass(frozen=True)
class Written:
    size_bytes: int
    sha256: str


def of_client(client_id: int) -> Owner:
    """Return the owner of a client's files: erasing the client destroys the key that wraps theirs."""
    return Owner(
        lambda key: crypto.encrypt_for_client(client_id, key),
        lambda wrapped: crypto.decrypt_for_client(client_id, wrapped),
    )


def of_clients(client_ids: Iterable[int]) -> dict[int, Owner]:
    """Return the owners of many clients' files, for whoever writes a file for each: their keys are read together."""
    sealers = crypto.sealers_for_clients(client_ids)
    return {pk: Owner(seal, partial(crypto.decrypt_for_client, pk)) for pk, seal in sealers.items()}


def of_instance(purpose: str) -> Owner:
    """Return the owner of files that belong to no client, under the field key's key for a purpose."""
    return Owner(
        lambda key: crypto.encrypt(key, purpose=purpose), lambda wrapped: crypto.decrypt(wrapped, purpose=purpose)
    )


def no_room() -> StorageFull:
    """Build the error for a full disk, in words for whoever sent the file."""
    return StorageFull(_("The file couldn't be saved: our storage is full. Please try again later."))


def write(target: Path, content: bytes | BinaryIO | Iterable[bytes], *, owner: Owner, sync: bool = True) -> Written:
    """Encrypt and keep a file: all of it or nothing.

    sync: wait until the disk has it; only a demo's bulk load does without. Raises: StorageFull, with nothing left behind.
    """
    partial = target.with_suffix(f".{secrets.token_hex(4)}.partial")
    digest, size = hashlib.sha256(), 0
    try:
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with partial.open("xb") as out:
            os.fchmod(out.fileno(), 0o600)
            for plain, sealed in _sealed(owner, target.name, _chunks(content)):
                digest.update(plain)
                size += len(plain)
                out.write(sealed)
            out.flush()
            if sync:
                os.fsync(out.fileno())
        partial.replace(target)
        if sync:
            _sync_directory(target.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise no_room() from error
        raise
    return Written(size, digest.hexdigest())


def stream(path: Path, *, owner: Owner) -> Iterator[bytes]:
    """Decrypt a file in chunks. Raises: FileMissing, FileDamaged; crypto.KeyDestroyed after the client's erasure."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        raise FileMissing(path.name) from None
    with source:
        yield from _opened(owner, path.name, source)


@dataclass(frozen=True)
class Outline:
    """What can be read of a file without its key: the wrapped key, and the length of its content."""

    wrapped: bytes
    size_bytes: int


def outline(path: Path) -> Outline:
    """Read the header and the heads of the chunks, a few bytes of each. Raises FileMissing, or FileDamaged for what was cut."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        raise FileMissing(path.name) from None
    with source:
        wrapped, size, is_last = _wrapped_key(source), 0, False
        end = os.fstat(source.fileno()).st_size
        while not is_last:
            length, is_last = _chunk_head(source)
            size += max(0, length - NONCE_BYTES - TAG_BYTES)
            source.seek(length, os.SEEK_CUR)
        if source.tell() != end:
            raise FileDamaged("the file was cut" if source.tell() > end else "something was appended")
    return Outline(wrapped, size)


def read(path: Path, *, owner: Owner) -> bytes:
    """Decrypt a whole file; for files that are bounded. Raises: as `stream`."""
    return b"".join(stream(path, owner=owner))


def wrapped_key_of(path: Path) -> bytes | None:
    """Read the wrapped key in a file's header; None for a file that isn't of this store, or is gone."""
    try:
        with path.open("rb") as source:
            if source.read(len(MAGIC)) != MAGIC:
                return None
            (length,) = struct.unpack(">H", _exactly(source, 2))
            return _exactly(source, length)
    except (FileNotFoundError, FileDamaged):
        return None


def rewrap(path: Path, *, owner: Owner) -> bool:
    """Wrap the file's key again for its owner; the content is copied as it is. False when the file went meanwhile."""
    target = path.with_name(f"{path.name}.{secrets.token_hex(4)}{REWRAPPING}")
    try:
        with path.open("rb") as source, target.open("xb") as out:
            os.fchmod(out.fileno(), 0o600)
            source.read(len(MAGIC))
            (length,) = struct.unpack(">H", _exactly(source, 2))
            wrapped = owner.wrap(owner.unwrap(_exactly(source, length)))
            out.write(MAGIC + struct.pack(">H", len(wrapped)) + wrapped)
            shutil.copyfileobj(source, out, CHUNK_BYTES)
            out.flush()
            os.fsync(out.fileno())
            times = os.fstat(source.fileno())
        os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))  # clocks that drop old files go by it
        if not path.exists():
            return False
        target.replace(path)
        _sync_directory(path.parent)
        return True
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno in NO_ROOM:
            raise no_room() from error
        raise
    finally:
        target.unlink(missing_ok=True)


def _chunks(content: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    """Cut the content into pieces of CHUNK_BYTES, the last one shorter (an empty file has one empty piece)."""
    if isinstance(content, bytes):
        pieces: Iterable[bytes] = (content[at : at + CHUNK_BYTES] for at in range(0, len(content), CHUNK_BYTES))
    elif hasattr(content, "read"):
        source = content
        pieces = iter(lambda: source.read(CHUNK_BYTES), b"")
    else:
        pieces = content
    yield from pieces


def _sealed(owner: Owner, name: str, pieces: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    file_key = secrets.token_bytes(32)
    wrapped = owner.wrap(file_key)
    cipher = AESGCM(file_key)
    yield b"", MAGIC + struct.pack(">H", len(wrapped)) + wrapped
    current = next(pieces, b"")
    number = 0
    while True:
        following = next(pieces, None)
        is_last = following is None
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, current, _bound_to(name, number, is_last))
        yield current, struct.pack(">I", len(sealed) | (LAST if is_last else 0)) + sealed
        if following is None:
            return
        current, number = following, number + 1


def _opened(owner: Owner, name: str, source: BinaryIO) -> Iterator[bytes]:
    wrapped = _wrapped_key(source)
    try:
        cipher = AESGCM(owner.unwrap(wrapped))
    except InvalidTag:
        raise FileDamaged("the file belongs to somebody else, or its header was changed") from None
    number = 0
    while True:
        length, is_last = _chunk_head(source)
        sealed = _exactly(source, length)
        try:
            yield cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(name, number, is_last))
        except InvalidTag:
            raise FileDamaged(f"chunk {number} was changed") from None
        if is_last:
            if source.read(1):
                raise FileDamaged("something was appended")
            return
        number += 1


def _wrapped_key(source: BinaryIO) -> bytes:
    if source.read(len(MAGIC)) != MAGIC:
        raise FileDamaged("not a file of this store")
    (length,) = struct.unpack(">H", _exactly(source, 2))
    return _exactly(source, length)


def _chunk_head(source: BinaryIO) -> tuple[int, bool]:
    """Read the length of the chunk that follows, and whether it is the last. Raises: FileDamaged."""
    (head,) = struct.unpack(">I", _exactly(source, 4))
    length = head & ~LAST
    if length > CHUNK_BYTES * 64:
        raise FileDamaged("a chunk is too long")
    return length, bool(head & LAST)


def _bound_to(name: str, number: int, is_last: bool) -> bytes:
    return f"{name}|{number}|{int(is_last)}".encode()


def _exactly(source: BinaryIO, length: int) -> bytes:
    data = source.read(length)
    if len(data) != length:
        raise FileDamaged("the file was cut")
    return data


def _sync_directory(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
