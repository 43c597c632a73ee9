"""Keeping the delivery log within bounds: what was delivered goes after a month, what failed after three."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.utils import timezone

from crm.choices import WebhookDeliveryState
from crm.models import WebhookDelivery

DELIVERED_DAYS: Final = 30
FAILED_DAYS: Final = 90
PRUNE_MAX: Final = 50_000
CHUNK: Final = 2_000


def prune(*, at_most: int = PRUNE_MAX) -> int:
    """Delete old messages with their attempts, a bounded number a run; returns how many."""
    now = timezone.now()
    finished = WebhookDelivery.objects.order_by("done_at").filter(done_at__isnull=False)
    old = finished.filter(done_at__lt=now - dt.timedelta(days=DELIVERED_DAYS)).exclude(
        state=WebhookDeliveryState.FAILED
    ) | finished.filter(done_at__lt=now - dt.timedelta(days=FAILED_DAYS), state=WebhookDeliveryState.FAILED)
    deleted = 0
    while deleted < at_most:
        ids = list(old.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            break
        WebhookDelivery.objects.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted
