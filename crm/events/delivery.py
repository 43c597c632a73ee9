"""Delivering events: claim what is due, run its handler and mark it done in one transaction, or note why not."""

from __future__ import annotations

import datetime as dt
import logging
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from crm.audit_codes import CrmAction
from crm.choices import DeliveryState
from crm.db.locking import lock
from crm.errors import WrongState, outcome_of
from crm.events import targets
from crm.events.bus import handler_named
from crm.events.envelope import Envelope, EventActor
from crm.events.publishing import enqueue_delivery
from crm.models import Actor, EventDelivery
from crm.models.outbox import SUBSCRIPTION

logger = logging.getLogger(__name__)

# Nine tries over about a day; then a person reads the error on the dead-letter page.
BACK_OFF_SECONDS = (2, 10, 30, 120, 600, 3600, 4 * 3600, 18 * 3600)

BATCH = 500
DELIVER_SECONDS = 5.0

# A row is taken only when no earlier one of the same handler and client waits: order per client, also within a batch.
CLAIM = """
SELECT d.id, d.handler, e.id, e.name, e.version, e.occurred_at, e.actor_kind, e.actor_id, e.brand_id, e.client_id, e.payload
FROM crm_eventdelivery d JOIN crm_outboxevent e ON e.id = d.event_id
WHERE d.state = 'pending' AND d.due_at <= %(now)s {only}
  AND (d.client_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM crm_eventdelivery earlier
    WHERE earlier.state = 'pending' AND earlier.handler = d.handler
      AND earlier.client_id = d.client_id AND earlier.id < d.id))
ORDER BY d.due_at, d.id
LIMIT {most} FOR UPDATE OF d SKIP LOCKED
"""
FIRST = CLAIM.format(only="", most=1)
MORE = CLAIM.format(only="AND d.handler = %(handler)s AND e.name = %(name)s", most=BATCH)


def deliver_due(*, limit: int = 500, seconds: float = DELIVER_SECONDS) -> int:
    """Deliver what is due, one transaction a turn: a delivery, or a batch of one handler. Returns how many rows.

    Ends after `limit` turns, or when the time is over; the sweeper goes on.
    """
    until, worked = time.monotonic() + seconds, 0
    for _turn in range(limit):
        handled = _deliver_next()
        worked += handled
        if not handled or time.monotonic() >= until:
            break
    return worked


def drain(*, rounds: int = 50) -> int:
    """Deliver until nothing is due, events of handlers included. For commands and tests."""
    total = 0
    for _round in range(rounds):
        worked = deliver_due()
        total += worked
        if not worked:
            return total
    raise RuntimeError("events keep causing events: a handler answers its own event")


@dataclass(frozen=True)
class Claimed:
    """A delivery that this transaction has locked, with its event."""

    pk: int
    handler: str
    envelope: Envelope


@transaction.atomic
def _deliver_next() -> int:
    rows = _claim()
    error = _try(rows) if rows else None
    if error is not None and len(rows) > 1:
        for row in rows:
            if one_error := _try([row]):
                _note_failure(row, one_error)
    elif error is not None:
        _note_failure(rows[0], error)
    return len(rows)


def _claim() -> list[Claimed]:
    """Lock the next delivery, and where its handler takes many, more of the same event and handler."""
    now = {"now": timezone.now()}
    with connection.cursor() as cursor:
        cursor.execute(FIRST, now)
        rows = [_claimed(row) for row in cursor.fetchall()]
        if rows and takes_many(rows[0].handler):
            cursor.execute(MORE, {**now, "handler": rows[0].handler, "name": rows[0].envelope.name})
            rows = [_claimed(row) for row in cursor.fetchall()]
    return sorted(rows, key=lambda row: row.pk)


