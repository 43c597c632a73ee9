"""What workers do with our messages: send one, look up what became of one, and follow what the service reports."""

from __future__ import annotations

import datetime as dt
import json
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import ClientsNotice, TimelineKind
from clients.models import TextMessage
from clients.texting.adapters import adapter_of
from clients.texting.choices import OptOutReason, TextChannel, TextState
from clients.texting.numbers import opt_out
from clients.texting.protocol import StatusReport, TextOrder
from clients.texting.segments import size_of
from clients.texting.sent_files import link_of
from clients.texting.writing import Written, quiet_until, reason_against
from crm.connections.http import watched
from crm.connections.protocol import ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.db.locking import lock, lock_or_none
from crm.errors import OutsideWorldError
from crm.i18n.localized_text import phrase
from crm.notices.notify import notify
from crm.queue.for_each import for_each_isolated
from crm.security import crypto
from crm.security.crypto import KeyDestroyed

BACK_OFF_SECONDS: Final = (30, 120, 600, 1_800, 7_200)
# By then a message that was sent is in the service's list, or it never arrived there.
NOT_THERE_AFTER: Final = dt.timedelta(minutes=5)
CLAIMED: Final = dt.timedelta(minutes=2)
# A report may be lost: after these the service is asked, then no more.
LOOK_UPS: Final = (
    dt.timedelta(minutes=2),
    dt.timedelta(minutes=15),
    dt.timedelta(hours=2),
    dt.timedelta(hours=12),
    dt.timedelta(hours=48),
)
BATCH: Final = 200


def work_due(*, limit: int = BATCH) -> int:
    """Work on messages that are due, the oldest first; returns how many were."""
    due = TextMessage.objects.filter(due_at__lte=timezone.now())
    return for_each_isolated(work_on, due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])


def work_on(message_id: int) -> bool:
    """Do what is due for a message; False where nothing is, or another worker does it."""
    row = _claim(message_id)
    if row is None:
        return False
    if row.state == TextState.QUEUED:
        _send(message_id)
    else:
        _look_up(message_id)
    return True


@transaction.atomic
def _claim(message_id: int) -> TextMessage | None:
    """Take a message that is due. One to send counts as sent from now on: if this process dies, it is looked up."""
    now = timezone.now()
    row = lock_or_none(TextMessage.objects.filter(due_at__lte=now), message_id, "thread__client__brand")
    if row is None:
        return None
    claimed = TextMessage(pk=row.pk, state=row.state)
    if row.state == TextState.QUEUED:
        later = _later_or_refused(row, now)
        if later:
            return None
        row.move_to(TextState.SENDING)
        row.sent_at = now
    row.due_at = now + CLAIMED
    row.save(update_fields=["state", "sent_at", "due_at"])
    return claimed


def _later_or_refused(row: TextMessage, now: dt.datetime) -> bool:
    """Check once more what may have changed since it was written: opting out, consent, the hour; True where it isn't sent now."""
    client = row.thread.client
    assert client is not None
    try:
        written = Written("", size_of(""), is_marketing=row.is_marketing, content_id=row.content_id)
        refusal = reason_against(client, TextChannel(row.thread.channel), written, row.thread.opened)
    except KeyDestroyed:
        refusal = _("The client's data was erased.")
    if refusal:
        _fail(row, refusal)
        return True
    later = quiet_until(client, row.thread, now)
    if later is not None:
        row.due_at = later
        row.save(update_fields=["due_at"])
    return later is not None


def _read(message_id: int) -> TextMessage:
    return TextMessage.objects.select_related("service", "thread").get(pk=message_id)


def order_of(row: TextMessage) -> TextOrder:
    """Write a message as a service is asked for it. Raises: KeyDestroyed."""
    values = {}
    if row.content_id and row.sealed_for_id is not None:
        values = json.loads(crypto.decrypt_for_client(row.sealed_for_id, row.content_values or b""))
    channel = TextChannel(row.thread.channel)
    return TextOrder(row.reference, channel, row.thread.opened, row.opened, row.content_id, values, link_of(row))


def _send(message_id: int) -> None:
    row = _read(message_id)
    adapter = adapter_of(row.service)
    try:
        with watched(row.service):
            remote_id = adapter.send(order_of(row))
    except ServiceRefused as error:
        _refused(message_id, error.message, is_opt_out=adapter.is_opted_out(error.message))
    except ServiceTemporary as error:  # nothing was done
        _try_later(message_id, error)
    except ServiceUnknown as error:
        _leave_open(message_id, error.message)
    except KeyDestroyed:
        _refused(message_id, _("The client's data was erased."))
    else:
        _join(message_id, remote_id)


@transaction.atomic
def _join(message_id: int, remote_id: str) -> None:
    """Note the service's id of a message; a report may have come before it."""
    row = lock(TextMessage, message_id)
    row.remote_id, row.problem, row.attempts = remote_id, "", 0
    if row.state in (TextState.SENDING, TextState.UNKNOWN):
        row.move_to(TextState.SENT)
    row.due_at = timezone.now() + LOOK_UPS[0] if row.state == TextState.SENT else None
    row.save(update_fields=["remote_id", "problem", "attempts", "state", "due_at"])


@transaction.atomic
def _refused(message_id: int, problem: str, *, is_opt_out: bool = False) -> None:
    row = lock(TextMessage, message_id, "thread__client")
    if row.state not in (TextState.SENDING, TextState.UNKNOWN):
        return
    if is_opt_out:
        opt_out(row.thread, OptOutReason.REFUSED)
    _fail(row, problem)


