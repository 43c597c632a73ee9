"""Accounts that the platform no longer lists, and those that it lists again. They are marked, never deleted.

A login that is not in a batch's answer is asked for by itself before anything is decided about it: a server that is starting
answers "not found" to everything for a moment, and its own words about one login are the only ones that count.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Any, Final

from django.db import transaction
from django.utils import timezone

from clients import timeline
from clients.choices import TimelineKind
from crm.audit_codes import AuditCode
from crm.db.locking import lock
from crm.events import TradingAccountMissing, TradingAccountReturned, publish
from crm.i18n.localized_text import LocalizedText, phrase
from crm.notices.notify import notify
from crm.security import audit
from trading.audit_codes import TradingAction
from trading.choices import AccountState, MissingBecause
from trading.core.notices import TradingNotice
from trading.models import TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import platform_for

ASKED_MAX: Final = 50  # per reading; the others are asked for in the next one
LISTED: Final = [AccountState.OPEN, AccountState.ARCHIVED]


def look_for(server: TradingServer, logins: Set[str]) -> int:
    """Ask for each login that a batch left out; mark those that are gone. Returns how many. Raises PlatformError."""
    if not logins:
        return 0
    suspects = server.accounts.filter(login__in=logins, missing_since__isnull=True, state__in=LISTED)
    marked, platform = 0, platform_for(server, Purpose.READS)
    for account_id, login in suspects.order_by("pk").values_list("pk", "login")[:ASKED_MAX]:
        if platform.read_account(login) is None:
            because = MissingBecause.ARCHIVED if platform.is_archived(login) else MissingBecause.GONE
            marked += mark_missing(account_id=account_id, because=because)
    return marked


@transaction.atomic
def mark_missing(*, account_id: int, because: MissingBecause) -> bool:
    """Keep that the platform no longer lists an account, with the day. Twice is once."""
    account = lock(TradingAccount, account_id, "client", "server")
    if account.missing_since is not None or account.state not in LISTED:
        return False
    account.missing_since, account.missing_because = timezone.now(), because
    account.save(update_fields=["missing_since", "missing_because"])
    client = account.client
    _record(TradingAction.ACCOUNT_MISSING, account, {"login": account.login, "because": because.value})
    publish(
        TradingAccountMissing(
            client_id=client.pk,
            brand_id=client.brand_id,
            account_id=account.pk,
            login=account.login,
            because=because.value,
        )
    )

    titles = {
        MissingBecause.ARCHIVED: phrase("Trading account %(login)s was archived on the platform"),
        MissingBecause.GONE: phrase("Trading account %(login)s is no longer on the platform"),
    }
    _tell(account, titles[because] % {"login": account.login}, f"missing:{account.missing_since.isoformat()}")
    return True


def note_listed(server: TradingServer, logins: Set[str]) -> int:
    """Bring accounts back that were missing and are listed again. One query when nobody was missing."""
    missing = server.accounts.filter(missing_since__isnull=False).values_list("pk", "login")
    back = [pk for pk, login in missing[:10_000] if login in logins]
    return sum(mark_listed(account_id=account_id) for account_id in back)


@transaction.atomic
def mark_listed(*, account_id: int) -> bool:
    """Mark an account that the platform lists again, with audit, event and notice; False where it wasn't missing."""
    account = lock(TradingAccount, account_id, "client", "server")
    if account.missing_since is None:
        return False
    since, account.missing_since, account.missing_because = account.missing_since, None, ""
    account.save(update_fields=["missing_since", "missing_because"])
    client = account.client
    _record(TradingAction.ACCOUNT_RETURNED, account, {"login": account.login, "was_missing_since": since.isoformat()})
    publish(
        TradingAccountReturned(
            client_id=client.pk, brand_id=client.brand_id, account_id=account.pk, login=account.login
        )
    )
    _tell(
        account,
        phrase("Trading account %(login)s is back on the platform") % {"login": account.login},
        f"returned:{since.isoformat()}",
    )
    return True


def _record(action: AuditCode, account: TradingAccount, after: dict[str, Any]) -> None:
    audit.record(
        actor=None,
        action=action,
        target=account,
        client_id=account.client_id,
        brand_id=account.client.brand_id,
        after={**after, "server": str(account.server)},
    )


def _tell(account: TradingAccount, title: LocalizedText, key: str) -> None:
    """Put it on the client's timeline, and notify their agent."""
    timeline.add_entry(
        client_id=account.client_id,
        kind=TimelineKind.TRADING,
        title=title,
        dedupe_key=f"trading.{key}:{account.pk}",
        url=f"/trading/accounts/{account.pk}/",
    )
    if account.client.owner_id:
        notify(
            [account.client.owner_id],
            kind=TradingNotice.ACCOUNT_MISSING,
            title=title,
            body=str(account.client),
            url=f"/trading/accounts/{account.pk}/",
            dedupe_key=f"trading.{key}:{account.pk}",
        )
