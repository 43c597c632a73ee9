"""The contract, part five: what the house does with any platform: open by its types' rules, book once, read, compare."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.contract.arena import Arena
from tests.trading.contract.test_history import soon
from tests.trading.factories import make_account, make_type
from trading.accounts import balance_operations, opening
from trading.choices import AccountState, IssueKind, OperationKind, OperationState
from trading.models import Deal, PlatformIssue, Position, ReconcileBreak, TradingAccount, TradingServer
from trading.platforms.base import Purpose
from trading.platforms.pool import capabilities_of, platform_for
from trading.servers.diagnostics import examine
from trading.sync import days, deals, money, positions, reconcile, symbols

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def server(arena: Arena, settings: Any) -> TradingServer:
    """The server's row as an administrator would have saved it; our patience with it is short."""
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 8.0, 1.0
    server = arena.row()
    if capabilities_of(arena.kind).own_logins:
        first = int(arena.free_login()) * 10
        server.first_login = server.next_login = first
        server.last_login = first + 9
    server.save()
    return server


def account_on(
    cast: Cast, server: TradingServer, arena: Arena, group: str = "real\\standard-EUR", amount: str = "20000.00"
) -> TradingAccount:
    login = arena.account(group, money=amount)
    return make_account(
        cast.client,
        server,
        login=login,
        group=arena.group(group),
        currency=group.rpartition("-")[2],
        opened_at=timezone.now() - dt.timedelta(days=2),
    )


def ask_for(cast: Cast, server: TradingServer, arena: Arena) -> TradingAccount:
    account_type = make_type(cast.brand, server, group=arena.group("real\\standard-EUR"), kyc_level=0)
    return opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="wish:1", actor=None
    )


def make_due(account: TradingAccount) -> None:
    TradingAccount.objects.filter(pk=account.pk).update(next_try_at=timezone.now() - SECOND)


def test_an_account_is_opened_by_its_types_rules(cast: Cast, server: TradingServer, arena: Arena) -> None:
    account = ask_for(cast, server, arena)
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    account.refresh_from_db()
    assert arena.truth(account.login)["group"] == "real\\standard-EUR"
    found = platform_for(server, Purpose.READS).read_account(account.login)
    assert found is not None and found.name == "Clara Weber"


def test_an_account_whose_answer_was_lost_is_never_made_twice(cast: Cast, server: TradingServer, arena: Arena) -> None:
    account, before = ask_for(cast, server, arena), arena.process.state()["users"]
    arena.fault("drop_after", "create")
    state = opening.open_on_platform(account.pk)
    make_due(account)
    if capabilities_of(arena.kind).finds_accounts:
        assert state == AccountState.UNKNOWN
        assert opening.open_on_platform(account.pk) == AccountState.OPEN
    else:
        assert state == AccountState.FAILED and opening.open_on_platform(account.pk) == AccountState.FAILED
        issue = PlatformIssue.objects.get(kind=IssueKind.BY_HAND)
        assert (issue.details["account"], issue.details["name"]) == (account.pk, "Clara Weber")
    assert arena.process.state()["users"] == before + 1


def test_a_deposit_whose_answer_was_lost_is_booked_once(cast: Cast, server: TradingServer, arena: Arena) -> None:
    account = account_on(cast, server, arena, amount="0")
    operation = balance_operations.reserve_operation(
        account_id=account.pk, kind=OperationKind.DEPOSIT, amount=Decimal("250.00"), idempotency_key="t:1", actor=None
    )
    arena.fault("drop_after", "money")
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    operation.refresh_from_db()
    (deal,) = platform_for(server, Purpose.READS).deals_of(account.login, from_msc=0, to_msc=2**45)
    assert (deal.ticket, deal.comment, deal.profit) == (operation.ticket, operation.reference, Decimal("250.00"))
    assert [row["Profit"] for row in arena.truth(account.login)["deals"]] == ["250.00"]
    deals.sync_deals(server)
    assert Deal.objects.get(account=account).ticket == operation.ticket


def test_trades_and_positions_arrive_exact_and_the_night_finds_nothing_wrong(
    cast: Cast, server: TradingServer, arena: Arena
) -> None:
    account = account_on(cast, server, arena, "real\\pro-EUR")
    if capabilities_of(arena.kind).lists_symbols:
        symbols.sync_symbols(server)
    position = arena.trade(account.login, "XAUUSD", "0.30", side="sell")
    arena.trade(account.login, "EURUSD", "0.10")
    arena.close(position, "0.10")
    for _again in range(2):
        deals.sync_deals(server)
        positions.sync_positions(server)
    held = {row.symbol: row.lots for row in Position.objects.filter(account=account)}
    assert held == {arena.symbol("XAUUSD"): Decimal("0.20"), arena.symbol("EURUSD"): Decimal("0.10")}
    for row in arena.truth(account.login)["positions"]:
        arena.close(row["position"])

    def all_closed() -> bool:
        deals.sync_deals(server)
        return sum(row.closed_lots for row in Deal.objects.filter(account=account)) == Decimal("0.40")

    assert soon(all_closed)
    positions.sync_positions(server)
    assert not Position.objects.filter(account=account).exists()
    rows = list(Deal.objects.filter(account=account))
    money.sync_money(server)
    account.refresh_from_db()
    assert (
        account.balance
        == account.equity
        == sum(row.net for row in rows)
        == Decimal(arena.truth(account.login)["balance"])
    )
    today = days.day_of(platform_for(server, Purpose.READS).server_time().server_msc)
    days.check_days(server, [today])
    reconcile.check_balances(server)
    assert not ReconcileBreak.objects.filter(server=server, account=account).exists()
    assert not PlatformIssue.objects.filter(server=server, kind=IssueKind.BALANCE_BREAK).exists()


def test_the_doctor_finds_nothing_wrong_on_a_healthy_server(cast: Cast, server: TradingServer, arena: Arena) -> None:
    """Read-only: what the platform does not tell is said, not asked for."""
    account = account_on(cast, server, arena, amount="100.00")
    make_type(cast.brand, server, group=arena.group("real\\standard-EUR"))
    findings = {finding.name: finding for finding in examine(server)}
    assert not [one for one in findings.values() if not one.is_well]
    assert {"log-in", "clock", "accounts", "look-up", "deals", "manager"} <= findings.keys()
    assert ("groups" in findings) == capabilities_of(arena.kind).lists_groups
    assert len(arena.truth(account.login)["deals"]) == 1
