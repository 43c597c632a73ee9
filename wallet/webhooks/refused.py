"""What is not taken: every refused or repeated webhook is counted, only the first few of a day are kept, and refusals expire.

Anybody may post to a webhook's address. A genuine message is one that its signature proves, and nothing here touches it: it has
a row of its own however many forgeries come. Of the others a day keeps KEPT_A_DAY per PSP and verdict (of one address at most
KEPT_OF_AN_ADDRESS, so that a stranger can't use up the places of a PSP whose secret was mistyped), each with the start of its
body and the headers of its signature; the rest is a number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import connection, transaction
from django.utils import timezone

from wallet.choices.psp import Verdict
from wallet.models import WebhookCount, WebhookMessage

KEPT_A_DAY = 20
KEPT_OF_AN_ADDRESS = 5
REPEATS_KEPT_A_DAY = 1_000  # signed by the PSP: a replay needs a message that was genuine
BYTES_KEPT = 4 * 1024  # enough to see what it was
HEADERS_ALSO_KEPT = ("content-type", "user-agent")
HEADER_LENGTH_MAX = 500
DAYS_KEPT = 30
COUNT_DAYS_KEPT = 400
BATCH = 1_000
TAKEN = (Verdict.ACCEPTED, Verdict.DUPLICATE)

COUNT = """
INSERT INTO wallet_webhookcount AS c (psp_id, day, verdict, received, kept, last_at) VALUES (%s, %s, %s, 1, 0, %s)
ON CONFLICT (psp_id, day, verdict) DO UPDATE SET received = c.received + 1, last_at = excluded.last_at
RETURNING id, kept
"""


@transaction.atomic
def count_refused(message: WebhookMessage) -> bool:
    """Count a message that isn't acted on, and keep it while the day has a place for it; return whether it was kept."""
    day = message.received_at.astimezone(dt.UTC).date()
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [message.psp_id, day, str(message.verdict), message.received_at])
        count_id, stored = cursor.fetchone()  # the row is locked: two at once don't share a place
    if not _has_place(message, stored, day):
        return False
    message.body = bytes(message.body)[:BYTES_KEPT]
    message.save(force_insert=True)
    WebhookCount.objects.filter(pk=count_id).update(kept=stored + 1)
    return True


def _has_place(message: WebhookMessage, stored: int, day: dt.date) -> bool:
    if message.verdict == Verdict.DUPLICATE:
        return stored < REPEATS_KEPT_A_DAY
    if stored >= KEPT_A_DAY:
        return False
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    today = WebhookMessage.objects.filter(
        psp_id=message.psp_id, verdict=message.verdict, received_at__gte=start, received_at__lt=start + dt.timedelta(1)
    ).exclude(verdict__in=TAKEN)
    return today.filter(ip=message.ip).count() < KEPT_OF_AN_ADDRESS


def headers_of_signature(headers: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    """Pick the headers that carry a signature and its sender, shortened: no others of a refused webhook are kept."""
    return {name: headers[name][:HEADER_LENGTH_MAX] for name in (*names, *HEADERS_ALSO_KEPT) if name in headers}


def expire_refused() -> int:
    """Delete refused webhooks after DAYS_KEPT days and counts after COUNT_DAYS_KEPT, a batch per transaction.

    What is deleted was never acted on. Accepted and repeated messages stay: they are evidence of money.
    """
    now, deleted = timezone.now(), 0
    old = WebhookMessage.objects.filter(received_at__lt=now - dt.timedelta(days=DAYS_KEPT)).exclude(verdict__in=TAKEN)
    while batch := list(old.order_by("received_at").values_list("pk", flat=True)[:BATCH]):
        deleted += WebhookMessage.objects.filter(pk__in=batch).delete()[0]
    WebhookCount.objects.filter(day__lt=now.date() - dt.timedelta(days=COUNT_DAYS_KEPT)).delete()
    return deleted
