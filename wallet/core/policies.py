"""What the rooms' policies share: reach over a brand, and proposals that one person makes and another decides."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.models import Client
from crm.models import Actor, User
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from wallet.choices.approvals import RequestState
from wallet.choices.deposits import TermState
from wallet.models import (
    BonusProposal,
    BreakPosting,
    ManualJournal,
    PayoutFinding,
    PeriodReopening,
    Psp,
    PspAddressChange,
    PspCostProposal,
    RateEntry,
    UnverifiedTerm,
)

# What one person asks for and another one decides.
Asked = (
    PeriodReopening
    | ManualJournal
    | BreakPosting
    | PspCostProposal
    | PayoutFinding
    | BonusProposal
    | PspAddressChange
    | RateEntry
)


def is_own(user: Actor, client: Client) -> bool:
    return user is not None and client.user_id == user.pk


def ran_out_of_time(client: Client) -> bool:
    """The days for verification are over (`wallet/deposits/unverified.py`)."""
    return client.kyc_level == 0 and UnverifiedTerm.objects.filter(client_id=client.pk, state=TermState.ENDED).exists()


def on_whole_brand(user: Actor, psp: Psp, permission: str) -> Decision:
    allowed = has_permission(user, permission)
    if allowed and psp.brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def on_brand(user: Actor, permission: str, brand_id: int) -> Decision:
    allowed = has_permission(user, permission)
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't reach this brand."))
    return allowed


def can_withdraw(user: User, asked: Asked) -> Decision:
    """What somebody asked for they may take back while it waits."""
    if user.pk != asked.requested_by_id:
        return no(_("Only the person who asked for this can withdraw it."))
    return still_waits(asked)


def by_another(user: User, asked: Asked, allowed: Decision) -> Decision:
    if not allowed:
        return allowed
    if user.pk == asked.requested_by_id:
        return no(_("You asked for this: someone else must decide."))
    return still_waits(asked)


def still_waits(asked: Asked) -> Decision:
    if asked.state != RequestState.WAITING:
        return no(_("This is “%(state)s”.") % {"state": asked.get_state_display()})
    return YES
