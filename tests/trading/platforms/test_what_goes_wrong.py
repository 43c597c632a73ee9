"""The seventeen points of "what goes wrong" (facts/platforms §9), each over sockets, where it matters in both forms.

A test's name begins with the number of its point.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.factories import make_account, make_server, make_type
from tests.trading.sandbox_server import Sandbox, running_sandbox
from trading.accounts import balance_operations, opening
from trading.accounts import changes as accounts
from trading.choices import IssueKind, OperationKind, OperationState
from trading.models import BalanceOperation, Deal, DealEdit, PlatformIssue, Position, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, Purpose
from trading.platforms.errors import FinalError, OutcomeUnknown, ReadTimedOut
from trading.platforms.mt5.platform import Mt5Platform
from trading.sync import deals, money, positions, reconcile

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(params=["raw", "rest"])
def either(request: pytest.FixtureRequest, db: None, sandbox: Sandbox, settings: Any) -> Iterator[TradingServer]:
    """The sandbox's server, over each form of the Web API."""
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 10.0, 1.5
    if request.param == "rest":
        yield make_server(port=sandbox.rest_port, transport="rest", certificate=sandbox.certificate)
    else:
        yield make_server(port=sandbox.port)
    sandbox.post("clock")
    pool.close_all()


def account_on(
    cast: Cast, server: TradingServer, sandbox: Sandbox, group: str = "real\\standard-EUR"
) -> TradingAccount:
    currency = group.rpartition("-")[2]
    return make_account(cast.client, server, login=sandbox.new_account(group), group=group, currency=currency)


def reserve(account: TradingAccount, amount: str, key: str = "transfer:1") -> BalanceOperation:
    kind = OperationKind.WITHDRAWAL if amount.startswith("-") else OperationKind.DEPOSIT
    return balance_operations.reserve_operation(
        account_id=account.pk, kind=kind, amount=Decimal(amount), idempotency_key=key, actor=None
    )


def fund(sandbox: Sandbox, account: TradingAccount, amount: str = "20000.00", comment: str = "fund") -> int:
    with sandbox.client() as client:
        parameters = {"LOGIN": account.login, "TYPE": 2, "BALANCE": amount, "COMMENT": comment}
        return client.write("TRADE_BALANCE", parameters).number("TICKET")


def on_platform(sandbox: Sandbox, account: TradingAccount) -> list[dict[str, str]]:
    with sandbox.client() as client:
        return client.read("DEAL_GET_BATCH", {"LOGIN": account.login, "FROM": 0, "TO": 0}).rows()


def reads(server: TradingServer) -> Any:
    return pool.platform_for(server, Purpose.READS)


@pytest.mark.parametrize("fault", ["drop_after", "never_after", "cut_off"])
def test_01_an_answer_lost_after_a_deposit_was_booked_leaves_exactly_one(
    cast: Cast, either: TradingServer, sandbox: Sandbox, fault: str
) -> None:
    account = account_on(cast, either, sandbox)
    operation = reserve(account, "250.00")
    sandbox.fault(fault, "TRADE_BALANCE", value=15)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    (deal,) = on_platform(sandbox, account)
    operation.refresh_from_db()
    assert (str(operation.ticket), deal["Comment"], deal["Profit"]) == (deal["Deal"], operation.reference, "250.00")


def due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)


