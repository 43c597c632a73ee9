"""The points of "what goes wrong" (facts/platforms §9) as they apply to cTrader, over sockets; a test's name begins with the
number of its point. Money goes by WebServices and by the Manager API where both can.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from tests.cast import Cast
from tests.trading.ctrader_server import HASH, PASSWORD, CtraderSandbox, running_ctrader, wire_group
from tests.trading.factories import make_account, make_type
from trading import accounts, operations
from trading.choices import AccountState, IssueKind, MissingBecause, OperationKind, OperationState
from trading.models import BalanceOperation, Deal, DealEdit, PlatformIssue, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, NewAccount, Purpose, Right
from trading.platforms.ctrader.adapter import CtraderPlatform
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.sync import days, deals, money, reconcile

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
OVERLAP = dt.timedelta(seconds=30)
MONEY = {"rest": "CHANGEBALANCE", "manager": "CHANGE_BALANCE"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CtraderSandbox]:
    with running_ctrader(tmp_path_factory.mktemp("ctrader") / "state.sqlite") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: CtraderSandbox, settings: Any) -> Iterator[CtraderSandbox]:
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 3.0, 0.8
    shared.post("faults/clear")
    yield shared
    shared.post("faults/clear")
    shared.post("rights")
    pool.close_all()


@pytest.fixture(params=["rest", "manager"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(sandbox: CtraderSandbox, db: None) -> TradingServer:
    row = sandbox.row()
    row.save()
    return row


@pytest.fixture
def platform(sandbox: CtraderSandbox) -> Iterator[CtraderPlatform]:
    with sandbox.platform() as platform:
        yield platform


def account_on(cast: Cast, server: TradingServer, sandbox: CtraderSandbox, group: str = "real\\standard-EUR",
               amount: str = "0") -> TradingAccount:  # fmt: skip
    return make_account(
        cast.client, server, login=sandbox.account(group, amount), group=wire_group(group), currency=group.rpartition("-")[2],
        opened_at=timezone.now() - dt.timedelta(days=2),
    )  # fmt: skip


def reserve(account: TradingAccount, amount: str, key: str = "transfer:1") -> BalanceOperation:
    kind = OperationKind.WITHDRAWAL if amount.startswith("-") else OperationKind.DEPOSIT
    return operations.reserve_operation(
        account_id=account.pk, kind=kind, amount=Decimal(amount), idempotency_key=key, actor=None
    )


def due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)


def booked(sandbox: CtraderSandbox, account: TradingAccount) -> list[str]:
    return [deal["Profit"] for deal in sandbox.truth(account.login)["deals"]]


# -- 1, 2, 3: money -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_after", "never_after", "cut_off", "garbage"])
def test_01_an_answer_lost_after_a_deposit_was_booked_leaves_exactly_one(
    cast: Cast, sandbox: CtraderSandbox, db: None, way: str, fault: str
) -> None:
    row = sandbox.row(money=way)
    row.save()
    account = account_on(cast, row, sandbox)
    operation = reserve(account, "250.00")
    sandbox.fault(fault, MONEY[way], value=9)
    assert operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    operation.refresh_from_db()
    assert booked(sandbox, account) == ["250.00"]
    assert operation.ticket == 2**60 + int(sandbox.truth(account.login)["deals"][0]["Deal"])


def test_01_what_was_said_not_to_have_begun_is_looked_up_before_it_is_sent_again(
    cast: Cast, sandbox: CtraderSandbox, db: None, way: str
) -> None:
    row = sandbox.row(money=way)
    row.save()
    account = account_on(cast, row, sandbox)
    operation = reserve(account, "60.00")
    sandbox.fault("retcode_after", MONEY[way], value=47)  # "under maintenance", and yet it was booked
    assert operations.send_operation(operation.pk) == OperationState.RESERVED
    due(operation)
    assert operations.send_operation(operation.pk) == OperationState.CONFIRMED
    assert booked(sandbox, account) == ["60.00"]


def test_01_a_deposit_that_met_401_is_judged_by_who_said_it(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    """The platform's own code: it did not begin, and goes under a new token. A proxy's page: looked up, never repeated."""
    account = account_on(cast, server, sandbox)
    first, second = reserve(account, "61.00", "a"), reserve(account, "62.00", "b")
    assert pool.platform_for(server, Purpose.MONEY).read_account(account.login)
    sandbox.fault("session_ends", "CHANGEBALANCE")
    assert operations.send_operation(first.pk) == OperationState.RESERVED
    assert booked(sandbox, account) == []
    due(first)
    assert operations.send_operation(first.pk) == OperationState.CONFIRMED
    sandbox.fault("proxy_401", "CHANGEBALANCE")
    assert operations.send_operation(second.pk) == OperationState.UNKNOWN
    assert operations.resolve_operation(second.pk) == OperationState.CONFIRMED
    assert booked(sandbox, account) == ["61.00", "62.00"]


def test_01_without_a_look_up_no_money_is_sent(sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    with sandbox.platform(manager_api="no") as platform:
        assert not platform.capabilities.finds_by_reference and not platform.capabilities.balance_kinds
        for kind in BalanceKind:
            with pytest.raises(FinalError, match="needs the Manager API"):
                platform.balance_operation(login, kind, Decimal(5), "D:NOWHERE")
        with pytest.raises(FinalError, match="needs the Manager API"):
            platform.find_operations(login, Decimal(5), "D:NOWHERE", since=timezone.now())
    assert sandbox.truth(login)["deals"] == []


def test_02_an_edited_comment_hides_no_deposit(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    """`externalId` is not the comment's: a manager who writes over one leaves the other."""
    login = sandbox.account()
    ticket = platform.balance_operation(login, BalanceKind.BALANCE, Decimal(70), "D:KEPT")
    sandbox.post("deal/edit", ticket=ticket - 2**60, Comment="nothing like it")
    (found,) = platform.find_operations(login, Decimal(70), "D:KEPT", since=timezone.now() - HOUR)
    assert (found.ticket, found.comment, found.raw["comment"]) == (ticket, "D:KEPT", "nothing like it")
    assert platform.find_operations(login, Decimal(70), "nothing like it", since=timezone.now() - HOUR) == []


