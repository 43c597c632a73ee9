"""Who may set PSPs up."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import Actor, User
from crm.security.policies import Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.core.policies import by_another
from wallet.models import Psp, PspAddressChange


def can_manage_psp(user: Actor, psp: Psp) -> Decision:
    allowed = has_permission(user, "wallet.manage_psp")
    if allowed and psp.brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_decide_address(user: User, change: PspAddressChange) -> Decision:
    """Four eyes: not the one who proposed it. Also a CHECK of the table."""
    return by_another(user, change, can_manage_psp(user, change.psp))
