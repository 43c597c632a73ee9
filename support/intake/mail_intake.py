"""E-mails and tickets: what a client writes goes into the ticket of its thread, or opens one.

No loops: absence notes and machines open nothing and reopen nothing, and only a new ticket is confirmed, once.
"""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from clients.messages.addresses import is_sent_to
from clients.messages.choices import MatchedBy
from clients.models import Client, IncomingMail, MailThread
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import User
from crm.security.crypto import KeyDestroyed
from crm.security.policies import require
from support import policies
from support.brand_policies import TICKET_ADDRESSES
from support.choices import TicketChannel, TicketState
from support.models import Ticket, TicketMessage
from support.talk.conversation import TEXT_MAX, Written
from support.tickets import NewTicket, open_ticket, reply_as_client

# What begins a conversation, instead of answering one of ours.
BEGINS = (MatchedBy.ADDRESS, MatchedBy.PERSON, MatchedBy.LEAD)


def ticket_of_thread(thread_id: int) -> Ticket | None:
    """Find the newest ticket of a thread, also where two threads became one; of a merged one, the ticket that it went into."""
    at_thread = Q(thread=thread_id)
    written = TicketMessage.objects.filter(Q(incoming__thread=thread_id) | Q(sent__thread=thread_id))
    rows = Ticket.objects.filter(at_thread | Q(pk__in=written.values("ticket"))).select_related("merged_into")
    ticket = rows.order_by("-pk").first()
    return ticket.merged_into or ticket if ticket is not None else None


@transaction.atomic
def take_mail(*, mail_id: int) -> Ticket | None:
    """Put a client's e-mail into the ticket of its thread; without one, open a ticket where the brand says so for the address.

    Who: the system. None where nothing was done: an automatic reply, one that is in a ticket already, an address without tickets.
    """
    mail = IncomingMail.objects.select_related("brand", "thread").get(pk=mail_id)
    if mail.is_automatic or mail.client_id is None or mail.thread is None:
        return None
    if TicketMessage.objects.filter(incoming=mail).exists():
        return None
    lock(Client, mail.client_id, no_key=True)
    ticket = ticket_of_thread(mail.thread.pk)
    if ticket is not None and ticket.client_id == mail.client_id:
        return _add(ticket, mail)
    if mail.matched_by in BEGINS and is_sent_to(mail, TICKET_ADDRESSES.of(mail.brand)):
        return _open(mail, None)
    return None


def _add(ticket: Ticket, mail: IncomingMail) -> Ticket:
    """Add an e-mail to its ticket; to a closed one it begins a follow-up, which takes the thread over."""
    if ticket.state == TicketState.CLOSED:
        Ticket.objects.filter(thread=mail.thread).update(thread=None)
        return _open(mail, None, follows=ticket)
    reply_as_client(ticket_id=ticket.pk, actor=None, written=_written(mail), incoming=mail)
    return ticket


def _written(mail: IncomingMail) -> Written:
    try:
        text = mail.body["text"].strip()
    except KeyDestroyed:
        text = ""
    return Written(text[:TEXT_MAX] or mail.subject or "–")


def _open(mail: IncomingMail, actor: User | None, *, follows: Ticket | None = None) -> Ticket:
    assert mail.client_id is not None
    new = NewTicket(
        subject=mail.subject or _("E-mail without a subject"),
        written=_written(mail),
        channel=TicketChannel.EMAIL,
        follows_id=follows.pk if follows is not None else None,
        incoming=mail,
        thread=mail.thread,
    )
    return open_ticket(client_id=mail.client_id, actor=actor, new=new)


@transaction.atomic
def open_from_thread(*, thread_id: int, actor: User) -> Ticket:
    """Open a ticket from what the client wrote last in a thread; replies then go on in that thread.

    Who: `support.work_ticket` in reach. Raises: NotAllowed; DomainError where the client wrote nothing, or it is a ticket.
    """
    client_id = MailThread.objects.filter(pk=thread_id).values_list("client_id", flat=True).first()
    client = lock(Client, client_id or 0, no_key=True)
    require(policies.can_work(actor, client))
    lock(MailThread, thread_id)
    ticket = ticket_of_thread(thread_id)
    if ticket is not None and ticket.state != TicketState.CLOSED:
        raise DomainError(_("This thread belongs to ticket #%(number)s already.") % {"number": ticket.number})
    rows = IncomingMail.objects.filter(thread=thread_id, is_automatic=False, ticket_message=None)
    mail = rows.select_related("thread", "brand").order_by("-received_at", "-pk").first()
    if mail is None:
        raise DomainError(_("The client hasn't written anything new in this thread."))
    Ticket.objects.filter(thread=thread_id).update(thread=None)
    return _open(mail, actor, follows=ticket)
