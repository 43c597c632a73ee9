"""Who reads e-mails of unknown senders, assigns them, and lifts a suppression."""

from __future__ import annotations

from typing import Final

from crm.models import Actor
from crm.security.policies import Decision, on_whole_brand

WRITES: Final = "clients.log_call"
SETS_UP: Final = "crm.manage_policies"
ASSIGNS: Final = "clients.assign_mail"
LIFTS: Final = "clients.lift_suppression"


def can_assign(actor: Actor, brand_id: int) -> Decision:
    """Read, assign and discard e-mails of unknown senders: they may be about any client of the brand."""
    return on_whole_brand(actor, ASSIGNS, brand_id)


def can_lift(actor: Actor, brand_id: int) -> Decision:
    """Add addresses to a brand's suppression list, and take them off."""
    return on_whole_brand(actor, LIFTS, brand_id)
