"""What the platform did, in our tables: exact, once, with what changed later."""

from __future__ import annotations

import datetime as dt
import threading
import time
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clients.facts import FACTS, differences, fact_of, names_of
from clients.models import Client
from crm.models import Notification, OutboxEvent
from tests.cast import Cast, make_client
from tests.trading.factories import make_account, make_server
from tests.trading.made_up import made_up
from tests.trading.sandbox_server import Sandbox
from trading import queries
from trading.choices import IssueKind, SymbolGroup
from trading.models import (
    ChangedDay,
    Deal,
    DealEdit,
    EquityPoint,
    PlatformIssue,
    Position,
    SymbolInfo,
    SyncCursor,
    TradingAccount,
    TradingServer,
)
from trading.platforms.base import AccountMoney
from trading.sync import deals, money, positions, reconcile, results, resync, symbols
from trading.sync.ingest import ingest

pytestmark = pytest.mark.django_db


@pytest.fixture
def account(cast: Cast, server: TradingServer, sandbox: Sandbox) -> TradingAccount:
    return make_account(cast.client, server, login=sandbox.new_account("real\\pro-EUR"), group="real\\pro-EUR")


def deposit(sandbox: Sandbox, account: TradingAccount, amount: str = "5000.00") -> None:
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": amount, "COMMENT": "x"})


def test_a_trade_arrives_exact_and_once(account: TradingAccount, server: TradingServer, sandbox: Sandbox) -> None:
    deposit(sandbox, account)
    done = sandbox.post("trade", login=int(account.login), symbol="XAUUSD", lots="0.25", side="sell", hold_seconds=0)
    for _again in range(3):
        deals.sync_deals(server)
    rows = list(Deal.objects.filter(account=account).order_by("ticket"))
    assert [row.ticket for row in rows][1:] == [done["deal"], done["closing_deal"]]
    opening, closing = rows[1], rows[2]
    assert (opening.lots, opening.closed_lots, opening.entry, opening.action) == (Decimal("0.25"), 0, 0, 1)
    assert (closing.closed_lots, closing.commission) == (Decimal("0.25"), Decimal("-0.75"))
    assert abs((opening.executed_at - timezone.now()).total_seconds()) < 30  # server time became UTC
    assert opening.server_msc == int(opening.raw["TimeMsc"])
    assert opening.is_trade and opening.is_opening and not closing.is_opening
    money.sync_money(server)
    account.refresh_from_db()
    assert account.balance == sum(row.net for row in rows)


def test_new_deals_are_told_once(account: TradingAccount, server: TradingServer, sandbox: Sandbox) -> None:
    sandbox_login = int(account.login)
    deposit(sandbox, account)
    sandbox.post("trade", login=sandbox_login, symbol="EURUSD", lots="0.1")
    for _again in range(2):
        deals.sync_deals(server)
    mine = set(Deal.objects.filter(account=account).values_list("id", flat=True))
    told = [e.payload for e in OutboxEvent.objects.filter(name="trading.deals_synced")]
    assert sum(len(mine & set(payload["deal_ids"])) for payload in told) == len(mine) == 2
    assert any(account.client_id in one["client_ids"] for one in told)


