"""What is changed on trading accounts: leverage, passwords, the right to trade."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.models import Client
from crm.db.locking import lock, lock_all
from crm.errors import DomainError, OutsideWorldError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.accounts import request_rules
from trading.accounts.opening import locked
from trading.audit_codes import TradingAction
from trading.choices import Ability, AccountState, IssueKind
from trading.core.issues import open_issue
from trading.core.passwords import is_acceptable, new_password
from trading.leverage import caps
from trading.models import TradingAccount
from trading.models.accounts import RIGHTS_IN_WORK
from trading.platforms import capabilities
from trading.platforms.base import AccountData, Platform, Purpose, Right
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformError
from trading.platforms.pool import capabilities_of, platform_for
from trading.platforms.user_errors import as_domain_error

RIGHTS_AGAIN: Final = dt.timedelta(seconds=15)  # until a platform that could not be told is told again


def note_own_change(account_id: int) -> None:
    """Note the time before the platform gets a change: what is read back meanwhile is ours, not a dealer's."""
    TradingAccount.objects.filter(pk=account_id).update(told_at=timezone.now())


def change_leverage(*, account_id: int, leverage: int, actor: Actor) -> TradingAccount:
    """Set an account's leverage on the platform, then here. Setting it twice does no harm.

    Who: `trading.change_leverage`. Raises: NotAllowed, WrongState, DomainError, OutsideWorldError.
    """
    account = _open_account(account_id)
    require(policies.can_change_leverage(actor, account))
    if account.account_type is None:
        raise DomainError(_("This account type doesn't offer leverage of 1:%(leverage)s.") % {"leverage": leverage})
    caps.check_leverage(account.client, account.account_type, leverage)
    note_own_change(account_id)
    try:
        platform_for(account.server, Purpose.MONEY).update_account(account.login, leverage=leverage)
    except PlatformError as problem:
        raise as_domain_error(problem) from problem
    with transaction.atomic():
        account = locked(account_id)
        before, account.leverage = account.leverage, leverage
        account.save(update_fields=["leverage"])
        audit.record(
            actor=actor,
            action=TradingAction.LEVERAGE_CHANGED,
            target=account,
            client_id=account.client_id,
            brand_id=account.client.brand_id,
            before={"leverage": before},
            after={"leverage": leverage},
        )
        timeline.add_entry(
            client_id=account.client_id,
            kind=TimelineKind.TRADING,
            actor=actor,
            is_visible_to_client=True,
            title=phrase("Leverage of %(login)s: 1:%(before)s → 1:%(after)s")
            % {"login": account.login, "before": before, "after": leverage},
        )
    return account


def reset_password(*, account_id: int, actor: Actor, password: str = "") -> str:
    """Set a new trading password and return it, to be shown once; it is kept nowhere.

    Who: the client for their own account, where nothing stands against it (`request_rules.against_password`) or a wish was
    granted within a day, once; or `trading.reset_password`. `password`: the client's own choice, else made up.
    Raises: NotAllowed, WrongState, DomainError for a weak password, OutsideWorldError.
    """
    account = _open_account(account_id)
    require(policies.can_reset_password(actor, account))
    is_own = policies.is_own(actor, account.client)
    held = request_rules.against_password(account) if is_own else []
    if held and request_rules.password_permission(account) is None:
        raise DomainError(_("Request a new password first: %(why)s") % {"why": " ".join(str(h.label) for h in held)})
    chosen = password or new_password()
    longest = capabilities_of(account.server.kind).password_chars_max
    if not is_acceptable(chosen, chars_max=longest):
        raise DomainError(
            _(
                "The password must have 8 to %(longest)s characters, with upper- and lower-case letters, "
                "a digit and a symbol."
            )
            % {"longest": longest}
        )
    try:
        platform_for(account.server, Purpose.MONEY).change_password(account.login, chosen)
    except OutcomeUnknown as problem:  # nobody may be left with a password that was never shown
        raise OutsideWorldError(
            _(
                "The trading platform didn't respond in time, so your old password may no longer work. "
                "Wait a minute, then set a new one again."
            )
        ) from problem
    except PlatformError as problem:
        raise as_domain_error(problem, to_client=is_own) from problem
    with transaction.atomic():
        leave = request_rules.password_permission(account) if is_own else None
        if leave is not None:
            leave.used_at = timezone.now()
            leave.save(update_fields=["used_at"])
        TradingAccount.objects.filter(pk=account_id).update(password_set_at=timezone.now())
        audit.record(
            actor=actor,
            action=TradingAction.PASSWORD_CHANGED,
            target=account,
            client_id=account.client_id,
            brand_id=account.client.brand_id,
            after={"login": account.login},
        )
        timeline.add_entry(
            client_id=account.client_id,
            kind=TimelineKind.TRADING,
            actor=actor,
            is_visible_to_client=True,
            title=phrase("New trading password for %(login)s") % {"login": account.login},
        )
    return chosen


