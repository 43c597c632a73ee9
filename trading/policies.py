"""Who may do what with trading accounts and balance operations."""

from __future__ import annotations

from django.utils.translation import gettext as _

from clients.choices import Gate, Product
from clients.countries import country_name
from clients.country_rules.gates import may, may_have
from clients.models import Client
from clients.queries import reaches
from crm.approvals.kinds import by_another
from crm.models import Actor, User
from crm.security.policies import YES, Decision, has_permission, no
from kyc.levels.ladder import allowance_of
from kyc.questionnaires import gates
from trading.choices import Ability, AccountState, InstrumentClass, OperationKind, OperationState, StagedState
from trading.leverage.margins import of_groups
from trading.models import AccountRequest, AccountType, BalanceOperation, StagedLogin, TradingAccount
from trading.platforms import capabilities

ACCOUNTS_PER_CLIENT_MAX = 20
# A client under one of these may not get or use trading accounts.
BLOCKING_RESTRICTIONS = frozenset({"no_trading", "frozen"})


def _reaches(user: Actor, client: Client) -> Decision:
    """Allow the system itself, the client on their own record, and staff who reach the client's book."""
    if user is None or reaches(user, client):
        return YES
    return no(_("You don't have access to this client."))


def is_own(user: Actor, client: Client) -> bool:
    """Tell whether the user is the client in person."""
    return user is not None and client.user_id == user.pk


def can_open_account(user: Actor, client: Client, account_type: AccountType) -> Decision:
    """Allow staff with the right, the client for themselves, or the system; and only what the client's KYC level allows."""
    reached = _reaches(user, client)
    if not reached:
        return reached
    own = is_own(user, client)
    if user is not None and not own:
        allowed = has_permission(user, "trading.open_account")
        if not allowed:
            return allowed
    if not account_type.is_enabled or account_type.brand_id != client.brand_id:
        return no(_("This account type isn't offered."))
    if client.brand.archived_at is not None:
        return no(_("%(brand)s no longer opens new accounts.") % {"brand": client.brand})
    if not client.brand.offers_currency(account_type.currency):
        return no(
            _("%(brand)s doesn't offer accounts in %(currency)s.")
            % {"brand": client.brand, "currency": account_type.currency}
        )
    accepted = _accepted(client, account_type)
    if not accepted:
        return accepted if own else no(_not_served(client))
    if not account_type.is_offered_in(client.country):
        return no(_("This account type isn't offered in %(country)s.") % {"country": country_name(client.country)})
    if client.stage == "closed" or BLOCKING_RESTRICTIONS & set(client.restrictions):
        return no(
            _("You can't open an account at the moment. Please contact support.")
            if own
            else _("This client is restricted, so no trading account can be opened.")
        )
    if not account_type.is_demo and not allowance_of(client).trades:
        return no(
            _("Requires a higher verification level.") if own else _("The client's KYC level doesn't allow trading.")
        )
    if client.kyc_level < account_type.kyc_level:
        if own:
            return no(
                _("Requires a higher verification level.") if client.kyc_level else _("Available once you're verified.")
            )
        return no(_("The client must be verified first (level %(level)s).") % {"level": account_type.kyc_level})
    answered = YES if account_type.is_demo else gates.may_open_account(client, account_type.kind, is_own=own)
    if not answered:
        return answered
    if client.trading_accounts.exclude(state=AccountState.FAILED).count() >= ACCOUNTS_PER_CLIENT_MAX:
        return no(
            _("You've reached the maximum number of trading accounts. Close one first or contact support.")
            if own
            else _("The client has reached the maximum number of trading accounts.")
        )
    possible = capabilities.can(account_type.server, Ability.OPEN_ACCOUNTS)
    return (
        no(_("On this platform, accounts are opened manually. Please contact support."))
        if own and not possible
        else possible
    )


def _accepted(client: Client, account_type: AccountType) -> Decision:
    """Ask the country rules: the gate, and what isn't offered to the client among accounts with real money."""
    accepted = may(client, Gate.TRADING)
    if not accepted or account_type.is_demo:
        return accepted
    offered = may_have(client, Product.CFD)
    if not offered:
        return offered
    of_crypto = may_have(client, Product.CRYPTO_CFD)
    if of_crypto:
        return YES
    place = (account_type.server_id, account_type.group)
    return of_crypto if InstrumentClass.CRYPTO in of_groups([place]).get(place, {}) else YES


def _not_served(client: Client) -> str:
    return _("%(brand)s doesn't open trading accounts for residents of %(country)s.") % {
        "brand": client.brand,
        "country": country_name(client.country) or "–",
    }


