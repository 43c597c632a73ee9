"""Who may close, sign and reopen periods."""

from __future__ import annotations

from django.utils.translation import gettext as _

from crm.models import Actor, User
from crm.security.policies import YES, Decision, no
from wallet.core.policies import on_brand
from wallet.models import MonthSignOff


def can_close_period(user: Actor, brand_id: int) -> Decision:
    """Allow closing a month and proposing to reopen one, on the whole brand."""
    return on_brand(user, "wallet.close_period", brand_id)


def can_withdraw_signature(user: User, signed: MonthSignOff) -> Decision:
    """Allow only the person who signed."""
    if user.pk != signed.signed_by_id:
        return no(_("Only the person who signed can withdraw the signature."))
    return YES
