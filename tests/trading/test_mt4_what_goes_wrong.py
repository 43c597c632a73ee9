"""What goes wrong (facts/platforms §9), on MetaTrader 4 through a bridge. A test's name begins with the number of its point.

Point 9 (netting) does not apply: the server nets nothing.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.factories import make_account, make_type
from tests.trading.mt4_lab import Mt4Lab
from tests.trading.test_gate import in_child
from trading import accounts, operations
from trading.choices import IssueKind, OperationKind, OperationState
from trading.models import BalanceOperation, Deal, DealEdit, PlatformIssue, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, Purpose, Right
from trading.platforms.errors import FinalError, LoginTaken, NotStarted, OutcomeUnknown, ReadTimedOut
from trading.platforms.mt4.adapter import Mt4Platform
from trading.platforms.mt4.rows import OUT_OFFSET
from trading.platforms.web import Address
from trading.sync import deals, money, reconcile

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def server(mt4: Mt4Lab, settings: Any) -> TradingServer:
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 8.0, 0.5
    server = mt4.row()
    first = int(mt4.free_login()) * 10
    server.first_login = server.next_login = first
    server.last_login = first + 9
    server.save()
    return server


def account_on(
    cast: Cast, server: TradingServer, mt4: Mt4Lab, group: str = "real\\standard-EUR", amount: str = "0"
) -> TradingAccount:
    return make_account(cast.client, server, login=mt4.account(group, money=amount), group=mt4.group(group),
                        currency=group.rpartition("-")[2])  # fmt: skip


def reserve(account: TradingAccount, amount: str, key: str = "transfer:1") -> BalanceOperation:
    kind = OperationKind.WITHDRAWAL if amount.startswith("-") else OperationKind.DEPOSIT
    return operations.reserve_operation(
        account_id=account.pk, kind=kind, amount=Decimal(amount), idempotency_key=key, actor=None
    )


def due(operation: BalanceOperation) -> None:
    BalanceOperation.objects.filter(pk=operation.pk).update(next_check_at=timezone.now() - HOUR)


def reads(server: TradingServer) -> Mt4Platform:
    platform = pool.platform_for(server, Purpose.READS)
    assert isinstance(platform, Mt4Platform)
    return platform


# -- 1: a deposit is booked once


@pytest.mark.parametrize("fault", ["outcome_unknown", "internal", "proxy_401", "proxy_403", "retcode_after"])
def test_01_a_deposit_whose_outcome_is_hidden_is_looked_up_and_booked_once(
    cast: Cast, server: TradingServer, mt4: Mt4Lab, fault: str
) -> None:
    account = account_on(cast, server, mt4)
    operation = reserve(account, "250.00")
    mt4.fault(fault, "money", value=128)
    assert operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    (row,) = mt4.rows(account.login)
    operation.refresh_from_db()
    assert (operation.ticket, row["comment"], mt4.booked(account.login)) == (
        row["order"],
        operation.reference,
        ["250.00"],
    )


@pytest.mark.parametrize("fault", ["not_started", "no_connect", "token_revoked"])
def test_01_a_deposit_that_was_not_started_is_booked_by_the_second_attempt(
    cast: Cast, server: TradingServer, mt4: Mt4Lab, fault: str
) -> None:
    account = account_on(cast, server, mt4)
    operation = reserve(account, "60.00")
    mt4.fault(fault, "money")
    assert operations.send_operation(operation.pk) == OperationState.RESERVED
    due(operation)
    assert operations.send_operation(operation.pk) == OperationState.CONFIRMED
    operation.refresh_from_db()
    assert (mt4.booked(account.login), operation.attempts) == (["60.00"], 2)


def test_01_a_deposit_that_the_server_books_after_its_answer_is_found_later(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4)
    operation = reserve(account, "61.00")
    mt4.fault("unknown_later", "money", value=0.4)
    assert operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert operations.resolve_operation(operation.pk) == OperationState.UNKNOWN  # not there yet, and not sent again
    time.sleep(0.5)
    due(operation)
    assert operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    assert mt4.booked(account.login) == ["61.00"]


def test_01_even_the_same_reference_sent_twice_is_booked_once(mt4: Mt4Lab) -> None:
    """The bridge's Idempotency-Key stands behind our own rule never to send again."""
    login = mt4.account()
    with mt4.adapter() as platform:
        tickets = {platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:TWICE") for _time in range(2)}
        with pytest.raises(FinalError, match="Idempotency-Key"):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(6), "D:TWICE")
    assert len(tickets) == 1 and mt4.booked(login) == ["5.00"]


# -- 2 to 4


