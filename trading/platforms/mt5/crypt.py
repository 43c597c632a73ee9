"""Hashes of the MT5 Web API's handshake and the cipher behind `CRYPT_METHOD=AES256OFB`.

The scheme is built on MD5 and authenticates nothing, so it needs a tunnel or TLS around it on an open network. It is
the platform's, not ours to choose.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

# The library keeps modes that nobody should choose today in its "decrepit" corner; the platform chose this one.
from cryptography.hazmat.decrepit.ciphers.modes import OFB
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

BLOCK_BYTES: Final = 16
CRYPT_RAND_BYTES: Final = 256


def md5(data: bytes) -> bytes:
    """Hash by MD5, which the protocol prescribes; it protects nothing here."""
    return hashlib.md5(data, usedforsecurity=False).digest()


def password_hash(password: str) -> bytes:
    """Compute what both sides know: `MD5(MD5(password in UTF-16LE) + "WebAPI")`."""
    return md5(md5(password.encode("utf-16-le")) + b"WebAPI")


def answer_to(secret: bytes, challenge: str) -> str:
    """Prove in hex that one knows `secret`, for a challenge of 32 hex digits. Raises: ValueError."""
    return md5(secret + bytes.fromhex(challenge)).hex()


def is_same(left: str, right: str) -> bool:
    """Compare two hex proofs without telling by time where they differ."""
    return hmac.compare_digest(left.strip().lower().encode(), right.strip().lower().encode())


def key_chain(secret: bytes, crypt_rand: str) -> list[bytes]:
    """Chain sixteen MD5 values over the server's random: two are the key, the next two the start vectors."""
    random = bytes.fromhex(crypt_rand)
    if len(random) != CRYPT_RAND_BYTES:
        raise ValueError(f"CRYPT_RAND has {len(random)} bytes instead of {CRYPT_RAND_BYTES}")
    chain, last = [], secret
    for start in range(0, CRYPT_RAND_BYTES, BLOCK_BYTES):
        last = md5(random[start : start + BLOCK_BYTES] + last)
        chain.append(last)
    return chain


class BlockRestartOFB:
    """AES-256 in output feedback, one direction. Each packet starts at a fresh block and drops the rest of the last.

    A library's running OFB stream would read the first packet only: the platform throws the unused bytes of a packet's
    last block away.
    """

    def __init__(self, key: bytes, vector: bytes) -> None:
        self._algorithm = algorithms.AES(key)
        self._vector = vector

    def apply(self, body: bytes) -> bytes:
        """Encrypt or decrypt one packet's body (the operation is its own inverse)."""
        if not body:
            return body
        blocks = -(-len(body) // BLOCK_BYTES)
        encryptor = Cipher(self._algorithm, OFB(self._vector)).encryptor()
        stream = encryptor.update(bytes(blocks * BLOCK_BYTES))
        self._vector = stream[-BLOCK_BYTES:]
        size = len(body)
        mixed = int.from_bytes(body, "big") ^ int.from_bytes(stream[:size], "big")
        return mixed.to_bytes(size, "big")


def ciphers(secret: bytes, crypt_rand: str) -> tuple[BlockRestartOFB, BlockRestartOFB]:
    """Derive the client's outgoing and incoming cipher."""
    first, second, outgoing, incoming, *_rest = key_chain(secret, crypt_rand)
    return BlockRestartOFB(first + second, outgoing), BlockRestartOFB(first + second, incoming)