def can_propose_login(user: Actor, account: TradingAccount) -> Decision:
    """Allow staff who may open such an account; a client's own claim about a login counts for nothing."""
    if user is None or is_own(user, account.client) or account.account_type is None:
        return no(_("Only staff can propose a login."))
    return can_open_account(user, account.client, account.account_type)


def _on_account(user: Actor, account: TradingAccount, permission: str) -> Decision:
    reached = _reaches(user, account.client)
    if not reached or user is None or is_own(user, account.client):
        return reached
    return has_permission(user, permission)


def can_change_leverage(user: Actor, account: TradingAccount) -> Decision:
    """Allow staff with the right. Clients request it; a person decides."""
    if is_own(user, account.client):
        return no(_("Please contact support to change the leverage."))
    return _on_account(user, account, "trading.change_leverage") and capabilities.can(
        account.server, Ability.CHANGE_LEVERAGE
    )


def can_order_change(user: Actor, account: TradingAccount) -> Decision:
    """Set an account to what keeps a regulator's cap: staff who may change caps, for clients in reach, never the client."""
    if is_own(user, account.client):
        return no(_("Please contact support to change the leverage."))
    return _on_account(user, account, "trading.change_leveragecap")


def can_reset_password(user: Actor, account: TradingAccount) -> Decision:
    """Decide whether the user may set a new password: the right on the account, and a platform that can do it."""
    allowed = _on_account(user, account, "trading.reset_password")
    return allowed and capabilities.can(account.server, Ability.SET_PASSWORDS)


def can_archive(user: Actor, account: TradingAccount) -> Decision:
    """Allow staff with the right. Clients request it (`requests`)."""
    if is_own(user, account.client):
        return no(_("Please contact support to close the account."))
    return _on_account(user, account, "trading.archive_account") and capabilities.can(
        account.server, Ability.STOP_TRADING
    )


def can_import(user: Actor) -> Decision:
    """Allow those who take accounts over from a platform: they see all of them, also those without a client."""
    return has_permission(user, "trading.import_accounts")


def can_decide_client(user: User, row: StagedLogin) -> Decision:
    """Give a login to the client that somebody else chose, or refuse it."""
    allowed = can_import(user)
    if not allowed:
        return allowed
    if row.state != StagedState.PROPOSED or row.proposed_client is None:
        return no(_("This has already been decided."))
    allowed = by_another(user, row.proposed_by_id)
    return _reaches(user, row.proposed_client) if allowed else allowed


def can_withdraw_client(user: Actor, row: StagedLogin) -> Decision:
    """Take back one's own choice while nobody has decided."""
    if row.state != StagedState.PROPOSED or user is None or row.proposed_by_id != user.pk:
        return no(_("Only the person who made the proposal can withdraw it, and only before it's decided."))
    return can_import(user)


def can_decide_request(user: Actor, request: AccountRequest) -> Decision:
    """Allow staff with the right in reach; nobody decides what they requested themselves."""
    if user is None or is_own(user, request.account.client) or request.asked_by_id == user.pk:
        return no(_("You can't decide your own request."))
    return _on_account(user, request.account, "trading.decide_request")


def can_operate(user: Actor, account: TradingAccount, kind: str) -> Decision:
    """Leave deposits and withdrawals to the wallet (the client's own request, or staff who may); the rest is staff only."""
    if account.missing_since is not None:
        return no(_("The trading platform has archived this account, so no money can be moved to or from it."))
    possible = capabilities.can(account.server, capabilities.FOR_OPERATION[OperationKind(kind)])
    if not possible:
        return possible
    if kind in (OperationKind.DEPOSIT, OperationKind.WITHDRAWAL):
        reached = _reaches(user, account.client)
        if not reached or user is None or is_own(user, account.client):
            return reached
    elif is_own(user, account.client):
        return no(_("Only staff can book credit, bonuses and corrections."))
    return _on_account(user, account, "trading.adjust_balance")


def can_resolve(user: Actor, operation: BalanceOperation) -> Decision:
    """Allow staff with the right, where the platform doesn't show the outcome, and never on their own operation."""
    allowed = _on_account(user, operation.account, "trading.resolve_operation")
    if not allowed:
        return allowed
    if is_own(user, operation.account.client):
        return no(_("Only staff can decide the outcome of an operation."))
    if operation.state != OperationState.UNKNOWN:
        return no(_("Only an operation with an unknown outcome needs a decision."))
    if user is not None and operation.created_by_id == user.pk:
        return no(_("Someone else must decide an operation you started."))
    return YES