def test_02_a_bonus_is_found_by_what_is_left_of_its_comment(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    ticket = platform.balance_operation(login, BalanceKind.BONUS, Decimal(30), "B:ABCDEFGHIJKLMNOP")
    sandbox.post("deal/edit", ticket=ticket - 2**61, Comment="B:ABCDEFGHIJ")
    assert [deal.ticket for deal in platform.find_operations(
        login, Decimal(30), "B:ABCDEFGHIJKLMNOP", since=timezone.now() - HOUR)] == [ticket]  # fmt: skip


def test_02_two_candidates_are_put_before_a_person(cast: Cast, server: TradingServer, sandbox: CtraderSandbox) -> None:
    account = account_on(cast, server, sandbox)
    operation = reserve(account, "80.00")
    sandbox.fault("book_twice", "CHANGEBALANCE")
    sandbox.fault("drop_after", "CHANGEBALANCE")
    assert operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    issue = PlatformIssue.objects.get(kind=IssueKind.TWO_CANDIDATES)
    assert len(issue.details["tickets"]) == 2


def test_03_a_withdrawal_above_what_is_free_is_a_business_answer(sandbox: CtraderSandbox, way: str) -> None:
    login = sandbox.account(money="1000.00")
    sandbox.trade(login, "EURUSD", "0.20")
    with sandbox.platform(money=way) as platform, pytest.raises(FinalError) as problem:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("-900.00"), "W:TOOMUCH")
    assert (problem.value.code, "not enough money" in problem.value.message) == (1, True)


