"""Signatures after Standard Webhooks 1.0.0: what we send and what vendors send us is signed in the same way.

`webhook-signature` holds `v1,<base64>` entries with spaces between: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<raw body>`
under the secret, which is base64 after `whsec_`. Two secrets count while one is exchanged.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32  # the specification allows 24 to 64
TOLERANCE_SECONDS: Final = 300
ID_CHARS_MAX, SIGNATURES_MAX = 80, 10


class SignatureFault(StrEnum):
    """What is wrong with a message's signature."""

    MISSING = "missing"
    WRONG = "wrong"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A message's signature as judged: its id and time, and what is wrong with it; `fault` is None for a good one."""

    message_id: str = ""
    seconds: int = 0
    fault: SignatureFault | None = None


def new_secret() -> str:
    """Make a signing secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Decode a secret: base64 after its prefix; one without the prefix is taken as it is."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return b""


def sign(body: bytes, *, message_id: str, seconds: int | str, key: bytes) -> str:
    """Sign a message under a key."""
    signed = f"{message_id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signed_headers(body: bytes, *, message_id: str, seconds: int, signing_secrets: Sequence[str]) -> dict[str, str]:
    """Write the three headers of a message, signed under each of the secrets."""
    signatures = [sign(body, message_id=message_id, seconds=seconds, key=key_of(secret)) for secret in signing_secrets]
    return {"webhook-id": message_id, "webhook-timestamp": str(seconds), "webhook-signature": " ".join(signatures)}


def judge(
    body: bytes, headers: Mapping[str, str], *, signing_secrets: Sequence[str], now_seconds: float
) -> SignedMessage:
    """Judge a message's signature in constant time, then its age of five minutes at most; what it says is not read yet.

    A message can be sent again within these minutes: the caller keeps its id, and takes each once.
    """
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    is_whole = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    if not message_id.isprintable() or not 0 < len(message_id) <= ID_CHARS_MAX or not is_whole or not any(given):
        return SignedMessage(fault=SignatureFault.MISSING)
    keys = [key for key in map(key_of, signing_secrets) if key]
    expected = [sign(body, message_id=message_id, seconds=int(stamp), key=key) for key in keys]
    fits = [hmac.compare_digest(mine.encode(), theirs.encode()) for mine in expected for theirs in given]
    if not any(fits):
        return SignedMessage(fault=SignatureFault.WRONG)
    is_current = abs(now_seconds - int(stamp)) <= TOLERANCE_SECONDS
    return SignedMessage(message_id, int(stamp), None if is_current else SignatureFault.EXPIRED)
