"""One sandbox MT5 server for all tests of trading; each test makes its own accounts on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trading.ctrader_server import CtraderSandbox, running_ctrader
from tests.trading.factories import make_server
from tests.trading.mt4_lab import ARGUMENTS, Mt4Lab
from tests.trading.sandbox_process import started
from tests.trading.sandbox_server import Sandbox, running_sandbox
from trading.models import TradingServer
from trading.platforms import pool
from trading.platforms.ctrader.platform import CtraderPlatform


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder: Path = tmp_path_factory.mktemp("mt5")
    with running_sandbox(folder / "state.sqlite", "--ping-seconds", "0.5") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The server without any fault left by another test."""
    with shared_sandbox.awake():
        shared_sandbox.post("faults/clear")
        yield shared_sandbox
        shared_sandbox.post("faults/clear")
        pool.close_all()


@pytest.fixture
def server(db: None, sandbox: Sandbox, settings: Any) -> TradingServer:
    """The row of the sandbox server; our patience with it is short."""
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 10.0, 0.8
    return make_server(port=sandbox.port)


@pytest.fixture(scope="session")
def shared_mt4(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mt4Lab]:
    with started("mt4", tmp_path_factory.mktemp("mt4") / "state.sqlite", *ARGUMENTS) as process:
        lab = Mt4Lab(process)
        yield lab
        lab.http.close()


@pytest.fixture
def mt4(shared_mt4: Mt4Lab) -> Iterator[Mt4Lab]:
    """The sandbox MT4 server without a fault, a limit, a token or a journey in time that another test left."""
    shared_mt4.http.headers.pop("Authorization", None)
    with shared_mt4.process.awake():
        for path, data in (("faults/clear", {}), ("frequency", {"per_second": 0}), ("rights", {}), ("clock", {})):
            shared_mt4.process.post(path, **data)
        yield shared_mt4
        shared_mt4.process.post("faults/clear")
        shared_mt4.process.post("clock")
        pool.close_all()


@pytest.fixture
def mt4_server(db: None, mt4: Mt4Lab, settings: Any) -> TradingServer:
    """The row of the sandbox MT4 server; our patience with it is short."""
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 8.0, 0.5
    server = mt4.row()
    first = int(mt4.free_login()) * 10
    server.first_login = server.next_login = first
    server.last_login = first + 9
    server.save()
    return server


@pytest.fixture(scope="session")
def shared_ctrader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CtraderSandbox]:
    with running_ctrader(tmp_path_factory.mktemp("ctrader") / "state.sqlite") as sandbox:
        yield sandbox


@pytest.fixture
def ctrader(shared_ctrader: CtraderSandbox, settings: Any) -> Iterator[CtraderSandbox]:
    """The sandbox cTrader server without a fault or a missing right that another test left; our patience is short."""
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 3.0, 0.8
    with shared_ctrader.awake():
        shared_ctrader.post("faults/clear")
        yield shared_ctrader
        shared_ctrader.post("faults/clear")
        shared_ctrader.post("rights")
        pool.close_all()


@pytest.fixture
def ctrader_row(ctrader: CtraderSandbox, db: None) -> TradingServer:
    row = ctrader.row()
    row.save()
    return row


@pytest.fixture
def ctrader_platform(ctrader: CtraderSandbox) -> Iterator[CtraderPlatform]:
    with ctrader.platform() as platform:
        yield platform
