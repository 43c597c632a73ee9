"""What the rooms' policies share: whose record it is, and reach over a brand."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import Actor
from crm.security.policies import Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.choices.deposits import TermState
from wallet.models import Psp, UnverifiedTerm


def is_own(user: Actor, client: Client) -> bool:
    """Tell whether the user is this client's own login."""
    return user is not None and client.user_id == user.pk


def ran_out_of_time(client: Client) -> bool:
    """Tell whether the client's term for verification is over (`wallet/deposits/unverified.py`)."""
    return client.kyc_level == 0 and UnverifiedTerm.objects.filter(client_id=client.pk, state=TermState.ENDED).exists()


def on_whole_brand(user: Actor, psp: Psp, permission: str) -> Decision:
    """Allow a permission on a PSP whose brand the user reaches as a whole."""
    allowed = has_permission(user, permission)
    if allowed and psp.brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return allowed


def on_brand(user: Actor, permission: str, brand_id: int) -> Decision:
    """Allow a permission on a brand that the user reaches as a whole."""
    allowed = has_permission(user, permission)
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return allowed
