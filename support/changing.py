"""What else changes about a ticket: what it is about, who works on it, how urgent it is."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm import work
from crm.choices import WorkPriority
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify
from crm.security.policies import require
from crm.work.assigning import assignees
from support import policies
from support.audit_codes import SupportAction
from support.choices import TicketCategory
from support.clock import service_levels
from support.kind import locked
from support.models import Ticket
from support.tickets import note_change


@transaction.atomic
def change_category(*, ticket_id: int, actor: User, category: str) -> Ticket:
    """Set what a ticket is about. Who: `support.work_ticket` in reach. Raises: NotAllowed, DomainError."""
    ticket = locked(ticket_id)
    require(policies.can_work(actor, ticket.client))
    if category not in TicketCategory.values:
        raise DomainError(_("Choose a category."))
    before = ticket.category
    if before != category:
        ticket.category = category
        ticket.save(update_fields=["category"])
        note_change(
            ticket, SupportAction.TICKET_CATEGORY_CHANGED, actor, before=ticket.state, after={"category": category}
        )
    return ticket


def colleagues_for(ticket: Ticket) -> QuerySet[User]:
    """Select who may work on a ticket's queue at its brand."""
    return assignees([ticket.work])


@transaction.atomic
def assign_ticket(*, ticket_id: int, actor: User, to_id: int, priority: int | None = None) -> Ticket:
    """Assign an unsolved ticket to a colleague, or to oneself, perhaps with another priority.

    Who: `support.work_ticket` in reach, also of the one whom it goes to. Raises: NotAllowed; WrongState when it is over;
    DomainError for somebody who can't work on it.
    """
    ticket = locked(ticket_id)
    require(policies.can_work(actor, ticket.client))
    if not ticket.is_unsolved:
        raise WrongState(_("This ticket is solved or closed. Reopen it first."))
    to = User.objects.filter(pk=to_id, is_active=True).first()
    if to is None or not policies.can_work(to, ticket.client):
        raise DomainError(_("Choose a colleague who may work on this client's tickets."))
    level, before = WorkPriority(priority).value if priority is not None else None, ticket.work.priority
    ticket.work = work.leave_with(ticket.work_id, actor=actor, text="", to=to, priority=level)
    service_levels.follow_priority(ticket, before)
    after: dict[str, object] = {"assigned_to": to.pk, "priority": ticket.work.priority}
    note_change(ticket, SupportAction.TICKET_ASSIGNED, actor, before=ticket.state, after=after)
    if to.pk != actor.pk:
        notify(
            [to],
            kind=CrmNotice.WORK_ASSIGNED,
            title=phrase("%(name)s assigned you ticket #%(number)s") % {"name": str(actor), "number": ticket.number},
            body=ticket.subject,
            url=ticket.get_absolute_url(),
        )
    return ticket
