"""What goes wrong (facts/platforms §9), on MetaTrader 4 through a bridge. A test's name begins with the number of its point.

Points 1 to 8: money, the wire, time, volumes. The others are in `test_mt4_what_else_goes_wrong`; 9 (netting) does not apply,
since the server nets nothing.
"""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import pytest

from tests.cast import Cast
from tests.trading.mt4_lab import Mt4Lab, account_on, due, reads, reserve
from tests.trading.platforms.test_gate import in_child
from trading.accounts import balance_operations
from trading.choices import IssueKind, OperationState
from trading.models import Deal, DealEdit, PlatformIssue, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.platforms.mt4 import history
from trading.platforms.mt4.rows import OUT_OFFSET
from trading.sync import deals, money, reconcile

pytestmark = pytest.mark.django_db


# -- 1: a deposit is booked once


@pytest.mark.parametrize("fault", ["outcome_unknown", "internal", "proxy_401", "proxy_403", "retcode_after"])
def test_01_a_deposit_whose_outcome_is_hidden_is_looked_up_and_booked_once(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab, fault: str
) -> None:
    account = account_on(cast, mt4_server, mt4)
    operation = reserve(account, "250.00")
    mt4.fault(fault, "money", value=128)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    (row,) = mt4.rows(account.login)
    operation.refresh_from_db()
    assert (operation.ticket, row["comment"], mt4.booked(account.login)) == (
        row["order"],
        operation.reference,
        ["250.00"],
    )


@pytest.mark.parametrize("fault", ["not_started", "no_connect", "token_revoked"])
def test_01_a_deposit_that_was_not_started_is_booked_by_the_second_attempt(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab, fault: str
) -> None:
    account = account_on(cast, mt4_server, mt4)
    operation = reserve(account, "60.00")
    mt4.fault(fault, "money")
    assert balance_operations.send_operation(operation.pk) == OperationState.RESERVED
    due(operation)
    assert balance_operations.send_operation(operation.pk) == OperationState.CONFIRMED
    operation.refresh_from_db()
    assert (mt4.booked(account.login), operation.attempts) == (["60.00"], 2)


def test_01_a_deposit_that_the_server_books_after_its_answer_is_found_later(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4)
    operation = reserve(account, "61.00")
    mt4.fault("unknown_later", "money", value=0.4)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert (
        balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    )  # not there yet, and not sent again
    time.sleep(0.5)
    due(operation)
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
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
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4)
    operation = reserve(account, "40.00")
    mt4.fault("outcome_unknown", "money")
    balance_operations.send_operation(operation.pk)
    mt4.process.post("deal/edit", ticket=mt4.rows(account.login)[0]["order"], Comment="checked by desk")
    mt4.book(account.login, 41, operation.reference)  # the right reference on another amount
    for _check in range(len(balance_operations.LOOK_UP_WAITS)):
        due(operation)
        assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    assert PlatformIssue.objects.get(subject=operation.reference).kind == IssueKind.NOT_FOUND
    other = account_on(cast, mt4_server, mt4)
    cut = reserve(other, "42.00", "transfer:2")
    mt4.fault("cut_comment", "money", value=14)
    mt4.fault("outcome_unknown", "money")
    balance_operations.send_operation(cut.pk)
    assert balance_operations.resolve_operation(cut.pk) == OperationState.CONFIRMED


def test_03_money_behind_open_positions_can_not_be_withdrawn(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4, amount="1000.00")
    mt4.trade(account.login, lots="0.20")
    operation = reserve(account, "-900.00")
    assert balance_operations.send_operation(operation.pk) == OperationState.FAILED
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
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4)
    mt4.process.post("clock", at="2026-10-25T00:59:30Z")  # EET: from 04:00 back to 03:00 at 01:00 UTC
    before = mt4.book(account.login, 10, "before").json()["data"]["order"]
    deals.sync_deals(mt4_server)
    mt4.process.post("clock", at="2026-10-25T01:00:10Z")
    after = mt4.book(account.login, 20, "after").json()["data"]["order"]
    deals.sync_deals(mt4_server)
    rows = {row.ticket: row for row in Deal.objects.filter(account=account)}
    assert rows.keys() == {before, after}
    assert rows[before].server_msc > rows[after].server_msc  # the raw time is kept as it came: it went back
    sent = dt.datetime(2026, 10, 25, 1, 0, tzinfo=dt.UTC)
    for amount, comment, ticket in ((10, "before", before), (20, "after", after)):
        (found,) = reads(mt4_server).find_operations(account.login, Decimal(amount), comment, since=sent)
        assert found.ticket == ticket


# -- 6: what dealers do