def test_each_event_names_the_clients_of_its_own_deals(
    cast: Cast, server: TradingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trading.sync.ingest.EVENT_DEALS_MAX", 2)
    other = make_client(brand=cast.brand, book=cast.client.book, email="other@example.com", login=False)
    for login, client in (("1", cast.client), ("2", other)):
        make_account(client, server, login=login)
    done = ingest(server, [made_up(ticket, login=login) for ticket, login in ((1, "1"), (2, "1"), (3, "2"), (4, "9"))])
    told = [e.payload for e in OutboxEvent.objects.filter(name="trading.deals_synced").order_by("pk")]
    assert [(one["deal_ids"], one["client_ids"]) for one in told] == [
        ([done.new[1], done.new[2]], [cast.client.pk]),
        ([done.new[3], done.new[4]], [other.pk]),
    ]


def test_a_first_trade_makes_a_funded_client_active(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    client = cast.client
    client.stage = "funded"
    client.save(update_fields=["stage"])
    deposit(sandbox, account)
    sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.1", hold_seconds=0)
    deals.sync_deals(server)
    assert results.refresh_all() == 1
    client.refresh_from_db()
    account.refresh_from_db()
    newest = Deal.objects.filter(account=account, action__in=[0, 1]).latest("executed_at").executed_at
    assert client.stage == "active"
    assert client.last_trade_at == account.last_trade_at == newest.replace(second=0, microsecond=0)


def test_deposits_alone_are_no_trade(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account)
    deals.sync_deals(server)
    cast.client.refresh_from_db()
    assert Deal.objects.filter(account=account).count() == 1
    assert cast.client.last_trade_at is None


def test_facts_are_what_a_rebuild_finds(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account)
    sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.1")
    deals.sync_deals(server)
    money.sync_money(server)
    results.refresh_all()
    client = Client.objects.get(pk=cast.client.pk)
    assert fact_of(client, "equity") > 4900
    for name in names_of("trading"):
        assert list(differences(FACTS[name])) == []


@pytest.mark.django_db(transaction=True)
def test_two_servers_read_together_lose_neither_ones_equity(cast: Cast) -> None:
    servers = [make_server(), make_server(name="Second")]
    accounts = [make_account(cast.client, server) for server in servers]

    def read(account: TradingAccount, equity: str) -> None:
        row = AccountMoney(account.login, Decimal(equity), *[Decimal(0)] * 2, Decimal(equity), *[Decimal(0)] * 3)
        money.write(account.server, [row])

    def other() -> None:
        read(accounts[1], "7.00")
        connections.close_all()

    for account in accounts:
        read(account, "1.00")
    thread = threading.Thread(target=other)
    with transaction.atomic():
        read(accounts[0], "100.00")
        thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with connection.cursor() as cursor:
            for _wait in range(200):
                cursor.execute(waiting)
                if cursor.fetchone()[0]:
                    break
                time.sleep(0.05)
            else:
                pytest.fail("the other never waited for the client's facts")
    thread.join()
    assert fact_of(cast.client, "equity") == Decimal("107.00")
    assert not list(differences(FACTS["equity"]))


def test_what_a_dealer_changed_is_updated_and_remembered(cast: Cast, server: TradingServer) -> None:
    account = make_account(cast.client, server, login="1")
    ingest(server, [made_up(7)])
    before = Deal.objects.get(ticket=7)
    later = before.executed_at + dt.timedelta(days=70)  # into another month's partition
    done = ingest(server, [made_up(7, executed_at=later, profit=Decimal("12.34"))])
    after = Deal.objects.get(ticket=7)
    assert done.changed == {7: before.id}
    assert (after.id, after.profit, after.revision, after.account_id) == (before.id, Decimal("12.34"), 1, account.pk)
    edit = DealEdit.objects.get(ticket=7)
    assert edit.after["profit"] == "12.34"
    assert OutboxEvent.objects.filter(name="trading.deals_synced").count() == 2


def test_a_deal_that_came_late_is_taken_in(cast: Cast, server: TradingServer) -> None:
    make_account(cast.client, server, login="1")
    deals.take_in(server, [made_up(1)])
    deals.take_in(server, [made_up(2, executed_at=timezone.now() - dt.timedelta(days=200))])
    assert Deal.objects.filter(server=server).count() == 2
    results.refresh_all()
    cast.client.refresh_from_db()
    newest = Deal.objects.get(ticket=1).executed_at
    assert cast.client.last_trade_at == newest.replace(second=0, microsecond=0)  # never goes back


def test_taking_deals_in_writes_no_client_whose_row_movements_of_money_lock(cast: Cast, server: TradingServer) -> None:
    make_account(cast.client, server, login="1")
    place = "SELECT ctid::text, xmax::text FROM clients_client WHERE id = %s"
    with connection.cursor() as cursor:
        cursor.execute(place, [cast.client.pk])
        before = cursor.fetchone()
        deals.take_in(server, [made_up(1)])
        cursor.execute(place, [cast.client.pk])
        assert cursor.fetchone() == before
    rows = queries.accounts_of(cast.agent, cast.client.pk)
    shown = queries.totals_of(cast.client, rows, []).last_trade_at
    newest = Deal.objects.get(ticket=1).executed_at.replace(second=0, microsecond=0)
    assert shown == newest, "the client's open page knows it"
    assert list(differences(FACTS["last_trade_at"])) == [], "what waits for its sums is no difference"
    ChangedDay.objects.all().delete()
    assert list(differences(FACTS["last_trade_at"])) == [(cast.client.pk, None, newest)], "without them it is one"


def test_the_same_ticket_on_two_servers_is_two_deals(cast: Cast, server: TradingServer) -> None:
    second = make_server(name="Second")
    for one in (server, second):
        deals.take_in(one, [made_up(99)])
    assert Deal.objects.filter(ticket=99).count() == 2


def test_what_nobody_knows_is_stored_and_reported_once(cast: Cast, server: TradingServer) -> None:
    deals.take_in(server, [made_up(1, action=77, symbol=""), made_up(2, symbol="WEIRD.x", login="404")])
    deals.take_in(server, [made_up(3, action=77, symbol=""), made_up(4, symbol="WEIRD.x", login="404")])
    assert Deal.objects.filter(server=server).count() == 4
    assert Deal.objects.get(ticket=2).account_id is None
    issues = {issue.kind: issue for issue in PlatformIssue.objects.all()}
    assert set(issues) == {IssueKind.UNKNOWN_ACTION, IssueKind.UNKNOWN_ACCOUNT, IssueKind.UNMAPPED_SYMBOL}
    assert (issues["unknown_action"].subject, issues["unknown_action"].times) == ("77", 2)
    assert issues["unmapped_symbol"].subject == "WEIRD.x"
    assert Notification.objects.filter(user=cast.finance, kind="trading.issue").count() == 3


def test_inout_and_out_by_deals_are_kept_as_they_are(cast: Cast, server: TradingServer) -> None:
    make_account(cast.client, server, login="1")
    deals.take_in(
        server,
        [
            made_up(1, entry=2, lots=Decimal("0.3"), closed_lots=Decimal("0.1")),
            made_up(2, entry=3, lots=Decimal("0.2"), closed_lots=Decimal("0.2")),
        ],
    )
    inout, out_by = Deal.objects.filter(server=server).order_by("ticket")
    assert (inout.entry, inout.lots, inout.closed_lots, inout.is_opening) == (2, Decimal("0.3"), Decimal("0.1"), True)
    assert (out_by.entry, out_by.is_opening) == (3, False)


def test_a_large_batch_takes_few_queries(server: TradingServer, django_assert_max_num_queries) -> None:
    batch = [made_up(number) for number in range(1, 2001)]
    ingest(server, batch[:1])
    with django_assert_max_num_queries(14):
        assert len(ingest(server, batch).new) == 1999
    with django_assert_max_num_queries(6):
        assert not ingest(server, batch).new


# -- trouble ----------------------------------------------------------------------------------------------------------


def test_a_server_that_is_away_rests_and_the_health_page_knows(server: TradingServer, sandbox: Sandbox) -> None:
    server.port = 1
    server.save()
    assert deals.sync_deals(server) is None
    cursor = SyncCursor.objects.get(server=server, kind="deals")
    assert (cursor.failures, cursor.read_at) == (1, None)
    assert "can't reach" in cursor.error
    server.port = sandbox.port
    server.save()
    assert deals.sync_deals(server) is None  # resting
    SyncCursor.objects.update(error_at=timezone.now() - dt.timedelta(minutes=2))
    assert deals.sync_deals(server) is not None
    cursor.refresh_from_db()
    assert cursor.failures == 0 and "can't reach" in cursor.error  # the last error stays to be read
    assert cursor.clock_offset_seconds in (7200, 10800)


def test_two_workers_do_not_read_the_same_server_at_once(server: TradingServer) -> None:
    SyncCursor.objects.create(server=server, kind="deals")
    cache.add(f"trading-sync:{server.pk}:deals", 1, 60)
    assert deals.sync_deals(server) is None


def test_a_restart_in_the_middle_of_pages_loses_nothing(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    with sandbox.client() as client:
        for number in range(250):
            client.write(
                "TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "1.00", "COMMENT": f"n{number}"}
            )
    from trading.platforms.base import Purpose
    from trading.platforms.pool import platform_for

    platform = platform_for(server, Purpose.READS)
    read = []
    for deal in platform.deals_of(account.login, from_msc=0, to_msc=2**52):
        read.append(deal.comment)
        if len(read) == 150:
            sandbox.post("restart")
    assert read == [f"n{number}" for number in range(250)]


# -- money, positions, symbols ----------------------------------------------------------------------------------------


def test_idle_accounts_have_their_balance_from_the_user(
    cast: Cast, account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account, "750.00")
    money.sync_money(server)
    account.refresh_from_db()
    assert (account.balance, account.equity, account.margin) == (750, 750, 0)
    cast.client.refresh_from_db()
    assert fact_of(cast.client, "equity") == 750


def test_equity_moves_with_open_positions(account: TradingAccount, server: TradingServer, sandbox: Sandbox) -> None:
    deposit(sandbox, account)
    sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="1")
    money.sync_money(server)
    positions.sync_positions(server)
    account.refresh_from_db()
    position = Position.objects.get(account=account)
    assert account.equity == account.balance + account.credit + account.floating
    assert account.floating < 0
    assert account.margin > 3000
    assert (position.symbol, position.lots, position.action) == ("EURUSD", 1, 0)
    money.keep_equity_points(server)
    money.keep_equity_points(server)
    assert EquityPoint.objects.filter(account=account).count() == 1


def test_open_pages_hear_of_positions_that_opened_or_closed_and_not_of_prices(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account)
    opened = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.5")

    def nudges() -> int:
        with CaptureQueriesContext(connection) as queries:
            positions.sync_positions(server)
        return sum("pg_notify" in query["sql"] for query in queries.captured_queries)

    first, second = nudges(), nudges()
    sandbox.post("close", position=opened["position"])
    assert (first > 0, second, nudges()) == (True, 0, first)


def test_closed_positions_leave_the_list(account: TradingAccount, server: TradingServer, sandbox: Sandbox) -> None:
    deposit(sandbox, account)
    opened = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.5")
    positions.sync_positions(server)
    sandbox.post("close", position=opened["position"], lots="0.2")
    positions.sync_positions(server)
    assert Position.objects.get(account=account).lots == Decimal("0.3")
    sandbox.post("close", position=opened["position"])
    positions.sync_positions(server)
    assert not Position.objects.filter(account=account).exists()


def test_an_account_in_another_currency_counts_in_the_brands(
    cast: Cast, server: TradingServer, sandbox: Sandbox
) -> None:
    from crm.models import FxRate

    FxRate.objects.create(on=timezone.now().date(), currency="USD", rate=Decimal("1.25"))
    dollars = make_account(cast.client, server, login=sandbox.new_account("real\\standard-USD"), currency="USD")
    demo = make_account(cast.client, server, login=sandbox.new_account("demo\\standard-EUR"), is_demo=True)
    deposit(sandbox, dollars, "1000.00")
    deposit(sandbox, demo, "9999.00")
    money.sync_money(server)
    dollars.refresh_from_db()
    cast.client.refresh_from_db()
    assert dollars.equity_base == 800
    assert fact_of(cast.client, "equity") == 800  # demo money is no money


def test_accounts_that_the_platform_no_longer_lists_are_marked_and_come_back(cast: Cast, server: TradingServer) -> None:
    ghost = make_account(cast.client, server, login="111222333")
    money.sync_money(server)
    ghost.refresh_from_db()
    assert ghost.missing_since is not None
    assert ghost.state == "open"


def test_symbols_are_read_with_their_contract_data(server: TradingServer) -> None:
    assert symbols.sync_symbols(server) == 13
    gold = SymbolInfo.objects.get(server=server, name="XAUUSD")
    assert (gold.contract_size, gold.symbol_group, gold.volume_min_lots) == (100, SymbolGroup.METALS, Decimal("0.01"))
    assert not SymbolInfo.objects.filter(server=server, symbol_group="").exists()


@pytest.mark.parametrize(
    ("name", "house", "group"),
    [
        ("EURUSD", "EURUSD", "fx_majors"),
        ("EURUSD.m", "EURUSD", "fx_majors"),
        ("GBPUSDi", "GBPUSD", "fx_majors"),
        ("AUDCAD.stp", "AUDCAD", "fx_minors"),
        ("EURGBP_pro", "EURGBP", "fx_minors"),
        ("USDTRY", "USDTRY", "fx_exotics"),
        ("XAUUSDi", "XAUUSD", "metals"),
        ("#US500", "US500", "indices"),
        ("DE40.cash", "DE40", "indices"),
        ("BTCUSD", "BTCUSD", "crypto"),
        ("ETHUSDT", "ETHUSDT", "crypto"),
        ("XTIUSD-ecn", "XTIUSD", "energies"),
        ("WEIRD.x", "WEIRD", None),
    ],
)
def test_broker_endings_are_understood(name: str, house: str, group: str | None) -> None:
    assert symbols.classify(name) == (house, group)


def test_the_nightly_check_names_an_account_that_differs_from_its_deals(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account)
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 3, "BALANCE": "50.00", "COMMENT": "credit"})
    sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.5", hold_seconds=0)
    deals.sync_deals(server)
    money.sync_money(server)
    assert reconcile.reconcile(server) == []
    TradingAccount.objects.filter(pk=account.pk).update(balance=1)
    (found,) = reconcile.reconcile(server)
    assert (found.login, found.balance, found.credit) == (account.login, 1, 50)
    assert found.balance_of_deals > 4900
    assert PlatformIssue.objects.get(kind=IssueKind.BALANCE_BREAK).subject == account.login


