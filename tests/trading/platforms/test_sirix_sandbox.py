"""The sandbox Sirix server by raw requests: the calls as public clients send them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.trading.sandbox_process import SandboxProcess, started
from tests.trading.sirix_server import call, new_account

STATUS, CREATE, MONEY = (
    "UserStatus/GetUserTransactions",
    "UserActions/CreateUser",
    "UserActions/CreateMonetaryTransaction",
)


@pytest.fixture(scope="module")
def sirix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with started("sirix", tmp_path_factory.mktemp("sirix") / "state.sqlite", "--port", "0") as process:
        yield process


def test_the_documented_request_gets_the_documented_answer(sirix: SandboxProcess) -> None:
    """facts: UserData, OpenPositions, PendingOrders, ClosedPositions, MonetaryTransactions; amounts in units."""
    login = new_account(sirix, money="10000.00", group="real\\pro-EUR")
    held = sirix.post("trade", login=int(login), symbol="EURUSD", lots="0.30", side="sell")["position"]
    sirix.post("close", position=held, lots="0.10")
    sirix.post("order", login=int(login), symbol="EURUSD", kind="buy_limit", lots="0.10", price="0.5")
    answer = call(
        sirix,
        STATUS,
        UserID=login,
        GetOpenPositions=True,
        GetPendingPositions=True,
        GetClosePositions=True,
        GetMonetaryTransactions=True,
    ).json()
    user = answer["UserData"]
    assert (user["UserID"], user["Currency"], user["UserDetails"]["FullName"]) == (login, "EUR", "Test Trader")
    assert user["AccountBalance"].keys() == {"Balance", "Equity", "FreeMargin", "MarginLevel"}
    (opened,), (closed,), (waiting,), (money,) = (
        answer[name] for name in ("OpenPositions", "ClosedPositions", "PendingOrders", "MonetaryTransactions")
    )
    assert (opened["OrderNumber"], opened["Symbol"], opened["Side"], opened["Amount"]) == (held, "EUR/USD", 1, 20_000)
    assert (closed["OrderNumber"], closed["Amount"], closed["Side"]) == (held, 10_000, 1)
    assert closed["TotalProfit"] == pytest.approx(closed["Profit"] - 0.6)  # commission of both sides of 0.10 lot
    assert (waiting["PendingOrderType"], waiting["Amount"], money["Type"]) == (2, 10_000, "Deposit")
    balance = sum(Decimal(str(one)) for one in (money["Amount"], closed["TotalProfit"]))
    assert Decimal(str(user["AccountBalance"]["Balance"])) == balance


def test_history_comes_in_pages_newest_first(sirix: SandboxProcess) -> None:
    login = new_account(sirix)
    for amount in range(1, 6):
        sirix.post("balance", login=int(login), amount=str(amount))
    pages = [
        call(sirix, STATUS, UserID=login, GetMonetaryTransactions=True, Page=page, PageSize=2).json()[
            "MonetaryTransactions"
        ]
        for page in (1, 2, 3, 4)
    ]
    assert [[row["Amount"] for row in page] for page in pages] == [[5, 4], [3, 2], [1], []]
    assert call(sirix, STATUS, UserID=login, PageSize=501).status_code == 400


def test_an_account_is_made_by_the_call_and_named_by_the_server(sirix: SandboxProcess) -> None:
    wish = {
        "GroupName": "RL-Standard-EUR",
        "UserDetails": {"FullName": "Zoë", "Email": "z@traders.example"},
        "Passwords": {"Password": "Abcdef1!"},
    }
    login = call(sirix, CREATE, **wish).json()["User"]["UserID"]
    assert call(sirix, STATUS, UserID=login).json()["UserData"]["UserDetails"]["FullName"] == "Zoë"
    assert call(sirix, CREATE, **{**wish, "GroupName": "RL-Netting-EUR"}).status_code == 400
    assert (
        call(sirix, CREATE, **{**wish, "Passwords": {"Password": "x"}}).json()["Message"] == "The password is too weak"
    )


def test_nobody_is_let_in_without_the_token_and_nothing_is_where_nothing_is(sirix: SandboxProcess) -> None:
    login = new_account(sirix)
    assert call(sirix, STATUS, token="other", UserID=login).status_code == 401
    assert call(sirix, MONEY, token="x", UserID=login, Type="Deposit", Amount=1).status_code == 401
    assert sirix.post("look", login=int(login))["deals"] == []
    assert call(sirix, "Users/Delete", UserID=login).status_code == 404
    assert call(sirix, STATUS, UserID="1").json() == {"Message": "User not found"}
    assert call(sirix, STATUS, UserID=new_account(sirix, group="real\\netting-EUR")).status_code == 404
    assert call(sirix, STATUS).status_code == 400


def test_money_is_booked_and_refused(sirix: SandboxProcess) -> None:
    login = new_account(sirix)
    done = call(sirix, MONEY, UserID=login, Type="Deposit", Amount=50.25, Comment="D:X").json()
    assert done["Result"]["Code"] == "Success"
    refused = call(sirix, MONEY, UserID=login, Type="Withdrawal", Amount=50.26, Comment="W:X")
    assert (refused.status_code, refused.json()["Result"]["Code"]) == (400, "NotEnoughMoney")
    assert call(sirix, MONEY, UserID=login, Type="Gift", Amount=1).status_code == 400


def test_its_state_survives_and_an_import_fills_it(tmp_path: Path) -> None:
    line = {"kind": "user", "login": 812_345, "group": "real\\vip-USD", "balance": "77.50", "name": "From the house"}
    (tmp_path / "import.jsonl").write_text(json.dumps(line) + "\n")
    for _start in range(2):
        with started(
            "sirix", tmp_path / "state.sqlite", "--port", "0", "--import", str(tmp_path / "import.jsonl")
        ) as again:
            user = call(again, STATUS, UserID="812345").json()["UserData"]
            assert user["AccountBalance"]["Balance"] == 77.5
