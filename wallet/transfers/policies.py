"""Who may transfer and exchange."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from compliance.choices import RestrictionKind
from crm.models import Actor, Brand
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from kyc.levels.ladder import allowance_of
from wallet.core.policies import is_own, ran_out_of_time

# Money may leave a platform while trading is forbidden, but not while the client is frozen.
NO_TRANSFERS = frozenset({RestrictionKind.FROZEN})


def can_transfer(user: Actor, client: Client, *, to_trading: bool = True) -> Decision:
    """Allow the client themselves, unless restricted; who may not trade can still get their money back."""
    if not is_own(user, client):
        return no(_("Only the client can move money between wallet and trading account."))
    held = set(client.restrictions)
    if NO_TRANSFERS & held or (to_trading and RestrictionKind.NO_TRADING in held):
        return no(_("Transfers are not possible at the moment. Please contact support."))
    if to_trading and not allowance_of(client).trades:
        return no(_("Requires a higher verification level."))
    if to_trading and ran_out_of_time(client):
        return no(
            _(
                "You weren't verified in time. Your money will be returned to where it came from. Please "
                "contact support."
            )
        )
    return YES


def can_enter_rate(user: Actor) -> Decision:
    """Allow finance who reach every brand to enter a rate: it counts for all of them."""
    allowed = has_permission(user, "wallet.write_journal")
    return reaches_every_brand(user) if allowed else allowed


def reaches_every_brand(user: Actor) -> Decision:
    """Allow only who reaches all brands: a rate counts for every brand."""
    if Brand.objects.exclude(pk__in=reach_of(user).whole_brands).exists():
        return no(_("Rates apply to all brands. You need access to all brands to do this."))
    return YES
