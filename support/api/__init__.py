"""Tickets in the API. Their texts are sealed under the client's key and stay on the pages."""

from __future__ import annotations

from typing import Final

from ninja import Field, Router

from clients.api import CLIENTS
from clients.queries import clients_visible_to
from crm.api.authentication import Principal
from crm.api.fields import boolean, integer, text, time
from crm.api.reading import register
from crm.api.resources import Resource
from crm.api.writing import Body, require_visible, writes
from support import tickets
from support.choices import TicketCategory, TicketState
from support.queries import tickets_visible_to
from support.talk.conversation import Written

router = Router()
TICKETS: Final = Resource(
    "tickets",
    "ticket",
    scope="support:read",
    permission="support.view_ticket",
    rows=tickets_visible_to,
    summary="Questions of clients, with their clock.",
    client="client_id",
    fields=(
        integer("id"),
        integer("number", note="Counted per brand"),
        text("brand", "brand__code"),
        integer("client_id"),
        text("subject"),
        text("category", choices=TicketCategory.values),
        text("channel"),
        text("state", choices=TicketState.values),
        time("opened_at"),
        time("last_at"),
        time("first_reply_due_at"),
        time("first_replied_at"),
        time("solved_at"),
        time("closed_at"),
        integer("reopened"),
        boolean("is_reply_late"),
        boolean("is_solution_late"),
        integer("rating", note="1 to 5, by the client"),
        integer("merged_into_id"),
    ),
    filters=("client_id", "brand", "state", "category", "opened_at", "last_at"),
    expand={"client": CLIENTS},
)
register(router, TICKETS)


class TicketIn(Body):
    """A question of a client, entered for them."""

    client_id: int = Field(..., ge=1, le=2**63 - 1)
    subject: str = Field(..., min_length=1, max_length=160)
    text: str = Field(..., min_length=1, max_length=5000)
    category: TicketCategory = TicketCategory.OTHER


class ReplyIn(Body):
    """What the client reads, in the portal and by e-mail."""

    text: str = Field(..., min_length=1, max_length=5000)


@writes(router, "/v1/tickets", TICKETS, scope="support:write", body=TicketIn, summary="Open a ticket")
def create_ticket(principal: Principal, body: TicketIn, _id: int | None) -> int:
    """Open a ticket for a client."""
    require_visible(clients_visible_to(principal.user), body.client_id)
    new = tickets.NewTicket(subject=body.subject, written=Written(body.text), category=body.category)
    return tickets.open_ticket(client_id=body.client_id, actor=principal.user, new=new).pk


@writes(router, "/v1/tickets/{id}/replies", TICKETS, scope="support:write", body=ReplyIn, summary="Reply to the client")
def reply_to_ticket(principal: Principal, body: ReplyIn, ticket_id: int | None) -> int:
    """Reply to the client; the ticket then awaits them."""
    assert ticket_id is not None
    tickets.reply_to_client(ticket_id=ticket_id, actor=principal.user, written=Written(body.text))
    return ticket_id
