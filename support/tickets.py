"""Opening a ticket, replying from either side, and noting."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.facts import rebuild_client
from clients.models import Chat, Client, IncomingMail, MailThread
from crm import work
from crm.choices import WorkPriority
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import TicketOpened, TicketReplied, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor, Brand, User, WorkItem
from crm.notices.notify import notify, people_with, push_live
from crm.security import audit
from crm.security.policies import require
from support import policies
from support.audit_codes import SupportAction
from support.brand_policies import ASSIGN_TO_OWNER
from support.choices import UNSOLVED, MessageKind, SupportNotice, TicketCategory, TicketChannel, TicketState
from support.clock import service_levels
from support.kind import TICKETS, locked
from support.models import Ticket, TicketMessage, TicketNumber
from support.talk import mails
from support.talk.conversation import Written, add_message

# So many unsolved tickets a client may open: more is a script, or somebody who should be called.
UNSOLVED_MAX: Final = 20
SUBJECT_MAX: Final = 160
LIVE_EVENT: Final = "ticket"


@dataclass(frozen=True, slots=True)
class NewTicket:
    """What a ticket begins with. priority: None for its category's; follows_id: the closed ticket of the client it continues."""

    subject: str
    written: Written
    category: str = TicketCategory.OTHER
    priority: int | None = None
    channel: str = TicketChannel.PORTAL
    follows_id: int | None = None
    incoming: IncomingMail | None = None
    thread: MailThread | None = None
    chat: Chat | None = None


@transaction.atomic
def open_ticket(*, client_id: int, actor: Actor, new: NewTicket) -> Ticket:
    """Open a ticket: the client in the portal, staff for a client who called, the system for an e-mail.

    Who: the client, or `support.work_ticket` in reach. Raises: NotAllowed; DomainError without subject or text, or with too
    many unsolved tickets.
    """
    client = lock(Client, client_id, "brand", "book", "owner", no_key=True)
    require(policies.can_open(actor, client))
    subject, now = " ".join(new.subject.split())[:SUBJECT_MAX], timezone.now()
    if not subject:
        raise DomainError(_("Enter a subject."), code="subject")
    is_by_client = actor is not None and actor.is_client
    unsolved = Ticket.objects.filter(client=client, state__in=UNSOLVED)
    if is_by_client and len(unsolved.values_list("pk", flat=True)[:UNSOLVED_MAX]) >= UNSOLVED_MAX:
        raise DomainError(_("You have many open tickets. Please add your question to one of them."))
    category = TicketCategory(new.category)
    priority = WorkPriority(new.priority or priority_of(category))
    ticket = Ticket(
        brand=client.brand,
        client=client,
        number=_next_number(client.brand),
        subject=subject,
        category=category,
        channel=TicketChannel(new.channel),
        follows=_followed(client, new.follows_id),
        thread=new.thread,
        chat=new.chat,
        opened_by=actor,
        opened_at=now,
        last_at=now,
        first_reply_due_at=service_levels.first_reply_due(client.brand, now, priority),
        work=work.open_item(
            TICKETS,
            client_id=client.pk,
            brand=client.brand,
            opened_at=now,
            priority=priority,
            assigned_to=_first_assignee(client),
        ),
    )
    ticket.save()
    add_message(ticket, MessageKind.REPLY, new.written, author=actor, is_from_client=True, incoming=new.incoming)
    service_levels.start(ticket)
    if new.incoming is None or not new.incoming.is_automatic:
        mails.send(ticket, "support.ticket_received", key="received")
        ticket.save(update_fields=["thread"])
    _opened(ticket, actor)
    return ticket


def priority_of(category: str) -> WorkPriority:
    """Return the priority that a ticket has from its category: complaints come first."""
    return WorkPriority.HIGH if category == TicketCategory.COMPLAINT else WorkPriority.NORMAL


def _next_number(brand: Brand) -> int:
    """Count one ticket more at a brand; its row is held until the transaction ends."""
    rows = TicketNumber.objects.filter(brand=brand)
    if not rows.update(last=F("last") + 1):
        TicketNumber.objects.bulk_create([TicketNumber(brand=brand)], ignore_conflicts=True)
        rows.update(last=F("last") + 1)
    return rows.values_list("last", flat=True).get()


