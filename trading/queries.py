"""Reads of trading. Every one takes the user first and starts from what that user may see.

A client sees their own accounts; staff see those of the clients in the books they reach.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Final, TypeVar

from django.db import connection
from django.db.models import Count, DecimalField, F, Q, QuerySet
from django.http import Http404
from django.utils import timezone

from clients.models import Client
from crm.models import User
from crm.security.policies import Decision, no, require_permission
from crm.security.scope import reach_of
from trading import policies
from trading.choices import AccountState, OperationState
from trading.leverage import caps
from trading.leverage import margins as class_margins
from trading.models import (
    AccountRequest,
    AccountType,
    BalanceOperation,
    Deal,
    PlatformIssue,
    Position,
    SymbolInfo,
    SyncCursor,
    TradingAccount,
    TradingServer,
)
from trading.platforms.health import Pulse, pulses_of

# Below this many accounts their ids are named in the query: the planner then reads few index ranges, not all of time.
FEW_ACCOUNTS: Final = 2000
CURVE_DAYS: Final = 92
NET: Final = F("profit") + F("commission") + F("swap") + F("fee")
MONEY_FIELD: Final = DecimalField(max_digits=20, decimal_places=8)
DEAL_COLUMNS: Final = tuple(f.attname for f in Deal._meta.concrete_fields if f.attname != "raw")


# ── accounts ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def accounts_visible_to(user: User) -> QuerySet[TradingAccount]:
    """Select all accounts of the clients that a user sees, in any state."""
    if not user or not user.is_authenticated:
        return TradingAccount.objects.none()
    if user.is_client:
        return TradingAccount.objects.filter(client__user_id=user.pk)
    if not user.is_team:
        return TradingAccount.objects.none()
    return TradingAccount.objects.filter(client__book_id__in=reach_of(user).books)


def get_account(user: User, account_id: int, *, permission: str = "trading.view_tradingaccount") -> TradingAccount:
    """Read one account; 404 when it is not visible, NotAllowed (403) when it is but the role lacks the right."""
    seen = accounts_visible_to(user).select_related("client__brand", "server", "account_type")
    try:
        account = seen.get(pk=account_id)
    except TradingAccount.DoesNotExist:
        raise Http404 from None
    if user.is_team:
        require_permission(user, permission)
    return account


def accounts_of(user: User, client_id: int) -> list[TradingAccount]:
    """List a client's accounts, the open ones first."""
    accounts = accounts_visible_to(user).filter(client_id=client_id).select_related("server", "account_type")
    rank = {AccountState.OPEN: 0, AccountState.ARCHIVED: 2, AccountState.FAILED: 3}
    return sorted(accounts[:100], key=lambda account: (rank.get(AccountState(account.state), 1), account.pk))


@dataclass(frozen=True)
class Offer:
    """An account type, whether this user may have one opened now, with the reason if not, and with which leverages."""

    account_type: AccountType
    decision: Decision
    ladder: caps.Ladder


def offers_for(user: User, client: Client) -> list[Offer]:
    """List what could be opened for a client: by staff, or by the client for themselves."""
    types = list(AccountType.objects.filter(brand_id=client.brand_id, is_enabled=True).select_related("server"))
    limits = caps.limits_for(client)
    margins = (
        class_margins.of_groups((account_type.server_id, account_type.group) for account_type in types)
        if limits.by_class
        else {}
    )
    offers = []
    for account_type in types:
        decision, ladder = (
            policies.can_open_account(user, client, account_type),
            caps.ladder_for(client, account_type, limits=limits, margins=margins),
        )
        offers.append(Offer(account_type, decision if ladder.steps or not decision else no(ladder.reason), ladder))
    return offers


def requests_visible_to(user: User) -> QuerySet[AccountRequest]:
    """Select what the clients whom a user sees have requested."""
    return AccountRequest.objects.filter(account__in=accounts_visible_to(user))


def requests_of(account: TradingAccount) -> list[AccountRequest]:
    """List the newest requests of an account that was read for a user, at most ten."""
    return list(account.requests.select_related("account_type").order_by("-pk")[:10])


# ── positions and deals ──────────────────────────────────────────────────────────────────────────────────────────────


def positions_of(account: TradingAccount) -> list[Position]:
    """Open positions of an account that was got for a user, newest first; at most 500."""
    return with_price_digits(list(account.positions.order_by("-opened_at", "-pk")[:500]))


def positions_of_client(user: User, client_id: int) -> list[Position]:
    """Open positions on all accounts of a client, newest first; at most 500."""
    positions = Position.objects.filter(account__in=accounts_visible_to(user), account__client_id=client_id)
    return with_price_digits(list(positions.select_related("account").order_by("-opened_at", "-pk")[:500]))


Priced = TypeVar("Priced", Deal, Position)