def test_02_a_comment_that_a_manager_changed_is_not_taken_for_ours_and_a_cut_one_is(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4)
    operation = reserve(account, "40.00")
    mt4.fault("outcome_unknown", "money")
    operations.send_operation(operation.pk)
    mt4.process.post("deal/edit", ticket=mt4.rows(account.login)[0]["order"], Comment="checked by desk")
    mt4.book(account.login, 41, operation.reference)  # the right reference on another amount
    for _check in range(len(operations.LOOK_UP_WAITS)):
        due(operation)
        assert operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    assert PlatformIssue.objects.get(subject=operation.reference).kind == IssueKind.NOT_FOUND
    other = account_on(cast, server, mt4)
    cut = reserve(other, "42.00", "transfer:2")
    mt4.fault("cut_comment", "money", value=14)
    mt4.fault("outcome_unknown", "money")
    operations.send_operation(cut.pk)
    assert operations.resolve_operation(cut.pk) == OperationState.CONFIRMED


def test_03_money_behind_open_positions_can_not_be_withdrawn(cast: Cast, server: TradingServer, mt4: Mt4Lab) -> None:
    account = account_on(cast, server, mt4, amount="1000.00")
    mt4.trade(account.login, lots="0.20")
    operation = reserve(account, "-900.00")
    assert operations.send_operation(operation.pk) == OperationState.FAILED
    operation.refresh_from_db()
    assert (operation.retcode, operation.error_kind) == (134, "final")


def test_04_a_connection_and_its_token_belong_to_the_process_that_opened_it(mt4: Mt4Lab) -> None:
    login = mt4.account()
    with mt4.adapter() as platform:
        assert platform.read_account(login)
        sessions = mt4.process.state()["sessions"]
        assert in_child(lambda: platform.read_account(login).login) == login  # type: ignore[union-attr]
        assert platform.read_account(login)
        assert mt4.process.state()["sessions"] <= sessions + 1


# -- 5: time


def test_05_on_the_day_the_clock_goes_back_no_deal_is_missed_and_no_deposit_lost(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4)
    mt4.process.post("clock", at="2026-10-25T00:59:30Z")  # EET: from 04:00 back to 03:00 at 01:00 UTC
    before = mt4.book(account.login, 10, "before").json()["data"]["order"]
    deals.sync_deals(server)
    mt4.process.post("clock", at="2026-10-25T01:00:10Z")
    after = mt4.book(account.login, 20, "after").json()["data"]["order"]
    deals.sync_deals(server)
    rows = {row.ticket: row for row in Deal.objects.filter(account=account)}
    assert rows.keys() == {before, after}
    assert rows[before].server_msc > rows[after].server_msc  # the raw time is kept as it came: it went back
    sent = dt.datetime(2026, 10, 25, 1, 0, tzinfo=dt.UTC)
    for amount, comment, ticket in ((10, "before", before), (20, "after", after)):
        (found,) = reads(server).find_operations(account.login, Decimal(amount), comment, since=sent)
        assert found.ticket == ticket


# -- 6: what dealers do


def test_06_what_dealers_edit_is_read_by_its_change_and_what_they_delete_is_found_at_night(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4)
    edited, deleted = (mt4.book(account.login, amount, "x").json()["data"]["order"] for amount in (100, 50))
    deals.sync_deals(server)
    mt4.process.post("deal/edit", ticket=edited, Profit="90.00")
    deals.sync_deals(server)
    assert Deal.objects.get(server=server, ticket=edited).profit == 90
    assert Decimal(str(DealEdit.objects.get(server=server, ticket=edited).before["profit"])) == 100
    money.sync_money(server)
    assert reconcile.find_breaks(server) == []
    mt4.process.post("deal/delete", ticket=deleted)
    deals.sync_deals(server)
    money.sync_money(server)
    (one,) = reconcile.check_balances(server)
    assert (one.login, one.balance, one.balance_of_deals) == (account.login, 90, 140)


def test_06_a_sync_session_that_was_lost_is_opened_again(cast: Cast, server: TradingServer, mt4: Mt4Lab) -> None:
    account = account_on(cast, server, mt4, amount="10.00")
    mt4.fault("sync_lost", "TradesSyncRead")
    deals.sync_deals(server)
    assert Deal.objects.filter(account=account).count() == 1
    mt4.fault("sync_lost", "TradesSyncRead", times=2)
    with pytest.raises(ReadTimedOut):
        reads(server).deals_since(None, mask="*", overlap=dt.timedelta(0))


