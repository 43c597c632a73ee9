"""What exchanges report: each message is joined to its call, in whatever order, and one that comes before its call waits for it.

How messages are stored and judged: `crm.connections.webhooks`.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.models import PhoneCall, PhoneEvent
from clients.telephony import policies
from clients.telephony.adapters import adapter_of
from clients.telephony.calls import apply_reports
from crm.connections import webhooks
from crm.connections.choices import WebhookState
from crm.connections.http import UNREADABLE
from crm.connections.protocol import ServiceUnknown
from crm.db.locking import lock, lock_or_none
from crm.models import User
from crm.security.policies import require

TASK: Final = "clients.process_phone_events"
# How long a message waits for its call: 2, 10, 30 … seconds, half an hour in all.
WAITS_SECONDS: Final = (2, 10, 30, 120, 600, 1_200)
BATCH: Final = 200


def process_due(*, limit: int = BATCH) -> int:
    """Act on messages that wait, the oldest first; returns how many were looked at."""
    due = PhoneEvent.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in ids)


@transaction.atomic
def process(event_id: int) -> bool:
    """Join one message to its call and follow it; False where another worker did."""
    waiting = PhoneEvent.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())
    event = lock_or_none(waiting, event_id)
    if event is None:
        return False
    call = _call_of(event)
    if call is None:
        _wait(event)
        return True
    event.phone_call = call
    try:
        report = adapter_of(call.exchange).read(event.body)
    except (*UNREADABLE, ServiceUnknown):
        webhooks.finish(event, is_matched=True, outcome=_("Unreadable"), more=("phone_call",))
        return True
    is_new = report is not None and apply_reports(call, [report])
    outcome = call.get_state_display() if is_new else _("Nothing new")
    webhooks.finish(event, is_matched=True, outcome=outcome, more=("phone_call",))
    return True


def _call_of(event: PhoneEvent) -> PhoneCall | None:
    """Find a message's call by our reference, else by the ids of its legs, and lock it."""
    rows = PhoneCall.objects.filter(exchange=event.connection_id)
    found = rows.filter(reference=event.reference).first() if event.reference else None
    if found is None:
        found = rows.filter(leg_id__in=[name for name in (event.subject_id, event.correlation_id) if name]).first()
    return lock(PhoneCall, found.pk, "exchange", "client__brand") if found is not None else None


def _wait(event: PhoneEvent) -> None:
    if event.attempts >= len(WAITS_SECONDS):
        webhooks.finish(event, is_matched=False, outcome=_("None of our calls is meant by this message"))
        return
    event.due_at = timezone.now() + dt.timedelta(seconds=WAITS_SECONDS[event.attempts])
    event.attempts += 1
    event.save(update_fields=["due_at", "attempts"])


@transaction.atomic
def retry_event(*, event_id: int, actor: User) -> PhoneEvent:
    """Process an unmatched message once more.

    Who: `clients.view_phoneevent`, with the brand in reach as a whole. Raises: NotAllowed, WrongState.
    """
    event = lock(PhoneEvent.objects.defer("body_sealed"), event_id, "connection")
    brand_id = event.connection.brand_id
    require(policies.can_read_events(actor, brand_id))
    event.attempts = 0
    event.save(update_fields=["attempts"])
    webhooks.retry(event, brand_id=brand_id, actor=actor, action=ClientsAction.PHONE_EVENT_RETRIED, task=TASK)
    return event
