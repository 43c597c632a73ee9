"""Closing an account and opening it again: by the client's wish (`requests`), or by staff without one."""

from __future__ import annotations

from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require
from trading import policies
from trading.accounts.changes import note_own_change
from trading.accounts.request_rules import against_archive
from trading.audit_codes import TradingAction
from trading.choices import AccountState
from trading.models import TradingAccount
from trading.platforms.base import AccountData, Purpose, Right
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for
from trading.platforms.user_errors import as_domain_error

ARCHIVES: Final = "trading.archive_account"


def apply_archive(account: TradingAccount, *, is_archived: bool) -> AccountData:
    """Take away sign-in and trading on the platform, or give both back as far as no restriction forbids it.

    Raises: PlatformError.
    """
    platform = platform_for(account.server, Purpose.MONEY)
    if is_archived:
        return platform.disable_account(account.login)
    return platform.update_account(account.login, rights={Right.SIGN_IN: True, Right.TRADE: account.trading_wanted})


def archive_account(*, account_id: int, actor: Actor, reason: str) -> TradingAccount:
    """Close an empty account: its owner can neither sign in nor trade, its history stays.

    Who: `trading.archive_account` in reach. Raises: NotAllowed, WrongState, DomainError (money, positions, no reason),
    OutsideWorldError. Told twice does no harm.
    """
    account = _checked(account_id, actor, reason, AccountState.OPEN)
    held = against_archive(account)
    if held:
        raise DomainError(" ".join(str(obstacle.label) for obstacle in held))
    return _do(account, actor, reason, is_archived=True)


def restore_account(*, account_id: int, actor: Actor, reason: str) -> TradingAccount:
    """Open a closed account again. Who and raises: as `archive_account`."""
    return _do(_checked(account_id, actor, reason, AccountState.ARCHIVED), actor, reason, is_archived=False)


def _checked(account_id: int, actor: Actor, reason: str, state: AccountState) -> TradingAccount:
    account = TradingAccount.objects.select_related("client__brand", "server", "account_type").get(pk=account_id)
    require(policies.can_archive(actor, account))
    if account.state != state:
        raise WrongState(
            _("Not possible: this trading account is “%(state)s”.") % {"state": account.get_state_display()}
        )
    if account.missing_since is not None:
        raise WrongState(_("The platform no longer lists this account."))
    if not reason.strip():
        raise DomainError(_("Enter a reason."))
    return account


def _do(account: TradingAccount, actor: Actor, reason: str, *, is_archived: bool) -> TradingAccount:
    note_own_change(account.pk)
    try:
        now = apply_archive(account, is_archived=is_archived)
    except PlatformError as problem:
        raise as_domain_error(problem) from problem
    return _keep(account.pk, actor, reason.strip()[:300], is_archived, sorted(now.allowed))


@transaction.atomic
def _keep(account_id: int, actor: Actor, reason: str, is_archived: bool, allowed: list[str]) -> TradingAccount:
    account = lock(TradingAccount, account_id, "client", "server", "account_type")
    before = account.state
    account.move_to(AccountState.ARCHIVED if is_archived else AccountState.OPEN)
    account.archived_at, account.allowed = (timezone.now() if is_archived else None), allowed
    account.save(update_fields=["state", "archived_at", "allowed"])
    audit.record(
        actor=actor,
        action=TradingAction.ACCOUNT_ARCHIVED if is_archived else TradingAction.ACCOUNT_RESTORED,
        target=account,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
        before={"state": before},
        after={"state": account.state, "login": account.login},
        reason=reason,
    )

    title = (
        phrase("Trading account %(login)s was closed")
        if is_archived
        else phrase("Trading account %(login)s was reopened")
    ) % {"login": account.login}
    timeline.add_entry(
        client_id=account.client_id,
        kind=TimelineKind.TRADING,
        actor=actor,
        title=title,
        is_visible_to_client=True,
        data={"reason": reason},
    )
    return account


__all__ = ["ARCHIVES", "apply_archive", "archive_account", "restore_account"]
