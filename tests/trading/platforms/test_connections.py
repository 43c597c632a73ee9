"""One connection per process, server and purpose, over both forms of the Web API; and what every silence is called."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.factories import make_server
from tests.trading.platforms.test_gate import in_child
from tests.trading.sandbox_server import Sandbox
from trading.models import TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, Purpose
from trading.platforms.errors import ErrorKind, PlatformError
from trading.platforms.mt5.platform import Mt5Platform

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["raw", "rest"])
def either(request: pytest.FixtureRequest, sandbox: Sandbox, settings: Any) -> Iterator[TradingServer]:
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 0.6, 0.6
    fields = {"raw": {"port": sandbox.port}, "rest": {"port": sandbox.rest_port, "certificate": sandbox.certificate}}
    yield make_server(transport=request.param, **fields[request.param])
    pool.close_all()


def sessions(sandbox: Sandbox, wanted: int) -> int:
    """How many sessions the server has, when it had time to notice closed ones."""
    deadline = time.monotonic() + 3
    while (now := sandbox.state()["sessions"]) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return now


def ask_all(server: TradingServer) -> None:
    for purpose in Purpose:
        pool.platform_for(server, purpose).server_time()


def test_a_process_has_one_session_per_purpose_however_many_threads_ask(
    either: TradingServer, sandbox: Sandbox
) -> None:
    before = sandbox.state()["sessions"]
    threads = [threading.Thread(target=lambda: [ask_all(either) for _again in range(3)]) for _thread in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sessions(sandbox, before + len(Purpose)) == before + len(Purpose)


def test_a_child_of_a_fork_opens_its_own_and_the_parents_stay(either: TradingServer, sandbox: Sandbox) -> None:
    before = sandbox.state()["sessions"]
    ask_all(either)
    held = [pool.platform_for(either, purpose) for purpose in Purpose]

    def child() -> str:
        ask_all(either)
        return str(sandbox.state()["sessions"] - before)

    assert in_child(child) == str(2 * len(Purpose))
    assert sessions(sandbox, before + len(Purpose)) == before + len(Purpose)
    ask_all(either)
    assert [pool.platform_for(either, purpose) for purpose in Purpose] == held
    assert sandbox.state()["sessions"] == before + len(Purpose)


def test_changed_settings_open_a_new_session_and_a_restart_is_logged_in_to_again(
    either: TradingServer, sandbox: Sandbox
) -> None:
    before = sandbox.state()["sessions"]
    ask_all(either)
    either.balance_command = "KEELSON_BALANCE"
    either.save()
    ask_all(either)
    assert sessions(sandbox, before + len(Purpose)) == before + len(Purpose)
    sandbox.post("restart")
    ask_all(either)
    assert sessions(sandbox, len(Purpose)) == len(Purpose)


def test_a_read_that_hangs_holds_up_neither_money_nor_a_change_of_settings(
    either: TradingServer, sandbox: Sandbox, settings: Any
) -> None:
    settings.TRADING_READ_SECONDS = 3.0
    login = sandbox.new_account()
    ask_all(either)
    sandbox.fault("slow", "GROUP_TOTAL", value=1.5)
    hanging = threading.Thread(target=lambda: pool.platform_for(either, Purpose.READS).groups())
    hanging.start()
    time.sleep(0.2)
    started = time.monotonic()
    pool.platform_for(either, Purpose.MONEY).balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:BESIDE")
    assert time.monotonic() - started < 1
    hanging.join()


def test_every_failure_is_one_of_the_five_kinds(either: TradingServer, sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    platform = pool.platform_for(either, Purpose.MONEY)
    assert isinstance(platform, Mt5Platform)

    def read() -> object:
        return platform.read_account(login)

    def write() -> object:
        return platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D:KIND")

    table: list[tuple[Callable[[], object], str, str, float, ErrorKind]] = [
        (read, "slow", "USER_GET", 1.0, ErrorKind.READ_TIMED_OUT),
        (write, "slow", "TRADE_BALANCE", 1.0, ErrorKind.OUTCOME_UNKNOWN),
        (read, "cut_off", "USER_GET", 5, ErrorKind.READ_TIMED_OUT),
        (write, "cut_off", "TRADE_BALANCE", 5, ErrorKind.OUTCOME_UNKNOWN),
        (read, "too_frequent", "USER_GET", 0, ErrorKind.BUSY),
        (write, "too_frequent", "TRADE_BALANCE", 0, ErrorKind.BUSY),
        (write, "retcode", "TRADE_BALANCE", 10019, ErrorKind.FINAL),
        (write, "retcode", "TRADE_BALANCE", 11, ErrorKind.NOT_STARTED),
        (write, "retcode", "TRADE_BALANCE", 7, ErrorKind.OUTCOME_UNKNOWN),
        (write, "garbage", "TRADE_BALANCE", 0, ErrorKind.OUTCOME_UNKNOWN),
    ]
    for call, fault, command, value, kind in table:
        sandbox.fault(fault, command, times=2 if fault == "cut_off" else 1, value=value)
        with pytest.raises(PlatformError) as error:
            call()
        assert error.value.kind == kind, (fault, command)
        sandbox.post("faults/clear")


@pytest.mark.parametrize("transport", ["raw", "rest"])
def test_a_server_that_takes_the_connection_and_says_nothing_was_not_started(db: None, transport: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        server = make_server(transport=transport, port=mute.getsockname()[1])
        platform = pool.platform_for(server, Purpose.MONEY)
        assert isinstance(platform, Mt5Platform)
        object.__setattr__(platform.client.config, "connect_seconds", 0.5)
        with pytest.raises(PlatformError) as error:
            platform.balance_operation("1", BalanceKind.BALANCE, Decimal(1), "D:MUTE")
        assert error.value.kind == ErrorKind.NOT_STARTED
    pool.close_all()
