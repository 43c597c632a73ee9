"""Failed messages sent again: one, chosen ones, or all of a time; with the same `webhook-id`, so that none counts twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import WebhookDeliveryState, WebhookState
from crm.db.bulk import update_models
from crm.db.locking import lock_all
from crm.errors import DomainError, WrongState
from crm.models import User, WebhookDelivery, WebhookEndpoint
from crm.outbound.endpoints import endpoints_visible_to, locked_endpoint
from crm.outbound.recording import SENDING
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import audit

REPLAYED_MAX: Final = 5_000


def deliveries_visible_to(user: User) -> QuerySet[WebhookDelivery]:
    """Select the messages to the webhooks that a user sees."""
    return WebhookDelivery.objects.filter(endpoint__in=endpoints_visible_to(user))


@transaction.atomic
def replay_failed(
    *,
    endpoint_id: int,
    actor: User,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    event: str = "",
    delivery_ids: Iterable[int] | None = None,
) -> int:
    """Send a webhook's failed messages again, the oldest first; returns how many, REPLAYED_MAX at most.

    since, until: only of events within these times. event: only these. delivery_ids: only those chosen.
    Who: `crm.manage_events`, reaching the whole brand. Raises: NotAllowed; WrongState unless the webhook is active; DomainError
    where nothing of it has failed.
    """
    endpoint = locked_endpoint(endpoint_id, actor)
    if endpoint.state != WebhookState.ACTIVE:
        raise WrongState(_("Resume the webhook first."))
    rows = WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDeliveryState.FAILED, event__isnull=False)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    if until is not None:
        rows = rows.filter(created_at__lte=until)
    if event:
        rows = rows.filter(event_name=event)
    failed = lock_all(rows.defer("body"), pks=delivery_ids, at_most=REPLAYED_MAX)
    if not failed:
        raise DomainError(_("Nothing failed that matches."))
    now = timezone.now()
    for row in failed:
        row.move_to(WebhookDeliveryState.WAITING)
        row.attempts, row.next_at, row.done_at, row.failure = 0, now, None, ""
    update_models(failed, ["state", "attempts", "next_at", "done_at", "failure"])
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(held_until=None)
    audit.record(
        actor=actor,
        action=CrmAction.WEBHOOK_REPLAYED,
        target=endpoint,
        brand_id=endpoint.brand_id,
        evidence={"count": len(failed), "since": since, "until": until, "event": event},
    )
    enqueue_soon_on_commit(SENDING)
    return len(failed)
