"""Accounts above a cap, and bringing them below it.

A new line of a regulator, a client who moved or is no longer a professional, a dealer's hand: an account may have more than
it is allowed. The list says which and why; a person has them lowered by a job. An account with open positions is left to
its owner and agent: less leverage needs more margin, and could close what is open.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from crm.choices import COUNTRY_OF_LICENCE
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.i18n.localized_text import localize, phrase
from crm.models import Actor, User
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import require, require_permission
from crm.security.scope import reach_of
from trading.accounts.changes import note_own_change
from trading.audit_codes import TradingAction
from trading.choices import Ability, AccountState
from trading.core.notices import TradingNotice
from trading.leverage import caps
from trading.models import TradingAccount
from trading.platforms import capabilities
from trading.platforms.base import Purpose
from trading.platforms.errors import PlatformError
from trading.platforms.pool import platform_for
from trading.platforms.user_errors import as_domain_error

SHOWN_MAX: Final = 200
COUNTED_MAX: Final = 10_000
# The same as `caps.cap_for`, for all accounts in one statement: of each authority the highest class, of all the strictest.
ABOVE: Final = """
WITH line AS (
  SELECT authority, category, unnest(countries) AS place, leverage FROM trading_leveragecap
  WHERE valid_from <= %(day)s AND (valid_until IS NULL OR valid_until >= %(day)s)
), rule AS (SELECT authority, category, place, max(leverage) AS leverage FROM line GROUP BY 1, 2, 3
), cap AS (SELECT category, place, min(leverage) AS leverage FROM rule GROUP BY 1, 2
), licence AS (SELECT id, coalesce(%(places)s::jsonb ->> jurisdiction, jurisdiction) AS place FROM crm_brand)
SELECT a.id, least(home.leverage, there.leverage),
  EXISTS (SELECT 1 FROM trading_position p WHERE p.account_id = a.id)
FROM trading_tradingaccount a JOIN clients_client c ON c.id = a.client_id JOIN licence l ON l.id = c.brand_id
LEFT JOIN cap home ON home.category = c.category AND home.place = c.country
LEFT JOIN cap there ON there.category = c.category AND there.place = l.place
WHERE a.state = 'open' AND NOT a.is_demo AND a.missing_since IS NULL AND c.book_id = ANY(%(books)s)
  AND a.leverage > least(home.leverage, there.leverage) AND a.id > %(after)s
ORDER BY a.id LIMIT %(limit)s
"""


@dataclass(frozen=True)
class Above:
    """An account above its cap: what would be set, or None where a person has to see to it."""

    account: TradingAccount
    cap: int
    proposal: int | None
    has_positions: bool

    @property
    def is_for_the_job(self) -> bool:
        return self.proposal is not None and not self.has_positions


def _rows(user: User, day: dt.date | None, *, after: int = 0, limit: int) -> list[tuple[int, int, bool]]:
    from orjson import dumps

    values: dict[str, Any] = {
        "day": day or timezone.now().date(),
        "places": dumps(COUNTRY_OF_LICENCE).decode(),
        "books": sorted(reach_of(user).books),
        "after": after,
        "limit": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(ABOVE, values)
        rows: list[tuple[int, int, bool]] = cursor.fetchall()
        return rows


def count_above(user: User, *, on: dt.date | None = None) -> int:
    """Count accounts of visible clients above their cap on a day, up to COUNTED_MAX."""
    return len(_rows(user, on, limit=COUNTED_MAX))


def accounts_above(user: User, *, on: dt.date | None = None, limit: int = SHOWN_MAX) -> list[Above]:
    """List the accounts above their cap with the leverage that each would get. Two queries."""
    require_permission(user, "trading.view_leveragecap")
    rows = _rows(user, on, limit=limit)
    accounts = TradingAccount.objects.filter(pk__in=[row[0] for row in rows])
    by_id = {account.pk: account for account in accounts.select_related("client__brand", "account_type", "server")}
    return [
        Above(by_id[pk], cap, proposal_for(by_id[pk], cap), has_positions)
        for pk, cap, has_positions in rows
        if pk in by_id
    ]


def proposal_for(account: TradingAccount, cap: int) -> int | None:
    """Choose the highest step of the type within the cap, or the cap itself; None where nothing may be offered at all."""
    if cap < 1:
        return None
    steps = account.account_type.ladder if account.account_type else []
    return max((step for step in steps if step <= cap), default=cap)


def due(user: User, *, after: int = 0, limit: int = 500) -> list[int]:
    """List accounts that the job may lower, by id."""
    return [pk for pk, cap, has_positions in _rows(user, None, after=after, limit=limit) if cap and not has_positions]


def lower(*, account_id: int, actor: Actor) -> TradingAccount:
    """Set an account to what its cap allows. Telling the platform twice does no harm.

    Who: `trading.change_leveragecap`, for clients in reach. Raises: NotAllowed, WrongState (within its cap, not open, open
    positions), DomainError where nothing may be offered, OutsideWorldError.
    """
    require_permission(actor, caps.CHANGES)
    accounts = TradingAccount.objects.select_related("client__brand", "server", "account_type")
    account = accounts.filter(client__book_id__in=reach_of(actor).books).get(pk=account_id)
    require(capabilities.can(account.server, Ability.CHANGE_LEVERAGE))
    cap = caps.cap_for(account.client)
    if account.state != AccountState.OPEN or account.is_demo or cap is None or account.leverage <= cap.leverage:
        raise WrongState(_("This account is within its cap."))
    if account.positions.exists():
        raise WrongState(_("There are open positions, and their margin requirement would change."))
    leverage = proposal_for(account, cap.leverage)
    if leverage is None:
        raise DomainError(cap.reason)
    note_own_change(account.pk)
    try:
        platform_for(account.server, Purpose.MONEY).update_account(account.login, leverage=leverage)
    except PlatformError as problem:
        raise as_domain_error(problem) from problem
    return _keep(account.pk, leverage, cap, actor)


@transaction.atomic
def _keep(account_id: int, leverage: int, cap: caps.Cap, actor: Actor) -> TradingAccount:
    account = lock(TradingAccount, account_id, "client")
    before, account.leverage = account.leverage, leverage
    account.save(update_fields=["leverage"])
    client = account.client
    audit.record(
        actor=actor,
        action=TradingAction.LEVERAGE_LOWERED,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        before={"leverage": before},
        after={"leverage": leverage},
        reason=localize(cap.words),
    )

    title = phrase("Leverage of %(login)s: 1:%(before)s → 1:%(after)s") % {
        "login": account.login,
        "before": before,
        "after": leverage,
    }
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TRADING,
        actor=actor,
        is_visible_to_client=True,
        title=title,
        body=cap.words,
    )
    if client.user_id:
        notify(
            [client.user_id],
            kind=TradingNotice.LEVERAGE_LOWERED,
            title=title,
            body=cap.words,
            url=f"/portal/accounts/{account.pk}/",
        )
    return account
