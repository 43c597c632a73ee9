"""Calling an address that a customer named, once: how it ended, why it failed, and the beginning of the answer.

Partners' postbacks and brands' webhooks are called here, through `crm.outside.outbound`: private addresses are refused after the
name is resolved, the connection goes to the address that was checked, no redirect is followed, the answer is bounded.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpx

from crm.choices import CallFailure
from crm.outside import outbound

ANSWER_BYTES_KEPT: Final = 2_000
WAIT_SECONDS_MAX: Final = 3_600


@dataclass(frozen=True, slots=True)
class CallResult:
    """How a call ended. failure: empty where it was taken. wait_seconds: what the answer asked for in `Retry-After`."""

    status_code: int | None = None
    failure: str = ""
    answer: bytes = b""
    duration_ms: int = 0
    wait_seconds: int = 0


def call(
    method: str, url: str, *, bounds: outbound.Bounds, headers: Mapping[str, str], content: bytes | None = None
) -> CallResult:
    """Send one request and say how it ended; raises nothing for what the other side does."""
    started, response = time.monotonic(), None
    try:
        response = outbound.request(method, url, bounds=bounds, headers=dict(headers), content=content)
    except outbound.AnswerTooLarge:
        failure = CallFailure.OVERSIZED.value
    except httpx.TimeoutException:
        failure = CallFailure.TIMEOUT.value
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError):
        failure = CallFailure.UNREACHABLE.value
    duration_ms = round((time.monotonic() - started) * 1000)
    if response is None:
        return CallResult(failure=failure, duration_ms=duration_ms)
    asked = response.headers.get("retry-after", "")
    wait = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    return CallResult(
        response.status_code,
        _failure_of(response.status_code),
        response.content[:ANSWER_BYTES_KEPT],
        duration_ms,
        min(wait, WAIT_SECONDS_MAX),
    )


def _failure_of(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return (CallFailure.REDIRECTED if 300 <= status < 400 else CallFailure.REFUSED).value
