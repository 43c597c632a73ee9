"""Certificates: issued with a passed phase or a funded account; their number is an address at which anybody verifies them."""

from __future__ import annotations

import base64
import secrets

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.models import Actor, User
from crm.security import audit, policies
from crm.security.policies import YES, Decision, no
from prop.audit_codes import PropAction
from prop.models import Certificate, PhaseAccount

NUMBER_BYTES = 10  # 80 bits: nobody guesses another one


def issue_certificate(row: PhaseAccount) -> Certificate:
    """Issue the certificate of a locked account whose phase was passed or which is funded; a repeat returns it."""
    number = base64.b32encode(secrets.token_bytes(NUMBER_BYTES)).decode()
    certificate, is_new = Certificate.objects.get_or_create(
        phase_account=row, defaults={"number": number, "issued_at": timezone.now()}
    )
    if is_new:
        audit.record(
            actor=None,
            action=PropAction.CERTIFICATE_ISSUED,
            target=certificate,
            client_id=row.challenge.client_id,
            brand_id=row.challenge.brand_id,
            after={"number": certificate.number, "phase": row.phase_id},
        )
    return certificate


def can_change(user: Actor, certificate: Certificate) -> Decision:
    """Allow the client whose certificate it is, in person."""
    if user is None or certificate.phase_account.challenge.client.user_id != user.pk:
        return no(_("Only the client decides who reads their name."))
    return YES


@transaction.atomic
def show_name(*, certificate_id: int, shows_name: bool, actor: User) -> Certificate:
    """Show the trader's name on the certificate and at its address, or hide it. Who: the client. Raises: NotAllowed."""
    certificate = lock(Certificate, certificate_id, "phase_account__challenge__client")
    policies.require(can_change(actor, certificate))
    challenge, before = certificate.phase_account.challenge, certificate.shows_name
    if before != shows_name:
        certificate.shows_name = shows_name
        certificate.save(update_fields=["shows_name"])
        audit.record(
            actor=actor,
            action=PropAction.CERTIFICATE_CHANGED,
            target=certificate,
            client_id=challenge.client_id,
            brand_id=challenge.brand_id,
            before={"shows_name": before},
            after={"shows_name": shows_name},
        )
    return certificate
