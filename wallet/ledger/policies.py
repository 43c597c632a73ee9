"""Who may write and post manual journals."""

from __future__ import annotations

from crm.models import Actor, User
from crm.security.policies import Decision
from wallet.core.policies import by_another, on_brand
from wallet.models import ManualJournal


def can_write_journal(user: Actor, brand_id: int) -> Decision:
    return on_brand(user, "wallet.write_journal", brand_id)


def can_post_journal(user: User, manual: ManualJournal) -> Decision:
    """Post or refuse: not the one who wrote it. Also a CHECK of the table."""
    return by_another(user, manual, on_brand(user, "wallet.post_manual_journal", manual.brand_id))
