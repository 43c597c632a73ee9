"""Group, leverage and rights as the platform has them: what a dealer changed there is saved, reported and audited here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from clients import timeline
from clients.choices import TimelineKind
from crm.db.locking import lock
from crm.events import TradingAccountChanged, publish
from crm.i18n.localized_text import joined, phrase
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from trading.accounts.change_texts import words_of
from trading.audit_codes import TradingAction
from trading.core.batching import batched
from trading.models import AccountChange, AccountType, TradingAccount, TradingServer
from trading.platforms.base import LEVERAGE_MAX, AccountData, Purpose, Right
from trading.platforms.pool import capabilities_of, platform_for
from trading.sync import presence
from trading.sync.cursor import reading
from trading.sync.presence import LISTED

BATCH: Final = 2000
RUN_ACCOUNTS_MAX: Final = 20_000
OURS: Final = dt.timedelta(minutes=1)  # what we sent the platform so shortly before the reading is no dealer's change
FIRST_RIGHTS: Final = """
WITH n AS (SELECT id, string_to_array(rights, ',') AS allowed FROM unnest(%s::bigint[], %s::text[]) AS u(id, rights)),
locked AS (SELECT a.id FROM trading_tradingaccount a JOIN n USING (id) WHERE a.allowed IS NULL ORDER BY a.id FOR NO KEY UPDATE OF a)
UPDATE trading_tradingaccount a SET allowed = n.allowed FROM n, locked WHERE a.id = n.id AND locked.id = a.id
"""


def sync_profiles(server: TradingServer) -> int:
    """Compare accounts with what the platform has, round and round. Returns how many were changed there.

    A platform that does not report them is not asked.
    """
    if not capabilities_of(server.kind).tells_profiles:
        return 0
    changed = 0
    with reading(server, "profiles") as run:
        if run is None:
            return 0
        accounts = server.accounts.filter(state__in=LISTED, pk__gt=run.cursor.position_msc or 0).order_by("pk")
        rows = list(accounts.values_list("pk", "login", "group", "leverage", "allowed")[:RUN_ACCOUNTS_MAX])
        for part in batched(rows, BATCH):
            changed += _compare(server, part)
        run.rows = len(rows)
        run.position_msc = rows[-1][0] if len(rows) == RUN_ACCOUNTS_MAX else 0
    return changed


def _compare(server: TradingServer, rows: tuple[tuple[int, str, str, int, list[str] | None], ...]) -> int:
    started = timezone.now()
    there = {
        profile.login: profile
        for profile in platform_for(server, Purpose.READS).read_accounts([row[1] for row in rows])
    }
    presence.note_listed(server, there.keys())
    _keep_first_rights({pk: there[login] for pk, login, _g, _l, allowed in rows if login in there and allowed is None})
    changed = 0
    for pk, login, group, leverage, allowed in rows:
        data = there.get(login)
        if data is None:
            continue
        known = rights_of(data) if allowed is None else sorted(allowed)
        if (group, leverage, known) != (data.group, _bounded(data.leverage), rights_of(data)):
            changed += keep_change(account_id=pk, data=data, read_at=started)
    return changed


def rights_of(data: AccountData) -> list[str]:
    """List the codes of an account's rights on the platform, sorted as they are stored."""
    return sorted(right.value for right in data.allowed)


def _bounded(leverage: int) -> int:
    return min(max(leverage, 1), LEVERAGE_MAX)


def _keep_first_rights(new: Mapping[int, AccountData]) -> None:
    """Save rights that were read for the first time; they are no change."""
    if new:
        with connection.cursor() as cursor:
            cursor.execute(FIRST_RIGHTS, [list(new), [",".join(rights_of(data)) for data in new.values()]])


@transaction.atomic
def keep_change(*, account_id: int, data: AccountData, read_at: dt.datetime) -> bool:
    """Take over what a dealer changed. False when it was our own change on its way, or nothing differs any more.

    A right to trade that a restriction took away and a dealer gave back is taken away again.
    """
    account = lock(TradingAccount, account_id, "client", "server", "account_type")
    if account.told_at is not None and account.told_at >= read_at - OURS:
        return False
    now = {"group": account.group, "leverage": account.leverage, "allowed": sorted(account.allowed or [])}
    then: dict[str, Any] = {"group": data.group, "leverage": _bounded(data.leverage), "allowed": rights_of(data)}
    fields = [name for name in now if now[name] != then[name]]
    if not fields:
        return False
    before, after = {name: now[name] for name in fields}, {name: then[name] for name in fields}
    for name, value in after.items():
        setattr(account, name, value)
    if "group" in fields:
        account.account_type = _type_of(account, data.group) or account.account_type
    if Right.TRADE in data.allowed and not account.trading_wanted and account.trading_applied is False:
        account.trading_applied, account.next_try_at = True, timezone.now()
        enqueue_on_commit("trading.apply_right_to_trade", account.pk)
    account.save(update_fields=[*fields, "account_type", "trading_applied", "next_try_at"])
    AccountChange.objects.create(account=account, at=timezone.now(), before=before, after=after)
    client = account.client
    audit.record(
        actor=None,
        action=TradingAction.CHANGED_AT_PLATFORM,
        target=account,
        client_id=client.pk,
        brand_id=client.brand_id,
        before=before,
        after=after,
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.TRADING,
        url=f"/trading/accounts/{account.pk}/",
        title=phrase("%(login)s was changed on the platform: %(what)s")
        % {"login": account.login, "what": joined(words_of(before, after), "; ")},
    )
    publish(
        TradingAccountChanged(
            client_id=client.pk,
            brand_id=client.brand_id,
            account_id=account.pk,
            login=account.login,
            fields=tuple(fields),
        )
    )
    return True


def _type_of(account: TradingAccount, group: str) -> AccountType | None:
    """Find the account's type where its group decides it without doubt."""
    candidates = AccountType.objects.filter(
        brand_id=account.client.brand_id, server_id=account.server_id, group=group, currency=account.currency
    )
    types = list(candidates.order_by("-is_enabled", "position", "pk")[:2])
    return types[0] if types and (len(types) == 1 or types[0].is_enabled > types[1].is_enabled) else None
