"""E-mails of a ticket, in the ticket's thread, so that what the client answers comes back to it."""

from __future__ import annotations

from clients.mail import send_mail_to
from clients.messages.outgoing import put_into_thread
from clients.models import Message
from crm.models import Actor
from support.models import Ticket


def send(ticket: Ticket, template: str, *, sender: Actor = None, message: str = "", key: str = "") -> Message | None:
    """Queue an e-mail about a ticket; None for a client without an address. The caller holds the ticket and saves `thread`.

    key: what makes it one e-mail, where the event behind it can come twice.
    """
    context = {"number": ticket.number, "subject": ticket.subject, **({"message": message} if message else {})}
    sent = send_mail_to(
        client_id=ticket.client_id,
        template=template,
        context=context,
        sender=sender,
        dedupe_key=f"support:{ticket.pk}:{key}" if key else "",
    )
    if sent is not None and sent.thread_id is None:
        ticket.thread = put_into_thread(sent, ticket.thread_id)
    return sent