def test_01_what_was_said_not_to_have_begun_is_looked_up_before_it_is_sent_again(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    operation = reserve(account, "60.00")
    sandbox.fault("retcode_after", "TRADE_BALANCE", value=11)  # "not available", and yet it was booked
    assert balance_operations.send_operation(operation.pk) == OperationState.RESERVED
    due(operation)
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    (deal,) = on_platform(sandbox, account)
    operation.refresh_from_db()
    assert (str(operation.ticket), operation.attempts) == (deal["Deal"], 2)


def test_01_a_deposit_that_met_a_lost_session_is_booked_by_the_second_attempt(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    operation = reserve(account, "61.00")
    sandbox.fault("forbidden", "TRADE_BALANCE")
    first = balance_operations.send_operation(operation.pk)
    if either.transport == "raw":  # a closed connection tells nothing: it is looked for, and never sent again
        assert first == OperationState.UNKNOWN
        assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
        assert on_platform(sandbox, account) == []
        return
    assert first == OperationState.RESERVED
    due(operation)
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    assert len(on_platform(sandbox, account)) == 1


def test_02_a_comment_that_a_manager_changed_is_not_taken_for_ours_and_a_person_is_asked(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    operation = reserve(account, "40.00")
    sandbox.fault("drop_after", "TRADE_BALANCE")
    balance_operations.send_operation(operation.pk)
    (deal,) = on_platform(sandbox, account)
    sandbox.post("deal/edit", ticket=int(deal["Deal"]), Comment="checked by desk")
    fund(sandbox, account, "41.00", operation.reference)  # the right reference on another amount
    for _check in range(len(balance_operations.LOOK_UP_WAITS)):
        BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)
        assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    assert PlatformIssue.objects.get(subject=operation.reference).kind == IssueKind.NOT_FOUND
    assert len(on_platform(sandbox, account)) == 2  # nothing was sent again


def test_03_money_behind_open_positions_can_not_be_withdrawn(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    fund(sandbox, account, "1000.00")
    sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.20")
    operation = reserve(account, "-900.00")
    assert balance_operations.send_operation(operation.pk) == OperationState.FAILED
    operation.refresh_from_db()
    assert (operation.retcode, operation.error_kind) == (10019, "final")


def test_04_a_late_answer_is_never_the_next_ones(cast: Cast, either: TradingServer, sandbox: Sandbox) -> None:
    first, second = account_on(cast, either, sandbox), account_on(cast, either, sandbox)
    one, two = reserve(first, "10.00"), reserve(second, "20.00", "transfer:2")
    sandbox.fault("slow", "TRADE_BALANCE", value=2.0)
    assert balance_operations.send_operation(one.pk) == OperationState.UNKNOWN
    assert balance_operations.send_operation(two.pk) == OperationState.CONFIRMED
    time.sleep(0.7)
    assert balance_operations.resolve_operation(one.pk) == OperationState.CONFIRMED
    for operation, account in ((one, first), (two, second)):
        operation.refresh_from_db()
        (deal,) = on_platform(sandbox, account)
        assert str(operation.ticket) == deal["Deal"]


def test_05_on_the_day_the_clock_goes_back_no_deal_is_missed_and_no_deposit_lost(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    sandbox.post("clock", at="2026-10-25T00:59:30Z")  # EET: from 04:00 back to 03:00 at 01:00 UTC
    before = fund(sandbox, account, "10.00", "before")
    deals.sync_deals(either)
    sandbox.post("clock", at="2026-10-25T01:00:10Z")
    after = fund(sandbox, account, "20.00", "after")
    deals.sync_deals(either)
    rows = {row.ticket: row for row in Deal.objects.filter(account=account)}
    assert rows.keys() == {before, after}
    assert rows[before].server_msc > rows[after].server_msc  # the raw time is kept as it came: it went back
    sent = dt.datetime(2026, 10, 25, 1, 0, tzinfo=dt.UTC)
    for amount, comment, ticket in (("10.00", "before", before), ("20.00", "after", after)):
        (found,) = reads(either).find_operations(account.login, Decimal(amount), comment, since=sent)
        assert found.ticket == ticket


def test_06_what_dealers_edit_is_read_again_and_what_they_delete_is_found_at_night(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    edited, deleted = fund(sandbox, account, "100.00"), fund(sandbox, account, "50.00")
    deals.sync_deals(either)
    sandbox.post("deal/edit", ticket=edited, Profit="90.00")
    deals.sync_deals(either)
    assert Deal.objects.get(server=either, ticket=edited).profit == 90
    assert DealEdit.objects.get(server=either, ticket=edited).before["Profit"] == "100.00"
    money.sync_money(either)
    assert reconcile.find_breaks(either) == []
    sandbox.post("deal/delete", ticket=deleted)
    deals.sync_deals(either)
    money.sync_money(either)
    (one,) = reconcile.reconcile(either)
    assert (one.login, one.balance, one.balance_of_deals) == (account.login, 90, 140)
    assert Deal.objects.filter(server=either, ticket=deleted).exists()  # history is not unwritten by itself


@pytest.mark.parametrize(
    ("group", "amount"), [("real\\standard-JPY", "150001"), ("real\\cent-USC", "12345.67"), ("real\\pro-USD", "0.01")]
)
def test_07_amounts_stay_exact_in_the_accounts_own_currency(
    cast: Cast, either: TradingServer, sandbox: Sandbox, group: str, amount: str
) -> None:
    account = account_on(cast, either, sandbox, group)
    fund(sandbox, account, amount)
    deals.sync_deals(either)
    money.sync_money(either)
    account.refresh_from_db()
    assert account.balance == Decimal(amount) == Deal.objects.get(account=account).profit
    assert reconcile.find_breaks(either) == []


def test_08_a_turned_position_closes_what_it_closed_and_no_more(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox, "real\\netting-EUR")
    fund(sandbox, account)
    for side, lots in (("buy", "1.00"), ("sell", "0.30"), ("sell", "1.50")):
        sandbox.post("trade", login=int(account.login), symbol="EURUSD", side=side, lots=lots)
    deals.sync_deals(either)
    rows = list(Deal.objects.filter(account=account, action__in=[0, 1]).order_by("ticket"))
    assert [(row.entry, row.lots, row.closed_lots) for row in rows] == [
        (0, Decimal("1.00"), 0),
        (1, Decimal("0.30"), Decimal("0.30")),
        (2, Decimal("1.50"), Decimal("0.70")),
    ]
    hedged = account_on(cast, either, sandbox)
    fund(sandbox, hedged)
    pair = [
        sandbox.post("trade", login=int(hedged.login), symbol="EURUSD", side=side, lots="0.20")["position"]
        for side in ("buy", "sell")
    ]
    sandbox.post("close_by", position=pair[0], by=pair[1])
    deals.sync_deals(either)
    outs = Deal.objects.filter(account=hedged, entry=3)
    assert [row.closed_lots for row in outs] == [Decimal("0.20")] * 2


def test_09_a_netted_position_keeps_its_number_and_hedged_ones_have_their_own(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    netted, hedged = account_on(cast, either, sandbox, "real\\netting-USD"), account_on(cast, either, sandbox)
    for account in (netted, hedged):
        fund(sandbox, account)
        for _again in range(3):
            sandbox.post("trade", login=int(account.login), symbol="EURUSD", lots="0.10")
    deals.sync_deals(either)
    positions.sync_positions(either)
    numbers = {
        account: set(Deal.objects.filter(account=account, action=0).values_list("position_id", flat=True))
        for account in (netted, hedged)
    }
    assert (len(numbers[netted]), len(numbers[hedged])) == (1, 3)
    assert Position.objects.get(account=netted).lots == Decimal("0.30")
    assert set(Position.objects.filter(account=hedged).values_list("ticket", flat=True)) == numbers[hedged]


def test_10_only_buys_and_sells_are_trades_and_credit_is_no_balance(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    platform = pool.platform_for(either, Purpose.MONEY)
    moves = [
        (BalanceKind.BALANCE, "100"),
        (BalanceKind.CREDIT, "30"),
        (BalanceKind.BONUS, "5"),
        (BalanceKind.CORRECTION, "-1"),
    ]
    for number, (kind, amount) in enumerate(moves):
        platform.balance_operation(account.login, kind, Decimal(amount), f"D:MOVE{number}")
    deals.sync_deals(either)
    money.sync_money(either)
    account.refresh_from_db()
    assert (account.balance, account.credit, account.last_trade_at) == (99, 35, None)
    assert [row.is_trade for row in Deal.objects.filter(account=account)] == [False] * 4
    assert reconcile.find_breaks(either) == []


def test_11_the_same_tickets_on_two_servers_are_different_deals(cast: Cast) -> None:
    """Tickets have 64 bits and are unique on one server only."""
    ticket = 4611686018427387905
    with running_sandbox(":memory:") as first, running_sandbox(":memory:") as second:
        rest = {"port": second.rest_port, "transport": "rest", "certificate": second.certificate}
        servers = {make_server(name="First", port=first.port): first, make_server(name="Second", **rest): second}
        for profit, (server, box) in zip(("2.00", "3.00"), servers.items(), strict=True):
            account = account_on(cast, server, box)
            fund(box, account, "1.00")
            (deal,) = on_platform(box, account)
            line = {**deal, "kind": "deal", "Deal": str(ticket), "Profit": profit}
            line.pop("ApiData")
            box.http.post("/control/import", content=json.dumps(line)).raise_for_status()
        for server in (*servers, *servers):
            deals.sync_deals(server)
        found = {row.server.name: row.profit for row in Deal.objects.filter(ticket=ticket)}
        assert found == {"First": 2, "Second": 3}
        pool.close_all()


def test_12_an_account_whose_answer_was_lost_is_made_once(cast: Cast, either: TradingServer, sandbox: Sandbox) -> None:
    first = int(time.monotonic_ns() % 80_000_000) + 10_000_000
    TradingServer.objects.filter(pk=either.pk).update(first_login=first, next_login=first, last_login=first + 99)
    either.refresh_from_db()
    kind = make_type(cast.brand, either, kyc_level=0)
    account = opening.request_account(client_id=cast.client.pk, account_type_id=kind.pk, actor=None, request_key="r1")
    users = sandbox.state()["users"]
    sandbox.fault("drop_after", "USER_ADD")
    assert opening.open_on_platform(account.pk) == "unknown"
    TradingAccount.objects.filter(pk=account.pk).update(next_try_at=timezone.now() - HOUR)
    assert opening.open_on_platform(account.pk) == "open"
    account.refresh_from_db()
    assert (sandbox.state()["users"], account.login) == (users + 1, str(first))


def test_13_a_move_to_a_group_of_another_currency_is_refused_and_paths_hold_backslashes(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    platform = pool.platform_for(either, Purpose.MONEY)
    assert platform.update_account(account.login, group="real\\vip-EUR").group == "real\\vip-EUR"
    with pytest.raises(FinalError) as error:
        platform.update_account(account.login, group="real\\vip-USD")
    assert error.value.code == 3010
    assert account.login not in platform.logins("REAL\\VIP*")  # masks are case-sensitive
    assert account.login in platform.logins("real\\vip*,!real\\vip-USD")


def test_14_stopping_trade_leaves_the_brokers_other_rights_alone(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    with sandbox.client() as client:
        client.write("USER_UPDATE", {"LOGIN": account.login, "RIGHTS": 0x1E3 | 0x2800})
    TradingAccount.objects.filter(pk=account.pk).update(trading_wanted=False)
    assert accounts.apply_right_to_trade(account.pk)
    with sandbox.client() as client:
        assert int(client.read("USER_GET", {"LOGIN": account.login}).row()["Rights"]) == 0x1E3 | 0x2800 | 0x4


def test_15_an_archived_account_is_marked_and_comes_back(cast: Cast, either: TradingServer, sandbox: Sandbox) -> None:
    account = account_on(cast, either, sandbox)
    fund(sandbox, account, "75.00")
    money.sync_money(either)
    sandbox.post("archive", login=int(account.login))
    money.sync_money(either)
    account.refresh_from_db()
    assert account.missing_since is not None and (account.state, account.balance) == ("open", 75)
    sandbox.post("restore", login=int(account.login))
    money.sync_money(either)
    account.refresh_from_db()
    assert account.missing_since is None


def test_16_no_password_is_kept_or_logged(
    cast: Cast, either: TradingServer, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    account = account_on(cast, either, sandbox)
    platform = pool.platform_for(either, Purpose.MONEY)
    sandbox.fault("drop_after", "USER_PASS_CHANGE")
    with pytest.raises(OutcomeUnknown) as error:
        platform.change_password(account.login, "Hidden-pw-1!")
    assert "Hidden-pw-1!" not in f"{error.value!r} {error.value} {caplog.text}"
    assert b"Sandbox-1000!" not in bytes(either.credentials) and "Sandbox-1000!" not in caplog.text
    with pytest.raises(FinalError) as weak:
        platform.change_password(account.login, "short")
    assert weak.value.code == 3006


# -- 17: the list of tests that the facts ask for, as far as the points above have not them ---------------------------


def test_17_a_restart_in_the_middle_of_pages_loses_no_deal(cast: Cast, either: TradingServer, sandbox: Sandbox) -> None:
    account = account_on(cast, either, sandbox)
    with sandbox.client() as client:
        for number in range(230):
            client.write(
                "TRADE_BALANCE", {"LOGIN": account.login, "TYPE": 2, "BALANCE": "1.00", "COMMENT": f"n{number}"}
            )
    sandbox.fault("restart", "DEAL_GET_PAGE", times=2)
    found = [deal.comment for deal in reads(either).deals_of(account.login, from_msc=0, to_msc=2**45)]
    assert found == [f"n{number}" for number in range(230)]


def test_17_a_server_that_shuts_down_is_read_again_and_money_is_looked_up(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    sandbox.fault("retcode", "DEAL_GET_BATCH", value=15)
    with pytest.raises(ReadTimedOut):
        reads(either).deals(mask="*", from_msc=0, to_msc=1)
    operation = reserve(account, "5.00")
    sandbox.fault("retcode_after", "TRADE_BALANCE", value=15)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED


@pytest.mark.parametrize("crypt_method", ["NONE", "AES256OFB"])
def test_17_an_answer_split_at_every_byte_with_pings_inside_is_read_whole(sandbox: Sandbox, crypt_method: str) -> None:
    with sandbox.client(crypt_method=crypt_method, read_seconds=30) as client:
        whole = client.read("GROUP_GET", {"GROUP": "real\\pro-EUR"}).row()
        sandbox.fault("split", "GROUP_GET", value=1)
        sandbox.fault("ping_storm", "GROUP_GET", value=100)
        assert client.read("GROUP_GET", {"GROUP": "real\\pro-EUR"}).row() == whole


def test_17_odd_characters_and_answers_over_64_kib_come_whole(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    name = 'a|b=c\\d "e" 🙂 Ünï'
    login = sandbox.new_account("real\\islamic-GBP", NAME=name)
    platform = reads(either)
    assert isinstance(platform, Mt5Platform)
    account = platform.read_account(login)
    assert account is not None and account.name == name
    with sandbox.client() as client:
        for number in range(45):  # each is about 1.6 KiB as UTF-16
            client.write("TRADE_BALANCE", {"LOGIN": login, "TYPE": 2, "BALANCE": "1.00", "COMMENT": f"|={number}\\🙂"})
    rows = platform.deals(mask="real\\islamic-GBP", from_msc=0, to_msc=2**45)
    assert [deal.comment for deal in rows if deal.login == login] == [f"|={number}\\🙂" for number in range(45)]


def test_17_a_session_lost_in_the_middle_costs_no_deposit(cast: Cast, either: TradingServer, sandbox: Sandbox) -> None:
    account = account_on(cast, either, sandbox)
    pool.platform_for(either, Purpose.MONEY).server_time()
    sandbox.post("restart")
    time.sleep(0.2)
    operation = reserve(account, "5.00")
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    assert len(on_platform(sandbox, account)) == 1


def test_17_retcode_1_is_a_success_and_an_idle_account_has_its_balance(
    cast: Cast, either: TradingServer, sandbox: Sandbox
) -> None:
    account = account_on(cast, either, sandbox)
    sandbox.fault("retcode", "USER_UPDATE", value=1)
    assert pool.platform_for(either, Purpose.MONEY).update_account(account.login, leverage=30).leverage == 30
    fund(sandbox, account, "12.00")
    sandbox.post("restart")  # idle accounts answer 13 from now on
    money.sync_money(either)
    account.refresh_from_db()
    assert (account.balance, account.equity, account.margin) == (12, 12, 0)
