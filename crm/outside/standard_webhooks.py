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
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32  # the specification allows 24 to 64


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
