"""Signatures of Sumsub's API, in both directions.

Requests: `X-App-Token`, `X-App-Access-Ts` (seconds, within a minute of the server's clock) and `X-App-Access-Sig`, the lower-case
hex HMAC-SHA256 under the app token's secret key over timestamp, method in capitals, path with query, and the body as it is sent.
Source: https://docs.sumsub.com/reference/authentication

Webhooks: `X-Payload-Digest` is the hex HMAC over the raw body under the webhook's own secret key; `X-Payload-Digest-Alg` names the
algorithm, `HMAC_SHA1_HEX`, `HMAC_SHA256_HEX` or `HMAC_SHA512_HEX`. The digest covers no time: a replayed message has the same
body, and what counts is looked up. Source: https://docs.sumsub.com/docs/webhook-manager
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

from crm.connections.choices import WebhookVerdict

DIGESTS: Final[Mapping[str, Any]] = {
    "HMAC_SHA256_HEX": hashlib.sha256,
    "HMAC_SHA512_HEX": hashlib.sha512,
    "HMAC_SHA1_HEX": hashlib.sha1,
}
HEADER_LENGTH_MAX: Final = 200


def request_headers(
    *, token: str, secret: str, method: str, path: str, body: bytes, now_seconds: int
) -> dict[str, str]:
    """Sign a request. path: with its query, as it is sent."""
    signed = f"{now_seconds}{method}{path}".encode() + body
    signature = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return {"X-App-Token": token, "X-App-Access-Ts": str(now_seconds), "X-App-Access-Sig": signature}


def judge_digest(
    body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], allowed: Sequence[str]
) -> tuple[WebhookVerdict, str]:
    """Judge a webhook's digest in constant time, and name its algorithm. Of two secrets either fits while one is exchanged."""
    digest = headers.get("x-payload-digest", "")[:HEADER_LENGTH_MAX]
    algorithm = headers.get("x-payload-digest-alg", "")[:40]
    if not digest or not digest.isascii() or not algorithm:
        return WebhookVerdict.NO_SIGNATURE, algorithm
    if algorithm not in DIGESTS or algorithm not in allowed:
        return WebhookVerdict.WRONG_ALGORITHM, algorithm
    expected = [hmac.new(secret.encode(), body, DIGESTS[algorithm]).hexdigest() for secret in secrets if secret]
    fits = [hmac.compare_digest(one.encode(), digest.encode()) for one in expected]
    return (WebhookVerdict.ACCEPTED if any(fits) else WebhookVerdict.WRONG_SIGNATURE), algorithm
