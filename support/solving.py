"""How a ticket ends: solved by either side, rated by the client, reopened."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from crm import work
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import TicketRated, TicketSolved, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor, User, WorkItem
from crm.security import crypto
from crm.security.policies import require
from support import policies
from support.audit_codes import SupportAction
from support.choices import TicketState
from support.clock import service_levels
from support.kind import SOLVED, locked
from support.models import Ticket
from support.talk import mails
from support.tickets import note_change, put_back

RATING_MAX: Final = 5
COMMENT_MAX: Final = 1_000


@transaction.atomic
def solve_ticket(*, ticket_id: int, actor: User) -> Ticket:
    """Mark a ticket as solved. The client is notified and may reopen it by replying until it is closed.

    Who: `support.work_ticket` in reach; the client for their own ticket. Raises: NotAllowed; WrongState when it is over.
    """
    ticket = locked(ticket_id)
    is_client = actor.is_client
    require(policies.is_own(actor, ticket.client) if is_client else policies.can_work(actor, ticket.client))
    lock(WorkItem, ticket.work_id)
    before, now = ticket.state, timezone.now()
    ticket.move_to(TicketState.SOLVED)
    ticket.solved_at, ticket.solved_by, ticket.pending_since = now, actor, None
    if ticket.first_replied_at is None and not is_client:  # solved without a word: that was the answer
        ticket.first_replied_at, ticket.first_replied_by = now, actor
    if not is_client:
        mails.send(ticket, "support.ticket_solved", sender=actor, key=f"solved:{ticket.reopened}")
    ticket.save()
    if is_client:
        work.close_items([ticket.work_id])
    else:
        work.decide(ticket, actor=actor, outcome=SOLVED)
    service_levels.stop(ticket)
    note_change(ticket, SupportAction.TICKET_SOLVED, actor, before=before)
    publish(
        TicketSolved(
            ticket_id=ticket.pk, category=ticket.category, client_id=ticket.client_id, brand_id=ticket.brand_id
        )
    )
    timeline.add_entry(
        client_id=ticket.client_id,
        kind=TimelineKind.TICKET,
        title=phrase("Ticket #%(number)s solved: %(subject)s") % {"number": ticket.number, "subject": ticket.subject},
        actor=actor,
        url=ticket.get_absolute_url(),
        dedupe_key=f"ticket:{ticket.pk}:solved:{ticket.reopened}",
        needs=policies.SEES,
    )
    return ticket


@transaction.atomic
def reopen_ticket(*, ticket_id: int, actor: User) -> Ticket:
    """Put a solved ticket back into the queue; it goes to whom it was assigned, with a new clock.

    Who: `support.work_ticket` in reach; the client for their own ticket. Raises: NotAllowed; WrongState unless it is solved.
    """
    ticket = locked(ticket_id)
    is_client = actor.is_client
    require(policies.is_own(actor, ticket.client) if is_client else policies.can_work(actor, ticket.client))
    before = ticket.state
    if before != TicketState.SOLVED:
        raise WrongState(_("Only a solved ticket can be reopened."))
    put_back(ticket, timezone.now())
    ticket.save()
    note_change(ticket, SupportAction.TICKET_REOPENED, actor, before=before)
    return ticket


@transaction.atomic
def rate_ticket(*, ticket_id: int, actor: Actor, rating: int, comment: str = "") -> Ticket:
    """Rate our help with a solved ticket, from 1 to 5; the client may change it while the ticket isn't reopened.

    Who: the client. Raises: NotAllowed; WrongState before it is solved; DomainError for another number.
    """
    ticket = locked(ticket_id)
    require(policies.is_own(actor, ticket.client))
    if ticket.state not in (TicketState.SOLVED, TicketState.CLOSED):
        raise WrongState(_("You can rate a ticket once it is solved."))
    if not 1 <= rating <= RATING_MAX:
        raise DomainError(_("Choose one to five stars."), code="rating")
    text = comment.strip()[:COMMENT_MAX]
    ticket.rating, ticket.rated_at = rating, timezone.now()
    ticket.rating_sealed = crypto.encrypt_for_client(ticket.client_id, text.encode()) if text else None
    ticket.rating_sealed_for = ticket.client if text else None
    ticket.save(update_fields=["rating", "rated_at", "rating_sealed", "rating_sealed_for"])
    note_change(ticket, SupportAction.TICKET_RATED, actor, before=ticket.state, after={"rating": rating})
    publish(TicketRated(ticket_id=ticket.pk, stars=rating, client_id=ticket.client_id, brand_id=ticket.brand_id))
    timeline.add_entry(
        client_id=ticket.client_id,
        kind=TimelineKind.TICKET,
        title=phrase("Ticket #%(number)s rated %(rating)s of 5") % {"number": ticket.number, "rating": rating},
        actor=actor,
        url=ticket.get_absolute_url(),
        dedupe_key=f"ticket:{ticket.pk}:rated",
        needs=policies.SEES,
        replaces=True,
    )
    return ticket