def test_06_what_dealers_edit_is_read_by_its_change_and_what_they_delete_is_found_at_night(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4)
    edited, deleted = (mt4.book(account.login, amount, "x").json()["data"]["order"] for amount in (100, 50))
    deals.sync_deals(mt4_server)
    mt4.process.post("deal/edit", ticket=edited, Profit="90.00")
    deals.sync_deals(mt4_server)
    assert Deal.objects.get(server=mt4_server, ticket=edited).profit == 90
    assert Decimal(str(DealEdit.objects.get(server=mt4_server, ticket=edited).before["profit"])) == 100
    money.sync_money(mt4_server)
    assert reconcile.find_breaks(mt4_server) == []
    mt4.process.post("deal/delete", ticket=deleted)
    deals.sync_deals(mt4_server)
    money.sync_money(mt4_server)
    (one,) = reconcile.check_balances(mt4_server)
    assert (one.login, one.balance, one.balance_of_deals) == (account.login, 90, 140)


def test_06_a_sync_session_that_was_lost_is_opened_again(cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab) -> None:
    account = account_on(cast, mt4_server, mt4, amount="10.00")
    mt4.fault("sync_lost", "TradesSyncRead")
    deals.sync_deals(mt4_server)
    assert Deal.objects.filter(account=account).count() == 1
    mt4.fault("sync_lost", "TradesSyncRead", times=2)
    with pytest.raises(ReadTimedOut):
        reads(mt4_server).deals_since(None, mask="*", overlap=dt.timedelta(0))


def test_06_a_long_session_is_taken_in_piece_by_piece_and_no_piece_is_lost(
    mt4: Mt4Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "SYNC_ROWS", 2)
    monkeypatch.setattr(history, "FEW_ROWS", 1)
    login, none = mt4.account(), dt.timedelta(0)
    with mt4.adapter() as platform:
        start = platform.server_time().server_msc
        booked = {mt4.book(login, amount, "x").json()["data"]["order"] for amount in range(1, 6)}
        first = platform.deals_since(start, mask="*", overlap=none)
        assert first.has_more and len(first.deals) == 2 and first.cursor < start
        again = platform.deals_since(start, mask="*", overlap=none)  # the piece was not kept: all from the begin
        assert [deal.ticket for deal in again.deals] == [deal.ticket for deal in first.deals]
        mt4.fault("drop_after", "TradesSyncRead")
        with pytest.raises(ReadTimedOut):  # the bridge gave the piece out, and nobody has it
            platform.deals_since(again.cursor, mask="*", overlap=none)
        seen, page = set[int](), platform.deals_since(again.cursor, mask="*", overlap=none)
        while page.has_more:
            assert page.cursor < start
            seen |= {deal.ticket for deal in page.deals}
            page = platform.deals_since(page.cursor, mask="*", overlap=none)
        assert page.cursor >= start and booked <= seen | {deal.ticket for deal in page.deals}


def test_06_a_bridge_without_a_sync_session_says_what_to_choose_and_is_read_by_time(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4, amount="10.00")
    mt4.fault("not_served", "TradesSyncRead", times=9)
    deals.sync_deals(mt4_server)
    assert "by time" in mt4_server.cursors.get(kind="deals").error
    mt4_server.cursors.update(failures=0)
    TradingServer.objects.filter(pk=mt4_server.pk).update(options={**mt4.options, "reads_by": "time"})
    mt4_server.refresh_from_db()
    deals.sync_deals(mt4_server)
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
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab, group: str, amount: str
) -> None:
    account = account_on(cast, mt4_server, mt4, group)
    assert balance_operations.send_operation(reserve(account, amount).pk) == OperationState.CONFIRMED
    deals.sync_deals(mt4_server)
    money.sync_money(mt4_server)
    account.refresh_from_db()
    assert account.balance == Decimal(amount) == Deal.objects.get(account=account).profit
    assert reconcile.find_breaks(mt4_server) == []


def test_08_parts_of_an_order_close_what_they_closed_and_belong_to_one_position(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4, "real\\pro-EUR", "20000.00")
    position, hedge = mt4.trade(account.login, lots="0.50"), mt4.trade(account.login, lots="0.20", side="sell")
    deals.sync_deals(mt4_server)
    assert Deal.objects.get(server=mt4_server, ticket=position).lots == Decimal("0.50")
    mt4.close(position, "0.10")
    mt4.process.post("close_by", position=position, by=hedge)
    deals.sync_deals(mt4_server)
    pool.close_all()  # whoever reads the last part has never seen the others
    mt4.close(position)
    deals.sync_deals(mt4_server)
    mine = Deal.objects.filter(account=account, position_id=position)
    opened, closed = mine.filter(entry=0).order_by("ticket"), mine.exclude(entry=0).order_by("server_msc", "ticket")
    assert [row.lots for row in opened] == [Decimal("0.10"), Decimal("0.20"), Decimal("0.20")]
    assert sorted((row.entry, row.closed_lots) for row in closed) == [
        (1, Decimal("0.10")),
        (1, Decimal("0.20")),
        (3, Decimal("0.20")),
    ]
    assert {row.ticket - OUT_OFFSET for row in closed} == {row.ticket for row in opened}
    assert len({row.executed_at for row in opened}) == 1 and opened[0].ticket == position
    money.sync_money(mt4_server)
    account.refresh_from_db()
    assert account.balance == sum(row.net for row in Deal.objects.filter(account=account))
