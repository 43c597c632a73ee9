"""What services for text messages send us: stored and judged at the door, then followed by a worker, in whatever order."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.models import TextEvent, TextMessage, TextService
from clients.telephony.addresses import URL_HEADER, public
from clients.texting import policies
from clients.texting.adapters import adapter_of
from clients.texting.delivery import follow
from clients.texting.incoming import take_text
from clients.texting.protocol import IncomingText
from crm.connections import webhooks
from crm.connections.choices import WebhookState, WebhookVerdict
from crm.connections.http import UNREADABLE
from crm.connections.protocol import ServiceUnknown
from crm.connections.webhooks import BODY_BYTES_MAX, receive
from crm.db.locking import lock, lock_or_none
from crm.models import User
from crm.security.policies import require
from crm.security.request_context import current
from crm.web.uploads import declared_length

TASK: Final = "clients.process_text_events"
# How long a report waits for its message, whose transaction may not be committed yet.
WAITS_SECONDS: Final = (2, 10, 60)
BATCH: Final = 200


def receive_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store, judge and answer: 200 for what is believed, 400 for what isn't. No session and no CSRF token: a signature."""
    service = TextService.objects.select_related("brand").filter(code=code).first()
    if service is None:
        return HttpResponse(status=404)
    if declared_length(request) > BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    # The address as we gave it to the service: behind a proxy, the request names another one.
    headers[URL_HEADER] = public(request.get_full_path())
    adapter = adapter_of(service)
    verdict = receive(
        TextEvent, service, adapter=adapter, task=TASK, body=request.body, headers=headers, ip=current().ip
    )
    if verdict not in (WebhookVerdict.ACCEPTED, WebhookVerdict.MALFORMED):
        return HttpResponse(status=400)
    kind, answer = adapter.answer()
    return HttpResponse(answer, content_type=kind)


def process_due(*, limit: int = BATCH) -> int:
    """Act on messages that wait, the oldest first; returns how many were looked at."""
    due = TextEvent.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in ids)


@transaction.atomic
def process(event_id: int) -> bool:
    """Follow one report or keep one incoming message; False where another worker did."""
    waiting = TextEvent.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())
    event = lock_or_none(waiting, event_id, "connection__brand")
    if event is None:
        return False
    try:
        said = adapter_of(event.connection).read(event.body)
    except (*UNREADABLE, ServiceUnknown):
        webhooks.finish(event, is_matched=True, outcome=_("Unreadable"))
        return True
    if isinstance(said, IncomingText):
        event.text_message = take_text(event.connection, said)
        outcome = str(event.text_message.get_state_display())
    elif said is None:
        outcome = _("Nothing new")
    else:
        row = _message_of(event)
        if row is None:
            _wait(event)
            return True
        event.text_message = row
        outcome = str(row.get_state_display()) if follow(row, said) else _("Nothing new")
    webhooks.finish(event, is_matched=True, outcome=outcome, more=("text_message",))
    return True


def _message_of(event: TextEvent) -> TextMessage | None:
    """Find a report's message by our reference, else by the service's id, and lock it."""
    rows = TextMessage.objects.filter(service=event.connection_id)
    found = rows.filter(reference=event.reference).first() if event.reference else None
    if found is None and event.subject_id:
        found = rows.filter(remote_id=event.subject_id).first()
    return lock(TextMessage, found.pk, "thread__client") if found is not None else None


def _wait(event: TextEvent) -> None:
    if event.attempts >= len(WAITS_SECONDS):
        webhooks.finish(event, is_matched=False, outcome=_("None of our messages is meant by this report"))
        return
    event.due_at = timezone.now() + dt.timedelta(seconds=WAITS_SECONDS[event.attempts])
    event.attempts += 1
    event.save(update_fields=["due_at", "attempts"])


@transaction.atomic
def retry_event(*, event_id: int, actor: User) -> TextEvent:
    """Process an unmatched report once more.

    Who: `clients.view_textevent`, with the brand in reach as a whole. Raises: NotAllowed, WrongState.
    """
    event = lock(TextEvent.objects.defer("body_sealed"), event_id, "connection")
    brand_id = event.connection.brand_id
    require(policies.can_read_events(actor, brand_id))
    event.attempts = 0
    event.save(update_fields=["attempts"])
    webhooks.retry(event, brand_id=brand_id, actor=actor, action=ClientsAction.TEXT_EVENT_RETRIED, task=TASK)
    return event