def _claimed(row: tuple[Any, ...]) -> Claimed:
    pk, handler, event_id, name, version, at, actor_kind, actor_id, brand_id, client_id, payload = row
    actor = EventActor(actor_kind, actor_id)
    return Claimed(
        pk, handler, Envelope(event_id, name, version, at, actor, brand_id, client_id, orjson.loads(payload))
    )


def takes_many(handler: str) -> bool:
    """Tell whether a handler takes a list; a removed one takes its deliveries one by one, so that each fails by itself."""
    if handler.startswith(SUBSCRIPTION):
        return True
    try:
        return handler_named(handler).takes_many
    except KeyError:
        return False


def _try(rows: list[Claimed]) -> Exception | None:
    try:
        with transaction.atomic():
            handler = rows[0].handler
            if handler.startswith(SUBSCRIPTION):
                targets.send(handler, [row.envelope for row in rows])
            else:
                handler_named(handler).handle([row.envelope.event() for row in rows])
            EventDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(
                state=DeliveryState.DONE, attempts=F("attempts") + 1, finished_at=timezone.now()
            )
    except Exception as error:  # a handler's any failure is kept, shown and retried
        return error
    return None


def _note_failure(claimed: Claimed, error: Exception) -> None:
    delivery = EventDelivery.objects.get(pk=claimed.pk)
    logger.error("handler %s failed on event %s", delivery.handler, delivery.event_id, exc_info=error)
    delivery.error = "".join(traceback.format_exception(error))[-8000:]
    delivery.attempts += 1
    if delivery.attempts > len(BACK_OFF_SECONDS):
        delivery.move_to(DeliveryState.DEAD)
        delivery.finished_at = timezone.now()
    else:
        delivery.due_at = timezone.now() + dt.timedelta(seconds=BACK_OFF_SECONDS[delivery.attempts - 1])
    delivery.save(update_fields=["state", "attempts", "due_at", "error", "finished_at"])


@transaction.atomic
def replay(*, delivery_id: int, actor: Actor) -> EventDelivery:
    """Send a failed delivery to its handler again. Who: `crm.manage_events`. Raises: NotAllowed, WrongState."""
    return _decide(delivery_id=delivery_id, actor=actor, state=DeliveryState.PENDING)


def replay_each(*, delivery_ids: Iterable[int], actor: Actor) -> int:
    """Send failed deliveries again, each in its own transaction: one that is no longer failed stops no other.

    Returns how many were sent. Who: `crm.manage_events`.
    """
    return sum(bool(outcome_of(partial(replay, delivery_id=pk, actor=actor), only=WrongState)) for pk in delivery_ids)


@transaction.atomic
def skip(*, delivery_id: int, actor: Actor, reason: str) -> EventDelivery:
    """Skip a failed delivery for good, with a reason for the audit log.

    Who: `crm.manage_events`. Raises: NotAllowed, WrongState.
    """
    return _decide(delivery_id=delivery_id, actor=actor, state=DeliveryState.SKIPPED, reason=reason)


def _decide(*, delivery_id: int, actor: Actor, state: str, reason: str = "") -> EventDelivery:
    from crm.security import audit, policies

    policies.require_permission(actor, "crm.manage_events")
    delivery = lock(EventDelivery, delivery_id)
    if delivery.state != DeliveryState.DEAD:
        raise WrongState(
            "Only a failed delivery can be replayed or skipped; this one is " + delivery.get_state_display()
        )
    delivery.move_to(state)
    delivery.attempts = 0
    delivery.due_at = timezone.now()
    delivery.finished_at = None if state == DeliveryState.PENDING else timezone.now()
    delivery.save(update_fields=["state", "attempts", "due_at", "finished_at"])
    audit.record(
        actor=actor,
        action=CrmAction.EVENT_REPLAYED if state == DeliveryState.PENDING else CrmAction.EVENT_SKIPPED,
        target=delivery,
        client_id=delivery.client_id,
        brand_id=delivery.event.brand_id,
        reason=reason,
    )
    transaction.on_commit(enqueue_delivery)
    return delivery
