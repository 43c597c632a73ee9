"""What goes wrong with cTrader's connections (facts/platforms §9, points 4 and 17): silence, restarts, refused log-ins, forks,
late and foreign answers, single bytes."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from dataclasses import replace
from decimal import Decimal

import pytest

from tests.trading.ctrader_server import CtraderSandbox
from trading.models import TradingServer
from trading.platforms.base import BalanceKind
from trading.platforms.ctrader.platform import CtraderPlatform
from trading.platforms.errors import FinalError, NotStarted, PlatformBusy, ReadTimedOut

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


def test_17_answers_in_single_bytes_are_read_whole(platform: CtraderPlatform, sandbox: CtraderSandbox) -> None:
    login = sandbox.account(money="7.00", name="Zoë | = \\ 🙂")
    whole = (
        platform.read_account(login),
        platform.account_money([login]),
        list(platform.deals_of(login, from_msc=0, to_msc=2**45)),
    )
    for command in ("TRADER_GET", "BALANCE_HISTORY_LIST", "VERSION"):
        sandbox.fault("split", command, value=1)
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
