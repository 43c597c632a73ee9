"""Who may do what with a client's category."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from clients.choices import Category, Stage
from clients.models import Client
from clients.policies import can
from crm import work
from crm.models import Actor, User
from crm.security.policies import YES, Decision, no
from kyc.categories.models import CategoryRequest

SEES, PROPOSES, DECIDES = "kyc.view_category", "kyc.propose_category", "kyc.decide_category"
# From the most protection to the least.
ORDER: Final = (Category.RETAIL, Category.PROFESSIONAL, Category.ELIGIBLE_COUNTERPARTY)


def less_protected(category: str) -> list[Category]:
    """List the categories with less protection."""
    return list(ORDER[ORDER.index(Category(category)) + 1 :])


def more_protected(category: str) -> list[Category]:
    """List the categories with more protection."""
    return list(ORDER[: ORDER.index(Category(category))])


def is_own(actor: Actor, client: Client) -> Decision:
    """Allow clients themselves."""
    return YES if actor is not None and client.user_id == actor.pk else no(_("This isn't your account."))


def can_ask(actor: Actor, client: Client) -> Decision:
    """Ask for less protection: verified retail clients, for themselves."""
    allowed = is_own(actor, client)
    if not allowed:
        return allowed
    if client.stage == Stage.CLOSED:
        return no(_("This account is closed."))
    if not client.kyc_level:
        return no(_("Available once you're verified."))
    if client.category != Category.RETAIL:
        return no(_("You're already treated as a professional client."))
    return YES


def can_propose(actor: Actor, client: Client) -> Decision:
    """Propose a category or decline a request: `kyc.propose_category` in reach."""
    return can(actor, client, PROPOSES)


def can_decline(actor: User, request: CategoryRequest) -> Decision:
    """Decline a request: as proposing, and no colleague has claimed it."""
    allowed = can_propose(actor, request.client)
    return work.may_decide(actor, request.work) if allowed else allowed
