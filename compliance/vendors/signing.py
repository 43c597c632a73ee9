"""The verdict on a vendor's webhook, signed after Standard Webhooks (`crm.outside.standard_webhooks`).

The timestamp (seconds) is within five minutes of our clock, so that a message can't be replayed later; within them its id is
processed once.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from crm.connections.choices import WebhookVerdict
from crm.connections.protocol import Judgement
from crm.outside.standard_webhooks import key_of, sign

TOLERANCE: Final = dt.timedelta(minutes=5)
ID_CHARS_MAX, SIGNATURES_MAX = 80, 10


def judge_signature(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], now: dt.datetime) -> Judgement:
    """Judge a message's signature in constant time, then its age; what it says is not read yet."""
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    is_whole = stamp.isascii() and stamp.isdigit() and len(stamp) <= 12
    if not message_id.isprintable() or not 0 < len(message_id) <= ID_CHARS_MAX or not is_whole or not any(given):
        return Judgement(WebhookVerdict.NO_SIGNATURE)
    seconds = int(stamp)
    keys = [key for key in map(key_of, secrets) if key]
    expected = [sign(body, message_id=message_id, seconds=seconds, key=key) for key in keys]
    fits = [hmac.compare_digest(mine.encode(), theirs.encode()) for mine in expected for theirs in given]
    if not any(fits):
        return Judgement(WebhookVerdict.WRONG_SIGNATURE)
    if abs(now.timestamp() - seconds) > TOLERANCE.total_seconds():
        return Judgement(WebhookVerdict.TOO_OLD, message_id)
    return Judgement(WebhookVerdict.ACCEPTED, message_id, dt.datetime.fromtimestamp(seconds, tz=dt.UTC))
