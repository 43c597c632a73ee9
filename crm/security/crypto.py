"""Encryption at rest: AES-256-GCM under a client's own key, or under the instance's field key.

A client's key is wrapped by the field key (`crm.security.keys`). Destroying it makes every document and audit body of that client
unreadable while hashes over the ciphertext still verify.

What the instance's key sealed says which field key it was: mark and key id, then nonce, ciphertext and tag.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db.models import QuerySet

from crm.db.prepared import ByKey
from crm.security import keys
from crm.security.keys import FieldKeyMissing

if TYPE_CHECKING:
    from crm.models import SubjectKey

NONCE_BYTES = 12
CLIENT_KEYS = "subject-keys"
LASTING_KEYS = "lasting-keys"


class KeyDestroyed(Exception):
    """The client was erased: this text can't be read any more, by design."""


def encrypt(plain: bytes, *, purpose: str, bound_to: str = "") -> bytes:
    """Encrypt under the instance's key, e.g. credentials of a PSP.

    bound_to: what else the value belongs to; it opens for that alone. The purpose, where nothing is named.
    """
    key = keys.field_key()
    return key.prefix + _seal(key.derived(purpose), plain, (bound_to or purpose).encode())


def decrypt(sealed: bytes | memoryview, *, purpose: str, bound_to: str = "") -> bytes:
    """Decrypt a value. Raises: InvalidTag when it was changed; FieldKeyMissing when its field key isn't configured."""
    sealed, bound = bytes(sealed), (bound_to or purpose).encode()
    ring = keys.field_keys()
    for key in ring:
        if sealed.startswith(key.prefix):
            return _open(key.derived(purpose), sealed[keys.PREFIX_BYTES :], bound)
    for key in ring:  # from before values said which key it was
        try:
            return _open(key.derived(purpose), sealed, bound)
        except InvalidTag:
            continue
    if sealed.startswith(keys.MARK):
        raise FieldKeyMissing(f"field key {sealed[len(keys.MARK) : keys.PREFIX_BYTES].hex()} is not configured")
    raise InvalidTag


@lru_cache(maxsize=16)
def lasting_key(purpose: str) -> bytes:
    """Return a key that stays the same when the field key is rotated: for keyed hashes compared with older ones."""
    from crm.models import LastingKey

    row = LastingKey.objects.get(purpose=purpose)
    return decrypt(row.wrapped, purpose=LASTING_KEYS, bound_to=purpose)


def encrypt_lasting(key: bytes, plain: bytes, *, bound_to: str) -> bytes:
    """Encrypt under a lasting key, for rows that are never written again: `encrypt_lasting(lasting_key("name"), …)`."""
    return _seal(key, plain, bound_to.encode())


def decrypt_lasting(key: bytes, sealed: bytes | memoryview, *, bound_to: str) -> bytes:
    """Decrypt a value under a lasting key. Raises: InvalidTag when it was changed."""
    return _open(key, bytes(sealed), bound_to.encode())


def encrypt_for_client(client_id: int, plain: bytes) -> bytes:
    """Encrypt under the client's own key, made on first use."""
    return _seal(_client_key(client_id, create=True), plain, str(client_id).encode())


def encrypt_many_for_clients(items: Sequence[tuple[int, bytes]]) -> list[bytes]:
    """Encrypt many (client id, plain) pairs as `encrypt_for_client` does, with at most three statements."""
    keys = _client_keys({client_id for client_id, _plain in items})
    return [_seal(keys[client_id], plain, str(client_id).encode()) for client_id, plain in items]


def sealers_for_clients(client_ids: Iterable[int]) -> dict[int, Callable[[bytes], bytes]]:
    """Return `encrypt_for_client` of each of many clients, their keys read with at most three statements."""
    keys = _client_keys(set(client_ids))
    return {pk: partial(_seal, key, bound_to=str(pk).encode()) for pk, key in keys.items()}


def decrypt_for_client(client_id: int, sealed: bytes | memoryview) -> bytes:
    """Decrypt under a client's key. Raises: KeyDestroyed after their erasure; InvalidTag for a changed ciphertext."""
    return _open(_client_key(client_id, create=False), bytes(sealed), str(client_id).encode())


def decrypt_many_for_clients(
    items: Sequence[tuple[int, bytes | memoryview]],
) -> list[bytes | KeyDestroyed | InvalidTag]:
    """Decrypt many (client id, ciphertext) pairs with one statement; a failure takes the place of its value."""
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


def _all_keys() -> QuerySet[SubjectKey]:
    from crm.models import SubjectKey

    return SubjectKey.objects.all()


_KEYS: ByKey[SubjectKey] = ByKey(_all_keys, "client_id")


def _client_key(client_id: int, *, create: bool) -> bytes:

    if create:
        return _client_keys({client_id})[client_id]
    row = _KEYS.find(client_id=client_id)
    if row is None:
        raise KeyDestroyed(f"client {client_id} has no key")
    return _unwrapped(row)


def _client_keys(client_ids: set[int]) -> dict[int, bytes]:
    """Return the keys of clients, made on first use."""
    from crm.models import SubjectKey

    if len(client_ids) == 1:
        one = _KEYS.find(client_id=next(iter(client_ids)))
        rows = {one.client_id: one} if one else {}
    else:
        rows = {row.client_id: row for row in SubjectKey.objects.filter(client_id__in=client_ids)}
    lacking = sorted(client_ids - rows.keys())
    if lacking:
        made = [SubjectKey(client_id=pk, wrapped=_wrapped(os.urandom(32), pk)) for pk in lacking]
        # Another process may make the same client's key now: whichever row is there first holds.
        SubjectKey.objects.bulk_create(made, ignore_conflicts=True, batch_size=5000)
        rows.update({row.client_id: row for row in SubjectKey.objects.filter(client_id__in=lacking)})
    return {pk: _unwrapped(row) for pk, row in rows.items()}


def _wrapped(key: bytes, client_id: int) -> bytes:
    return encrypt(key, purpose=CLIENT_KEYS, bound_to=str(client_id))


def _unwrapped(row: SubjectKey) -> bytes:
    if row.wrapped is None:
        raise KeyDestroyed(f"the key of client {row.client_id} was destroyed")
    return decrypt(row.wrapped, purpose=CLIENT_KEYS, bound_to=str(row.client_id))


def _seal(key: bytes, plain: bytes, bound_to: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, bound_to)


def _open(key: bytes, sealed: bytes, bound_to: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to)


__all__ = [
    "FieldKeyMissing",
    "InvalidTag",
    "KeyDestroyed",
    "decrypt",
    "decrypt_for_client",
    "decrypt_lasting",
    "decrypt_many_for_clients",
    "encrypt",
    "encrypt_for_client",
    "encrypt_many_for_clients",
    "lasting_key",
    "sealers_for_clients",
]