# -- 4: connections -----------------------------------------------------------------------------------------------------


def test_04_an_answer_under_another_number_is_nobodys(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    platform.manager.config = replace(platform.config, read_seconds=0.3)
    link = None
    for fault in ("foreign_id", "slow"):
        assert platform.server_time().server_msc
        link = platform.manager._link
        sandbox.fault(fault, "SERVER_TIME", value=0.4)
        with pytest.raises(ReadTimedOut, match="no answer within"):
            platform.server_time()
        time.sleep(0.2)  # the late answer comes, and is dropped
        assert platform.health().version.endswith("89.3")
    assert platform.manager._link is link  # the connection is as good as before


def test_04_several_requests_share_a_connection_and_each_gets_its_own_answer(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    logins = [sandbox.account(name=f"Number {number}") for number in range(6)]
    platform.directory.traders()
    sandbox.fault("slow", "TRADER_BY_ID", value=0.1, times=3)
    found: dict[str, str] = {}

    def ask(login: str) -> None:
        row = platform._trader_row(platform._trader(login))
        found[login] = str(row.login)

    threads = [threading.Thread(target=ask, args=(login,)) for login in logins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert found == {login: login for login in logins}


def test_04_a_server_that_falls_silent_is_left_and_found_again(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    """No heartbeat for so long: the connection is over, whatever was on its way is lost, the next request opens another."""
    platform.manager.silence_seconds, platform.manager.heartbeat_seconds = 0.7, 0.2
    platform.server_time()
    first = platform.manager._link
    sandbox.fault("silent", "VERSION")
    with pytest.raises(ReadTimedOut, match=r"silence for 0\.7 s"):
        platform.health()
    assert platform.server_time().server_msc and platform.manager._link is not first


def test_04_a_restart_is_one_lost_answer_at_most(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    assert platform.read_account(login) and platform.server_time()
    sandbox.post("restart")
    time.sleep(0.1)
    assert platform.read_account(login) and platform.server_time()


@pytest.mark.parametrize(
    ("code", "words"),
    [(14, "signed in already"), (67, "no further connection"), (3, "login or password is wrong"), (2, "no right")],
)
def test_04_a_log_in_that_is_refused_starts_nothing(sandbox: CtraderSandbox, code: int, words: str) -> None:
    login = sandbox.account()
    sandbox.fault("retcode", "AUTH", value=code)
    with sandbox.platform(money="manager") as platform:
        with pytest.raises((NotStarted, FinalError), match=words) as problem:
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:LOGIN")
        assert problem.value.code == code
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:LOGIN")
    assert [deal["Profit"] for deal in sandbox.truth(login)["deals"]] == ["5.00"]


@pytest.mark.parametrize("command", ["AUTH", "SERVER_TIME"])
def test_04_maintenance_says_in_words_until_when(sandbox: CtraderSandbox, command: str) -> None:
    sandbox.fault("maintenance", command, value=3600)
    until = f"{dt.datetime.now(dt.UTC) + HOUR:%Y-%m-%d %H:}"
    with sandbox.platform() as platform, pytest.raises(NotStarted) as problem:
        platform.server_time()
    assert f"under maintenance until {until}" in problem.value.message and problem.value.code == 47


def test_04_a_child_of_a_fork_leaves_the_parents_connections_alone(sandbox: CtraderSandbox) -> None:
    with sandbox.platform() as platform:
        assert platform.health()
        sessions = sandbox.state()["sessions"]
        child = os.fork()
        if not child:
            code = 1
            try:
                code = 0 if not platform.manager.is_connected and platform.health() else 2
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        link = platform.manager._link
        assert platform.health() and platform.manager._link is link
        assert sandbox.state()["sessions"] >= sessions


def test_04_requests_come_too_often_and_nothing_is_done(sandbox: CtraderSandbox, way: str) -> None:
    login = sandbox.account()
    with sandbox.platform(money=way) as platform:
        assert platform.read_account(login) and platform.server_time()
        sandbox.fault("too_frequent", MONEY[way])
        with pytest.raises(PlatformBusy):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:BUSY")
    assert sandbox.truth(login)["deals"] == []


# -- 5, 6: time and new deals -------------------------------------------------------------------------------------------


def test_05_times_are_utc_on_the_night_of_summer_time_too(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account(money="20000.00")
    sandbox.post("clock", at="2026-10-25T00:59:59Z")
    try:
        sandbox.post("close", position=sandbox.trade(login)["position"])
        last = [deal for deal in platform.deals_of(login, from_msc=0, to_msc=2**45) if deal.symbol][-1]
        assert (
            dt.timedelta(0)
            <= last.executed_at - dt.datetime(2026, 10, 25, 0, 59, 59, tzinfo=dt.UTC)
            < dt.timedelta(seconds=9)
        )
        assert platform.server_time().offset_seconds == 0 and last.server_msc == last.executed_at.timestamp() * 1000
    finally:
        sandbox.post("clock")


def tickets(platform: CtraderPlatform, cursor: int | None, login: str) -> tuple[list[int], int]:
    found, page = [], None
    while page is None or page.has_more:
        page = platform.deals_since(cursor, mask="*", overlap=OVERLAP)
        found += [deal.ticket for deal in page.deals if deal.login == login]
        cursor = page.cursor
    return found, page.cursor


@pytest.mark.parametrize("fault", ["event_dropped", "event_doubled"])
def test_06_an_event_that_never_came_or_came_twice_is_one_deal(
    sandbox: CtraderSandbox, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is pushed is told at once; what was not is found by the lists, which are asked now and then all the same."""
    login = sandbox.account(money="20000.00")
    with sandbox.platform() as platform:
        _found, cursor = tickets(platform, None, login)
        monkeypatch.setattr("trading.platforms.ctrader.history.LIST_AGAIN_SECONDS", 0.5)
        platform._listed_at = time.monotonic()
        platform.stream.live_from(0, platform.stream.session)  # as if it had been open for long
        listed = sandbox.command_count("DEAL_LIST")
        sandbox.fault(fault, "EVENT")
        deal = sandbox.trade(login)["deal"]
        time.sleep(0.15)
        found, cursor = tickets(platform, cursor, login)
        assert found.count(deal) == (0 if fault == "event_dropped" else 1)
        assert sandbox.command_count("DEAL_LIST") == listed
        time.sleep(0.5)
        found, cursor = tickets(platform, cursor, login)
        assert found.count(deal) == 1 and sandbox.command_count("DEAL_LIST") == listed + 1


def test_06_what_happened_while_the_connection_was_away_is_listed(sandbox: CtraderSandbox) -> None:
    login = sandbox.account(money="20000.00")
    with sandbox.platform() as platform:
        _found, cursor = tickets(platform, None, login)
        platform.stream.live_from(0, platform.stream.session)
        sandbox.post("restart")
        deal = sandbox.trade(login)["deal"]
        time.sleep(0.1)
        found, _cursor = tickets(platform, cursor, login)
    assert found.count(deal) == 1


def test_06_a_dealers_edit_and_a_deleted_deal_are_found_by_the_night(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    account = account_on(cast, server, sandbox, amount="20000.00")
    kept, gone = (sandbox.trade(account.login)["deal"] for _time in range(2))
    deals.sync_deals(server)
    sandbox.post("deal/edit", ticket=kept, Price="1.23456")
    sandbox.post("deal/delete", ticket=gone)
    today = days.day_of(pool.platform_for(server, Purpose.READS).server_time().server_msc)
    days.check_days(server, [today])
    assert Deal.objects.get(server=server, ticket=kept).price == Decimal("1.23456")
    assert Deal.every.get(server=server, ticket=gone).deleted_at is not None
    assert {edit.ticket for edit in DealEdit.objects.filter(server=server)} >= {kept, gone}


def test_06_a_quiet_pause_of_days_is_caught_up_a_day_at_a_time(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account(money="20000.00")
    deal = sandbox.trade(login)["deal"]
    cursor = platform.server_time().server_msc - 3 * 86_400_000
    pages, found = 0, set()
    while True:
        page = platform.deals_since(cursor, mask="*", overlap=OVERLAP)
        found.update(one.ticket for one in page.deals)
        cursor, pages = page.cursor, pages + 1
        if not page.has_more:
            break
    assert pages == 4 and deal in found


# -- 7, 8, 10, 11: numbers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "amount"), [("real\\standard-JPY", "5000"), ("real\\cent-USC", "12.34"), ("real\\vip-GBP", "0.01")]
)
def test_07_amounts_have_the_digits_of_the_accounts_currency(
    sandbox: CtraderSandbox, way: str, group: str, amount: str
) -> None:
    login = sandbox.account(group)
    with sandbox.platform(money=way) as platform:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(amount), "D:DIGITS")
        (found,) = platform.find_operations(login, Decimal(amount), "D:DIGITS", since=timezone.now() - HOUR)
        (worth,) = platform.account_money([login])
        assert found.profit == worth.balance == Decimal(amount) == Decimal(sandbox.truth(login)["balance"])
        with pytest.raises(FinalError):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal("0.001"), "D:FINER")


def test_08_closed_lots_are_what_was_closed_also_when_a_position_turns(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account("real\\netting-EUR", money="50000.00")
    sandbox.trade(login, "EURUSD", "0.30")
    sandbox.trade(login, "EURUSD", "0.50", side="sell")
    opening, turning = (deal for deal in platform.deals_of(login, from_msc=0, to_msc=2**45) if deal.symbol)
    assert (opening.entry, opening.lots, opening.closed_lots) == (0, Decimal("0.3"), 0)
    assert (turning.entry, turning.lots, turning.closed_lots) == (2, Decimal("0.5"), Decimal("0.3"))
    assert opening.position_id == turning.position_id
    (held,) = [one for one in platform.positions(mask="*") if one.login == login]
    assert (held.action, held.lots) == (1, Decimal("0.2"))


def test_08_a_position_is_valued_at_the_quote_in_the_accounts_currency(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account("real\\standard-GBP", money="50000.00")
    sandbox.trade(login, "USDJPY", "0.40")
    (held,) = [one for one in platform.positions(mask=wire_group("real\\standard-GBP")) if one.login == login]
    assert held.price_current != held.price_open and held.profit
    move = (held.price_current - held.price_open) * 40_000  # yen
    assert Decimal("0.003") < held.profit / move < Decimal("0.02")


def test_10_only_trades_are_trades(cast: Cast, server: TradingServer, sandbox: CtraderSandbox) -> None:
    account = account_on(cast, server, sandbox, "real\\standard-USD", "5000.00")
    for kind, amount in (("credit", "40.00"), ("bonus", "30.00"), ("balance", "-10.00")):
        sandbox.post("balance", login=int(account.login), amount=amount, kind=kind)
    sandbox.post("close", position=sandbox.trade(account.login)["position"])
    deals.sync_deals(server)
    found = sorted((deal.action, deal.entry) for deal in Deal.objects.filter(account=account))
    assert found == [(0, 0), (1, 1), (2, 0), (2, 0), (3, 0), (6, 0)]
    money.sync_money(server)
    account.refresh_from_db()
    assert account.credit == 70
    assert not reconcile.find_breaks(server)


def test_11_a_deal_and_a_deposit_of_the_same_number_are_two_tickets(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    """Each ledger has its own sequence; in the sandbox they run through one, so closings have the same number in both."""
    login = sandbox.account(money="20000.00")
    sandbox.post("close", position=sandbox.trade(login)["position"])
    found = list(platform.deals_of(login, from_msc=0, to_msc=2**45))
    assert len({deal.ticket for deal in found}) == len(found) == 3
    assert sorted(deal.ticket for deal in platform.deals_by_ticket([deal.ticket for deal in found])) == sorted(
        deal.ticket for deal in found
    )
    assert max(deal.ticket for deal in found) < 2**63 and all(isinstance(deal.raw["traderId"], str) for deal in found)


# -- 12, 13, 14, 15: accounts -------------------------------------------------------------------------------------------


def wanted(**fields: Any) -> NewAccount:
    values = {
        "login": "", "group": "LIVE_STANDARD_EUR", "leverage": 30, "name": "Anna Muster", "currency": "EUR",
        "reference": f"keelson-{time.monotonic_ns()}", "main_password": "Abcdef1!", "investor_password": "Abcdef2!",
        "email": f"{time.monotonic_ns()}@traders.example", **fields,
    }  # fmt: skip
    return NewAccount(**values)


def test_12_trader_ctid_and_link_are_made_in_this_order(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    wish = wanted()
    made = platform.create_account(wish)
    with sandbox.rest(sandbox.token()) as rest:
        again = rest.post("/cid/ctid/create", json={"email": wish.email, "brokerName": "keelson"}).json()
        link = {"traderLogin": int(made.login), "userId": again["userId"], "brokerName": "keelson",
                "traderPasswordHash": "8d8b9d4a8c1e", "environmentName": "live"}  # fmt: skip
        assert again.keys() == {"userId"} and rest.post("/cid/ctid/link", json=link).status_code == 400
    second = platform.create_account(wanted(email=wish.email))  # one person, two accounts
    assert second.login != made.login and made.allowed == {Right.SIGN_IN, Right.TRADE}


@pytest.mark.parametrize(
    ("fault", "command", "kind"),
    [
        ("retcode", "CTID_CREATE", FinalError), ("retcode", "CTID_LINK", FinalError), ("drop_before", "CTID_LINK", OutcomeUnknown),
        ("drop_after", "CTID_LINK", OutcomeUnknown), ("never_after", "CTID_CREATE", OutcomeUnknown),
    ],
)  # fmt: skip
def test_12_an_account_whose_ctid_fails_is_disabled_again_and_a_repeat_finds_it(
    sandbox: CtraderSandbox, fault: str, command: str, kind: type[Exception]
) -> None:
    before, wish = sandbox.state()["users"], wanted()
    sandbox.fault(fault, command, value=2)
    with sandbox.platform() as platform:
        with pytest.raises(kind, match="made and disabled again"):
            platform.create_account(wish)
        with sandbox.manager() as manager:
            request = pb.ProtoTraderListReq(fromTimestamp=0, toTimestamp=2**45)
            rows = manager.ask(request, pb.ProtoTraderListRes).trader
        (row,) = [one for one in rows if one.description == wish.reference]
        assert row.accessRights == pb.NO_LOGIN
        found = platform.create_account(replace(wish, may_exist=True, main_password="Zyxwvu9?"))
        assert found.login == str(row.login) and platform.check_password(found.login, "Zyxwvu9?")
        again = platform.read_account(found.login)
    assert again is not None and again.allowed == {Right.SIGN_IN, Right.TRADE}
    assert sandbox.state()["users"] == before + 1


def test_12_a_person_who_tries_a_failed_account_again_gets_the_first_one(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    account_type = make_type(cast.brand, server, group="LIVE_STANDARD_EUR", kyc_level=0)
    account = accounts.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="wish:1", actor=None
    )
    before = sandbox.state()["users"]
    sandbox.fault("retcode", "CTID_LINK", value=2)
    assert accounts.open_on_platform(account.pk) == AccountState.FAILED
    accounts.retry_account(account_id=account.pk, actor=None)
    assert accounts.open_on_platform(account.pk) == AccountState.OPEN
    assert sandbox.state()["users"] == before + 1


@pytest.mark.parametrize("manager_api", ["yes", "no"])
def test_12_a_lost_answer_to_a_new_account_is_found_by_our_reference(sandbox: CtraderSandbox, manager_api: str) -> None:
    before, wish = sandbox.state()["users"], wanted()
    sandbox.fault("drop_after", "TRADER_ADD")
    with sandbox.platform(manager_api=manager_api) as platform:
        with pytest.raises(OutcomeUnknown):
            platform.create_account(wish)
        found = platform.create_account(replace(wish, may_exist=True))
    assert found.reference == wish.reference and sandbox.state()["users"] == before + 1


@pytest.mark.parametrize("manager_api", ["yes", "no"])
def test_13_a_group_of_another_currency_or_none_is_refused(sandbox: CtraderSandbox, manager_api: str) -> None:
    login = sandbox.account()
    with sandbox.platform(manager_api=manager_api) as platform:
        for group in ("LIVE_STANDARD_USD", "live_pro_eur"):  # names are told apart by case
            with pytest.raises(FinalError):
                platform.update_account(login, group=group)
        assert platform.update_account(login, group="LIVE_PRO_EUR").group == "LIVE_PRO_EUR"


def test_14_what_a_dealer_set_is_not_written_over(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    with sandbox.rest(sandbox.token()) as rest:
        rest.patch(f"/v2/webserv/traders/{login}", json={"accessRights": "CLOSE_ONLY"})
    assert platform.update_account(login, leverage=50).rights == 1  # still closing only
    assert platform.update_account(login, rights={Right.TRADE: False}).rights == 1
    assert platform.disable_account(login).allowed == frozenset()
    back = platform.update_account(login, rights={Right.SIGN_IN: True, Right.TRADE: True})
    assert (back.rights, back.leverage) == (0, 50)


def test_14_a_change_that_met_another_is_read_and_made_again(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account()
    sandbox.fault("concurrent", "CRUD_TRADER", times=2)
    assert platform.update_account(login, leverage=20).leverage == 20
    sandbox.fault("concurrent", "CRUD_TRADER", times=3)
    with pytest.raises(PlatformBusy, match="at the same moment"):
        platform.update_account(login, leverage=25)
    assert sandbox.truth(login)["leverage"] == 20


def test_15_a_deleted_account_is_marked_and_its_rows_stay(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    account = account_on(cast, server, sandbox, amount="500.00")
    deals.sync_deals(server)
    sandbox.post("archive", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_because == MissingBecause.GONE and Deal.objects.filter(account=account).count() == 1
    sandbox.post("restore", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_since is None


# -- 16, 17 -------------------------------------------------------------------------------------------------------------


def test_16_no_secret_is_in_a_log_an_error_or_a_repr(sandbox: CtraderSandbox, caplog: pytest.LogCaptureFixture) -> None:
    """Token, manager's hash and traders' hashes, in every way that a request can go."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    login, wish = sandbox.account(), wanted()
    with sandbox.platform() as platform:
        made = platform.create_account(wish)
        platform.change_password(made.login, "Newpass1!")
        tokens = {platform.rest._token}
        platform.rest.config = replace(platform.config, read_seconds=0.2, write_seconds=0.2, connect_seconds=0.2)
        said += [repr(one) for one in (platform.config, platform.rest, platform.manager, platform, wish, made)]
        works = (
            ("CHANGEBALANCE", lambda: platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D:SECRET")),
            ("TRADER_GET", lambda: platform.read_account(login)),
            ("TOKEN", lambda: platform.health()),
        )
        for fault in (
            "drop_before",
            "drop_after",
            "never_after",
            "garbage",
            "cut_off",
            "session_ends",
            "proxy_401",
            "maintenance",
        ):
            for command, work in works:
                if command == "TOKEN":
                    platform.rest._token = ""
                sandbox.fault(fault, command, value=9)
                said += errors_of(work)
                sandbox.post("faults/clear")
                tokens.add(platform.rest._token)
    told = "\n".join([*said, caplog.text])
    secrets = [HASH, PASSWORD, "Abcdef1!", "Newpass1!", *filter(None, tokens)]
    assert len(tokens) > 3 and not [secret for secret in secrets if secret in told]
    assert "token=" not in "\n".join(said) and len(said) > 20


def errors_of(work: Any) -> list[str]:
    """What an error says, and what all the errors behind it say."""
    said: list[str] = []
    try:
        work()
    except Exception as problem:
        chain: BaseException | None = problem
        while chain is not None:
            said.append(f"{chain!r} {chain} {chain.args}")
            chain = chain.__cause__ or chain.__context__
    return said


def test_16_our_own_http_never_logs_an_address(sandbox: CtraderSandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with sandbox.platform() as platform:
        assert platform.health()
        token = platform.rest._token
    assert token and token not in caplog.text and "/v2/webserv" not in caplog.text


def test_16_passwords_are_set_by_hash_and_there_is_no_investors(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account()
    platform.change_password(login, "Ganz-neu1!")
    assert platform.check_password(login, "Ganz-neu1!") and not platform.check_password(login, "Ganz-alt1!")
    for work in (platform.change_password, platform.check_password):
        with pytest.raises(FinalError, match="no investor password"):
            work(login, "Ganz-neu1!", investor=True)


def test_17_answers_in_single_bytes_are_read_whole(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account(money="7.00", name="Zoë | = \\ 🙂")
    whole = (
        platform.read_account(login),
        platform.account_money([login]),
        list(platform.deals_of(login, from_msc=0, to_msc=2**45)),
    )
    for command in ("TRADER_GET", "BALANCE_HISTORY_LIST", "DEAL_LIST", "VERSION"):
        sandbox.fault("split", command, value=1, times=2)
    assert platform.health().version
    again = (
        platform.read_account(login),
        platform.account_money([login]),
        list(platform.deals_of(login, from_msc=0, to_msc=2**45)),
    )
    assert again == whole and whole[0] is not None and whole[0].name == "Zoë | = \\ 🙂"


def test_17_a_server_that_drips_holds_nobody_for_long(sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    with sandbox.platform() as platform:
        platform.rest.config = replace(platform.config, read_seconds=0.4)
        assert platform.read_account(login)
        sandbox.fault("drip", "TRADER_GET", value=0.05)
        started = time.monotonic()
        with pytest.raises(ReadTimedOut):
            platform.read_account(login)
        assert time.monotonic() - started < 1.5


def test_17_an_answer_that_comes_twice_is_read_once(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    first, second = sandbox.account(), sandbox.account()
    sandbox.fault("duplicate", "TRADER_BY_ID")
    sandbox.fault("duplicate", "TRADER_GET")
    for login in (first, second, first):
        assert platform.update_account(login, leverage=40).login == login


def test_17_a_list_larger_than_a_packet_comes_whole(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account("real\\vip-USD", money="100000.00")
    sandbox.post("trades", logins=[int(login)] * 150, symbol="EURUSD", lots="0.01")
    found = [deal for deal in platform.deals_of(login, from_msc=0, to_msc=2**45) if deal.symbol]
    assert len(found) == 300 == len({deal.ticket for deal in found})
    assert sum(deal.closed_lots for deal in found) == Decimal("1.50")


def test_17_a_session_that_ends_in_the_middle_is_opened_again_by_a_read(
    platform: CtraderPlatform, sandbox: CtraderSandbox
) -> None:
    login = sandbox.account()
    assert platform.read_account(login)
    tokens = sandbox.command_count("TOKEN")
    sandbox.fault("session_ends", "TRADER_GET")
    assert platform.read_account(login)
    assert sandbox.command_count("TOKEN") == tokens + 1