def test_06_a_bridge_without_a_sync_session_says_what_to_choose_and_is_read_by_time(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4, amount="10.00")
    mt4.fault("not_served", "TradesSyncRead", times=9)
    deals.sync_deals(server)
    assert "by time" in server.cursors.get(kind="deals").error
    server.cursors.update(failures=0)
    TradingServer.objects.filter(pk=server.pk).update(options={**mt4.options, "reads_by": "time"})
    server.refresh_from_db()
    deals.sync_deals(server)
    assert Deal.objects.filter(account=account).count() == 1


def test_06_only_the_masks_accounts_are_read_from_the_servers_one_session(mt4: Mt4Lab) -> None:
    ours, other = mt4.account("real\\vip-EUR", money="1.00"), mt4.account("real\\islamic-USD", money="2.00")
    with mt4.adapter() as platform:
        page = platform.deals_since(None, mask="real-vip*", overlap=dt.timedelta(0))
        window = platform.deals(mask="real-vip*", from_msc=0, to_msc=2**45)
    for found in (page.deals, window):
        assert ours in {deal.login for deal in found} and other not in {deal.login for deal in found}


# -- 7 and 8: amounts and volumes


@pytest.mark.parametrize(
    ("group", "amount"), [("real\\standard-JPY", "150001"), ("real\\cent-USC", "12345.67"), ("real\\pro-USD", "0.01")]
)
def test_07_amounts_stay_exact_in_the_accounts_own_currency(
    cast: Cast, server: TradingServer, mt4: Mt4Lab, group: str, amount: str
) -> None:
    account = account_on(cast, server, mt4, group)
    assert operations.send_operation(reserve(account, amount).pk) == OperationState.CONFIRMED
    deals.sync_deals(server)
    money.sync_money(server)
    account.refresh_from_db()
    assert account.balance == Decimal(amount) == Deal.objects.get(account=account).profit
    assert reconcile.find_breaks(server) == []


def test_08_parts_of_an_order_close_what_they_closed_and_belong_to_one_position(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4, "real\\pro-EUR", "20000.00")
    position, hedge = mt4.trade(account.login, lots="0.50"), mt4.trade(account.login, lots="0.20", side="sell")
    deals.sync_deals(server)
    assert Deal.objects.get(server=server, ticket=position).lots == Decimal("0.50")
    mt4.close(position, "0.10")
    mt4.process.post("close_by", position=position, by=hedge)
    deals.sync_deals(server)
    pool.close_all()  # whoever reads the last part has never seen the others
    mt4.close(position)
    deals.sync_deals(server)
    mine = Deal.objects.filter(account=account, position_id=position)
    opened, closed = mine.filter(entry=0).order_by("ticket"), mine.exclude(entry=0).order_by("server_msc", "ticket")
    assert [row.lots for row in opened] == [Decimal("0.10"), Decimal("0.20"), Decimal("0.20")]
    assert sorted((row.entry, row.closed_lots) for row in closed) == [
        (1, Decimal("0.10")), (1, Decimal("0.20")), (3, Decimal("0.20")),
    ]  # fmt: skip
    assert {row.ticket - OUT_OFFSET for row in closed} == {row.ticket for row in opened}
    assert len({row.executed_at for row in opened}) == 1 and opened[0].ticket == position
    money.sync_money(server)
    account.refresh_from_db()
    assert account.balance == sum(row.net for row in Deal.objects.filter(account=account))


# -- 10 to 15


def test_10_only_buys_and_sells_are_trades_and_cancelled_orders_are_passed_over_by_name(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4, amount="5000.00")
    price = float(mt4.data("TickInfoLast/EURUSD.m")["ask"]) / 2
    order = mt4.process.post(
        "order", login=int(account.login), symbol="EURUSD", kind="buy_limit", lots="0.1", price=round(price, 5)
    )["order"]
    mt4.process.post("order/cancel", order=order)
    platform = pool.platform_for(server, Purpose.MONEY)
    platform.balance_operation(account.login, BalanceKind.CREDIT, Decimal(30), "C:CREDIT")
    for kind in (BalanceKind.BONUS, BalanceKind.CORRECTION):
        with pytest.raises(FinalError, match=kind.value):
            platform.balance_operation(account.login, kind, Decimal(1), "B:X")
    deals.sync_deals(server)
    money.sync_money(server)
    account.refresh_from_db()
    assert (account.balance, account.credit, account.last_trade_at) == (5000, 30, None)
    assert {row.action for row in Deal.objects.filter(account=account)} == {2, 3}
    assert reads(server).passed_over["BuyLimit Deleted"] >= 1


