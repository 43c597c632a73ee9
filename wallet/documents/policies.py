"""Who may have documents made and change letterheads."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from clients.queries import reaches
from crm.models import Actor
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.core.policies import is_own


def can_have_documents(user: Actor, client: Client) -> Decision:
    """Allow the client, and staff who reach the client and may make documents."""
    if is_own(user, client):
        return YES
    if not reaches(user, client):
        return no(_("You don't have access to this client."))
    return has_permission(user, "wallet.make_issueddocument")


def can_make_for_brand(user: Actor, brand_id: int) -> Decision:
    """Allow making documents of a whole brand: a month's statements and invoices, packs."""
    if user is None or brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return has_permission(user, "wallet.make_issueddocument")


def can_manage_letterhead(user: Actor, brand_id: int) -> Decision:
    """Allow changing the letterhead of a brand that the user reaches as a whole."""
    if user is None or brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return has_permission(user, "wallet.manage_letterhead")
