"""Two tickets about one thing: the second goes into the first and shows there; undone, both are as before."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm import work
from crm.db.locking import lock_all
from crm.errors import DomainError, WrongState
from crm.models import User
from crm.security.policies import require
from support import policies
from support.audit_codes import SupportAction
from support.choices import TicketState
from support.clock import service_levels
from support.kind import locked
from support.models import Ticket
from support.tickets import note_change, put_back


@transaction.atomic
def merge_tickets(*, ticket_id: int, into_number: int, actor: User) -> Ticket:
    """Merge a ticket into another unsolved one of the same client, which then shows its messages; e-mails follow it too.

    Who: `support.work_ticket` in reach. Raises: NotAllowed; DomainError for another client's or a solved ticket, WrongState.
    """
    first = locked(ticket_id)
    require(policies.can_work(actor, first.client))
    into_id = Ticket.objects.filter(client=first.client, number=into_number).values_list("pk", flat=True).first()
    if into_id is None or into_id == first.pk:
        raise DomainError(_("Enter the number of another ticket of this client."))
    rows = {row.pk: row for row in lock_all(Ticket, pks=[first.pk, into_id])}
    ticket, into = rows[first.pk], rows[into_id]
    if not into.is_unsolved:
        raise DomainError(_("Ticket #%(number)s is solved or closed.") % {"number": into.number})
    if not ticket.is_unsolved:
        raise WrongState(_("This ticket is solved or closed. Reopen it first."))
    before = ticket.state
    ticket.move_to(TicketState.MERGED)
    ticket.merged_into, ticket.pending_since = into, None
    ticket.save()
    # What was merged into it before goes on with it, so that one step leads to what is read.
    Ticket.objects.filter(merged_into=ticket).update(merged_into=into)
    work.close_items([ticket.work_id])
    service_levels.stop(ticket)
    if ticket.last_at > into.last_at:
        Ticket.objects.filter(pk=into.pk).update(last_at=ticket.last_at)
    note_change(ticket, SupportAction.TICKET_MERGED, actor, before=before, after={"into": into.pk})
    return into


@transaction.atomic
def undo_ticket_merge(*, ticket_id: int, actor: User) -> Ticket:
    """Take a merged ticket out again: it is open, with its own messages and a new clock.

    Who: `support.work_ticket` in reach. Raises: NotAllowed; WrongState unless it is merged.
    """
    ticket = locked(ticket_id)
    require(policies.can_work(actor, ticket.client))
    if ticket.state != TicketState.MERGED:
        raise WrongState(_("This ticket isn't merged."))
    into = ticket.merged_into_id
    ticket.merged_into = None
    put_back(ticket, timezone.now())
    ticket.save()
    note_change(ticket, SupportAction.TICKET_MERGE_UNDONE, actor, before=TicketState.MERGED, after={"from": into})
    return ticket
