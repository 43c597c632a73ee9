"""Our e-mails in threads: which one an e-mail is in, and what it answers."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from clients.models import IncomingMail, MailThread, Message
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor
from crm.security.policies import YES, Decision, no
from crm.texts.catalogue import find_text


def put_into_thread(message: Message, thread_id: int | None) -> MailThread:
    """Put an e-mail that a person wrote into a thread of the same client, or a new one. Raises: DomainError."""
    if thread_id is None:
        thread = MailThread.objects.create(client_id=message.client_id, subject=message.subject)
    else:
        thread = lock(MailThread, thread_id)
        if thread.client_id != message.client_id:
            raise DomainError(_("This thread is with another client."))
        message.answers = IncomingMail.objects.filter(thread=thread).order_by("-received_at", "-pk").first()
    message.thread = thread
    message.save(update_fields=["thread", "answers"])
    thread.awaits_reply, thread.last_at = False, timezone.now()
    thread.save(update_fields=["awaits_reply", "last_at"])
    return thread


def can_undo(actor: Actor, message: Message) -> Decision:
    """Decide whether this is the person's own e-mail; that it still waits is the state's matter."""
    is_own = actor is not None and message.sender_id == actor.pk
    return YES if is_own else no(_("Another person sent this e-mail."))


def is_marketing(message: Message) -> bool:
    """Check whether an e-mail is news or offers: those go only to who wants them."""
    declared = find_text(message.template)
    return declared is not None and declared.is_marketing
