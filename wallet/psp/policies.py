"""Who may set PSPs up."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import Actor
from crm.security.policies import Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.models import Psp


def can_manage_psp(user: Actor, psp: Psp) -> Decision:
    """Decide who may set up a PSP: `wallet.manage_psp`, and reach of its whole brand."""
    allowed = has_permission(user, "wallet.manage_psp")
    if allowed and psp.brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return allowed
