"""What happens when a ticket's clock runs out: it is late and escalated, or a solved one is closed."""

from __future__ import annotations

from typing import Final

from django.utils import timezone
from django.utils.translation import gettext_lazy

from crm.due import DueKind, declare
from crm.events import TicketLate, publish
from crm.i18n.localized_text import phrase
from crm.models import DueRow, User
from crm.notices.notify import notify, people_with
from crm.security import audit
from crm.work.assigning import RIGHT as ASSIGNS_WORK
from support import policies
from support.audit_codes import SupportAction
from support.choices import SupportNotice, TicketClock, TicketState
from support.clock import service_levels
from support.kind import locked
from support.models import Ticket

HEADS_MAX: Final = 100


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
    notify(
        _whom_to_notify(ticket),
        kind=SupportNotice.TICKET_LATE,
        title=text[clock] % {"number": ticket.number},
        body=ticket.subject,
        url=ticket.get_absolute_url(),
        dedupe_key=f"support.late:{ticket.pk}:{clock.value}:{ticket.reopened}",
    )


def _whom_to_notify(ticket: Ticket) -> list[int]:
    """List the ticket's holder and who assigns work within reach of the client; without a holder, all who work on tickets."""
    holder = ticket.work.assigned_to_id
    if holder is None:
        return people_with(policies.WORKS, brand_id=ticket.brand_id)
    heads = User.objects.filter(pk__in=people_with(ASSIGNS_WORK, brand_id=ticket.brand_id)).order_by("pk")[:HEADS_MAX]
    return [holder, *(head.pk for head in heads if head.pk != holder and policies.can_work(head, ticket.client))]


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
    DueKind(
        service_levels.FIRST_REPLY, gettext_lazy("First reply to a ticket"), _first_reply_late, permission=policies.SEES
    )
)
RESOLUTION: Final = declare(
    DueKind(service_levels.RESOLUTION, gettext_lazy("Solution of a ticket"), _solution_late, permission=policies.SEES)
)
CLOSING: Final = declare(
    DueKind(service_levels.CLOSING, gettext_lazy("Closing of a solved ticket"), _close, permission=policies.SEES)
)
KINDS: Final = (FIRST_REPLY, RESOLUTION, CLOSING)
