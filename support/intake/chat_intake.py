"""A chat that needs more than a few lines becomes a ticket, with what was said."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from clients.chat.choices import LineKind
from clients.chat.lines import lines_of
from clients.models import Chat, Client
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import User
from crm.security.policies import require
from support import policies
from support.choices import TicketChannel
from support.models import Ticket
from support.talk.conversation import TEXT_MAX, Written
from support.tickets import SUBJECT_MAX, NewTicket, open_ticket


@transaction.atomic
def open_from_chat(*, chat_id: int, actor: User) -> Ticket:
    """Open a ticket from a chat: its lines are the first message, its first line the subject.

    Who: `support.work_ticket` in reach. Raises: NotAllowed; DomainError where nothing was written, or it is a ticket.
    """
    client_id = Chat.objects.filter(pk=chat_id).values_list("client_id", flat=True).first()
    client = lock(Client, client_id or 0, no_key=True)
    require(policies.can_work(actor, client))
    chat = lock(Chat, chat_id, "client")
    if Ticket.objects.filter(chat=chat).exists():
        raise DomainError(_("This chat is a ticket already."))
    lines = [line for line in lines_of(chat) if line.kind != LineKind.NOTE]
    if not lines:
        raise DomainError(_("Nothing was written in this chat."))
    text = "\n".join(f"{line.author or chat.client}: {line.text}" for line in lines)
    new = NewTicket(
        subject=lines[0].text[:SUBJECT_MAX], written=Written(text[-TEXT_MAX:]), channel=TicketChannel.CHAT, chat=chat
    )
    return open_ticket(client_id=chat.client_id, actor=actor, new=new)
