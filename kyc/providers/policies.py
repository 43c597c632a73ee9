"""Who may set a provider up, and read what it sent."""

from __future__ import annotations

from typing import Final

from crm.models import Actor, User
from crm.security.policies import Decision, on_whole_brand

SETS_UP: Final = "crm.manage_identity_policies"
READS: Final = "kyc.review_document"


def sees_providers(user: User) -> bool:
    """Whether a person opens the page of providers: who sets them up, or reviews documents."""
    return user.has_perm(SETS_UP) or user.has_perm(READS)


def can_read_messages(actor: Actor, brand_id: int) -> Decision:
    """Open and retry webhooks: they may be about any client of the brand."""
    return on_whole_brand(actor, READS, brand_id)
