"""Webhook signatures of the `t=…,v1=…` family: HMAC-SHA256 over "t.body", with a window on both sides.

Several v1 may stand beside each other while a secret is being rotated: any one that fits is enough. Other schemes (v0) are
ignored. The time may lie 300 s in the past *or* in the future, no more.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence

from wallet.choices import Verdict

WINDOW_SECONDS = 300
HEADER_LENGTH_MAX = 2_000


def judge_timed_signature(
    *, header: str, body: bytes, secrets: Sequence[str], now: dt.datetime, window_seconds: int = WINDOW_SECONDS
) -> Verdict:
    """The verdict on a signature header: its form, then its signature, then its time."""
    if not header:
        return Verdict.NO_SIGNATURE
    stamp, signatures = _parts(header)
    if stamp is None or not signatures:
        return Verdict.NO_SIGNATURE
    signed = str(stamp).encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets if secret]
    # Every pair is compared, in constant time each: how many were tried says nothing about which one fits.
    fits = [hmac.compare_digest(one.encode(), other.encode()) for one in expected for other in signatures]
    if not any(fits):
        return Verdict.WRONG_SIGNATURE
    age_seconds = now.timestamp() - stamp
    if age_seconds > window_seconds:
        return Verdict.STALE
    if age_seconds < -window_seconds:
        return Verdict.FUTURE
    return Verdict.ACCEPTED


def _parts(header: str) -> tuple[int | None, list[str]]:
    stamp: int | None = None
    signatures = []
    for part in header[:HEADER_LENGTH_MAX].split(","):
        name, _sign, value = part.strip().partition("=")
        if name == "t" and value.isascii() and value.isdigit() and len(value) <= 12 and stamp is None:
            stamp = int(value)
        elif name == "v1" and value.isascii():
            signatures.append(value)
    return stamp, signatures
