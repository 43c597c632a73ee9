"""A server row of kind cTrader through the house's own verbs, live and in the night; and WebServices alone, where there is no
Manager API: accounts, positions and closing deals by CSV, and no money.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.ctrader_server import CtraderSandbox, wire_group
from tests.trading.factories import make_account, make_type
from trading.accounts import balance_operations, opening
from trading.cap_breaches import group_checks
from trading.choices import Ability, AccountState, IssueKind, OperationKind, OperationState
from trading.models import Deal, PlatformIssue, Position, ReconcileBreak, TradingServer
from trading.platforms import capabilities, pool
from trading.platforms.base import BalanceKind, Purpose, Right
from trading.platforms.ctrader.platform import CtraderPlatform
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.stream import KEPT_MAX, Stream
from trading.platforms.errors import FinalError, ReadTimedOut
from trading.servers.diagnostics import examine
from trading.sync import days, deals, money, positions, reconcile, settings, symbols

pytestmark = pytest.mark.django_db
SECONDS_MAX = 1.0
"""Beside the second between two readings: two in all."""


def test_a_deal_is_in_the_table_within_two_seconds_because_it_is_pushed(
    cast: Cast, ctrader_row: TradingServer, ctrader: CtraderSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    login = ctrader.account("real\\pro-EUR", money="9000.00")
    account = make_account(cast.client, ctrader_row, login=login, group=wire_group("real\\pro-EUR"))
    deals.sync_deals(ctrader_row)
    platform = pool.platform_for(ctrader_row, Purpose.READS)
    assert isinstance(platform, CtraderPlatform)
    platform.stream.live_from(0, platform.stream.session)  # as if it had been open for longer than the overlap
    listed, took = ctrader.command_count("DEAL_LIST"), []
    for number in range(1, 4):
        ctrader.trade(login, "EURUSD", "0.01")
        started_at = time.monotonic()
        while Deal.objects.filter(account=account, action=0).count() < number:
            deals.sync_deals(ctrader_row)
            assert time.monotonic() - started_at < 5
        took.append(time.monotonic() - started_at)
    assert max(took) < SECONDS_MAX, took
    assert ctrader.command_count("DEAL_LIST") == listed


def test_from_the_wish_for_an_account_to_a_night_without_a_difference(
    cast: Cast, ctrader_row: TradingServer, ctrader: CtraderSandbox
) -> None:
    """The platform chooses the login; a deposit whose answer was lost is found by its externalId; the sums agree."""
    settings.sync_groups(ctrader_row)
    symbols.sync_symbols(ctrader_row)
    account_type = make_type(cast.brand, ctrader_row, group="LIVE_PRO_EUR", kyc_level=0)
    assert not group_checks.problems(cast.administrator)
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="wish:1", actor=None
    )
    assert account.login == ""
    assert opening.open_on_platform(account.pk) == AccountState.OPEN
    account.refresh_from_db()
    assert account.login.isdigit() and ctrader.truth(account.login)["group"] == "real\\pro-EUR"
    operation = balance_operations.reserve_operation(
        account_id=account.pk, kind=OperationKind.DEPOSIT, amount=Decimal("10000.00"), idempotency_key="t:1", actor=None
    )
    ctrader.fault("drop_after", "CHANGEBALANCE")
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    held = ctrader.trade(account.login, "EURUSD", "0.70")["position"]
    ctrader.post("close", position=held, lots="0.33")
    deals.sync_deals(ctrader_row)
    positions.sync_positions(ctrader_row)
    money.sync_money(ctrader_row)
    operation.refresh_from_db()
    assert Deal.objects.get(account=account, action=2).ticket == operation.ticket
    position = Position.objects.get(account=account)
    assert (position.lots, position.ticket, position.contract_size) == (Decimal("0.37"), held, 100_000)
    assert not reconcile.find_breaks(ctrader_row)  # also while half a position is open
    ctrader.post("close", position=held)
    deals.sync_deals(ctrader_row)
    positions.sync_positions(ctrader_row)
    money.sync_money(ctrader_row)
    today = days.day_of(pool.platform_for(ctrader_row, Purpose.READS).server_time().server_msc)
    days.check_days(ctrader_row, [today])
    reconcile.check_balances(ctrader_row)
    account.refresh_from_db()
    assert (
        account.balance
        == Decimal(ctrader.truth(account.login)["balance"])
        == sum(deal.net for deal in Deal.objects.filter(account=account))
    )
    assert not ReconcileBreak.objects.filter(server=ctrader_row, account=account).exists()
    assert not PlatformIssue.objects.filter(server=ctrader_row, kind=IssueKind.BALANCE_BREAK).exists()


def test_a_trader_whom_a_dealer_moved_is_followed_into_the_new_group(ctrader: CtraderSandbox) -> None:
    """Changed traders are pushed, too: what is read by group takes them in at once."""
    login = ctrader.account("real\\standard-USD", money="9000.00")
    mask, overlap, cursor = "LIVE_VIP_USD", dt.timedelta(seconds=30), None
    with ctrader.platform() as platform, ctrader.rest(ctrader.token()) as rest:
        cursor = platform.server_time().server_msc
        platform.deals_since(cursor, mask=mask, overlap=overlap)
        platform.stream.live_from(0, platform.stream.session)
        assert rest.patch(f"/v2/webserv/traders/{login}", json={"groupName": mask}).status_code == 204
        deal = ctrader.trade(login)["deal"]
        time.sleep(0.15)
        listed = ctrader.command_count("DEAL_LIST")
        found = platform.deals_since(cursor, mask=mask, overlap=overlap).deals
    assert deal in {one.ticket for one in found} and ctrader.command_count("DEAL_LIST") == listed


def test_a_groups_currency_is_its_accounts_own(ctrader_row: TradingServer, ctrader: CtraderSandbox) -> None:
    """A group that holds none yet fits every currency; one whose accounts agree has theirs."""
    ctrader.account("real\\islamic-USD")
    settings.sync_groups(ctrader_row)
    groups = group_checks.known_groups(ctrader_row)
    assert (groups["LIVE_ISLAMIC_USD"], groups["DEMO_SOUTHERN_STANDARD_USD"]) == ("USD", "")
    assert not group_checks.problem_in(groups, "DEMO_SOUTHERN_STANDARD_USD", "USD")
    assert group_checks.problem_in(groups, "LIVE_ISLAMIC_USD", "EUR")


def test_a_lot_size_told_in_units_is_one_setting_away(ctrader: CtraderSandbox) -> None:
    with ctrader.platform(lot_size="units") as platform:
        sizes = {one.name: one.contract_size for one in platform.symbols()}
    assert sizes["EURUSD"] == 10_000_000  # the sandbox tells hundredths: this is how a wrong setting looks


def test_what_was_pushed_is_kept_within_bounds_and_a_gap_is_told() -> None:
    stream = Stream()
    stream.collects = True
    stream.opened()
    stream.live_from(100, stream.session)
    assert stream.covers(100) and not stream.covers(99)
    stream.live_from(1, stream.session - 1)  # of a session that is over
    assert not stream.covers(99)
    for number in range(KEPT_MAX + 10):
        row = pb.ProtoDepositWithdraw(
            operationType=0,
            balanceHistoryId=number,
            traderId=7,
            balance=0,
            delta=1,
            changeBalanceTimestamp=200 + number,
        )
        event = pb.ProtoExecutionEvent(executionType=pb.DEPOSIT_WITHDRAW, depositWithdraw=row)
        stream.heard(pb.ProtoMessage(payloadType=300, payload=event.SerializeToString()))
    assert not stream.covers(200) and stream.covers(210) and len(stream.rows_since(0)) == KEPT_MAX
    stream.heed(60_000_000)
    stream.heard(
        pb.ProtoMessage(payloadType=300, payload=event.SerializeToString())
    )  # late: its own time was read long ago
    assert stream.rows_since(60_000_000) == [row]
    stream.heard(pb.ProtoMessage(payloadType=300, payload=b"\x08\x01"))  # what can't be read is a gap
    assert not stream.covers(2**50)


def told_by_the_doctor(server: TradingServer) -> dict[str, Any]:
    return {check.name: check for check in examine(server)}


def test_the_doctor_finds_a_server_well_and_says_what_is_not(
    ctrader: CtraderSandbox, ctrader_row: TradingServer
) -> None:
    ctrader.account(money="5.00")
    told = told_by_the_doctor(ctrader_row)
    assert all(check.is_well for name, check in told.items() if name != "symbols"), told
    assert "WebServices and Manager API" in told["interfaces"].told and "missing: none" in told["permissions"].told
    pool.close_all()
    ctrader_row.options = {**ctrader_row.options, "lot_size": "units"}
    ctrader_row.save()
    assert "EURUSD 10000000" in told_by_the_doctor(ctrader_row)["lots"].told
    ctrader.fault("retcode", "AUTH", value=3)
    pool.close_all()
    told = told_by_the_doctor(ctrader_row)
    assert list(told) == ["log-in"] and "plant and environment" in told["log-in"].advice
    ctrader_row.options = {**ctrader_row.options, "manager_api": "no"}
    ctrader_row.save()
    told = told_by_the_doctor(ctrader_row)
    assert "no money is moved" in told["interfaces"].told and "look-up" not in told


# -- WebServices alone --------------------------------------------------------------------------------------------------


@pytest.fixture
def alone(ctrader: CtraderSandbox) -> Iterator[CtraderPlatform]:
    with ctrader.platform(manager_api="no") as platform:
        yield platform


def put_back(ctrader: CtraderSandbox, deal: int, hours: int) -> None:
    """A deal as if it had been made earlier."""
    at = int((time.time() - hours * 3600) * 1000)
    ctrader.post("deal/edit", ticket=deal, TimeMsc=at)


def test_closing_deals_and_positions_come_by_csv(alone: CtraderPlatform, ctrader: CtraderSandbox) -> None:
    login = ctrader.account("real\\vip-GBP", money="50000.00")
    position = ctrader.trade(login, "XAUUSD", "0.30")["position"]
    closing = ctrader.post("close", position=position, lots="0.10")["deal"]
    (found,) = alone.deals_of(login, from_msc=0, to_msc=2**45)
    assert (found.ticket, found.position_id, found.entry, found.closed_lots) == (closing, position, 1, Decimal("0.1"))
    with ctrader.platform() as both:  # the same deal by the Manager API
        other = next(one for one in both.deals_of(login, from_msc=0, to_msc=2**45) if one.ticket == closing)
    for name in (
        "profit",
        "commission",
        "swap",
        "price",
        "price_position",
        "lots",
        "server_msc",
        "action",
        "contract_size",
    ):
        assert getattr(found, name) == getattr(other, name), name
    (held,) = [one for one in alone.positions(mask=wire_group("real\\vip-GBP")) if one.login == login]
    assert (held.ticket, held.lots, held.action, held.contract_size) == (position, Decimal("0.2"), 0, 100)
    assert not [one for one in alone.positions(mask="LIVE_PRO_GBP") if one.login == login]


def test_a_long_history_is_asked_for_two_days_at_a_time(alone: CtraderPlatform, ctrader: CtraderSandbox) -> None:
    login = ctrader.account("real\\vip-EUR", money="50000.00", registration=int(time.time()) - 9 * 86_400)
    made = [ctrader.post("close", position=ctrader.trade(login)["position"])["deal"] for _number in range(3)]
    for number, deal in enumerate(made):
        put_back(ctrader, deal, hours=24 * (7 - 3 * number))
    asked = ctrader.command_count("CLOSED_POSITIONS")
    found = [deal.ticket for deal in alone.deals_of(login, from_msc=0, to_msc=2**45)]
    assert found == made and 4 < ctrader.command_count("CLOSED_POSITIONS") - asked < 8
    now = alone.server_time().server_msc
    window = alone.deals(mask="LIVE_VIP_EUR", from_msc=now - 5 * 86_400_000, to_msc=now)
    assert [deal.ticket for deal in window if deal.login == login] == made[1:]
    cursor, seen = now - 8 * 86_400_000, []
    while True:
        page = alone.deals_since(cursor, mask="*", overlap=dt.timedelta(0))
        seen += [deal.ticket for deal in page.deals if deal.login == login]
        cursor = page.cursor
        if not page.has_more:
            break
    assert seen == made


def test_accounts_are_kept_without_a_manager_api(alone: CtraderPlatform, ctrader: CtraderSandbox) -> None:
    login = ctrader.account(money="100.00")
    changed = alone.update_account(login, group="LIVE_PRO_EUR", leverage=50, rights={Right.TRADE: False})
    assert (changed.group, changed.leverage, changed.allowed) == ("LIVE_PRO_EUR", 50, {Right.SIGN_IN})
    assert login in alone.logins("LIVE_PRO_*") and login not in alone.logins("*,!LIVE_PRO_EUR")
    groups = {group.name: group for group in alone.groups()}
    assert groups["LIVE_PRO_EUR"].currency == "EUR" and groups["DEMO_SOUTHERN_STANDARD_USD"].currency == ""
    sizes = {one.name: one.contract_size for one in alone.symbols()}
    assert (sizes["EURUSD"], sizes["XAUUSD"], sizes["US500"]) == (100_000, 100, 1)
    health = alone.health()
    assert health.version == "WebServices v2" and abs(health.time.server_msc / 1000 - time.time()) < 3


def test_without_the_manager_api_pages_offer_no_money(ctrader: CtraderSandbox) -> None:
    whole, alone = ctrader.row(), ctrader.row(manager_api="no")
    assert capabilities.lacking(whole) == []
    assert {one.value for one in capabilities.lacking(alone)} == {
        "move_money",
        "book_credit",
        "book_bonus",
        "book_correction",
    }
    assert capabilities.unverified(whole) == [Ability.BOOK_CREDIT] and capabilities.unverified(alone) == []


def test_what_needs_the_manager_api_says_so(alone: CtraderPlatform, ctrader: CtraderSandbox) -> None:
    login = ctrader.account()
    for work in (
        lambda: alone.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D:NO"),
        lambda: alone.check_password(login, "Abcdef1!"),
        lambda: alone.deals_by_ticket([1]),
        lambda: alone.find_operations(login, Decimal(1), "D:NO", since=timezone.now()),
    ):
        with pytest.raises(FinalError, match="needs the Manager API"):
            work()
    ctrader.fault("garbage", "CLOSED_POSITIONS")
    with pytest.raises(ReadTimedOut):
        list(alone.deals_of(login, from_msc=0, to_msc=2**45))


def test_the_row_of_a_sandbox_is_found_by_the_settings(ctrader: CtraderSandbox, settings: Any, tmp_path: Any) -> None:
    """Host `sandbox`: both addresses and the certificate are where the settings say."""
    certificate = tmp_path / "ctrader.crt"
    certificate.write_text(ctrader.pem)
    settings.SANDBOX_CTRADER_CERTIFICATE = str(certificate)
    settings.SANDBOX_PLATFORMS = {
        "ctrader": f"127.0.0.1:{ctrader.ports['ctrader_port']}",
        "ctrader_manager": f"127.0.0.1:{ctrader.ports['manager_port']}",
    }
    row = ctrader.row()
    row.host, row.certificate = "sandbox", ""
    platform = pool.kind_of("ctrader").factory(row, pool.Gate())
    try:
        assert "Manager API" in platform.health().version
    finally:
        platform.close()
    assert json.dumps(row.options)  # what stands in the row is no secret
