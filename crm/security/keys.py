"""The instance's own keys: the field keys that wrap, and the seal key that signs.

A field key is 32 bytes in hex. `KEELSON_FIELD_KEY` wraps what is new; the keys in `KEELSON_FIELD_KEYS_OLD` still open what
they wrapped until `manage.py rotate_field_key` has wrapped it again. Each value carries the id of its field key, so that
several can be in use at once; values from before ids carry none, and are tried with every key that is configured.

Seals are signed by `KEELSON_SEAL_KEY`, or by a key derived from the field key where it is unset. Whoever verifies a seal
accepts the public keys of today's seal key, of every configured field key, and those in `KEELSON_SEAL_KEYS_OLD`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

KEY_BYTES = 32
ID_BYTES = 4
# Starts a value that says which field key wrapped it; a random nonce begins like this once in four thousand million.
MARK = b"KFK1"
PREFIX_BYTES = len(MARK) + ID_BYTES


class FieldKeyMissing(Exception):
    """The value was wrapped by a field key that is not configured."""


@dataclass(frozen=True)
class FieldKey:
    """One field key. Its id says which one it is and nothing about it."""

    key_id: bytes
    text: str = field(repr=False)

    @property
    def prefix(self) -> bytes:
        """How each value begins that this key wrapped."""
        return MARK + self.key_id

    def derived(self, purpose: str) -> bytes:
        """Derive the 32-byte key of one purpose (HKDF-SHA256)."""
        return _derived(self.text, f"keelson:{purpose}")


@lru_cache(maxsize=512)
def _derived(text: str, info: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(bytes.fromhex(text))


@lru_cache(maxsize=16)
def _ring(texts: tuple[str, ...]) -> tuple[FieldKey, ...]:
    return tuple(FieldKey(_derived(text, "keelson:key-id")[:ID_BYTES], text) for text in dict.fromkeys(texts))


def field_keys() -> tuple[FieldKey, ...]:
    """Return all configured field keys, today's first."""
    return _ring((settings.FIELD_KEY, *settings.FIELD_KEYS_OLD))


def field_key() -> FieldKey:
    """Return the key that wraps what is new: the first of the ring."""
    return field_keys()[0]


def is_key(text: str) -> bool:
    """Check whether this is 32 bytes in hex."""
    try:
        return len(bytes.fromhex(text)) == KEY_BYTES
    except ValueError:
        return False


@lru_cache(maxsize=64)
def _private(text: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text))


def signing_key() -> Ed25519PrivateKey:
    """Return the key that signs seals, packs and the register of erasures."""
    return _private(settings.SEAL_KEY or field_key().derived("seal-signing").hex())


def public_hex(key: Ed25519PrivateKey) -> str:
    """Write the public half of a signing key in hexadecimal."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


@lru_cache(maxsize=16)
def _verifiers(known: tuple[str, ...]) -> dict[str, Ed25519PublicKey]:
    return {text: Ed25519PublicKey.from_public_bytes(bytes.fromhex(text)) for text in dict.fromkeys(known)}


def derived_seal_key_hex(key: FieldKey) -> str:
    """Return the public half of what signs while KEELSON_SEAL_KEY is unset and this is the field key."""
    return public_hex(_private(key.derived("seal-signing").hex()))


def verification_keys() -> dict[str, Ed25519PublicKey]:
    """Return every public key whose seals count as ours, by its hex form; today's first."""
    derived = (derived_seal_key_hex(key) for key in field_keys())
    return _verifiers((public_hex(signing_key()), *(text.lower() for text in settings.SEAL_KEYS_OLD), *derived))


def is_signed_by_us(signature: bytes, digest: bytes) -> bool:
    """Check whether one of our seal keys, today's or an earlier one, signed this."""
    for key in verification_keys().values():
        try:
            key.verify(signature, digest)
        except InvalidSignature:
            continue
        return True
    return False
