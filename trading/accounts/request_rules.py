"""What prevents a client's request on an account, and the texts for both. Reads only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from django.utils import timezone

from clients.models import Client
from crm.i18n.localized_text import LocalizedText, joined, label_of, phrase
from crm.security.policies import Decision
from trading import policies
from trading.choices import Ability, AccountKind, HeldBecause, OperationState, RequestKind, RequestState
from trading.leverage import caps
from trading.models import AccountRequest, AccountType, TradingAccount
from trading.platforms import capabilities

CONTACT_DAYS: Final = dt.timedelta(days=3)
FIRST_PASSWORD: Final = dt.timedelta(days=1)
LEAVE: Final = dt.timedelta(days=1)
NEEDS: Final = {
    RequestKind.LEVERAGE: Ability.CHANGE_LEVERAGE,
    RequestKind.TYPE: Ability.CHANGE_GROUP,
    RequestKind.ARCHIVE: Ability.STOP_TRADING,
    RequestKind.PASSWORD: Ability.SET_PASSWORDS,
}


def is_possible(account: TradingAccount, kind: RequestKind) -> Decision:
    """Decide whether the account's server lets us do it at all."""
    return capabilities.can(account.server, NEEDS[kind])


def types_to_change_to(account: TradingAccount) -> list[AccountType]:
    """List the types that an account may become without losing its login: same brand, server and currency; never demo to real."""
    return types_by_account([account])[account.pk]


def types_by_account(accounts: Sequence[TradingAccount]) -> dict[int, list[AccountType]]:
    """List for each of some accounts of one brand the types that it may become, in one query."""
    types = AccountType.objects.filter(
        brand_id__in={account.client.brand_id for account in accounts},
        server_id__in={account.server_id for account in accounts},
        currency__in={account.currency for account in accounts},
        is_enabled=True,
    )
    found = list(types[:500])
    return {
        account.pk: [
            row
            for row in found
            if (row.brand_id, row.server_id) == (account.client.brand_id, account.server_id)
            and (row.currency, row.is_demo) == (account.currency, account.is_demo)
            and row.pk != account.account_type_id
            and row.is_offered_in(account.client.country)
        ][:50]
        for account in accounts
    }


def against_archive(account: TradingAccount) -> list[HeldBecause]:
    """List what must be gone before an account is closed: positions, money, money on its way."""
    reasons = [HeldBecause.POSITIONS] if account.positions.exists() else []
    if account.balance or account.credit:
        reasons.append(HeldBecause.MONEY)
    unsettled = [OperationState.RESERVED, OperationState.SENT, OperationState.UNKNOWN]
    if account.operations.filter(state__in=unsettled).exists():
        reasons.append(HeldBecause.MOVING)
    return reasons


def against_password(account: TradingAccount) -> list[HeldBecause]:
    """List why a person checks first before the client sets a new trading password; empty: they set it themselves at once.

    The first password of an account that we opened a moment ago is always theirs to set.
    """
    client, now = account.client, timezone.now()
    reasons = [HeldBecause.RESTRICTED] if policies.BLOCKING_RESTRICTIONS & set(client.restrictions) else []
    if contact_changed(client, since=now - CONTACT_DAYS):
        reasons.append(HeldBecause.CONTACT)
    is_new = account.imported_at is None and account.opened_at is not None and account.opened_at > now - FIRST_PASSWORD
    if account.account_type is not None and account.account_type.asks_for_passwords and not is_new:
        reasons.append(HeldBecause.TYPE_ASKS)
    return reasons


def contact_changed(client: Client, *, since: dt.datetime) -> bool:
    """Tell whether e-mail address or phone changed since then; the first ones are no change."""
    rows = list(
        client.history.order_by("-history_date", "-history_id").values_list("email", "phone", "history_date")[:50]
    )
    return any(newer[2] >= since and newer[:2] != older[:2] for newer, older in pairwise(rows))


def password_permission(account: TradingAccount) -> AccountRequest | None:
    """Find the granted request by which the client may set a new password, within a day and once."""
    granted = account.requests.filter(
        kind=RequestKind.PASSWORD,
        state=RequestState.GRANTED,
        used_at__isnull=True,
        decided_at__gte=timezone.now() - LEAVE,
    )
    return granted.order_by("-pk").first()


def obstacles(request: AccountRequest) -> list[HeldBecause]:
    """List what prevents granting a request at once; empty when nothing does. The caller has locked the account."""
    account, client = request.account, request.account.client
    if request.kind == RequestKind.PASSWORD:
        return against_password(account)
    reasons = [HeldBecause.RESTRICTED] if policies.BLOCKING_RESTRICTIONS & set(client.restrictions) else []
    if request.kind == RequestKind.ARCHIVE:
        return reasons + against_archive(account)
    if account.positions.exists():
        reasons.append(HeldBecause.POSITIONS)
    if request.kind == RequestKind.LEVERAGE:
        ladder = caps.ladder_of(account)
        if ladder is None or request.leverage not in {*ladder.steps, *ladder.beyond}:
            reasons.append(HeldBecause.LADDER)
        elif request.leverage in ladder.beyond:
            reasons.append(HeldBecause.CAP)
    elif request.account_type is not None:
        reasons += _against_type(account, request.account_type)
    return reasons


def _against_type(account: TradingAccount, account_type: AccountType) -> list[HeldBecause]:
    reasons = []
    if account.client.kyc_level < account_type.kyc_level or not account_type.is_enabled:
        reasons.append(HeldBecause.NOT_OFFERED)
    if account.equity < account_type.min_deposit and not account_type.is_demo:
        reasons.append(HeldBecause.MINIMUM)
    if account_type.kind == AccountKind.ISLAMIC:
        reasons.append(HeldBecause.SWAP_FREE)
    if not caps.ladder_for(account.client, account_type).steps:
        reasons.append(HeldBecause.CAP)
    return reasons


def words_of(request: AccountRequest) -> list[LocalizedText]:
    """List why it waits; a cap with the rule that sets it."""
    return [
        joined([HeldBecause(code).label, _cap_words(request) if code == HeldBecause.CAP else ""], " ")
        for code in request.held_because
    ]


def _cap_words(request: AccountRequest) -> LocalizedText:
    """Describe the cap that prevents it: the account's, or that of a class on which the group would give too much."""
    client, cap = request.account.client, caps.cap_for(request.account.client)
    if request.account_type is not None:
        return caps.ladder_for(client, request.account_type).words
    if cap and (request.leverage or 0) > cap.leverage:
        return cap.words
    ladder = caps.ladder_of(request.account)
    return ladder.words if ladder else ""


def what(request: AccountRequest) -> LocalizedText:
    """Title a request: `Leverage 1:30 → 1:100`."""
    if request.kind == RequestKind.LEVERAGE:
        return phrase("Leverage 1:%(before)s → 1:%(after)s") % {
            "before": request.before["leverage"],
            "after": request.leverage,
        }
    if request.kind == RequestKind.TYPE:
        return phrase("Account type → %(type)s") % {"type": request.account_type}
    kind: LocalizedText = label_of(request, "kind")
    return kind