def _followed(client: Client, follows_id: int | None) -> Ticket | None:
    if follows_id is None:
        return None
    found = Ticket.objects.filter(pk=follows_id, client=client).first()
    if found is None:
        raise DomainError(_("This ticket belongs to another client."))
    return found


def _first_assignee(client: Client) -> User | None:
    """Find the client's agent, where the brand gives them their clients' tickets and they may work on them."""
    owner = client.owner
    if owner is None or not ASSIGN_TO_OWNER.of(client.brand) or not policies.can_work(owner, client):
        return None
    return owner


def _opened(ticket: Ticket, actor: Actor) -> None:
    client = ticket.client
    rebuild_client(client.pk, "tickets_awaiting_us")
    audit.record(
        actor=actor,
        action=SupportAction.TICKET_OPENED,
        target=ticket,
        client_id=client.pk,
        brand_id=ticket.brand_id,
        after={"number": ticket.number, "category": ticket.category, "channel": ticket.channel},
    )
    publish(
        TicketOpened(
            ticket_id=ticket.pk,
            category=ticket.category,
            channel=ticket.channel,
            client_id=client.pk,
            brand_id=ticket.brand_id,
        )
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TICKET,
        title=phrase("Ticket #%(number)s opened: %(subject)s") % {"number": ticket.number, "subject": ticket.subject},
        actor=actor,
        url=ticket.get_absolute_url(),
        at=ticket.opened_at,
        dedupe_key=f"ticket:{ticket.pk}:opened",
        needs=policies.SEES,
    )
    holder = ticket.work.assigned_to_id
    readers = [holder] if holder else people_with(policies.WORKS, brand_id=ticket.brand_id)
    notify(
        [pk for pk in readers if actor is None or pk != actor.pk],
        kind=SupportNotice.TICKET_OPENED,
        title=phrase("Ticket #%(number)s from %(client)s") % {"number": ticket.number, "client": client},
        body=ticket.subject,
        url=ticket.get_absolute_url(),
        dedupe_key=f"support.ticket_opened:{ticket.pk}",
    )


@transaction.atomic
def reply_as_client(
    *, ticket_id: int, actor: Actor, written: Written, incoming: IncomingMail | None = None
) -> TicketMessage:
    """Add what the client wrote; a solved ticket is reopened by it, and one that awaited the client is with us again.

    Who: the client, or the system for an e-mail. Raises: NotAllowed; WrongState for a closed ticket; DomainError without text.
    """
    ticket = locked(ticket_id)
    if actor is not None:
        require(policies.is_own(actor, ticket.client))
    if ticket.state in (TicketState.CLOSED, TicketState.MERGED):
        raise WrongState(_("This ticket is closed. Open a follow-up ticket."))
    message = add_message(ticket, MessageKind.REPLY, written, author=actor, is_from_client=True, incoming=incoming)
    now, before = message.at, ticket.state
    ticket.last_at = now
    if ticket.state == TicketState.PENDING:
        ticket.move_to(TicketState.OPEN)
        service_levels.resume(ticket, now)
    elif ticket.state == TicketState.SOLVED:
        put_back(ticket, now)
    ticket.save()
    note_change(ticket, SupportAction.TICKET_REPLIED, actor, before=before, after={"by": "client"})
    _replied(ticket, message)
    holder = ticket.work.assigned_to_id
    if holder is not None:
        notify(
            [holder],
            kind=SupportNotice.CLIENT_REPLIED,
            title=phrase("%(client)s replied to ticket #%(number)s")
            % {"client": ticket.client, "number": ticket.number},
            body=ticket.subject,
            url=ticket.get_absolute_url(),
            dedupe_key=f"support.client_replied:{message.pk}",
        )
        push_live(holder, event=LIVE_EVENT, data={"ticket": ticket.pk})
    return message


def put_back(ticket: Ticket, now: dt.datetime) -> None:
    """Put a solved or merged ticket back into the queue, to whom it was assigned. The caller holds the ticket and saves it."""
    was = ticket.work
    ticket.move_to(TicketState.OPEN)
    ticket.solved_at = ticket.solved_by = None
    ticket.reopened += 1
    ticket.work = work.open_item(
        TICKETS,
        client_id=ticket.client_id,
        brand=ticket.client.brand,
        opened_at=now,
        priority=was.priority,
        assigned_to=was.assigned_to,
    )
    service_levels.start(ticket)


