"""Who may write and post manual journals."""

from __future__ import annotations

from crm.models import Actor
from crm.security.policies import Decision
from wallet.core.policies import on_brand


def can_write_journal(user: Actor, brand_id: int) -> Decision:
    """Allow finance to write manual journals, on the whole brand."""
    return on_brand(user, "wallet.write_journal", brand_id)
