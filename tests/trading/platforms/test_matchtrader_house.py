"""A server row of kind Match-Trader through the house's own verbs: what the contract leaves to each platform."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from crm.errors import DomainError
from tests.cast import Cast
from tests.trading.contract.arena_matchtrader import MatchTrader, MatchTraderStreams
from tests.trading.factories import make_account
from tests.trading.sandbox_process import SandboxProcess, started
from trading.choices import IssueKind
from trading.models import Deal, PlatformIssue, Position, ReconcileBreak, TradingServer
from trading.platforms import pool
from trading.platforms.matchtrader.options import configuration
from trading.servers.diagnostics import examine
from trading.servers.verbs import connect_server
from trading.sync import days, deals, money, positions, reconcile

pytestmark = pytest.mark.django_db
SECONDS_MAX = 1.0
"""Beside the second between two readings: two in all."""


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with started(
        "matchtrader", tmp_path_factory.mktemp("matchtrader") / "state.sqlite", *MatchTrader.arguments
    ) as process:
        yield process


@pytest.fixture(params=[MatchTrader, MatchTraderStreams], ids=["lists", "streams"])
def arena(request: pytest.FixtureRequest, process: SandboxProcess) -> Iterator[MatchTrader]:
    yield request.param(process)
    pool.close_all()


@pytest.fixture
def server(arena: MatchTrader) -> TradingServer:
    server = arena.row()
    server.save()
    return server


def account_on(cast: Cast, server: TradingServer, arena: MatchTrader) -> Any:
    login = arena.account("real\\pro-EUR", money="9000.00")
    return make_account(cast.client, server, login=login, group="real-pro-EUR", leverage=30)


def test_a_deal_is_in_the_table_within_two_seconds(cast: Cast, server: TradingServer, arena: MatchTrader) -> None:
    account, took = account_on(cast, server, arena), []
    deals.sync_deals(server)
    for number in range(1, 4):
        arena.trade(account.login, "EURUSD", "0.01")
        started_at = time.monotonic()
        while Deal.objects.filter(account=account, action=0).count() < number:
            deals.sync_deals(server)
            assert time.monotonic() - started_at < 2 * SECONDS_MAX
        took.append(time.monotonic() - started_at)
    assert sorted(took)[1] < SECONDS_MAX, took
    opening = Deal.objects.filter(account=account, action=0).first()
    assert opening is not None and (opening.symbol, opening.lots, opening.contract_size) == (
        "EURUSD",
        Decimal("0.01"),
        100_000,
    )
    positions.sync_positions(server)
    held = Position.objects.filter(account=account)
    assert {row.ticket for row in held} == set(
        Deal.objects.filter(account=account, action=0).values_list("position_id", flat=True)
    )


def test_the_night_finds_nothing_wrong_with_positions_that_are_open(
    cast: Cast, server: TradingServer, arena: MatchTrader
) -> None:
    """Commission of an opening is the ledger's: the sum of deals is the balance before anything is closed."""
    account = account_on(cast, server, arena)
    position = arena.trade(account.login, "XAUUSD", "0.20", side="sell")
    arena.trade(account.login, "EURUSD", "0.30")
    arena.process.post("rollover", nights=3)
    arena.close(position, "0.10")
    for _again in range(2):
        deals.sync_deals(server, overlap=dt.timedelta(minutes=5))
    money.sync_money(server)
    account.refresh_from_db()
    rows = Deal.objects.filter(account=account)
    assert sum(row.net for row in rows) == account.balance == Decimal(arena.truth(account.login)["balance"])
    assert sum(row.commission for row in rows) < 0 and {row.action for row in rows} == {0, 1, 2}
    days.check_days(server, [dt.datetime.now(dt.UTC).date()])
    reconcile.check_balances(server)
    assert not ReconcileBreak.objects.filter(server=server, account=account).exists()
    assert not PlatformIssue.objects.filter(server=server, kind=IssueKind.BALANCE_BREAK).exists()


def test_the_doctor_names_paths_groups_and_streams_that_differ(process: SandboxProcess) -> None:
    arena = MatchTraderStreams(process)
    arena.account("real\\vip-USD")
    server = arena.row()
    server.options = {
        **server.options,
        "groups": "real-pro-EUR,nowhere",
        "paths": "closed_positions=/v9/closed; ledgers=/v1/trading-accounts/trading-data/ledgers",
        "grpc_streams": "ledgers=NoService/noStream",
    }
    server.save()
    findings = {finding.name: finding for finding in examine(server)}
    pool.close_all()
    assert findings["log-in"].is_well and not findings["deals"].is_well
    assert "Not there: closed_positions." in findings["paths"].advice
    assert (
        "real-vip-USD" in findings["group names"].advice and "does not know: nowhere" in findings["group names"].advice
    )
    assert "ledgers: StatusCode.UNIMPLEMENTED" in findings["streams"].told


def test_a_server_with_a_path_that_can_not_be_is_not_connected(cast: Cast) -> None:
    fields = {
        "name": "Broker",
        "kind": "matchtrader",
        "host": "broker.example",
        "port": 443,
        "manager_login": "our key",
        "time_zone": "UTC",
    }
    for options in (
        {"paths": "deposit=/v2/{account}/in"},
        {"grpc_streams": "deals=A/b"},
        {"grpc_heartbeat": "soon"},
        {"key": "x"},
    ):
        with pytest.raises(DomainError):
            connect_server(actor=cast.administrator, password="k", options=options, **fields)
    with pytest.raises(DomainError, match="UTC"):
        connect_server(actor=cast.administrator, password="k", **{**fields, "time_zone": "EET"})
    made = connect_server(actor=cast.administrator, password="k", options={"paths": "deposit=/v2/{login}/in"}, **fields)
    assert (
        configuration(made).paths["deposit"] == "/v2/{login}/in"
        and configuration(made).grpc_target == "broker.example:8083"
    )
