"""The clocks of a ticket: first reply and solution in the brand's working hours, paused while the client is awaited."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.choices import WorkState
from crm.due import DueKind, cancel, declare, due
from crm.events import TicketLate, publish
from crm.i18n.localized_text import phrase
from crm.models import Brand, DueRow
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.work import hours_of
from support import policies
from support.audit_codes import SupportAction
from support.brand_policies import CLOSING_DAYS, FIRST_REPLY_HOURS
from support.choices import SupportNotice, TicketClock, TicketState
from support.kind import locked
from support.models import Ticket


def first_reply_due(brand: Brand, opened_at: dt.datetime) -> dt.datetime:
    """Return when a ticket's first reply is due."""
    return hours_of(brand).after(opened_at, dt.timedelta(hours=FIRST_REPLY_HOURS.of(brand)))


def start(ticket: Ticket) -> None:
    """Set the clocks that run: of a new ticket, of one that was reopened, and of one whose client answered."""
    ids: dict[str, Any] = {"client_id": ticket.client_id, "brand_id": ticket.brand_id}
    if ticket.first_replied_at is None and not ticket.is_reply_late:
        due(FIRST_REPLY, key=ticket.pk, at=ticket.first_reply_due_at, **ids)
    if not ticket.is_solution_late:
        due(RESOLUTION, key=ticket.pk, at=ticket.work.due_at, **ids)
    cancel(CLOSING, ticket.pk)


def pause(ticket: Ticket, now: dt.datetime) -> None:
    """Stop the resolution clock: the client is awaited. The caller holds the ticket and saves it."""
    ticket.pending_since = now
    cancel(RESOLUTION, ticket.pk)


def resume(ticket: Ticket, now: dt.datetime) -> None:
    """Let the resolution clock go on with the working time that was left. The caller holds the ticket and saves it."""
    since, item = ticket.pending_since, ticket.work
    ticket.pending_since = None
    if since is not None and item.state == WorkState.OPEN and item.due_at > since:
        hours = hours_of(ticket.client.brand)
        item.due_at = hours.after(now, hours.between(since, item.due_at))
        item.save(update_fields=["due_at"])
    start(ticket)


def stop(ticket: Ticket) -> None:
    """End the clocks of a ticket that is solved, and set the one that closes it."""
    cancel(FIRST_REPLY, ticket.pk)
    cancel(RESOLUTION, ticket.pk)
    if ticket.state == TicketState.SOLVED and ticket.solved_at is not None:
        at = ticket.solved_at + dt.timedelta(days=CLOSING_DAYS.of(ticket.client.brand))
        due(CLOSING, key=ticket.pk, at=at, client_id=ticket.client_id, brand_id=ticket.brand_id)


def first_reply_stops(ticket: Ticket) -> None:
    """End the clock of the first reply."""
    cancel(FIRST_REPLY, ticket.pk)


def _late(row: DueRow, clock: TicketClock) -> None:
    ticket, now = locked(int(row.key)), timezone.now()
    is_reply = clock == TicketClock.FIRST_REPLY
    at = ticket.first_reply_due_at if is_reply else ticket.work.due_at
    if not ticket.is_with_us or at > now or (is_reply and ticket.first_replied_at is not None):
        return
    field = "is_reply_late" if is_reply else "is_solution_late"
    setattr(ticket, field, True)
    ticket.save(update_fields=[field])
    audit.record(
        actor=None,
        action=SupportAction.TICKET_LATE,
        target=ticket,
        client_id=ticket.client_id,
        brand_id=ticket.brand_id,
        after={"clock": clock.value, "due_at": at.isoformat()},
    )
    publish(TicketLate(ticket_id=ticket.pk, clock=clock.value, client_id=ticket.client_id, brand_id=ticket.brand_id))
    text = {
        TicketClock.FIRST_REPLY: phrase("Ticket #%(number)s is late: no reply yet"),
        TicketClock.RESOLUTION: phrase("Ticket #%(number)s is late: not solved"),
    }
    holder = ticket.work.assigned_to_id
    notify(
        [holder] if holder else people_with(policies.WORKS, brand_id=ticket.brand_id),
        kind=SupportNotice.TICKET_LATE,
        title=text[clock] % {"number": ticket.number},
        body=ticket.subject,
        url=ticket.get_absolute_url(),
        dedupe_key=f"support.late:{ticket.pk}:{clock.value}:{ticket.reopened}",
    )


def _first_reply_late(row: DueRow) -> None:
    _late(row, TicketClock.FIRST_REPLY)


def _solution_late(row: DueRow) -> None:
    _late(row, TicketClock.RESOLUTION)


def _close(row: DueRow) -> None:
    ticket = locked(int(row.key))
    if ticket.state != TicketState.SOLVED:
        return
    ticket.move_to(TicketState.CLOSED)
    ticket.closed_at = timezone.now()
    ticket.save(update_fields=["state", "closed_at"])
    audit.record(
        actor=None,
        action=SupportAction.TICKET_CLOSED,
        target=ticket,
        client_id=ticket.client_id,
        brand_id=ticket.brand_id,
        before={"state": TicketState.SOLVED.value},
        after={"state": ticket.state},
    )


FIRST_REPLY: Final = declare(
    DueKind("support.first_reply", gettext_lazy("First reply to a ticket"), _first_reply_late, permission=policies.SEES)
)
RESOLUTION: Final = declare(
    DueKind("support.resolution", gettext_lazy("Solution of a ticket"), _solution_late, permission=policies.SEES)
)
CLOSING: Final = declare(
    DueKind("support.closing", gettext_lazy("Closing of a solved ticket"), _close, permission=policies.SEES)
)
KINDS: Final = (FIRST_REPLY, RESOLUTION, CLOSING)
