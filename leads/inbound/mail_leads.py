"""E-mails of people who are unknown: a proved sender who writes to an address of the brand's choice becomes a lead.

The address alone proves nothing, so an e-mail whose sender our own mail server hasn't proved waits for a person, as does one
from an address that a client has already. Machines are no leads, and an hour's number is bounded: what is over it waits too.
"""

from __future__ import annotations

from typing import Final

from django.db import transaction

from clients.canonical import canonical_email
from clients.messages.addresses import is_sent_to
from clients.messages.choices import IncomingState, SenderProof
from clients.messages.incoming import give_to_lead
from clients.models import Client, IncomingMail
from leads.brand_policies import LEAD_ADDRESSES
from leads.capture import Capture, capture_lead
from leads.choices import Channel
from leads.guard import is_within_limit
from leads.models import Lead

PER_HOUR: Final = 200


@transaction.atomic
def capture_mail(*, mail_id: int) -> Lead | None:
    """Capture the sender of an unassigned e-mail as a lead, and give them the e-mail. Who: the system.

    None where it stays in the queue of unassigned e-mails.
    """
    rows = IncomingMail.objects.select_related("brand").defer("body_for_client")
    mail = rows.filter(pk=mail_id, state=IncomingState.UNASSIGNED).first()
    if mail is None or not _is_lead(mail):
        return None
    first, _space, last = mail.from_name.strip().partition(" ")
    capture = Capture(
        channel=Channel.EMAIL,
        first_name=first,
        last_name=last.strip(),
        email=mail.from_address,
        message=mail.body["text"],
        idempotency_key=f"mail:{mail.pk}",
    )
    captured = capture_lead(brand=mail.brand, capture=capture)
    give_to_lead(mail_id=mail.pk, client_id=captured.client.pk)
    return captured.lead


def _is_lead(mail: IncomingMail) -> bool:
    if mail.is_automatic or mail.proof != SenderProof.PROVED or not mail.from_address:
        return False
    if mail.brand.archived_at is not None or not is_sent_to(mail, LEAD_ADDRESSES.of(mail.brand)):
        return False
    canonical = canonical_email(mail.from_address)
    if Client.objects.filter(brand=mail.brand_id, email_canonical=canonical).exists():
        return False
    return is_within_limit(f"mail-lead:{mail.brand_id}", limit=PER_HOUR, seconds=3_600)
