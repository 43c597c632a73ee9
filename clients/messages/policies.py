"""Who reads e-mails of unknown senders, assigns them, lifts a suppression, and where e-mails are forwarded to."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy

from clients.messages.addresses import Addresses
from crm.brand_policies import Policy, PolicyArea, declare
from crm.models import Actor
from crm.security.policies import Decision, on_whole_brand

WRITES: Final = "clients.log_call"
SETS_UP: Final = "crm.manage_policies"
ASSIGNS: Final = "clients.assign_mail"
LIFTS: Final = "clients.lift_suppression"
FORWARD_ADDRESSES = declare(
    Policy(
        "mail_forward_addresses",
        PolicyArea.ACCESS,
        gettext_lazy("Outside addresses that clients’ e-mails are forwarded to"),
        Addresses(),
        [],
        gettext_lazy("Besides colleagues who reach the client. Empty: no address outside the company."),
    )
)


def can_assign(actor: Actor, brand_id: int) -> Decision:
    """Read, assign and discard e-mails of unknown senders: they may be about any client of the brand."""
    return on_whole_brand(actor, ASSIGNS, brand_id)


def can_lift(actor: Actor, brand_id: int) -> Decision:
    """Add addresses to a brand's suppression list, and take them off."""
    return on_whole_brand(actor, LIFTS, brand_id)
