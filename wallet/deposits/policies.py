"""Who may deposit, release and refund deposits, and set unverified limits."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from clients.choices import Gate
from clients.country_rules.gates import may
from clients.models import Client
from compliance.choices import RestrictionKind
from crm.models import Actor
from crm.security.policies import YES, Decision, has_permission, no
from crm.security.scope import reach_of
from kyc.questionnaires import gates
from wallet.choices.deposits import DepositState
from wallet.choices.withdrawals import WITHDRAWAL_OPEN
from wallet.core.limits import in_base
from wallet.core.policies import is_own, ran_out_of_time
from wallet.deposits.screened_payers import PAYER_HELD, is_payer_held
from wallet.models import Deposit

NO_DEPOSITS = frozenset({RestrictionKind.NO_DEPOSIT, RestrictionKind.FROZEN})


def can_deposit(user: Actor, client: Client) -> Decision:
    """Allow the client themselves, unless closed, restricted, not served where they live, or past the time for verification."""
    if not is_own(user, client):
        return no(_("Only the client can make a deposit, in the client portal."))
    if client.stage == "closed":
        return no(_("This account is closed."))
    if client.brand.archived_at is not None:
        return no(_("%(brand)s no longer accepts deposits. You can still withdraw.") % {"brand": client.brand})
    if NO_DEPOSITS & set(client.restrictions):
        return no(_("Deposits are not possible at the moment. Please contact support."))
    accepted = may(client, Gate.DEPOSIT)
    if not accepted:
        return accepted
    answered = gates.may_deposit(client, None)
    if not answered:
        return answered
    if ran_out_of_time(client):
        return no(
            _(
                "You weren't verified in time. Your money will be returned to where it came from. Please "
                "contact support."
            )
        )
    return YES


def can_deposit_amount(client: Client, amount: Decimal, currency: str) -> Decision:
    """Decide whether the client may pay in this amount: from a sum on, the brand may ask a questionnaire first.

    Counted together with what they have paid in so far, so that many small deposits are one large one.
    """
    if not client.brand.questionnaires_version:
        return YES
    earlier = max(client.net_deposits, Decimal(0))
    return gates.may_deposit(client, in_base(client.brand, amount, currency) + earlier)


def can_release_deposit(user: Actor, deposit: Deposit) -> Decision:
    """Allow finance, for a held deposit whose currency is the wallet's."""
    allowed = has_permission(user, "wallet.release_deposit")
    if not allowed:
        return allowed
    if user is None or deposit.client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client."))
    if deposit.state != DepositState.HELD:
        return no(_("This deposit isn't on hold. It's “%(state)s”.") % {"state": deposit.get_state_display()})
    if is_being_returned(deposit):
        return no(_("This deposit is being refunded to the payer."))
    return no(str(PAYER_HELD)) if is_payer_held(deposit) else YES


def is_being_returned(deposit: Deposit) -> bool:
    """Tell whether a deposit is being returned to the payer, even in part: then it can't go into the wallet too."""
    return (
        bool(deposit.refunded_minor or deposit.charged_back_minor)
        or deposit.refunds.filter(state__in=WITHDRAWAL_OPEN).exists()
    )


def can_refund_deposit(user: Actor, deposit: Deposit) -> Decision:
    """Allow finance, for a deposit that is in the wallet or held."""
    allowed = has_permission(user, "wallet.refund_deposit")
    if not allowed:
        return allowed
    if user is None or deposit.client.book_id not in reach_of(user).books:
        return no(_("You don't have access to this client."))
    if deposit.state not in (DepositState.SETTLED, DepositState.CHARGEBACK_REVERSED, DepositState.HELD):
        return no(_("This deposit is “%(state)s” and can't be refunded.") % {"state": deposit.get_state_display()})
    return no(str(PAYER_HELD)) if is_payer_held(deposit) else YES


def can_manage_unverified_rules(user: Actor, brand_id: int) -> Decision:
    """Allow compliance to write the brand's rules for clients who aren't verified."""
    allowed = has_permission(user, "wallet.manage_unverifiedrule")
    if allowed and brand_id not in reach_of(user).whole_brands:
        return no(_("You don't have access to this brand."))
    return allowed
