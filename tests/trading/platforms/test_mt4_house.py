"""One client's MetaTrader 4 account from the wish to the nightly comparison, by the verbs that pages and workers call."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from sandbox.mt4.__main__ import PLATFORM
from tests.cast import Cast
from tests.trading.factories import make_type
from tests.trading.mt4_lab import Mt4Lab
from trading.accounts import balance_operations, opening
from trading.choices import AccountState, OperationKind, OperationState
from trading.models import (
    Deal,
    PlatformGroup,
    PlatformIssue,
    Position,
    ReconcileBreak,
    SymbolInfo,
    TradingAccount,
    TradingServer,
)
from trading.platforms.errors import ReadTimedOut
from trading.platforms.mt4.doctor import checks
from trading.platforms.mt4.rows import OUT_OFFSET
from trading.servers.diagnostics import examine
from trading.sync import days, deals, money, positions, profiles, reconcile, symbols
from trading.sync.settings import sync_groups

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(mt4: Mt4Lab, settings: Any) -> TradingServer:
    """A server of the kind mt4 as an administrator would have saved it, reading the real groups only."""
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 8.0, 0.5
    server = mt4.row(group_mask="real*")
    first = int(mt4.free_login()) * 10
    server.first_login = server.next_login = first
    server.last_login = first + 9
    server.save()
    sync_groups(server)
    symbols.sync_symbols(server)
    return server


def opened(cast: Cast, server: TradingServer) -> TradingAccount:
    kind = make_type(cast.brand, server, group="real-pro-EUR", kyc_level=0)
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=kind.pk, request_key="wish:1", actor=None
    )
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    account.refresh_from_db()
    return account


def fund(account: TradingAccount, mt4: Mt4Lab, amount: str) -> int:
    """A deposit whose answer is lost, found by its reference; its ticket."""
    operation = balance_operations.reserve_operation(
        account_id=account.pk, kind=OperationKind.DEPOSIT, amount=Decimal(amount), idempotency_key="t:1", actor=None
    )
    mt4.fault("drop_after", "money")
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    operation.refresh_from_db()
    return int(operation.ticket or 0)


def test_an_account_lives_from_the_wish_to_the_nightly_comparison(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = opened(cast, server)
    user = mt4.data(f"UserRecordGet/{account.login}")
    assert (user["group"], user["leverage"], user["name"]) == ("real-pro-EUR", account.leverage, "Clara Weber")
    ticket = fund(account, mt4, "20000.00")
    held = mt4.trade(account.login, "XAUUSD", "0.30", side="sell")
    mt4.close(held, "0.10")
    for _again in range(2):
        deals.sync_deals(server)
        positions.sync_positions(server)
        money.sync_money(server)
    account.refresh_from_db()
    (position,) = Position.objects.filter(account=account)
    assert (position.symbol, position.lots, position.contract_size) == ("XAUUSD.m", Decimal("0.20"), 100)
    assert position.comment == f"from #{held}"
    assert account.margin > 0 and account.balance == mt4.balance(account.login)
    mt4.close(held)
    deals.sync_deals(server)
    positions.sync_positions(server)
    money.sync_money(server)
    account.refresh_from_db()
    rows = list(Deal.objects.filter(account=account).order_by("executed_at", "ticket"))
    assert not Position.objects.filter(account=account).exists()
    assert rows[0].ticket == ticket and {row.position_id for row in rows[1:]} == {held}
    opening = {row.ticket for row in rows[1:] if not row.closed_lots}
    assert {row.ticket - OUT_OFFSET for row in rows if row.closed_lots} == opening and len(opening) == 2
    truth = mt4.truth(account.login)
    assert account.balance == account.equity == sum(row.net for row in rows) == Decimal(truth["balance"])
    assert profiles.sync_profiles(server) == 0  # nothing there differs from what the house knows
    night(server, account)


def night(server: TradingServer, account: TradingAccount) -> None:
    """The nightly comparison of the days and of every balance finds nothing about this account."""
    deals.sync_deals(server)
    today = days.day_of(Deal.objects.filter(account=account).latest("server_msc").server_msc)
    days.check_days(server, [today])
    reconcile.reconcile(server)
    assert not ReconcileBreak.objects.filter(server=server, account=account).exists()
    assert not ReconcileBreak.objects.filter(server=server, day=today).exists()
    assert not PlatformIssue.objects.filter(server=server, kind__in=["balance_break", "deals_break"]).exists()


def test_groups_and_symbols_are_known_under_the_servers_names(server: TradingServer) -> None:
    groups = PlatformGroup.objects.filter(server=server)
    assert groups.get(name="real-std-JPY").currency == "JPY" and all(len(group.name) <= 15 for group in groups)
    gold = SymbolInfo.objects.get(server=server, name="XAUUSD.m")
    assert (gold.contract_size, gold.path, gold.currency_profit) == (100, "Metals\\XAUUSD.m", "USD")


def test_the_doctor_finds_a_bridge_well_and_says_what_is_not_done_from_here(server: TradingServer) -> None:
    found = {check.name: check for check in examine(server)}
    assert [name for name, check in found.items() if not check.is_well] == []
    assert "400/1420" in found["log-in"].told and "bonus, corrections" in found["manager"].told
    assert {"clock", "groups", "symbols", "accounts", "look-up", "deals", "positions"} < found.keys()
    server.options = {**server.options, "trade_platform": "00000000-0000-4000-8000-000000000000"}
    (log_in,) = examine(server)
    assert not log_in.is_well and "no such trade platform" in log_in.told and log_in.advice
    server.options = {**server.options, "times": "utc", "trade_platform": PLATFORM}
    assert not {check.name: check for check in examine(server)}[
        "clock"
    ].is_well  # it is the server's own clock after all


def test_quotes_of_the_old_port_are_looked_at_only_where_it_is_wanted(server: TradingServer, mt4: Mt4Lab) -> None:
    server.options = mt4.options
    assert not checks(server)
    before = mt4.asked("WQUOTES")
    for port, is_well, told in ((mt4.process.ports["quote_port"], True, "EURUSD.m 1."), (1, False, "silent")):
        server.options = {**mt4.options, "quote_port": str(port)}
        with mt4.adapter(row={"options": server.options}) as platform:
            found = checks(server)["quotes"](server, platform)
        assert found[0] == is_well and told in found[1]
    assert mt4.asked("WQUOTES") == before + 1


def test_fills_are_judged_by_the_old_port_only_where_it_is_named(mt4: Mt4Lab) -> None:
    with mt4.adapter(row={"options": mt4.options}) as platform:
        assert platform.quotes_since(["EURUSD.m"]) == []
    for port, known in ((mt4.process.ports["quote_port"], ["EURUSD.m"]), (1, None)):
        with mt4.adapter(row={"options": {**mt4.options, "quote_port": str(port)}}) as platform:
            if known is None:
                with pytest.raises(ReadTimedOut):
                    platform.quotes_since(["EURUSD.m"])
            else:
                names = ["EURUSD.m", "NONE", "a name, that no server has\nQUIT"]
                assert [quote.symbol for quote in platform.quotes_since(names)] == known
