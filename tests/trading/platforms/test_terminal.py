"""The optional Windows extra: read only, imported late, exact, and honest about where it works.

The package can't run here; its place takes a stand-in with the names and types of its published description.
"""

from __future__ import annotations

import ast
import datetime as dt
import io
import subprocess
import sys
import tomllib
from collections import namedtuple
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from tests.trading.sandbox_process import ROOT
from trading.platforms.errors import FinalError, NotStarted, ReadTimedOut
from trading.platforms.mt5 import terminal as module
from trading.platforms.mt5.terminal import terminal

EET = ZoneInfo("EET")
AccountInfo = namedtuple(
    "AccountInfo",
    "login name server company currency currency_digits leverage trade_allowed balance credit profit equity "
    "margin margin_free margin_level",
)
TradeDeal = namedtuple(
    "TradeDeal",
    "ticket order time time_msc type entry magic position_id reason volume price commission swap profit fee "
    "symbol comment external_id",
)
TradePosition = namedtuple(
    "TradePosition", "ticket time time_msc type volume price_open price_current profit swap symbol comment"
)
NOON = dt.datetime(2026, 7, 15, 12, 0, tzinfo=dt.UTC)
NOON_MSC = int((NOON + dt.timedelta(hours=3)).timestamp() * 1000)  # EET in summer


class Api:
    """The package's functions that are used, and what was asked of them."""

    def __init__(self, *, error: tuple[int, str] | None = None, silent: bool = False) -> None:
        self.error, self.silent, self.asked = error, silent, []  # type: ignore[var-annotated]

    def initialize(self, *path: str, **values: object) -> bool:
        self.asked.append(("initialize", path, values))
        return self.error is None

    def shutdown(self) -> None:
        self.asked.append(("shutdown",))

    def last_error(self) -> tuple[int, str]:
        return self.error or (-10005, "timeout")

    def account_info(self) -> AccountInfo | None:
        if self.silent:
            return None
        return AccountInfo(
            7001,
            "Zoë 🙂",
            "Broker-Live",
            "Broker Ltd",
            "EUR",
            2,
            30,
            False,
            0.1 + 0.2,
            10.0,
            -1.005,
            9.3,
            2.0,
            7.3,
            465.0,
        )

    def history_deals_get(self, first: dt.datetime, last: dt.datetime) -> tuple[TradeDeal, ...]:
        self.asked.append(("history_deals_get", first, last))
        return (
            TradeDeal(
                11, 0, NOON_MSC // 1000, NOON_MSC, 2, 0, 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 30000.0, 0.0, "", "Deposit", ""
            ),
            TradeDeal(
                12,
                5,
                NOON_MSC // 1000,
                NOON_MSC,
                1,
                1,
                0,
                4,
                0,
                0.29,
                0.90245,
                -0.1,
                0.0,
                -14.07,
                0.0,
                "EURGBP",
                "",
                "",
            ),
        )

    def positions_get(self) -> tuple[TradePosition, ...]:
        return (TradePosition(4, NOON_MSC // 1000, NOON_MSC, 0, 0.07, 1.08123, 1.0815, 1.89, -0.3, "EURUSD", ""),)


def sign_in(api: Api):  # type: ignore[no-untyped-def]
    return terminal(login=7001, password="View-7001!", server="Broker-Live", zone=EET, api=api)


def test_the_account_is_read_with_exact_amounts() -> None:
    api = Api()
    with sign_in(api) as reader:
        account = reader.account()
        (position,) = reader.positions()
    assert (account.login, account.currency, account.money.balance, account.can_trade) == (
        "7001",
        "EUR",
        Decimal("0.30"),
        False,
    )
    assert account.money.floating == Decimal("-1.00")  # a half goes to the even digit
    assert (position.lots, position.swap, position.opened_at) == (Decimal("0.07"), Decimal("-0.30"), NOON)
    assert [step[0] for step in api.asked] == ["initialize", "shutdown"]


def test_deals_are_read_in_server_time_and_told_in_utc() -> None:
    api = Api()
    with sign_in(api) as reader:
        deposit, closed = reader.deals(NOON - dt.timedelta(hours=1), NOON)
    _name, first, last = api.asked[1]
    assert (first.hour, last.hour) == (14, 15)
    assert (deposit.action, deposit.profit, deposit.lots) == (2, Decimal(30000), 0)
    assert (closed.lots, closed.closed_lots, closed.price, closed.profit) == (
        Decimal("0.29"),
        Decimal("0.29"),
        Decimal("0.90245"),
        Decimal("-14.07"),
    )
    assert closed.executed_at == NOON


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ((-6, "Authorization failed"), FinalError),
        ((-10003, "IPC initialize failed"), NotStarted),
        ((-10005, "IPC timeout"), ReadTimedOut),
        ((-1, "fail"), FinalError),
    ],
)
def test_what_the_terminal_refuses_is_told_and_the_terminal_left(error: tuple[int, str], kind: type[Exception]) -> None:
    api = Api(error=error)
    with pytest.raises(kind) as told, sign_in(api):
        raise AssertionError("not reached")
    assert api.asked[-1] == ("shutdown",) and "View-7001!" not in str(told.value)


def test_a_terminal_that_falls_silent_is_a_read_that_timed_out() -> None:
    with pytest.raises(ReadTimedOut), sign_in(Api(silent=True)) as reader:
        reader.account()


def test_only_functions_that_read_are_called() -> None:
    allowed = {"initialize", "shutdown", "last_error", "account_info", "history_deals_get", "positions_get"}
    tree = ast.parse(Path(module.__file__).read_text())
    called = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and (
            (isinstance(node.value, ast.Name) and node.value.id == "api")
            or (isinstance(node.value, ast.Attribute) and node.value.attr == "_api")
        )
    }
    assert called == allowed


def test_the_package_is_imported_late_and_declared_for_windows_only() -> None:
    code = "import sys, trading.platforms.mt5.terminal as t; assert 'MetaTrader5' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["mt5"]
    assert all("MetaTrader5" in line and "sys_platform == 'win32'" in line for line in extras)
    locked = (ROOT / "requirements" / "base.txt").read_text()
    assert "metatrader5" not in locked or ("metatrader5==" in locked and "sys_platform == 'win32'" in locked)


def test_elsewhere_the_command_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELSON_TERMINAL_PASSWORD", "View-7001!")
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(CommandError, match="Windows only"):
        call_command("read_terminal", "7001", "Broker-Live")
    with pytest.raises(CommandError, match="a time zone"):
        call_command("read_terminal", "7001", "Broker-Live", "--zone", "Mars/Base")


def test_the_command_prints_json_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEELSON_TERMINAL_PASSWORD", "View-7001!")
    monkeypatch.setattr(module, "load", lambda: Api())
    out = io.StringIO()
    call_command("read_terminal", "7001", "Broker-Live", stdout=out)
    lines = out.getvalue().splitlines()
    assert ['"kind": "account"' in lines[0], '"kind": "position"' in lines[1], len(lines)] == [True, True, 4]
    assert "View-7001!" not in out.getvalue()


def test_the_honest_page_names_its_limits() -> None:
    page = (ROOT / "docs" / "mt5-terminal.md").read_text()
    for words in ("Windows only", "investor", "it can't", "deposit", "floats", "stand-in"):
        assert words in page
