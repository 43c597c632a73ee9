"""Who may write and publish programmes, and who may buy."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from compliance.choices import RestrictionKind
from crm.models import Actor
from crm.security.policies import YES, Decision, no, on_whole_brand

# Under one of these nobody buys: no account could be used, or no money may move.
NO_CHALLENGES = frozenset({RestrictionKind.FROZEN, RestrictionKind.NO_TRADING})


def can_write_programmes(user: Actor, brand_id: int) -> Decision:
    """Decide who may write and propose a brand's programmes and create coupons: `prop.write_programme`."""
    return on_whole_brand(user, "prop.write_programme", brand_id)


def can_buy(user: Actor, client: Client) -> Decision:
    """Allow the client in person, unless restricted; what their account needs is decided when it is opened."""
    if user is None or client.user_id != user.pk:
        return no(_("Only the client can buy a challenge."))
    if client.stage == "closed" or NO_CHALLENGES & set(client.restrictions):
        return no(_("Challenges are not available at the moment. Please contact support."))
    return YES
