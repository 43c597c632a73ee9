"""Who may do what with tickets. Every decision first asks whether the client is within the user's reach."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from clients.models import Client
from clients.policies import can
from crm.models import Actor
from crm.security.policies import YES, Decision, no
from crm.security.scope import reach_of

SEES: Final = "support.view_ticket"
WORKS: Final = "support.work_ticket"
MANAGES_MACROS: Final = "support.manage_macro"
SEES_FIGURES: Final = "support.report_tickets"


def is_own(user: Actor, client: Client) -> Decision:
    """Decide whether this is the client's own login."""
    if user is not None and user.is_client and client.user_id == user.pk:
        return YES
    return no(_("Only the client can do this."))


def can_open(user: Actor, client: Client) -> Decision:
    """Decide who may open a ticket: the client, staff who work on tickets for them, and the system for an e-mail."""
    if user is not None and user.is_client:
        return is_own(user, client)
    return can(user, client, WORKS)


def can_work(user: Actor, client: Client) -> Decision:
    """Decide who may reply to a client's ticket, note, assign and solve it."""
    return can(user, client, WORKS)


def reaches_brand(user: Actor, brand_id: int) -> Decision:
    """Decide whether a person reaches a whole brand, as its set-up needs."""
    if user is not None and brand_id in reach_of(user).whole_brands:
        return YES
    return no(_("You don't have access to this whole brand."))
