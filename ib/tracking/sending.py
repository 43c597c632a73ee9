"""Sending postbacks: signed, bounded, retried; a host that hangs holds up no other.

A delivery is claimed by moving its next attempt beyond the longest exchange: a worker that dies leaves it to the next run, so that
a partner may get the same call twice, with the same event id.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import httpx
from django.db import connection, transaction
from django.utils import timezone

from crm.db.locking import lock
from crm.outside import outbound
from crm.outside.calls import CallResult, call
from ib.models import PostbackDelivery
from ib.tracking.choices import DeliveryState, PostbackFailure

BOUNDS: Final = outbound.Bounds(bytes_max=64 * 1024, seconds=8, timeout=httpx.Timeout(5, connect=3))
BACK_OFF_SECONDS: Final = (30, 120, 600, 3600, 4 * 3600, 12 * 3600)
LEASE: Final = dt.timedelta(seconds=60)
RUN_SECONDS: Final = 45.0
BATCH, EACH, AT_ONCE = 32, 4, 8
SIGNATURE: Final = "X-Keelson-Signature"
# Of each postback a few at a time, so that one that hangs doesn't fill the batch.
CLAIM: Final = """
UPDATE ib_postbackdelivery d SET next_at = %(until)s, attempts = d.attempts + 1
WHERE d.state = 'waiting' AND d.next_at <= %(now)s AND d.id IN (
  SELECT id FROM (
    SELECT id, next_at, row_number() OVER (PARTITION BY postback_id ORDER BY next_at, id) AS place
    FROM (SELECT id, postback_id, next_at FROM ib_postbackdelivery
      WHERE state = 'waiting' AND next_at <= %(now)s ORDER BY next_at LIMIT %(looked_at)s) AS due
  ) AS placed WHERE place <= %(each)s ORDER BY next_at, id LIMIT %(batch)s)
RETURNING d.id
"""
# Others of a postback that didn't answer wait as long as the one that was tried.
WAIT_TOO: Final = """
UPDATE ib_postbackdelivery SET next_at = %(until)s
WHERE postback_id = %(postback)s AND state = 'waiting' AND next_at < %(until)s
"""


def send_due() -> int:
    """Send what is due until nothing is left or the run's time is over; return how many were tried."""
    until, tried = time.monotonic() + RUN_SECONDS, 0
    while time.monotonic() < until:
        deliveries = _claim()
        if not deliveries:
            break
        with ThreadPoolExecutor(AT_ONCE) as pool:
            results = list(pool.map(lambda call: call(), [_call_of(delivery) for delivery in deliveries]))
        for delivery, result in zip(deliveries, results, strict=True):
            note_result(delivery.pk, result)
        tried += len(deliveries)
    return tried


def _claim() -> list[PostbackDelivery]:
    now = timezone.now()
    values: dict[str, Any] = {"now": now, "until": now + LEASE, "each": EACH, "batch": BATCH, "looked_at": 50 * BATCH}
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, values)
        ids = [row[0] for row in cursor.fetchall()]
    return list(PostbackDelivery.objects.filter(pk__in=ids).select_related("postback").order_by("pk"))


def _call_of(delivery: PostbackDelivery) -> Callable[[], CallResult]:
    """Prepare a call, so that no thread needs the database."""
    if not delivery.postback.is_active and not delivery.is_test:
        return lambda: CallResult(failure=PostbackFailure.STOPPED)
    headers = {"User-Agent": "Keelson-Postback/1", SIGNATURE: signature_of(delivery.url, delivery.postback.secret)}
    return lambda: call("GET", delivery.url, bounds=BOUNDS, headers=headers)


def signature_of(url: str, secret: str, *, at: int | None = None) -> str:
    """Sign an address as it is called: `t=<seconds>,v1=<HMAC-SHA256 of "t.url">`."""
    stamp = int(timezone.now().timestamp()) if at is None else at
    digest = hmac.new(secret.encode(), f"{stamp}.{url}".encode(), hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest}"


@transaction.atomic
def note_result(delivery_id: int, result: CallResult) -> None:
    """Record how a call ended: delivered, tried again later, or failed after the last attempt. A test is tried once."""
    delivery = lock(PostbackDelivery, delivery_id)
    if delivery.state != DeliveryState.WAITING:
        return  # another worker's lease overlapped
    now = timezone.now()
    delivery.status_code, delivery.failure = result.status_code, result.failure
    is_last = delivery.is_test or delivery.attempts > len(BACK_OFF_SECONDS) or result.failure == PostbackFailure.STOPPED
    if not result.failure or is_last:
        delivery.move_to(DeliveryState.FAILED if result.failure else DeliveryState.DELIVERED)
        delivery.done_at = now
    else:
        delivery.next_at = now + dt.timedelta(seconds=BACK_OFF_SECONDS[delivery.attempts - 1])
    delivery.save()
    if result.failure in (PostbackFailure.TIMEOUT, PostbackFailure.UNREACHABLE):
        until = now + dt.timedelta(seconds=BACK_OFF_SECONDS[0])
        with connection.cursor() as cursor:
            cursor.execute(WAIT_TOO, {"until": until, "postback": delivery.postback_id})
