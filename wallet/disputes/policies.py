"""Who may answer disputes."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import Actor
from crm.security.policies import Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.models import Dispute


def can_answer_dispute(user: Actor, dispute: Dispute) -> Decision:
    """Allow finance, for clients in reach."""
    allowed = has_permission(user, "wallet.answer_dispute")
    if allowed and dispute.client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client."))
    return allowed