# ── the right to trade ───────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def follow_restrictions(*, client_id: int) -> list[int]:
    """Stop trading on the platform for a client under a restriction, allow it again once lifted, and list the changed accounts.

    Who: the system, when compliance placed or lifted a restriction. A worker passes the change on to the platform.
    """
    client = Client.objects.get(pk=client_id)
    may_trade = not policies.BLOCKING_RESTRICTIONS & set(client.restrictions)
    accounts = lock_all(TradingAccount.objects.filter(client=client, state=AccountState.OPEN))
    changed = [
        account
        for account in accounts
        if account.trading_ended_at is None
        and account.trading_paused_at is None
        and account.trading_wanted != may_trade
    ]
    for account in changed:
        _want_trading(account, client, may_trade)
    return [account.pk for account in changed]


@transaction.atomic
def end_trading(*, account_id: int) -> TradingAccount:
    """Stop trading on an account for good; its owner can still sign in and see it. A repeat changes nothing.

    Who: the system, when what the account was opened for is over. A worker passes it on to the platform, again until it is done.
    """
    account = lock(TradingAccount, account_id, "client")
    if account.trading_ended_at is None:
        account.trading_ended_at = timezone.now()
        account.save(update_fields=["trading_ended_at"])
        if account.trading_wanted:
            _want_trading(account, account.client, False)
    return account


@transaction.atomic
def allow_trading_again(*, account_id: int) -> TradingAccount:
    """Undo `end_trading`, unless the account is paused or the client is restricted. A repeat changes nothing.

    Who: the system, when two people decided that it should not have ended.
    """
    account = lock(TradingAccount, account_id, "client")
    if account.trading_ended_at is not None:
        account.trading_ended_at = None
        account.save(update_fields=["trading_ended_at"])
        may_trade = not policies.BLOCKING_RESTRICTIONS & set(account.client.restrictions)
        if account.trading_paused_at is None and may_trade and not account.trading_wanted:
            _want_trading(account, account.client, True)
    return account


@transaction.atomic
def pause_trading(*, account_id: int) -> TradingAccount:
    """Stop trading on an account until it is resumed, whatever restrictions do meanwhile. A repeat changes nothing.

    Who: the system. A worker passes it on to the platform, again until it is done.
    """
    account = lock(TradingAccount, account_id, "client")
    if account.trading_paused_at is None:
        account.trading_paused_at = timezone.now()
        account.save(update_fields=["trading_paused_at"])
        if account.trading_wanted:
            _want_trading(account, account.client, False)
    return account


@transaction.atomic
def resume_trading(*, account_id: int) -> TradingAccount:
    """Allow trading on a paused account again, unless it has ended or the client is restricted. A repeat changes nothing.

    Who: the system.
    """
    account = lock(TradingAccount, account_id, "client")
    if account.trading_paused_at is not None:
        account.trading_paused_at = None
        account.save(update_fields=["trading_paused_at"])
        may_trade = not policies.BLOCKING_RESTRICTIONS & set(account.client.restrictions)
        if account.trading_ended_at is None and may_trade and not account.trading_wanted:
            _want_trading(account, account.client, True)
    return account


