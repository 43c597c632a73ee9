"""Webhook signatures with a time in them: the `t=…,v1=…` family over "t.body", and Standard Webhooks over "id.t.body".

Several v1 may be given while a secret is being rotated: any one that fits is enough. Other schemes (v0) are
ignored. The time may lie 300 s in the past *or* in the future, no more.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
from collections.abc import Mapping, Sequence

from crm.outside import standard_webhooks
from wallet.choices.psp import Verdict

WINDOW_SECONDS = 300
HEADER_LENGTH_MAX = 2_000


def judge_timed_signature(
    *, header: str, body: bytes, secrets: Sequence[str], now: dt.datetime, window_seconds: int = WINDOW_SECONDS
) -> Verdict:
    """Judge a signature header: its form, then its signature, then its time."""
    if not header:
        return Verdict.NO_SIGNATURE
    stamp, signatures = _parts(header)
    if stamp is None or not signatures:
        return Verdict.NO_SIGNATURE
    signed = str(stamp).encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    # Every pair is compared, in constant time each: the time shows how many were tried, not which one fits.
    fits = [hmac.compare_digest(digest.encode(), other.encode()) for digest in expected for other in signatures]
    return _judge_time(stamp, now, window_seconds) if any(fits) else Verdict.WRONG_SIGNATURE


def judge_standard_webhook(
    *,
    headers: Mapping[str, str],
    body: bytes,
    secrets: Sequence[str],
    now: dt.datetime,
    window_seconds: int = WINDOW_SECONDS,
) -> Verdict:
    """Judge `webhook-id`, `webhook-timestamp` and `webhook-signature` (standardwebhooks.com).

    Secrets are base64, with or without `whsec_` and padding; one that is not opens nothing. Header names are lower case.
    """
    message_id, stamp_text = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    versioned = [part.partition(",") for part in headers.get("webhook-signature", "")[:HEADER_LENGTH_MAX].split(" ")]
    signatures = [f"v1,{value}" for version, _comma, value in versioned if version == "v1" and value.isascii()]
    is_stamp = stamp_text.isascii() and stamp_text.isdigit() and len(stamp_text) <= 12
    if not (message_id and signatures and is_stamp):
        return Verdict.NO_SIGNATURE
    keys = [key for key in map(_standard_key, secrets) if key]
    expected = [standard_webhooks.sign(body, message_id=message_id, seconds=stamp_text, key=key) for key in keys]
    fits = [hmac.compare_digest(digest.encode(), other.encode()) for digest in expected for other in signatures]
    return _judge_time(int(stamp_text), now, window_seconds) if any(fits) else Verdict.WRONG_SIGNATURE


def _standard_key(secret: str) -> bytes:
    text = secret.strip().removeprefix("whsec_").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _judge_time(stamp: int, now: dt.datetime, window_seconds: int) -> Verdict:
    age_seconds = now.timestamp() - stamp
    if age_seconds > window_seconds:
        return Verdict.STALE
    if age_seconds < -window_seconds:
        return Verdict.FUTURE
    return Verdict.ACCEPTED


def _parts(header: str) -> tuple[int | None, list[str]]:
    """Split a header into time and signatures.

    The first `t` counts; one that is no number makes the header unreadable.
    """
    stamps: list[int | None] = []
    signatures = []
    for part in header[:HEADER_LENGTH_MAX].split(","):
        name, _sign, value = part.strip().partition("=")
        if name == "t":
            stamps.append(int(value) if value.isascii() and value.isdigit() and len(value) <= 12 else None)
        elif name == "v1" and value.isascii():
            signatures.append(value)
    return (stamps[0] if stamps else None), signatures
