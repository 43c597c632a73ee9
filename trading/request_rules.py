"""What stands against a client's wish on an account, and the words for both. Reads only."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _

from crm.policies import Decision
from trading import abilities, caps, policies
from trading.choices import Ability, AccountKind, HeldBecause, OperationState, RequestKind
from trading.models import AccountRequest, AccountType, TradingAccount

NEEDS: Final = {
    RequestKind.LEVERAGE: Ability.CHANGE_LEVERAGE,
    RequestKind.TYPE: Ability.CHANGE_GROUP,
    RequestKind.ARCHIVE: Ability.STOP_TRADING,
}


def is_possible(account: TradingAccount, kind: RequestKind) -> Decision:
    """Whether the account's server lets us do it at all."""
    return abilities.can(account.server, NEEDS[kind])


def types_to_change_to(account: TradingAccount) -> list[AccountType]:
    """Types that an account may become without losing its login: of its brand, server and currency; never demo to real."""
    found = AccountType.objects.filter(
        brand_id=account.client.brand_id, server_id=account.server_id, currency=account.currency, is_enabled=True,
        is_demo=account.is_demo,
    )  # fmt: skip
    return [
        one for one in found.exclude(pk=account.account_type_id or 0)[:50] if one.is_offered_in(account.client.country)
    ]


def obstacles(request: AccountRequest) -> list[HeldBecause]:
    """What stands against granting at once; empty when nothing does. The account is locked by the caller."""
    account, client = request.account, request.account.client
    found = [HeldBecause.RESTRICTED] if policies.BLOCKING_RESTRICTIONS & set(client.restrictions) else []
    if account.positions.exists():
        found.append(HeldBecause.POSITIONS)
    if request.kind == RequestKind.LEVERAGE:
        ladder = caps.ladder_of(account)
        if ladder is None or request.leverage not in {*ladder.steps, *ladder.beyond}:
            found.append(HeldBecause.LADDER)
        elif request.leverage in ladder.beyond:
            found.append(HeldBecause.CAP)
    elif request.kind == RequestKind.ARCHIVE:
        if account.balance or account.credit:
            found.append(HeldBecause.MONEY)
        unsettled = [OperationState.RESERVED, OperationState.SENT, OperationState.UNKNOWN]
        if account.operations.filter(state__in=unsettled).exists():
            found.append(HeldBecause.MOVING)
    elif request.account_type is not None:
        found += _against_type(account, request.account_type)
    return found


def _against_type(account: TradingAccount, wanted: AccountType) -> list[HeldBecause]:
    found = []
    if account.client.kyc_level < wanted.kyc_level or not wanted.is_enabled:
        found.append(HeldBecause.NOT_OFFERED)
    if account.equity < wanted.min_deposit and not wanted.is_demo:
        found.append(HeldBecause.MINIMUM)
    if wanted.kind == AccountKind.ISLAMIC:
        found.append(HeldBecause.SWAP_FREE)
    if not caps.ladder_for(account.client, wanted, cap=caps.cap_for(account.client)).steps:
        found.append(HeldBecause.CAP)
    return found


def words_of(request: AccountRequest) -> list[str]:
    """Why it waits, in the reader's language; a cap with the rule that sets it."""
    found = []
    for code in request.held_because:
        words = str(HeldBecause(code).label)
        if code == HeldBecause.CAP:
            cap = caps.cap_for(request.account.client)
            words = f"{words} {cap.reason}" if cap else words
        found.append(words)
    return found


def what(request: AccountRequest) -> str:
    """`Leverage 1:30 → 1:100`, in the reader's language."""
    if request.kind == RequestKind.LEVERAGE:
        return _("Leverage 1:%(before)s → 1:%(after)s") % {
            "before": request.before["leverage"], "after": request.leverage,
        }  # fmt: skip
    if request.kind == RequestKind.TYPE:
        return _("Account type → %(type)s") % {"type": request.account_type}
    return str(RequestKind.ARCHIVE.label)