def _fail(row: TextMessage, problem: str, state: TextState = TextState.FAILED) -> None:
    """Mark a message as not delivered, and notify its sender or the client's owner. The caller holds the lock."""
    row.move_to(state)
    row.problem, row.due_at = problem[:300], None
    row.save()
    client = row.thread.client
    if client is None:
        return
    title = phrase("Message not delivered")
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TEXT,
        title=title,
        body=row.problem,
        url=row.thread.get_absolute_url(),
        dedupe_key=f"text-failed:{row.pk}",
    )
    reader = row.sender_id or client.owner_id
    if reader:
        notify(
            [reader],
            kind=ClientsNotice.TEXT_FAILED,
            title=title,
            body=str(client),
            url=row.thread.get_absolute_url(),
            dedupe_key=f"clients.text_failed:{row.pk}",
        )


@transaction.atomic
def _try_later(message_id: int, error: ServiceTemporary) -> None:
    row = lock(TextMessage, message_id, "thread__client")
    if row.state != TextState.SENDING:
        return
    if row.attempts >= len(BACK_OFF_SECONDS):
        _fail(row, error.message)
        return
    row.move_to(TextState.QUEUED)
    wait = max(error.wait_seconds, BACK_OFF_SECONDS[row.attempts])
    row.attempts, row.problem, row.sent_at = row.attempts + 1, error.message[:300], None
    row.due_at = timezone.now() + dt.timedelta(seconds=wait)
    row.save(update_fields=["state", "attempts", "problem", "sent_at", "due_at"])


@transaction.atomic
def _leave_open(message_id: int, problem: str) -> None:
    """Keep a message whose outcome isn't known, to be looked up; reports of it may have come meanwhile."""
    row = lock(TextMessage, message_id)
    if row.state not in (TextState.SENDING, TextState.UNKNOWN, TextState.SENT):
        return
    if row.state == TextState.SENDING:
        row.move_to(TextState.UNKNOWN)
    wait = BACK_OFF_SECONDS[min(row.attempts, len(BACK_OFF_SECONDS) - 1)]
    row.attempts, row.problem = min(row.attempts + 1, 1_000), problem[:300]
    row.due_at = timezone.now() + dt.timedelta(seconds=wait)
    row.save(update_fields=["state", "attempts", "problem", "due_at"])


def _look_up(message_id: int) -> None:
    """Ask the service what became of a message; one that it doesn't list was never sent, and a person decides whether it is."""
    row = _read(message_id)
    try:
        with watched(row.service):
            remote_id = row.remote_id or _find(row)
            report = adapter_of(row.service).look_up(remote_id) if remote_id else None
    except OutsideWorldError as error:
        _leave_open(message_id, error.message)
        return
    except KeyDestroyed:
        _refused(message_id, _("The client's data was erased."))
        return
    if report is not None:
        _follow_looked_up(message_id, report)
    elif row.remote_id or timezone.now() > (row.sent_at or row.created_at) + NOT_THERE_AFTER:
        _refused(message_id, _("The service has no such message. It wasn't sent."))
    else:
        _leave_open(message_id, _("The service doesn't list the message yet."))


def _find(row: TextMessage) -> str:
    """Find a message whose answer was lost; "" where the service lists none. Raises: ServiceUnknown for several."""
    since = (row.sent_at or row.created_at).replace(microsecond=0)
    others = TextMessage.objects.filter(service=row.service, created_at__gte=since - dt.timedelta(days=1))
    known = list(others.exclude(remote_id="").values_list("remote_id", flat=True)[:1_000])
    found = adapter_of(row.service).find(order_of(row), since=since, known=known)
    if len(found) > 1:
        raise ServiceUnknown(_("The service lists several messages that this may be."))
    return found[0] if found else ""


@transaction.atomic
def _follow_looked_up(message_id: int, report: StatusReport) -> None:
    row = lock(TextMessage, message_id, "thread__client")
    follow(row, report)
    if row.state != TextState.SENT:
        return
    asked = timezone.now() - (row.sent_at or row.created_at)
    ahead = next((after for after in LOOK_UPS if after > asked), None)
    row.due_at = (row.sent_at or row.created_at) + ahead if ahead is not None else None
    row.attempts, row.problem = 0, ""
    row.save(update_fields=["due_at", "attempts", "problem"])


def follow(row: TextMessage, report: StatusReport) -> bool:
    """Follow a report; False where it says nothing new. The same reports in any order end the same. The caller holds the lock."""
    is_joined = not row.remote_id
    row.remote_id = row.remote_id or report.remote_id
    if row.remote_id != report.remote_id:
        return False
    if report.is_opt_out:
        opt_out(row.thread, OptOutReason.REFUSED)
    row.segments = report.segments or row.segments
    is_new = row.can_move_to(report.state) and not (row.state == TextState.FAILED and not is_joined)
    if is_new and report.state in (TextState.FAILED, TextState.UNDELIVERED):
        _fail(row, report.problem or _("The service couldn't deliver the message."), report.state)
    elif is_new:
        row.move_to(report.state)
        row.problem = ""
        if report.state == TextState.SENT:
            row.due_at = timezone.now() + LOOK_UPS[0]
        else:
            row.delivered_at, row.due_at = row.delivered_at or report.at, None
    if is_new or is_joined:
        row.save()
    return is_new
