"""Forwarding an e-mail of a client: to a colleague who reaches the client, or to an address that the brand allows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import policies, timeline
from clients.audit_codes import ClientsAction
from clients.choices import TimelineKind
from clients.mail import UNDO_SECONDS
from clients.messages.forwarded import TEMPLATE, files_of, is_forward
from clients.messages.policies import FORWARD_ADDRESSES
from clients.messages.sent_files import TOTAL_BYTES_MAX
from clients.messages.suppression import reason_against
from clients.models import Client, IncomingMail, Message
from clients.record.access import log_access
from crm.choices import AccessKind
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.formats import file_size
from crm.i18n.localized_text import phrase
from crm.models import User
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.scope import reach_of

NOTE_CHARS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a forward: a colleague, or an address. `is_confirmed`: the sender knows that personal data leaves."""

    colleague_id: int | None = None
    address: str = ""
    is_confirmed: bool = False


@transaction.atomic
def forward_mail(
    *, original: IncomingMail | Message, actor: User, recipient: Recipient, note: str = "", with_files: bool = True
) -> Message:
    """Forward an e-mail of a thread with a note above it; it waits as long as any other before it is sent.

    The original stays where it is: quote and files are read under the client's key when the forward is sent.
    Who: `clients.log_call` in reach. Raises: NotAllowed; WrongState for an e-mail without a thread; DomainError for somebody
    who doesn't reach the client, for an address that the brand doesn't allow or e-mail, without the confirmation that
    personal data leaves the company, or for files that are too large together.
    """
    if original.client_id is None or original.thread_id is None:
        raise WrongState(_("Assign this e-mail to a client first."))
    if isinstance(original, Message) and is_forward(original):
        raise WrongState(_("Forward the original e-mail instead."))
    client = lock(Client, original.client_id, "brand", "book")
    policies.require(policies.can_log(actor, client))
    address = _address_of(client, actor, recipient)
    against = reason_against(client.brand_id, address, is_marketing=False)
    if against is not None:
        raise DomainError(_("This address is on the suppression list (%(reason)s).") % {"reason": against.label})
    taken = files_of(original) if with_files else []
    if sum(row.size_bytes for row in taken) > TOTAL_BYTES_MAX:
        limit = file_size(TOTAL_BYTES_MAX)
        raise DomainError(_("The files are larger than %(limit)s. Forward the e-mail without them.") % {"limit": limit})
    is_incoming = isinstance(original, IncomingMail)
    sent = Message.objects.create(
        client=client,
        template=TEMPLATE,
        language=client.brand.default_language if recipient.colleague_id is None else actor.language,
        to_address=address,
        sender=actor,
        subject=_subject(original.subject),
        body=note.strip()[:NOTE_CHARS_MAX],
        thread_id=original.thread_id,
        forwards_mail_id=original.pk if is_incoming else None,
        forwards_sent_id=None if is_incoming else original.pk,
        forwards_files=with_files,
        due_at=timezone.now() + dt.timedelta(seconds=UNDO_SECONDS),
    )
    enqueue_on_commit("clients.send_message", sent.pk, seconds=UNDO_SECONDS)
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.EMAIL,
        actor=actor,
        title=phrase("E-mail forwarded: %(subject)s") % {"subject": original.subject},
        dedupe_key=f"message:{sent.pk}",
        data={"message_id": sent.pk},
    )
    log_access(actor, client, f"clients.message:{sent.pk}", kind=AccessKind.MAIL)
    audit.record(
        actor=actor,
        action=ClientsAction.MAIL_FORWARDED,
        target=sent,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={
            "to": address,
            "leaves_the_company": recipient.colleague_id is None,
            "original": f"{original._meta.label_lower}:{original.pk}",
            "subject": sent.subject,
            "files": [f"{row.name} ({row.sha256})" for row in taken],
        },
    )
    return sent


def _address_of(client: Client, actor: User, recipient: Recipient) -> str:
    if recipient.colleague_id is not None:
        colleague = User.objects.filter(pk=recipient.colleague_id, kind="staff", is_active=True).first()
        if colleague is None or client.book_id not in reach_of(colleague).books or not colleague.email:
            raise DomainError(_("Choose a colleague who has access to this client."))
        return colleague.email.lower()
    address = recipient.address.strip().lower()
    if not address:
        raise DomainError(_("Choose a colleague or an address."))
    if address not in FORWARD_ADDRESSES.of(client.brand):
        raise DomainError(_("Your company's policies don't allow forwarding to this address."))
    if not recipient.is_confirmed:
        raise DomainError(_("Confirm that the client's personal data may leave the company."), code="confirm")
    return address


def _subject(subject: str) -> str:
    return subject if subject.lower().startswith("fwd:") else f"Fwd: {subject}"[:200]
