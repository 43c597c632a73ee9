"""What is promised for a ticket by its priority: the first reply and the solution, in the brand's working hours."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from crm.choices import WorkState
from crm.due import cancel, due
from crm.models import Brand
from crm.work import hours_of
from support.brand_policies import CLOSING_DAYS, FIRST_REPLY_HOURS, RESOLUTION_HOURS
from support.choices import TicketState
from support.models import Ticket

# The due rows, whose handlers are in `support.clock.clocks`.
FIRST_REPLY: Final = "support.first_reply"
RESOLUTION: Final = "support.resolution"
CLOSING: Final = "support.closing"


def first_reply_due(brand: Brand, opened_at: dt.datetime, priority: int) -> dt.datetime:
    """Return when the first reply to a ticket of a priority is due."""
    return hours_of(brand).after(opened_at, dt.timedelta(hours=FIRST_REPLY_HOURS[priority].of(brand)))


def follow_priority(ticket: Ticket, before: int) -> None:
    """Move a ticket's clocks to what its new priority promises; pauses so far still count. What was late stays noted.

    The caller holds the ticket, and its item has the new priority. before: the priority that it had.
    """
    item, brand = ticket.work, ticket.client.brand
    if item.priority == before or item.state != WorkState.OPEN:
        return
    hours, promised = hours_of(brand), dt.timedelta(hours=RESOLUTION_HOURS[before].of(brand))
    paused = max(dt.timedelta(0), hours.between(item.opened_at, item.due_at) - promised)
    item.due_at = hours.after(item.opened_at, dt.timedelta(hours=RESOLUTION_HOURS[item.priority].of(brand)) + paused)
    item.save(update_fields=["due_at"])
    if ticket.first_replied_at is None:
        ticket.first_reply_due_at = first_reply_due(brand, ticket.opened_at, item.priority)
        ticket.save(update_fields=["first_reply_due_at"])
    if ticket.is_with_us:
        start(ticket)


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
