"""The sandbox's orders, prices and checks: what clients other than ours may ask of it."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from sandbox.engine import levels
from sandbox.engine.contracts import SYMBOLS
from sandbox.engine.market import Market
from tests.trading.sandbox_server import Sandbox
from trading.platforms.errors import FinalError
from trading.platforms.mt5.commands import Mt5Commands

FORMS = ["raw", "rest"]


@pytest.fixture(params=FORMS)
def client(request: pytest.FixtureRequest, sandbox: Sandbox):  # type: ignore[no-untyped-def]
    with sandbox.client(request.param) as client:
        yield client


@pytest.fixture
def login(sandbox: Sandbox) -> str:
    login = sandbox.new_account()
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": login, "TYPE": 2, "BALANCE": "5000.00", "COMMENT": "fund"})
    return login


def level(sandbox: Sandbox, symbol: str) -> Decimal:
    return Decimal(str(sandbox.state()["prices"][symbol]["bid"]))


def test_a_pending_order_waits_is_filled_and_becomes_history(client: Mt5Commands, sandbox: Sandbox, login: str) -> None:
    now = level(sandbox, "NZDUSD")
    order = sandbox.post(
        "order", login=login, symbol="NZDUSD", kind="sell_limit", lots="0.10", price=str(now + Decimal("0.01000"))
    )["order"]
    assert client.read("ORDER_GET", {"TICKET": order}).row()["State"] == "1"
    assert client.read("ORDER_GET_TOTAL", {"LOGIN": login}).number("TOTAL") == 1
    page = client.read("ORDER_GET_PAGE", {"LOGIN": login, "OFFSET": 0, "TOTAL": 10}).rows()
    assert (
        [row["Order"] for row in page]
        == [str(order)]
        == [row["Order"] for row in client.read("ORDER_GET_BATCH", {"LOGIN": login}).rows()]
    )
    with pytest.raises(FinalError):
        client.read("HISTORY_GET", {"TICKET": order})
    sandbox.post("price", symbol="NZDUSD", level=float(now) + 0.02)
    deadline = time.monotonic() + 5
    while client.read("ORDER_GET_TOTAL", {"LOGIN": login}).number("TOTAL"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = client.read("HISTORY_GET", {"TICKET": order}).row()
    (deal,) = [row for row in client.read("DEAL_GET_BATCH", {"LOGIN": login}).rows() if row["Order"] == str(order)]
    assert (done["State"], done["Type"], done["PositionID"]) == ("4", "3", deal["PositionID"])
    assert (deal["Action"], deal["VolumeExt"]) == ("1", "10000000")
    sandbox.post("price", symbol="NZDUSD", level=float(now))


def test_history_holds_market_orders_and_cancelled_ones(client: Mt5Commands, sandbox: Sandbox, login: str) -> None:
    opened = sandbox.post("trade", login=int(login), symbol="USDCAD", lots="0.10", side="buy")
    price = level(sandbox, "USDCAD") - Decimal("0.05000")
    order = sandbox.post("order", login=login, symbol="USDCAD", kind="buy_limit", lots="0.10", price=str(price))[
        "order"
    ]
    sandbox.post("order/cancel", order=order)
    window = {"LOGIN": login, "FROM": 0, "TO": 0}
    assert client.read("HISTORY_GET_TOTAL", window).number("TOTAL") == 2
    rows = client.read("HISTORY_GET_PAGE", {**window, "OFFSET": 0, "TOTAL": 100}).rows()
    assert [(row["State"], row["Type"]) for row in rows] == [("4", "0"), ("2", "2")]
    assert rows[0]["PositionID"] == str(opened["position"]) and rows[1]["Order"] == str(order)
    assert client.read("HISTORY_GET_BATCH", window).rows() == rows
    assert client.read("HISTORY_GET", {"TICKET": rows[0]["Order"]}).row()["VolumeInitialExt"] == "10000000"


def test_an_order_on_the_wrong_side_of_the_price_is_refused(sandbox: Sandbox, login: str) -> None:
    price = str(level(sandbox, "AUDUSD") + Decimal("0.05000"))
    answer = sandbox.http.post(
        "/control/order", json={"login": login, "symbol": "AUDUSD", "kind": "buy_limit", "lots": "0.10", "price": price}
    )
    assert (answer.status_code, answer.json()["retcode"]) == (409, 10015)


def test_prices_follow_the_cursor_and_tell_the_day(client: Mt5Commands, sandbox: Sandbox) -> None:
    stat = client.read("TICK_STAT", {"SYMBOL": "EURUSD,XAUUSD"})
    euro, gold = stat.rows()
    for row in (euro, gold):
        assert Decimal(row["BidLow"]) <= Decimal(row["Bid"]) <= Decimal(row["BidHigh"])
        assert Decimal(row["BidLow"]) <= Decimal(row["PriceOpen"]) <= Decimal(row["BidHigh"])
    trans = stat.number("TRANS_ID")
    last = client.read("TICK_LAST", {"SYMBOL": "EURUSD", "TRANS_ID": trans + 1000})
    assert last.rows() == [] and last.number("TRANS_ID") >= trans
    (plain,) = client.read("TICK_LAST", {"SYMBOL": "EURUSD"}).rows()
    (marked,) = client.read("TICK_LAST_GROUP", {"SYMBOL": "EURUSD", "GROUP": "real\\standard-EUR"}).rows()
    spreads = [Decimal(row["Ask"]) - Decimal(row["Bid"]) for row in (plain, marked)]
    assert spreads[1] - spreads[0] == Decimal("0.00012")
    names = client.read("SYMBOL_LIST").json()
    assert names == list(SYMBOLS)
    rows = client.read("SYMBOL_NEXT", {"INDEX": 2, "COUNT": 3}).rows()
    assert [row["Symbol"] for row in rows] == names[2:5]
    shown = client.read("SYMBOL_GET_GROUP", {"SYMBOL": "EURUSD", "GROUP": "real\\islamic-EUR"}).row()
    assert int(shown["SwapMode"]) == 0 and int(shown["Spread"]) == 30


def test_the_balance_is_checked_against_the_deals_and_set_right(
    client: Mt5Commands, sandbox: Sandbox, login: str
) -> None:
    found = client.read("USER_CHECK_BALANCE", {"LOGIN": login}).row()
    assert Decimal(found["BalanceUser"]) == Decimal(found["BalanceHistory"]) == 5000
    assert client.write("USER_CHECK_BALANCE", {"LOGIN": login, "FIXFLAG": 1}).retcode == 0


def test_currencies_start_at_the_reference_rates_and_the_rest_at_documented_levels() -> None:
    rates = levels.per_euro()
    market = Market(1)
    assert market.middle["EURUSD"] == rates["USD"] == 1.175
    assert market.middle["GBPUSD"] == pytest.approx(rates["USD"] / rates["GBP"], rel=1e-5)
    assert market.middle["USDJPY"] == pytest.approx(rates["JPY"] / rates["USD"], rel=1e-5)
    assert market.middle["EURGBP"] == pytest.approx(rates["GBP"], rel=1e-4)
    assert market.middle["XAUUSD"] == 2350
    market.restore({"EURUSD": 1.05})
    market.anchor({"EURUSD": 1.05})
    for _hour in range(500):
        market.step(60, None)
    assert market.middle["EURUSD"] == pytest.approx(1.05, rel=0.02)