@transaction.atomic
def reply_to_client(*, ticket_id: int, actor: User, written: Written, then: str = TicketState.PENDING) -> TicketMessage:
    """Reply to the client: in the portal, and by e-mail in the ticket's thread.

    then: where the ticket goes: open (we go on working on it) or pending (the client is awaited). `solve_ticket` is another verb.
    Who: `support.work_ticket` in reach. Raises: NotAllowed; WrongState for a ticket that is over; DomainError without text.
    """
    ticket = locked(ticket_id)
    require(policies.can_work(actor, ticket.client))
    _require_unsolved(ticket)
    lock(WorkItem, ticket.work_id)
    before, text = ticket.state, written.cleaned()
    sent = mails.send(ticket, "support.ticket_reply", sender=actor, message=text)
    message = add_message(ticket, MessageKind.REPLY, written, author=actor, sent=sent)
    now = ticket.last_at = message.at
    if ticket.first_replied_at is None:
        ticket.first_replied_at, ticket.first_replied_by = now, actor
        service_levels.first_reply_stops(ticket)
    _go_to(ticket, TicketState(then), now)
    _take_if_free(ticket, actor)
    ticket.save()
    note_change(ticket, SupportAction.TICKET_REPLIED, actor, before=before, after={"by": "staff"})
    _replied(ticket, message)
    if ticket.client.user_id is not None:
        notify(
            [ticket.client.user_id],
            kind=SupportNotice.REPLIED,
            title=phrase("Reply to ticket #%(number)s") % {"number": ticket.number},
            body=ticket.subject,
            url=ticket.portal_url,
            dedupe_key=f"support.replied:{message.pk}",
        )
    return message


def _require_unsolved(ticket: Ticket) -> None:
    if not ticket.is_unsolved:
        raise WrongState(_("This ticket is solved or closed. Reopen it first."))


def _go_to(ticket: Ticket, state: TicketState, now: dt.datetime) -> None:
    """Move an unsolved ticket to open or pending, with its clock."""
    if state not in (TicketState.OPEN, TicketState.PENDING):
        raise DomainError(_("Choose whether the ticket stays open or awaits the client."))
    if ticket.state == state:
        return
    was = ticket.state
    ticket.move_to(state)
    if state == TicketState.PENDING:
        service_levels.pause(ticket, now)
    elif was == TicketState.PENDING:
        service_levels.resume(ticket, now)


def _take_if_free(ticket: Ticket, actor: User) -> None:
    """Assign a ticket that is nobody's to whoever replied first."""
    if ticket.work.assigned_to_id is None:
        ticket.work = work.leave_with(ticket.work_id, actor=actor, text="", to=actor)


def _replied(ticket: Ticket, message: TicketMessage) -> None:
    publish(
        TicketReplied(
            ticket_id=ticket.pk,
            is_from_client=message.is_from_client,
            client_id=ticket.client_id,
            brand_id=ticket.brand_id,
        )
    )


@transaction.atomic
def add_note(*, ticket_id: int, actor: User, written: Written) -> TicketMessage:
    """Add an internal note, which the client never reads; to a ticket in any state.

    Who: `support.work_ticket` in reach. Raises: NotAllowed, DomainError without text.
    """
    ticket = locked(ticket_id)
    require(policies.can_work(actor, ticket.client))
    message = add_message(ticket, MessageKind.NOTE, written, author=actor)
    note_change(ticket, SupportAction.TICKET_NOTED, actor, before=ticket.state, after={"message": message.pk})
    return message


def note_change(
    ticket: Ticket, action: SupportAction, actor: Actor, *, before: str, after: dict[str, object] | None = None
) -> None:
    """Audit what was done to a ticket, with its state before and after, and count what awaits us again."""
    rebuild_client(ticket.client_id, "tickets_awaiting_us")
    audit.record(
        actor=actor,
        action=action,
        target=ticket,
        client_id=ticket.client_id,
        brand_id=ticket.brand_id,
        before={"state": str(before)},
        after={"state": str(ticket.state), **(after or {})},
    )
