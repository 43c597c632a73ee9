"""The verdict on a vendor's webhook, signed after Standard Webhooks (`crm.outside.standard_webhooks`).

The timestamp (seconds) is within five minutes of our clock, so that a message can't be replayed later; within them its id is
processed once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from crm.connections.choices import WebhookVerdict
from crm.connections.protocol import Judgement
from crm.outside.standard_webhooks import SignatureFault, judge

VERDICTS: Final = {
    None: WebhookVerdict.ACCEPTED,
    SignatureFault.MISSING: WebhookVerdict.NO_SIGNATURE,
    SignatureFault.WRONG: WebhookVerdict.WRONG_SIGNATURE,
    SignatureFault.EXPIRED: WebhookVerdict.TOO_OLD,
}


def judge_signature(body: bytes, headers: Mapping[str, str], *, secrets: Sequence[str], now: dt.datetime) -> Judgement:
    """Judge a message's signature in constant time, then its age; what it says is not read yet."""
    message = judge(body, headers, signing_secrets=secrets, now_seconds=now.timestamp())
    if message.fault is not None:
        return Judgement(VERDICTS[message.fault], message.message_id)
    return Judgement(WebhookVerdict.ACCEPTED, message.message_id, dt.datetime.fromtimestamp(message.seconds, tz=dt.UTC))
