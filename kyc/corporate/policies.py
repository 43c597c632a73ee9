"""Who may enter a company, its people and its ownership."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.choices import Stage
from clients.models import Client
from clients.policies import can
from crm.models import Actor
from crm.security.policies import YES, Decision, no
from kyc.levels.reaching import level_required

RIGHT = "kyc.manage_company"


def can_manage(user: Actor, client: Client) -> Decision:
    """Decide who may enter and change: the client's own login until it is verified, or staff with the right in reach."""
    if client.stage == Stage.CLOSED:
        return no(_("This account is closed."))
    if user is None or not user.is_client:
        return can(user, client, RIGHT)
    if client.user_id != user.pk:
        return no(_("This isn't your account."))
    if client.kyc_level >= max(level_required(client), 1):
        return no(_("This company is verified. Please contact support to change its details."))
    return YES