def with_price_digits(rows: list[Priced]) -> list[Priced]:
    """Set `price_digits` on deals or positions: as many as the server's symbol has, for all rows in one query."""
    names = {row.symbol for row in rows if row.symbol}
    servers = {row.server_id for row in rows}
    digits: dict[tuple[int, str], int] = {}
    if names:
        known = SymbolInfo.objects.filter(server_id__in=servers, name__in=names)
        digits = {(server, name): count for server, name, count in known.values_list("server_id", "name", "digits")}
    for row in rows:
        row.price_digits = digits.get((row.server_id, row.symbol), 5)
    return rows


def deals_visible_to(user: User) -> QuerySet[Deal]:
    """Select the deals of the accounts that a user sees, without the platform's raw row."""
    visible = accounts_visible_to(user)
    few = list(visible.exclude(login="").values_list("pk", flat=True)[: FEW_ACCOUNTS + 1])
    deals = Deal.every.only(*DEAL_COLUMNS)
    return deals.filter(account_id__in=few) if len(few) <= FEW_ACCOUNTS else deals.filter(account__in=visible)


def deals_of_account(user: User, account_id: int) -> QuerySet[Deal]:
    """Select the deals of one account, newest first: slice it, or page it by (executed_at, id).

    Staff see also those that a dealer deleted on the platform, marked as deleted.
    """
    if not accounts_visible_to(user).filter(pk=account_id).exists():
        raise Http404
    if user.is_team:
        require_permission(user, "trading.view_tradingaccount")
    deals = Deal.every if user.is_team else Deal.objects
    return deals.only(*DEAL_COLUMNS).filter(account_id=account_id).order_by("-executed_at", "-id")


def get_deal(user: User, server_id: int, ticket: int) -> Deal:
    """Read one deal, also one that was deleted on the platform; 404 when its account is not visible.

    A deal of an unknown account is for those who watch platforms.
    """
    deal = Deal.every.select_related("account__client", "server").filter(server_id=server_id, ticket=ticket).first()
    if deal is None:
        raise Http404
    if deal.account_id is not None and not accounts_visible_to(user).filter(pk=deal.account_id).exists():
        raise Http404
    require_permission(user, "trading.view_deal_list" if deal.account_id else "trading.view_platform_health")
    return deal


def symbol_groups(server_id: int, names: Iterable[str]) -> dict[str, str]:
    """Find the symbol group of each name on a server; a name without one is left out."""
    rows = SymbolInfo.objects.filter(server_id=server_id, name__in=set(names)).exclude(symbol_group="")
    return dict(rows.values_list("name", "symbol_group"))


def operations_of(account: TradingAccount) -> list[BalanceOperation]:
    """List the newest balance operations of an account that was read for a user; at most 50."""
    return list(account.operations.order_by("-pk")[:50])


def operations_of_client(user: User, client_id: int) -> list[BalanceOperation]:
    """List the newest balance operations on all accounts of a client; at most 50."""
    operations = BalanceOperation.objects.filter(account__in=accounts_visible_to(user), account__client_id=client_id)
    return list(operations.select_related("account").order_by("-pk")[:50])


# ── how it went ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Curve:
    """Balance and equity over time, and the deepest fall of equity from a height before it."""

    at: list[dt.datetime] = field(default_factory=list)
    balance: list[Decimal] = field(default_factory=list)
    equity: list[Decimal] = field(default_factory=list)

    @cached_property
    def falls(self) -> list[Decimal]:
        """At each point, by how many per cent equity is below its height before."""
        height, drawdowns = Decimal(0), []
        for value in self.equity:
            height = max(height, value)
            fall = (height - value) / height * 100 if height > 0 else Decimal(0)
            drawdowns.append(fall.quantize(Decimal("0.1")))
        return drawdowns

    @property
    def drawdown_percent(self) -> Decimal:
        return max(self.falls, default=Decimal("0.0"))

    @property
    def drawdown_at(self) -> dt.datetime | None:
        """When equity was lowest below a height before it."""
        return self.at[self.falls.index(self.drawdown_percent)] if self.drawdown_percent else None

    @property
    def fall_now(self) -> Decimal:
        return self.falls[-1] if self.falls else Decimal("0.0")


def equity_curve(user: User, account_id: int, *, days: int = CURVE_DAYS) -> Curve:
    """Read one point a day (the last of each day), and the account as it is now as the last one."""
    return curve_of(get_account(user, account_id), days=days)


# The last point of each day (UTC): a probe of the index per day, not a sort of all hours.
CURVE: Final = """
SELECT p.at, p.balance, p.equity
FROM generate_series((now() AT TIME ZONE 'UTC')::date - %(days)s, (now() AT TIME ZONE 'UTC')::date, interval '1 day') d,
  LATERAL (SELECT e.at, e.balance, e.equity FROM trading_equitypoint e
    WHERE e.account_id = %(account)s AND e.at >= d AT TIME ZONE 'UTC' AND e.at < (d + interval '1 day') AT TIME ZONE 'UTC'
      AND e.at >= now() - make_interval(days => %(days)s)
    ORDER BY e.at DESC LIMIT 1) p
ORDER BY d
"""


