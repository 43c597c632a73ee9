"""Reads of tickets. Every one starts from what the user may see."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404

from clients.queries import clients_visible_to
from crm.models import Actor, User
from support import policies
from support.choices import UNSOLVED, WITH_US
from support.models import Ticket, TicketFile

COUNTED: int = 100


def tickets_visible_to(user: Actor) -> QuerySet[Ticket]:
    """Select the tickets of clients in reach, for staff who see tickets; for a client, their own."""
    if not user or not user.is_authenticated or not (user.is_client or user.has_perm(policies.SEES)):
        return Ticket.objects.none()
    return Ticket.objects.filter(client__in=clients_visible_to(user))


def get_ticket(user: User, ticket_id: int) -> Ticket:
    """Find one ticket with what its page reads, or 404."""
    rows = tickets_visible_to(user).select_related(
        "client__brand", "client__book", "client__owner", "work__claimed_by", "work__assigned_to", "work__brand"
    )
    row = rows.select_related("solved_by", "follows", "opened_by", "merged_into", "thread").filter(pk=ticket_id).first()
    if row is None:
        raise Http404
    return row


def others_unsolved(ticket: Ticket) -> list[Ticket]:
    """List the client's other unsolved tickets, the newest first; the caller may see the ticket."""
    rows = Ticket.objects.filter(client=ticket.client_id, state__in=UNSOLVED).exclude(pk=ticket.pk)
    return list(rows.order_by("-pk")[:COUNTED])


def files_visible_to(user: Actor) -> QuerySet[TicketFile]:
    """Select the files of tickets that a person sees; clients have none of an internal note's."""
    rows = TicketFile.objects.filter(message__ticket__in=tickets_visible_to(user))
    return rows if user is not None and user.is_team else rows.filter(message__kind="reply")


def waiting_count(user: User) -> int | None:
    """Count the tickets that wait for us in a person's reach, up to a hundred; None where there are none."""
    rows = tickets_visible_to(user).filter(state__in=WITH_US).order_by()
    return len(rows.values_list("pk", flat=True)[:COUNTED]) or None
