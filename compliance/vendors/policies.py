"""Who may set a screening vendor up, and read what it sent."""

from __future__ import annotations

from typing import Final

from crm.models import Actor, User
from crm.security.policies import Decision, on_whole_brand

SETS_UP: Final = "crm.manage_identity_policies"
READS: Final = "compliance.screen_client"
SEES_LISTS: Final = "compliance.view_watchlistsource"


def sees_vendors(user: User) -> bool:
    """Whether a person opens the page of vendors: who sets them up, or sees the watchlists."""
    return user.has_perm(SETS_UP) or user.has_perm(SEES_LISTS)


def can_read_notices(actor: Actor, brand_id: int) -> Decision:
    """Open and retry webhooks: they may be about any client of the brand."""
    return on_whole_brand(actor, READS, brand_id)
