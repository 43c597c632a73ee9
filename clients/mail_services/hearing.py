"""What mail services send us: stored and judged at the door, then followed by a worker, in whatever order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from clients.audit_codes import ClientsAction
from clients.mail_services import policies
from clients.mail_services.adapters import UNREADABLE_REPORTS, ServiceReport, adapter_of
from clients.mail_services.brevo_inbound import Files
from clients.messages import tokens
from clients.messages.delivery import note_delivery
from clients.messages.incoming import take_mail
from clients.messages.reading import read_mail
from clients.messages.unsubscribing import unsubscribe
from clients.models import MailService, MailServiceEvent, Message
from clients.telephony.addresses import URL_HEADER, public
from crm.connections import webhooks
from crm.connections.choices import WebhookState, WebhookVerdict
from crm.connections.webhooks import receive
from crm.db.locking import lock, lock_or_none
from crm.errors import DomainError, OutsideWorldError
from crm.models import User
from crm.security.policies import require
from crm.security.request_context import current
from crm.web.uploads import declared_length

TASK: Final = "clients.process_mail_service_events"
# As the pages take at most (DATA_UPLOAD_MAX_MEMORY_SIZE), and a little less.
MAIL_BODY_BYTES_MAX: Final = 2_900_000
WAITS_SECONDS: Final = (30, 120, 600, 3_600)
BATCH: Final = 100
REPORTS_MAX: Final = 1_000


def receive_webhook(request: HttpRequest, code: str) -> HttpResponse:
    """Store, judge and answer: 200 for what is believed, 400 for what isn't. No session and no CSRF token: a signature."""
    service = MailService.objects.filter(code=code).first()
    if service is None:
        return HttpResponse(status=404)
    if request.method == "HEAD":  # Mandrill asks whether the address is there
        return HttpResponse()
    if declared_length(request) > MAIL_BODY_BYTES_MAX:
        return HttpResponse(status=413)
    headers = {name.lower(): value for name, value in request.headers.items()}
    # The address as we gave it to the service: behind a proxy, the request names another one.
    headers[URL_HEADER] = public(request.get_full_path())
    adapter = adapter_of(service)
    verdict = receive(
        MailServiceEvent, service, adapter=adapter, task=TASK, body=request.body, headers=headers, ip=current().ip
    )
    return HttpResponse(status=200 if verdict in (WebhookVerdict.ACCEPTED, WebhookVerdict.MALFORMED) else 400)


def process_due(*, limit: int = BATCH) -> int:
    """Act on messages that wait, the oldest first; returns how many were looked at."""
    ids = list(_waiting().order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(process(pk) for pk in ids)


def process(event_id: int) -> bool:
    """Follow the reports of one message, or keep the e-mail that it brings; False where another worker did.

    What it only links to is fetched before anything is locked.
    """
    event = _waiting().select_related("connection").filter(pk=event_id).first()
    if event is None:
        return False
    files: Files = {}
    problem = ""
    try:
        is_last = event.attempts >= len(WAITS_SECONDS)
        files = adapter_of(event.connection).fetch_files(event, is_last=is_last)
    except OutsideWorldError as error:
        problem = error.message
    return _follow_or_keep(event_id, files, problem)


def _waiting() -> QuerySet[MailServiceEvent]:
    return MailServiceEvent.objects.filter(state=WebhookState.WAITING, due_at__lte=timezone.now())


@transaction.atomic
def _follow_or_keep(event_id: int, files: Files, problem: str) -> bool:
    event = lock_or_none(_waiting(), event_id, "connection")
    if event is None:
        return False
    if problem:
        _wait(event, problem)
        return True
    try:
        said = adapter_of(event.connection).read(event.body, event.correlation_id, files)[:REPORTS_MAX]
    except UNREADABLE_REPORTS:
        webhooks.finish(event, is_matched=True, outcome=_("Unreadable"))
        return True
    brand_id = event.connection.brand_id
    try:
        for raw in said:
            if isinstance(raw, bytes):
                take_mail(brand_id=brand_id, read=read_mail(raw))
    except (OutsideWorldError, DomainError) as error:  # the reader or the scanner is busy
        _wait(event, error.message)
        return True
    reports = [one for one in said if isinstance(one, ServiceReport)]
    followed = _follow(brand_id, reports)
    is_matched = not reports or followed > 0
    webhooks.finish(event, is_matched=is_matched, outcome=_outcome(len(said), len(reports), followed))
    return True


def _outcome(said: int, reports: int, followed: int) -> str:
    if not said:
        return _("Nothing new")
    if not reports:
        return _("E-mail received")
    if not followed:
        return _("None of our e-mails is meant by this report")
    return ngettext("%(count)d report on our e-mails", "%(count)d reports on our e-mails", followed) % {
        "count": followed
    }


def _follow(brand_id: int, reports: Sequence[ServiceReport]) -> int:
    """Follow the reports that bear the mark of an e-mail of the brand and went to its address; returns how many."""
    found = {id(one): tokens.messages_in(one.marks) for one in reports}
    ids = {pk for pks in found.values() for pk in pks}
    rows = Message.objects.filter(pk__in=ids, client__brand=brand_id).select_related("client").defer("secret", "body")
    messages = {row.pk: row for row in rows}
    followed = 0
    for one in reports:
        message = next((messages[pk] for pk in found[id(one)] if pk in messages), None)
        if message is None or (one.recipient and one.recipient != message.to_address.lower()):
            continue
        followed += 1
        if one.report is None:
            unsubscribe(message.pk)
        else:
            note_delivery(message, one.report)
    return followed


def _wait(event: MailServiceEvent, problem: str) -> None:
    if event.attempts >= len(WAITS_SECONDS):
        webhooks.finish(event, is_matched=False, outcome=problem)
        return
    event.due_at = timezone.now() + dt.timedelta(seconds=WAITS_SECONDS[event.attempts])
    event.attempts += 1
    event.save(update_fields=["due_at", "attempts"])


@transaction.atomic
def retry_event(*, event_id: int, actor: User) -> MailServiceEvent:
    """Process an unmatched message once more.

    Who: `clients.view_mailserviceevent`, with the brand in reach as a whole. Raises: NotAllowed, WrongState.
    """
    event = lock(MailServiceEvent.objects.defer("body_sealed"), event_id, "connection")
    brand_id = event.connection.brand_id
    require(policies.can_read_events(actor, brand_id))
    event.attempts = 0
    event.save(update_fields=["attempts"])
    webhooks.retry(event, brand_id=brand_id, actor=actor, action=ClientsAction.MAIL_EVENT_RETRIED, task=TASK)
    return event
