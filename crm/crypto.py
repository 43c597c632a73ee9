"""Encryption at rest: AES-256-GCM under a client's own key, or under the instance's field key.

A client's key is wrapped by `settings.FIELD_KEY` (32 bytes in hex). Destroying it makes every document and audit body
of that client unreadable while hashes over the ciphertext still verify.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils import timezone

if TYPE_CHECKING:
    from crm.models import SubjectKey

NONCE_BYTES = 12


class KeyDestroyed(Exception):
    """The client was erased: this text can't be read any more, by design."""


def derived_key(purpose: str) -> bytes:
    """A 32-byte key of this instance for one purpose, derived from FIELD_KEY (HKDF-SHA256)."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"keelson:{purpose}".encode()).derive(
        bytes.fromhex(settings.FIELD_KEY)
    )


def signing_key() -> Ed25519PrivateKey:
    """The instance's key that signs audit seals and packs."""
    return Ed25519PrivateKey.from_private_bytes(derived_key("seal-signing"))


def encrypt(plain: bytes, *, purpose: str) -> bytes:
    """Encrypt under the instance's key, e.g. credentials of a PSP. Returns nonce + ciphertext + tag."""
    return _seal(derived_key(purpose), plain, purpose.encode())


def decrypt(sealed: bytes | memoryview, *, purpose: str) -> bytes:
    return _open(derived_key(purpose), bytes(sealed), purpose.encode())


def encrypt_for_client(client_id: int, plain: bytes) -> bytes:
    """Encrypt under the client's own key, made on first use."""
    return _seal(_client_key(client_id, create=True), plain, str(client_id).encode())


def encrypt_many_for_clients(items: Sequence[tuple[int, bytes]]) -> list[bytes]:
    """`encrypt_for_client` of many (client id, plain) pairs with at most three statements."""
    keys = _client_keys({client_id for client_id, _plain in items})
    return [_seal(keys[client_id], plain, str(client_id).encode()) for client_id, plain in items]


def sealers_for_clients(client_ids: Iterable[int]) -> dict[int, Callable[[bytes], bytes]]:
    """`encrypt_for_client` of each of many clients, their keys read with at most three statements."""
    keys = _client_keys(set(client_ids))
    return {pk: partial(_seal, key, bound_to=str(pk).encode()) for pk, key in keys.items()}


def decrypt_for_client(client_id: int, sealed: bytes | memoryview) -> bytes:
    """Raises KeyDestroyed after the client's erasure, InvalidTag when the ciphertext was changed."""
    return _open(_client_key(client_id, create=False), bytes(sealed), str(client_id).encode())


def decrypt_many_for_clients(
    items: Sequence[tuple[int, bytes | memoryview]],
) -> list[bytes | KeyDestroyed | InvalidTag]:
    """`decrypt_for_client` of many (client id, ciphertext) pairs with one statement; a failure stands in its place."""
    from crm.models import SubjectKey

    rows = {row.client_id: row for row in SubjectKey.objects.filter(client_id__in={pk for pk, _sealed in items})}
    keys: dict[int, bytes | KeyDestroyed] = {}
    opened: list[bytes | KeyDestroyed | InvalidTag] = []
    for client_id, sealed in items:
        if client_id not in keys:
            try:
                keys[client_id] = _unwrapped(rows[client_id])
            except KeyError:
                keys[client_id] = KeyDestroyed(f"client {client_id} has no key")
            except KeyDestroyed as destroyed:
                keys[client_id] = destroyed
        key = keys[client_id]
        try:
            opened.append(key if isinstance(key, KeyDestroyed) else _open(key, bytes(sealed), str(client_id).encode()))
        except InvalidTag as changed:
            opened.append(changed)
    return opened


def destroy_client_key(client_id: int) -> None:
    from crm.models import SubjectKey

    SubjectKey.objects.filter(client_id=client_id, destroyed_at__isnull=True).update(
        wrapped=None, destroyed_at=timezone.now()
    )


def _client_key(client_id: int, *, create: bool) -> bytes:
    from crm.models import SubjectKey

    if create:
        return _client_keys({client_id})[client_id]
    row = SubjectKey.objects.filter(client_id=client_id).first()
    if row is None:
        raise KeyDestroyed(f"client {client_id} has no key")
    return _unwrapped(row)


def _client_keys(client_ids: set[int]) -> dict[int, bytes]:
    """The keys of clients, made on first use."""
    from crm.models import SubjectKey

    rows = {row.client_id: row for row in SubjectKey.objects.filter(client_id__in=client_ids)}
    lacking = sorted(client_ids - rows.keys())
    if lacking:
        wrapping = derived_key("subject-keys")
        made = [SubjectKey(client_id=pk, wrapped=_seal(wrapping, os.urandom(32), str(pk).encode())) for pk in lacking]
        # Another process may make the same client's key now: whichever row is there first holds.
        SubjectKey.objects.bulk_create(made, ignore_conflicts=True, batch_size=5000)
        rows.update({row.client_id: row for row in SubjectKey.objects.filter(client_id__in=lacking)})
    return {pk: _unwrapped(row) for pk, row in rows.items()}


def _unwrapped(row: SubjectKey) -> bytes:
    if row.wrapped is None:
        raise KeyDestroyed(f"the key of client {row.client_id} was destroyed")
    return _open(derived_key("subject-keys"), bytes(row.wrapped), str(row.client_id).encode())


def _seal(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _open(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)


__all__ = [
    "InvalidTag", "KeyDestroyed", "decrypt", "decrypt_for_client", "decrypt_many_for_clients", "derived_key",
    "destroy_client_key", "encrypt", "encrypt_for_client", "encrypt_many_for_clients", "sealers_for_clients",
    "signing_key",
]  # fmt: skip
