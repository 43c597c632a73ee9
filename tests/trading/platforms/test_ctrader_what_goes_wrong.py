"""The points of "what goes wrong" (facts/platforms §9) as they apply to cTrader, over sockets; a test's name begins with the
number of its point. Money goes by WebServices and by the Manager API where both can. Point 4 is in `test_ctrader_connections`,
12 to 16 in `test_ctrader_accounts`, 17 in both.
"""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.ctrader_server import CtraderSandbox, wire_group
from tests.trading.factories import make_account
from trading.accounts import balance_operations
from trading.choices import IssueKind, OperationKind, OperationState
from trading.models import BalanceOperation, Deal, DealEdit, PlatformIssue, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, Purpose
from trading.platforms.ctrader.platform import CtraderPlatform
from trading.platforms.errors import FinalError, NotStarted
from trading.sync import days, deals, money, reconcile

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
OVERLAP = dt.timedelta(seconds=30)
MONEY = {"rest": "CHANGEBALANCE", "manager": "CHANGE_BALANCE"}


@pytest.fixture
def sandbox(ctrader: CtraderSandbox) -> CtraderSandbox:
    return ctrader


@pytest.fixture
def server(ctrader_row: TradingServer) -> TradingServer:
    return ctrader_row


@pytest.fixture
def platform(ctrader_platform: CtraderPlatform) -> CtraderPlatform:
    return ctrader_platform


@pytest.fixture(params=["rest", "manager"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def account_on(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox, group: str = "real\\standard-EUR", amount: str = "0"
) -> TradingAccount:
    return make_account(
        cast.client,
        server,
        login=sandbox.account(group, amount),
        group=wire_group(group),
        currency=group.rpartition("-")[2],
        opened_at=timezone.now() - dt.timedelta(days=2),
    )


def reserve(account: TradingAccount, amount: str, key: str = "transfer:1") -> BalanceOperation:
    kind = OperationKind.WITHDRAWAL if amount.startswith("-") else OperationKind.DEPOSIT
    return balance_operations.reserve_operation(
        account_id=account.pk, kind=kind, amount=Decimal(amount), idempotency_key=key, actor=None
    )


def due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)


def booked(sandbox: CtraderSandbox, account: TradingAccount) -> list[str]:
    return [deal["Profit"] for deal in sandbox.truth(account.login)["deals"]]


# -- 1, 2, 3: money -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop_after", "cut_off"])
def test_01_an_answer_lost_after_a_deposit_was_booked_leaves_exactly_one(
    cast: Cast, sandbox: CtraderSandbox, db: None, way: str, fault: str
) -> None:
    row = sandbox.row(money=way)
    row.save()
    account = account_on(cast, row, sandbox)
    operation = reserve(account, "250.00")
    sandbox.fault(fault, MONEY[way], value=9)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
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
    assert balance_operations.send_operation(operation.pk) == OperationState.RESERVED
    due(operation)
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    assert booked(sandbox, account) == ["60.00"]


def test_01_a_deposit_that_met_401_is_judged_by_who_said_it(
    cast: Cast, server: TradingServer, sandbox: CtraderSandbox
) -> None:
    """The platform's own code: it did not begin, and goes under a new token. A proxy's page: looked up, never repeated."""
    account = account_on(cast, server, sandbox)
    first, second = reserve(account, "61.00", "a"), reserve(account, "62.00", "b")
    assert pool.platform_for(server, Purpose.MONEY).read_account(account.login)
    sandbox.fault("session_ends", "CHANGEBALANCE")
    assert balance_operations.send_operation(first.pk) == OperationState.RESERVED
    assert booked(sandbox, account) == []
    due(first)
    assert balance_operations.send_operation(first.pk) == OperationState.CONFIRMED
    sandbox.fault("proxy_401", "CHANGEBALANCE")
    assert balance_operations.send_operation(second.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(second.pk) == OperationState.CONFIRMED
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


@pytest.mark.parametrize("command", ["LIGHT_TRADER_LIST", "ASSET_LIST"])
def test_01_a_question_before_the_money_that_is_not_answered_started_nothing(
    sandbox: CtraderSandbox, command: str
) -> None:
    login = sandbox.account()
    sandbox.fault("drop_before", command)
    with sandbox.platform(money="manager") as platform:
        with pytest.raises(NotStarted):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:ASKED")
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:ASKED")
    assert [deal["Profit"] for deal in sandbox.truth(login)["deals"]] == ["5.00"]


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
    assert [
        deal.ticket
        for deal in platform.find_operations(login, Decimal(30), "B:ABCDEFGHIJKLMNOP", since=timezone.now() - HOUR)
    ] == [ticket]


def test_02_two_candidates_are_put_before_a_person(cast: Cast, server: TradingServer, sandbox: CtraderSandbox) -> None:
    account = account_on(cast, server, sandbox)
    operation = reserve(account, "80.00")
    sandbox.fault("book_twice", "CHANGEBALANCE")
    sandbox.fault("drop_after", "CHANGEBALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    issue = PlatformIssue.objects.get(kind=IssueKind.TWO_CANDIDATES)
    assert len(issue.details["tickets"]) == 2


def test_03_a_withdrawal_above_what_is_free_is_a_business_answer(sandbox: CtraderSandbox, way: str) -> None:
    login = sandbox.account(money="1000.00")
    sandbox.trade(login, "EURUSD", "0.20")
    with sandbox.platform(money=way) as platform, pytest.raises(FinalError) as problem:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("-900.00"), "W:TOOMUCH")
    assert (problem.value.code, "not enough money" in problem.value.message) == (1, True)


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


def tickets(
    platform: CtraderPlatform, cursor: int | None, login: str, overlap: dt.timedelta = OVERLAP
) -> tuple[list[int], int]:
    found, page = [], None
    while page is None or page.has_more:
        page = platform.deals_since(cursor, mask="*", overlap=overlap)
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
        found, cursor = tickets(platform, cursor, login, dt.timedelta(0))  # as on a busy server: hardly any overlap
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