def test_a_busy_server_is_read_twice_a_second_with_a_short_overlap(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused: list[float] = []
    monkeypatch.setattr(deals, "BUSY_ROWS", 4)
    # A clock that stands: on a slow machine the first reading alone takes the half second.
    monkeypatch.setattr(deals, "time", SimpleNamespace(monotonic=lambda: 0.0, sleep=paused.append))
    deposit(sandbox, account)
    deals.sync_deals(server)
    assert deals.follow_deals(server) == 0  # nothing new: one reading
    asked = sandbox.command_count("DEAL_GET_BATCH")
    sandbox.post("trades", logins=[account.login] * 3, symbol="EURUSD", lots="0.01")
    assert deals.follow_deals(server) == 6
    assert sandbox.command_count("DEAL_GET_BATCH") == asked + 2
    assert paused == [deals.BUSY_PAUSE]
    assert Deal.objects.filter(account=account).count() == 7


def test_after_a_pause_deals_are_read_in_stretches(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account)
    done = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.1", hold_seconds=0)
    before = sandbox.command_count("DEAL_GET_BATCH")
    deals.sync_deals(server)
    asked = sandbox.command_count("DEAL_GET_BATCH") - before
    assert 5 < asked < deals.PAGES_MAX  # two days, in stretches that widen while little was traded
    assert Deal.objects.filter(ticket=done["closing_deal"], server=server).exists()
    deals.sync_deals(server)
    assert sandbox.command_count("DEAL_GET_BATCH") == before + asked + 1


def test_what_a_dealer_changes_later_is_read_again_while_new_deals_go_on(
    account: TradingAccount, server: TradingServer, sandbox: Sandbox
) -> None:
    deposit(sandbox, account)
    ticket = sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.1", hold_seconds=0)[
        "closing_deal"
    ]
    deals.sync_deals(server)
    sandbox.post("deal/edit", ticket=ticket, Profit="7.77")
    later = Deal.objects.get(server=server, ticket=ticket).server_msc + 600_000
    SyncCursor.objects.filter(server=server, kind="deals").update(position_msc=later)  # as if minutes had gone by
    assert resync.read_again(server, span=dt.timedelta(minutes=15)) == 1
    assert Deal.objects.get(server=server, ticket=ticket).profit == Decimal("7.77")
    assert resync.read_again(server, span=dt.timedelta(minutes=15)) == 0
    assert SyncCursor.objects.get(server=server, kind="deals").position_msc == later
    TradingServer.objects.filter(pk=server.pk).update(reads_export=True)
    server.refresh_from_db()
    assert resync.read_again(server, span=dt.timedelta(hours=26)) == 0  # an export tells each edit by its stamp


def test_no_account_waits_for_ever_where_there_are_more_than_one_run_reads(
    cast: Cast, server: TradingServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(money, "RUN_ACCOUNTS_MAX", 2)
    accounts = [make_account(cast.client, server, login=sandbox.new_account()) for _number in range(5)]
    for _run in range(3):
        money.sync_money(server)
    read = TradingAccount.objects.filter(pk__in=[one.pk for one in accounts], synced_at__isnull=False)
    assert read.count() == 5
    first = accounts[0].pk
    before = TradingAccount.objects.get(pk=first).synced_at
    money.sync_money(server)
    money.sync_money(server)
    assert TradingAccount.objects.get(pk=first).synced_at > before  # type: ignore[operator]