def test_11_the_same_tickets_on_two_servers_are_different_deals_and_closings_have_their_own(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    second = mt4.row(name="Second bridge")
    second.save()
    login = mt4.account(money="9000.00")
    for one in (server, second):
        make_account(cast.client, one, login=login)
    position = mt4.trade(login)
    mt4.close(position)
    for one in (server, second):
        deals.sync_deals(one)
    tickets = [position, position + OUT_OFFSET]
    for one in (server, second):
        assert list(
            Deal.objects.filter(server=one, ticket__in=tickets).order_by("ticket").values_list("entry", flat=True)
        ) == [0, 1]
    assert sorted(deal.ticket for deal in reads(server).deals_by_ticket([*tickets, 2**40, 0])) == tickets


@pytest.mark.parametrize("lost", ["UserRecordNew", "UserPasswordSet"])
def test_12_an_account_whose_answer_was_lost_is_made_once_and_gets_its_passwords(
    cast: Cast, server: TradingServer, mt4: Mt4Lab, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(accounts, "new_password", lambda: "Abcdef-12345!")
    kind = make_type(cast.brand, server, group="real-std-EUR", kyc_level=0)
    account = accounts.request_account(client_id=cast.client.pk, account_type_id=kind.pk, actor=None, request_key="r1")
    users = mt4.process.state()["users"]
    mt4.fault("drop_after" if lost == "UserRecordNew" else "drop_before", lost)
    assert accounts.open_on_platform(account.pk) == "unknown"
    TradingAccount.objects.filter(pk=account.pk).update(next_try_at=timezone.now() - HOUR)
    assert accounts.open_on_platform(account.pk) == "open"
    account.refresh_from_db()
    assert (mt4.process.state()["users"], account.login) == (users + 1, str(server.first_login))
    assert reads(server).check_password(account.login, "Abcdef-12345!")
    assert mt4.data(f"UserRecordGet/{account.login}")["externalId"] == f"keelson-{account.pk}"


def test_12_a_login_that_is_taken_is_known_by_its_owner_whatever_the_server_calls_it(mt4: Mt4Lab) -> None:
    login = mt4.account()
    with mt4.adapter() as platform:
        with pytest.raises(LoginTaken):
            platform.create_account(mt4.wanted(login))
        mt4.fault("retcode", "create", value=2)  # "Error": nobody could tell what it means
        with pytest.raises(LoginTaken):
            platform.create_account(mt4.wanted(login))
        mt4.fault("retcode", "create", value=2)
        with pytest.raises(OutcomeUnknown):
            platform.create_account(mt4.wanted())


def test_13_a_move_to_a_group_that_can_not_be_is_refused(mt4: Mt4Lab) -> None:
    login = mt4.account(money="10.00")
    with mt4.adapter() as platform:
        assert platform.update_account(login, group="real-vip-EUR").group == "real-vip-EUR"
        for group in ("real-vip-USD", "nowhere"):
            with pytest.raises(FinalError) as refused:
                platform.update_account(login, group=group)
            assert refused.value.code == 3
        asked = mt4.asked("UserRecord")
        with pytest.raises(FinalError, match="longer than 15"):
            platform.update_account(login, group="real-standard-EUR")
        assert mt4.asked("UserRecord") == asked
        assert login in platform.logins("real-vip*,!real-vip-USD") and login not in platform.logins("REAL*")


def test_14_stopping_trade_leaves_the_brokers_other_flags_alone(cast: Cast, server: TradingServer, mt4: Mt4Lab) -> None:
    account = account_on(cast, server, mt4)
    mt4.call("PATCH", f"UserRecord/{account.login}", json={"enableFlags": 0x1 | 0x2 | 0x8})
    TradingAccount.objects.filter(pk=account.pk).update(trading_wanted=False)
    assert accounts.apply_right_to_trade(account.pk)
    assert mt4.data(f"UserRecordGet/{account.login}")["enableFlags"] == 0x1 | 0x2 | 0x4 | 0x8
    with pytest.raises(FinalError, match="no right"):
        reads(server).update_account(account.login, rights={Right.EXPERTS: False})


def test_15_an_account_that_is_no_longer_listed_is_marked_and_comes_back(
    cast: Cast, server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, server, mt4, amount="75.00")
    money.sync_money(server)
    mt4.process.post("archive", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_since is not None and (account.state, account.balance) == ("open", 75)
    mt4.process.post("restore", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_since is None


# -- 16 and 17


def test_16_no_password_secret_or_token_is_kept_or_logged(mt4: Mt4Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    login = mt4.account()
    with mt4.adapter() as platform:
        mt4.fault("drop_after", "UserPasswordSet")
        with pytest.raises(OutcomeUnknown) as lost:
            platform.change_password(login, "Hidden-pw-1!")
        token = platform.client._token
        assert token is not None
        told = f"{lost.value!r} {lost.value} {caplog.text} {platform.client.config!r} {token!r} {vars(platform)!r}"
        for secret in ("Hidden-pw-1!", mt4.secret, token.value):
            assert secret not in told
        with pytest.raises(FinalError, match="at most 15"):
            platform.change_password(login, "Much-too-long-1!")
        with pytest.raises(FinalError, match="investor"):
            platform.check_password(login, "x", investor=True)
    row = mt4.row()
    assert mt4.secret.encode() not in bytes(row.credentials)


def test_16_the_secret_goes_to_the_log_in_server_and_never_out_of_tls(mt4: Mt4Lab) -> None:
    port = mt4.process.ports["mt4_port"]
    with mt4.adapter(authority=f"http://localhost:{port}") as platform:  # a connection of its own
        assert platform.server_time()
    with mt4.adapter(address=Address("127.0.0.1", port, is_tls=True), authority=f"http://localhost:{port}") as platform:
        before = mt4.asked("discovery")
        with pytest.raises(NotStarted, match="without TLS"):
            platform.server_time()
        assert mt4.asked("discovery") == before
    with mt4.adapter(authority="http://localhost:1") as platform, pytest.raises(NotStarted, match="log-in failed"):
        platform.server_time()


def test_17_letters_that_the_code_page_lacks_arrive_as_letters(mt4: Mt4Lab) -> None:
    with mt4.adapter() as platform:
        made = mt4.made(platform, name="Łukasz Щукин 🙂", country="Türkiye")
        asked = mt4.asked("create")
        with pytest.raises(FinalError, match="Latin letters"):
            mt4.made(platform, name="王小明")
        assert mt4.asked("create") == asked
    user = mt4.data(f"UserRecordGet/{made.login}")
    assert (user["name"], user["country"]) == ("Lukasz Shchukin", "Türkiye")


def test_17_a_token_that_ends_or_is_taken_back_costs_a_read_nothing(mt4: Mt4Lab) -> None:
    login = mt4.account()
    with mt4.adapter() as platform:
        for fault in ("token_revoked", "drop_before", "restart"):
            mt4.fault(fault, "read")
            assert platform.read_account(login), fault
        tokens = mt4.asked("token")
        assert platform.client._token is not None
        platform.client._token.renew_at = 0.0
        assert platform.read_account(login) and mt4.asked("token") == tokens + 1
        mt4.fault("token_revoked", "read", times=2)
        with pytest.raises(NotStarted):
            platform.read_account(login)


@pytest.mark.parametrize("fault", ["garbage", "cut_off", "timeout", "internal"])
def test_17_an_answer_that_can_not_be_read_is_no_answer(mt4: Mt4Lab, fault: str) -> None:
    login = mt4.account()
    with mt4.adapter() as platform:
        assert platform.read_account(login)
        mt4.fault(fault, "read", times=2, value=30)
        with pytest.raises(ReadTimedOut):
            platform.read_account(login)
        mt4.process.post("faults/clear")
        assert platform.read_account(login)


def test_17_answers_twice_in_pieces_and_over_64_kib_are_read_whole(mt4: Mt4Lab) -> None:
    login = mt4.account()
    with mt4.adapter() as platform:
        whole = platform.logins("*")
        assert len(mt4.call("GET", "UsersRequest").content) > 4096
        mt4.fault("split", "UsersRequest", value=997)
        assert platform.logins("*") == whole
        mt4.fault("duplicate", "read")
        assert platform.read_account(login) == platform.read_account(login)
        rows = platform.deals(mask="*", from_msc=0, to_msc=2**45)
    assert len({deal.ticket for deal in rows}) == len(rows) > 800


def test_17_a_bridge_without_balance_rights_refuses_in_words(mt4: Mt4Lab) -> None:
    mt4.process.post("rights", take="balance operations")
    with mt4.adapter() as platform, pytest.raises(FinalError, match="may not"):
        platform.balance_operation(mt4.account(), BalanceKind.BALANCE, Decimal(1), "D:NORIGHT")
    mt4.process.post("rights", give="balance operations")


def test_17_quotes_are_checked_over_the_old_port_only_where_it_is_wanted(mt4: Mt4Lab) -> None:
    port = mt4.process.ports["quote_port"]
    with mt4.adapter() as platform:
        assert "quote" not in platform.health().version and not mt4.asked("WQUOTES")
    for number, told in ((port, "quotes of EURUSD.m"), (1, "quote port silent")):
        options = {**mt4.options, "quote_port": str(number)}
        with mt4.adapter(row={"options": options}) as platform:
            assert told in platform.health().version
