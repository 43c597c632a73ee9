"""What a signed request must carry, after Standard Webhooks: as our own webhooks are signed, so are the leads that come in."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone

from crm.outside.standard_webhooks import SignatureFault, judge
from leads.models import LeadSource, LeadSourceRequest
from leads.signing.secrets import secrets_of

REPLAYED: Final = "replayed"
NOTE: Final = """
INSERT INTO leads_leadsourcerequest (source_id, message_id, received_at) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING
"""
# A signature counts from five minutes before its time to five minutes after it.
KEPT: Final = dt.timedelta(minutes=15)
REFUSALS: Final = {
    SignatureFault.MISSING: "This source signs its requests: send webhook-id, webhook-timestamp and webhook-signature.",
    SignatureFault.WRONG: "The signature doesn't fit this body, id, timestamp and the source's secret.",
    SignatureFault.EXPIRED: "webhook-timestamp is more than five minutes from our clock. Sign again with the present time.",
    REPLAYED: "A request with this webhook-id was received before. Sign each attempt with an id of its own.",
}


def fault_of(request: HttpRequest, source: LeadSource) -> str:
    """Say what is wrong with the signature of a source's request, a key of REFUSALS; empty where it fits or isn't asked for.

    A good one is noted, in a statement of its own, so that it counts once.
    """
    if not source.needs_signature:
        return ""
    now = timezone.now()
    headers = {name.lower(): value for name, value in request.headers.items()}
    secrets = secrets_of(source, now)
    message = judge(request.body, headers, signing_secrets=secrets, now_seconds=now.timestamp())
    if message.fault is not None:
        return message.fault.value
    return "" if _is_first(source.pk, message.message_id, now) else REPLAYED


def _is_first(source_id: int, message_id: str, now: dt.datetime) -> bool:
    """Note a request's id; of two with one id, also at the same time, one is the first."""
    with connection.cursor() as cursor:
        cursor.execute(NOTE, [source_id, message_id, now])
        return bool(cursor.rowcount == 1)


def forget_old_requests() -> int:
    """Delete the ids of requests whose signatures are too old to count; returns how many."""
    return LeadSourceRequest.objects.filter(received_at__lt=timezone.now() - KEPT).delete()[0]
