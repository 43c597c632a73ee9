"""Reads of retention: flags in words, and what an agent should know before the call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clients.models import Call, Client
from crm.models import User
from risk.retention.choices import FlagKind
from risk.retention.flags import FLAGS
from risk.retention.models import RetentionCase, RetentionFlag
from support.choices import UNSOLVED
from support.queries import tickets_visible_to
from trading.models import Deal
from wallet.models import BonusGrant

SHOWN = 10
ORDER = {kind: place for place, kind in enumerate(FLAGS)}


@dataclass(frozen=True)
class ShownFlag:
    """A flag as a page shows it: what was usual, and what is now."""

    flag: RetentionFlag
    usual: str
    current: str


def in_words(flag: RetentionFlag, currency: str) -> ShownFlag:
    """Write a flag's figures in the reader's language."""
    kind = FLAGS[FlagKind(flag.kind)]
    return ShownFlag(flag, kind.usual(flag.figures, currency), kind.current(flag.figures, currency))


def open_flags(client: Client) -> list[ShownFlag]:
    """List a client's open flags, the weightiest kinds first; the caller may see the client."""
    rows = RetentionFlag.objects.filter(client=client, ended_at__isnull=True)
    currency = client.brand.base_currency
    return sorted((in_words(row, currency) for row in rows), key=lambda shown: ORDER[FlagKind(shown.flag.kind)])


def flags_of_cases(cases: Iterable[RetentionCase]) -> dict[int, list[RetentionFlag]]:
    """Read the open flags of the clients of many cases, by client, in one query."""
    by_client: dict[int, list[RetentionFlag]] = {}
    ids = [case.client_id for case in cases]
    for row in RetentionFlag.objects.filter(client__in=ids, ended_at__isnull=True):
        by_client.setdefault(row.client_id, []).append(row)
    for rows in by_client.values():
        rows.sort(key=lambda row: ORDER[FlagKind(row.kind)])
    return by_client


def briefing(user: User, client: Client) -> dict[str, Any]:
    """Gather what an agent should know before the call, each part only for those who may see it."""
    return {
        "calls": list(Call.objects.filter(client=client).select_related("agent").order_by("-started_at")[:3]),
        "trades": _last_trades(client) if user.has_perm("trading.view_tradingaccount") else [],
        "tickets": list(tickets_visible_to(user).filter(client=client, state__in=UNSOLVED).order_by("-last_at")[:5]),
        "bonuses": _bonuses(client) if user.has_perm("wallet.view_deposit") else [],
        "sees_money": user.has_perm("wallet.view_deposit"),
        "trading": getattr(client, "trading_facts", None),
        "wallet": getattr(client, "wallet_facts", None),
    }


def _last_trades(client: Client) -> list[Deal]:
    accounts = list(client.trading_accounts.filter(is_demo=False).values_list("pk", flat=True))
    rows = Deal.objects.filter(account__in=accounts, closed_lots__gt=0, action__in=(0, 1))
    return list(rows.select_related("account").order_by("-executed_at", "-id")[:SHOWN])


def _bonuses(client: Client) -> list[BonusGrant]:
    return list(BonusGrant.objects.filter(client=client, state="active").order_by("-pk")[:5])
