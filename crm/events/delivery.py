"""Delivering events: claim a due row, run its handler and mark it done in one transaction, or note why not."""

from __future__ import annotations

import datetime as dt
import logging
import traceback
from collections.abc import Iterable
from functools import partial

from django.db import connection, transaction
from django.utils import timezone

from crm.audit_codes import CrmAction
from crm.choices import DeliveryState
from crm.db.locking import lock
from crm.errors import WrongState, outcome_of
from crm.events.bus import EVENT_TYPES, handler_function
from crm.models import Actor, EventDelivery

logger = logging.getLogger(__name__)

# Nine tries over about a day; then a person reads the error on the dead-letter page.
BACK_OFF_SECONDS = (2, 10, 30, 120, 600, 3600, 4 * 3600, 18 * 3600)

# A row is taken only when no earlier one of the same handler and client waits: order per client.
CLAIM = """
SELECT d.id FROM crm_eventdelivery d
WHERE d.state = 'pending' AND d.due_at <= %s
  AND (d.client_id IS NULL OR NOT EXISTS (
    SELECT 1 FROM crm_eventdelivery earlier
    WHERE earlier.state = 'pending' AND earlier.handler = d.handler
      AND earlier.client_id = d.client_id AND earlier.id < d.id))
ORDER BY d.due_at, d.id
LIMIT 1 FOR UPDATE SKIP LOCKED
"""


def deliver_due(*, limit: int = 500) -> int:
    """Deliver what is due, one transaction each; returns how many rows were worked on."""
    worked = 0
    while worked < limit and _deliver_one():
        worked += 1
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


def _deliver_one() -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(CLAIM, [timezone.now()])
            row = cursor.fetchone()
        if row is None:
            return False
        delivery = EventDelivery.objects.select_related("event").get(pk=row[0])
        try:
            with transaction.atomic():
                event_type = EVENT_TYPES[delivery.event.name]
                handler_function(delivery.handler)(event_type.from_payload(delivery.event.payload))
        except Exception as error:  # a handler's any failure is kept, shown and retried
            _note_failure(delivery, error)
        else:
            delivery.move_to(DeliveryState.DONE)
            delivery.attempts += 1
            delivery.finished_at = timezone.now()
            delivery.save(update_fields=["state", "attempts", "finished_at"])
    return True


def _note_failure(delivery: EventDelivery, error: Exception) -> None:
    logger.exception("handler %s failed on event %s", delivery.handler, delivery.event_id)
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
    from crm.events.bus import enqueue_delivery
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
        reason=reason,
    )
    transaction.on_commit(enqueue_delivery)
    return delivery
