"""Revealing a masked phone number or e-mail address: one click, one access row, shown for a minute."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from clients import policies
from clients.brand_policies import REVEAL_NEEDS_REASON
from clients.models import Client
from clients.queries import is_in_own_book
from clients.record.access import log_access
from crm.choices import AccessKind
from crm.errors import DomainError
from crm.models import Actor

SHOWN_SECONDS = 60
SHORTEST_REASON = 5


@dataclass(frozen=True)
class Revealed:
    phone: str
    email: str
    seconds: int = SHOWN_SECONDS


def needs_reason(user: Actor, client: Client) -> bool:
    """Check whether the brand's policy asks this user for a reason: for every client, or those outside their book."""
    policy = REVEAL_NEEDS_REASON.of(client.brand)
    return policy == "always" or (policy == "outside_book" and not is_in_own_book(user, client))


def reveal(*, client: Client, actor: Actor, reason: str = "") -> Revealed:
    """Show a client's phone and e-mail to someone whose role sees them masked.

    Who: `clients.reveal_contact` in reach. Raises: NotAllowed; DomainError where the brand asks for a reason.
    """
    policies.require(policies.can_reveal(actor, client))
    reason = reason.strip()
    if needs_reason(actor, client) and len(reason) < SHORTEST_REASON:
        raise DomainError(_("Enter a reason for viewing these contact details."))
    log_access(actor, client, "client.contact", kind=AccessKind.REVEAL, reason=reason)
    return Revealed(phone=client.phone, email=client.email)