def curve_of(account: TradingAccount, *, days: int = CURVE_DAYS) -> Curve:
    """Read the equity curve of an account that `get_account` returned."""
    with connection.cursor() as cursor:
        cursor.execute(CURVE, {"account": account.pk, "days": days})
        points = cursor.fetchall()
    curve = Curve([p[0] for p in points], [p[1] for p in points], [p[2] for p in points])
    if account.synced_at:
        curve.at.append(account.synced_at)
        curve.balance.append(account.balance)
        curve.equity.append(account.equity)
    return curve


@dataclass(frozen=True)
class Totals:
    """A client's open accounts together, in the brand's base currency. `is_complete` without demo accounts."""

    currency: str
    accounts: int
    equity: Decimal
    floating: Decimal
    positions: int
    last_trade_at: dt.datetime | None = None
    is_converted: bool = False


def totals_of(client: Client, accounts: Sequence[TradingAccount], positions: Sequence[Position]) -> Totals:
    """Sum up a client's open real accounts in the brand's currency, from rows already read: no query."""
    live = [account for account in accounts if account.state == AccountState.OPEN and not account.is_demo]
    ids = {account.pk for account in live}
    ratio = {a.pk: (a.equity_base / a.equity if a.equity else Decimal(0)) for a in live}
    floating = sum((a.floating * ratio[a.pk] for a in live), Decimal(0))
    return Totals(
        currency=client.brand.base_currency,
        accounts=len(live),
        equity=sum((a.equity_base for a in live), Decimal(0)),
        floating=floating.quantize(Decimal("0.01")),
        positions=sum(1 for position in positions if position.account_id in ids),
        last_trade_at=max((a.last_trade_at for a in accounts if a.last_trade_at and not a.is_demo), default=None),
        is_converted=any(a.currency != client.brand.base_currency for a in live),
    )


# ── platforms ────────────────────────────────────────────────────────────────────────────────────────────────────────


SILENT: Final = dt.timedelta(minutes=2)


def utc_offset(seconds: int) -> str:
    """Write an offset as `UTC+2` or `UTC−3:30`."""
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"UTC{'−' if seconds < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


@dataclass(frozen=True)
class ServerHealth:
    """A server with what is known about each kind of data read from it."""

    server: TradingServer
    cursors: list[SyncCursor]
    accounts: int
    in_work: int
    pulse: Pulse = field(default_factory=Pulse)

    @property
    def is_well(self) -> bool:
        return bool(self.cursors) and not any(cursor.failures for cursor in self.cursors)

    @property
    def silent_since(self) -> dt.datetime | None:
        """When anything was read last, where that is longer ago than it should be: the worker is not at it."""
        newest = max((cursor.read_at for cursor in self.cursors if cursor.read_at), default=None)
        is_late = self.server.is_enabled and newest is not None and timezone.now() - newest > SILENT
        return newest if is_late else None

    @property
    def lag_ms(self) -> int | None:
        return next((cursor.lag_ms for cursor in self.cursors if cursor.kind == "deals"), None)

    @property
    def offset(self) -> str:
        seconds = next((c.clock_offset_seconds for c in self.cursors if c.clock_offset_seconds is not None), None)
        return "" if seconds is None else utc_offset(seconds)


def server_health(user: User) -> list[ServerHealth]:
    """List all servers with their reading and open questions, for those who watch platforms."""
    require_permission(user, "trading.view_platform_health")
    servers = list(TradingServer.objects.order_by("name"))
    cursors: dict[int, list[SyncCursor]] = {}
    for cursor in SyncCursor.objects.filter(server__in=servers).order_by("kind"):
        cursors.setdefault(cursor.server_id, []).append(cursor)
    counts = {
        row["server_id"]: row
        for row in TradingAccount.objects.values("server_id").annotate(
            open=Count("pk", filter=Q(state=AccountState.OPEN)),
            in_work=Count("pk", filter=Q(state__in=["requested", "opening", "unknown"])),
        )
    }
    none, pulses = {"open": 0, "in_work": 0}, pulses_of([server.pk for server in servers])
    return [
        ServerHealth(
            s, cursors.get(s.pk, []), counts.get(s.pk, none)["open"], counts.get(s.pk, none)["in_work"], pulses[s.pk]
        )
        for s in servers
    ]


def open_issues(user: User) -> list[PlatformIssue]:
    """List questions that wait for a person; at most 200."""
    require_permission(user, "trading.view_platform_health")
    return list(
        PlatformIssue.objects.filter(closed_at__isnull=True).select_related("server").order_by("-last_at")[:200]
    )


def unknown_operations(user: User) -> list[BalanceOperation]:
    """List operations of visible accounts whose outcome is not known; at most 200."""
    operations = BalanceOperation.objects.filter(account__in=accounts_visible_to(user), state=OperationState.UNKNOWN)
    return list(operations.select_related("account__client", "account__server").order_by("pk")[:200])