def _want_trading(account: TradingAccount, client: Client, may_trade: bool) -> None:
    account.trading_wanted, account.next_try_at = may_trade, timezone.now()
    account.save(update_fields=["trading_wanted", "next_try_at"])
    audit.record(
        actor=None,
        action=TradingAction.RIGHT_TO_TRADE_CHANGED,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"login": account.login, "trading": may_trade},
    )
    enqueue_on_commit("trading.apply_right_to_trade", account.pk)


def apply_right_to_trade(account_id: int) -> bool:
    """Let the platform know whether an account may trade. Not in a transaction.

    A change whose answer was lost is looked up on the platform first, and sent again only where it wasn't made. Where the
    server doesn't let us, a person is asked to make it there.
    """
    account = TradingAccount.objects.select_related("server", "client").get(pk=account_id)
    may_trade = account.trading_wanted
    if account.state != AccountState.OPEN or (may_trade == account.trading_applied and account.trading_sent_at is None):
        return True
    if not (possible := capabilities.can(account.server, Ability.STOP_TRADING)):
        TradingAccount.objects.filter(pk=account_id).update(next_try_at=None, error=possible.reason[:300])
        open_issue(
            server_id=account.server_id,
            kind=IssueKind.BY_HAND,
            subject=account.login,
            details={"account": account.pk, "login": account.login, "trading": may_trade},
        )
        return False
    platform = platform_for(account.server, Purpose.MONEY)
    try:
        now = _looked_up(account, platform) or _send_right(account, platform)
    except PlatformError as problem:
        TradingAccount.objects.filter(pk=account_id).update(
            next_try_at=timezone.now() + RIGHTS_AGAIN, error=str(problem)[:300]
        )
        return False
    TradingAccount.objects.filter(pk=account_id).update(
        trading_applied=may_trade, trading_sent_at=None, next_try_at=None, error="", allowed=sorted(now.allowed)
    )
    return True


def _looked_up(account: TradingAccount, platform: Platform) -> AccountData | None:
    """Read whether an unconfirmed change was made; None where it wasn't, or none was sent. Raises: PlatformError."""
    if account.trading_sent_at is None:
        return None
    found = platform.read_account(account.login)
    is_made = found is not None and (Right.TRADE in found.allowed) == account.trading_wanted
    _record_right(account, TradingAction.RIGHT_TO_TRADE_LOOKED_UP, is_made=is_made)
    return found if is_made else None


def _send_right(account: TradingAccount, platform: Platform) -> AccountData:
    """Send the right to trade as it should be, noted before as unconfirmed. Raises: PlatformError."""
    now = timezone.now()
    TradingAccount.objects.filter(pk=account.pk).update(
        told_at=now, trading_sent_at=now, next_try_at=now + RIGHTS_AGAIN
    )
    try:
        return platform.update_account(account.login, rights={Right.TRADE: account.trading_wanted})
    except FinalError:
        TradingAccount.objects.filter(pk=account.pk).update(trading_sent_at=None)
        raise
    except OutcomeUnknown:
        _record_right(account, TradingAction.RIGHT_TO_TRADE_UNKNOWN)
        raise


def _record_right(account: TradingAccount, action: TradingAction, **found: bool) -> None:
    with transaction.atomic():
        audit.record(
            actor=None,
            action=action,
            target=account,
            client_id=account.client_id,
            brand_id=account.client.brand_id,
            after={"login": account.login, "trading": account.trading_wanted, **found},
        )


def due_rights(*, limit: int = 200) -> list[int]:
    """List open accounts whose right to trade the platform doesn't know yet, or hasn't confirmed."""
    rows = TradingAccount.objects.filter(RIGHTS_IN_WORK, state=AccountState.OPEN, next_try_at__lte=timezone.now())
    return list(rows.order_by("next_try_at").values_list("pk", flat=True)[:limit])


def _open_account(account_id: int) -> TradingAccount:
    account = TradingAccount.objects.select_related("client__brand", "server", "account_type").get(pk=account_id)
    if account.state != AccountState.OPEN:
        raise WrongState(_("The trading account isn't open."))
    return account
