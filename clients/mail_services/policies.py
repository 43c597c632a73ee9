"""Who sets a mail service up, and who reads what it sent."""

from __future__ import annotations

from typing import Final

from crm.models import Actor
from crm.security.policies import Decision, on_whole_brand

SETS_UP: Final = "crm.manage_policies"
READS: Final = "clients.view_mailserviceevent"


def can_read_events(actor: Actor, brand_id: int) -> Decision:
    """Open and retry webhooks: they may be about any client of the brand."""
    return on_whole_brand(actor, READS, brand_id)
