"""What goes wrong (facts/platforms §9), on MetaTrader 4 through a bridge. A test's name begins with the number of its point.

Points 10 to 17: kinds of rows, tickets, accounts, groups, rights, archives, secrets, answers that can't be read.
"""

from __future__ import annotations

import logging
import time
from decimal import Decimal

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.trading.factories import make_account, make_type
from tests.trading.mt4_lab import HOUR, Mt4Lab, account_on, reads
from trading.accounts import changes as accounts
from trading.accounts import opening
from trading.models import Deal, TradingAccount, TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, Purpose, Right
from trading.platforms.errors import FinalError, LoginTaken, NotStarted, OutcomeUnknown, ReadTimedOut
from trading.platforms.mt4.client import Work
from trading.platforms.mt4.rows import OUT_OFFSET
from trading.platforms.web import Address
from trading.sync import deals, money

pytestmark = pytest.mark.django_db


# -- 10 to 15


def test_10_only_buys_and_sells_are_trades_and_cancelled_orders_are_passed_over_by_name(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4, amount="5000.00")
    price = float(mt4.data("TickInfoLast/EURUSD.m")["ask"]) / 2
    order = mt4.process.post(
        "order", login=int(account.login), symbol="EURUSD", kind="buy_limit", lots="0.1", price=round(price, 5)
    )["order"]
    mt4.process.post("order/cancel", order=order)
    platform = pool.platform_for(mt4_server, Purpose.MONEY)
    platform.balance_operation(account.login, BalanceKind.CREDIT, Decimal(30), "C:CREDIT")
    for kind in (BalanceKind.BONUS, BalanceKind.CORRECTION):
        with pytest.raises(FinalError, match=kind.value):
            platform.balance_operation(account.login, kind, Decimal(1), "B:X")
    deals.sync_deals(mt4_server)
    money.sync_money(mt4_server)
    account.refresh_from_db()
    assert (account.balance, account.credit, account.last_trade_at) == (5000, 30, None)
    assert {row.action for row in Deal.objects.filter(account=account)} == {2, 3}
    assert reads(mt4_server).passed_over["BuyLimit Deleted"] >= 1


def test_11_the_same_tickets_on_two_servers_are_different_deals_and_closings_have_their_own(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    second = mt4.row(name="Second bridge")
    second.save()
    login = mt4.account(money="9000.00")
    for one in (mt4_server, second):
        make_account(cast.client, one, login=login)
    position = mt4.trade(login)
    mt4.close(position)
    for one in (mt4_server, second):
        deals.sync_deals(one)
    tickets = [position, position + OUT_OFFSET]
    for one in (mt4_server, second):
        assert list(
            Deal.objects.filter(server=one, ticket__in=tickets).order_by("ticket").values_list("entry", flat=True)
        ) == [0, 1]
    assert sorted(deal.ticket for deal in reads(mt4_server).deals_by_ticket([*tickets, 2**40, 0])) == tickets


@pytest.mark.parametrize("lost", ["UserRecordNew", "UserPasswordSet"])
def test_12_an_account_whose_answer_was_lost_is_made_once_and_gets_its_passwords(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(opening, "new_password", lambda: "Abcdef-12345!")
    kind = make_type(cast.brand, mt4_server, group="real-std-EUR", kyc_level=0)
    account = opening.request_account(client_id=cast.client.pk, account_type_id=kind.pk, actor=None, request_key="r1")
    users = mt4.process.state()["users"]
    mt4.fault("drop_after" if lost == "UserRecordNew" else "drop_before", lost)
    assert opening.open_on_platform(account.pk) == "unknown"
    TradingAccount.objects.filter(pk=account.pk).update(next_try_at=timezone.now() - HOUR)
    assert opening.open_on_platform(account.pk) == "open"
    account.refresh_from_db()
    assert (mt4.process.state()["users"], account.login) == (users + 1, str(mt4_server.first_login))
    assert reads(mt4_server).check_password(account.login, "Abcdef-12345!")
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


def test_14_stopping_trade_leaves_the_brokers_other_flags_alone(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4)
    mt4.call("PATCH", f"UserRecord/{account.login}", json={"enableFlags": 0x1 | 0x2 | 0x8})
    TradingAccount.objects.filter(pk=account.pk).update(trading_wanted=False)
    assert accounts.apply_right_to_trade(account.pk)
    assert mt4.data(f"UserRecordGet/{account.login}")["enableFlags"] == 0x1 | 0x2 | 0x4 | 0x8
    with pytest.raises(FinalError, match="no right"):
        reads(mt4_server).update_account(account.login, rights={Right.EXPERTS: False})


def test_15_an_account_that_is_no_longer_listed_is_marked_and_comes_back(
    cast: Cast, mt4_server: TradingServer, mt4: Mt4Lab
) -> None:
    account = account_on(cast, mt4_server, mt4, amount="75.00")
    money.sync_money(mt4_server)
    mt4.process.post("archive", login=int(account.login))
    money.sync_money(mt4_server)
    account.refresh_from_db()
    assert account.missing_since is not None and (account.state, account.balance) == ("open", 75)
    mt4.process.post("restore", login=int(account.login))
    money.sync_money(mt4_server)
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


@pytest.mark.parametrize(("fault", "value"), [("drip", 0.02), ("cut_off", 400), ("never_before", 0)])
def test_17_an_answer_that_does_not_end_ends_with_our_patience(mt4: Mt4Lab, fault: str, value: float) -> None:
    login = mt4.account()
    with mt4.adapter(waits=dict.fromkeys(Work, 0.5)) as platform:
        assert platform.read_account(login)
        mt4.fault(fault, "read", value=value, times=2)
        started_at = time.monotonic()
        with pytest.raises(ReadTimedOut):
            platform.read_account(login)
        assert time.monotonic() - started_at < 1.5
        mt4.process.post("faults/clear")
        assert platform.read_account(login)


def test_17_answers_twice_in_pieces_and_over_64_kib_are_read_whole(mt4: Mt4Lab) -> None:
    login = mt4.account()
    with mt4.adapter() as platform:
        whole = platform.logins("*")
        assert len(mt4.call("GET", "UsersRequest").content) > 4096
        mt4.fault("split", "UsersRequest", value=997)
        assert platform.logins("*") == whole
        rows = platform.deals(mask="*", from_msc=0, to_msc=2**45)
        mt4.fault("duplicate", "UserRecordRequest")
        account = platform.read_account(login)
        # A change goes over a connection of its own: the second answer is never read as its own.
        order = platform.balance_operation(login, BalanceKind.BALANCE, Decimal("1.25"), f"D:TWICE{login}")
        assert (
            platform.find_operations(login, Decimal("1.25"), f"D:TWICE{login}", since=timezone.now())[0].ticket == order
        )
        assert account is not None
    assert len({deal.ticket for deal in rows}) == len(rows) > 800


def test_17_a_bridge_without_balance_rights_refuses_in_words(mt4: Mt4Lab) -> None:
    mt4.process.post("rights", take="balance operations")
    with mt4.adapter() as platform, pytest.raises(FinalError, match="may not"):
        platform.balance_operation(mt4.account(), BalanceKind.BALANCE, Decimal(1), "D:NORIGHT")
    mt4.process.post("rights", give="balance operations")
