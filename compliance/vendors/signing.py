"""Signatures of webhooks after Standard Webhooks 1.0.0, which vendors and their tools share.

`webhook-signature` holds `v1,<base64>` entries with spaces between: HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<raw body>`
under the secret, which is base64 after `whsec_`. The timestamp (seconds) is within five minutes of our clock, so that a message
can't be replayed later; within them its id is processed once. Two secrets count while one is exchanged.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from crm.connections.choices import WebhookVerdict
from crm.connections.protocol import Judgement

TOLERANCE: Final = dt.timedelta(minutes=5)
ID_CHARS_MAX, SIGNATURES_MAX = 80, 10
PREFIX: Final = "whsec_"


def key_of(secret: str) -> bytes:
    """Decode a secret: base64 after its prefix; one without the prefix is taken as it is."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        return b""


def signature(body: bytes, *, message_id: str, seconds: int, secret: str) -> str:
    """Sign a message."""
    signed = f"{message_id}.{seconds}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest()).decode()


def judge_signature(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], now: dt.datetime) -> Judgement:
    """Judge a message's signature in constant time, then its age; what it says is not read yet."""
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    is_whole = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    if not message_id.isprintable() or not 0 < len(message_id) <= ID_CHARS_MAX or not is_whole or not any(given):
        return Judgement(WebhookVerdict.NO_SIGNATURE)
    seconds = int(stamp)
    expected = [
        signature(body, message_id=message_id, seconds=seconds, secret=secret) for secret in secrets if key_of(secret)
    ]
    fits = [hmac.compare_digest(mine.encode(), theirs.encode()) for mine in expected for theirs in given]
    if not any(fits):
        return Judgement(WebhookVerdict.WRONG_SIGNATURE)
    if abs(now.timestamp() - seconds) > TOLERANCE.total_seconds():
        return Judgement(WebhookVerdict.TOO_OLD, message_id)
    return Judgement(WebhookVerdict.ACCEPTED, message_id, dt.datetime.fromtimestamp(seconds, tz=dt.UTC))
