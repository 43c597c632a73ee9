"""The sandbox's orders, prices and checks: what clients other than ours may ask of it."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest

from sandbox.engine import levels
from sandbox.engine.contracts import SYMBOLS
from sandbox.engine.market import Market
from tests.trading.sandbox_server import Sandbox
from trading.platforms.errors import FinalError
from trading.platforms.mt5.client import CRYPT_NONE, Mt5Client
from trading.platforms.mt5.commands import Mt5Commands
from trading.platforms.mt5.wire import Answer

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


# -- what a back office asks besides ----------------------------------------------------------------------------------


def form_of(client: Mt5Commands) -> str:
    return "rest" if type(client).__name__ == "Mt5RestClient" else "raw"


def test_without_the_margin_check_a_balance_may_go_below_zero(client: Mt5Commands, login: str) -> None:
    withdrawal = {"LOGIN": login, "TYPE": 2, "BALANCE": "-6000.00", "COMMENT": "too much"}
    with pytest.raises(FinalError) as error:
        client.write("TRADE_BALANCE", {**withdrawal, "CHECK_MARGIN": 1})
    assert error.value.code == 10019
    assert client.write("TRADE_BALANCE", {**withdrawal, "CHECK_MARGIN": 0}).retcode == 0
    assert Decimal(client.read("USER_GET", {"LOGIN": login}).row()["Balance"]) == Decimal("-1000.00")
    with pytest.raises(FinalError) as error:
        client.write("TRADE_BALANCE", {**withdrawal, "TYPE": 3, "CHECK_MARGIN": 0})
    assert error.value.code == 10019, "credit never goes below what was given"


class Listening(Mt5Client):
    """Keeps every answer as it came."""

    heard: list[Answer]

    def _receive(self, *args: Any) -> Answer:
        answer = super()._receive(*args)
        self.heard = [*getattr(self, "heard", []), answer]
        return answer


def test_10019_says_no_money_and_a_plain_session_is_given_random_bytes_too(sandbox: Sandbox, login: str) -> None:
    client = Listening(sandbox.config(crypt_method=CRYPT_NONE))
    with pytest.raises(FinalError):
        client.write("TRADE_BALANCE", {"LOGIN": login, "TYPE": 2, "BALANCE": "-9000.00", "COMMENT": "x"})
    client.close()
    _start, answer, refused = client.heard
    assert len(bytes.fromhex(answer.parameters["CRYPT_RAND"])) == 256
    assert refused.parameters["RETCODE"] == "10019 No money"


def test_common_settings_mail_and_news_are_answered(client: Mt5Commands, login: str) -> None:
    common = client.read("COMMON_GET").row()
    assert (common["Product"], common["Owner"]) == ("MetaTrader 5", "Keelson")
    assert client.write("MAIL_SEND", {"TO": login, "SUBJECT": "Welcome"}).retcode == 0
    assert client.write("NEWS_SEND", {"SUBJECT": "Closed on Thursday", "PRIORITY": 0}).retcode == 0
    with pytest.raises(FinalError) as error:
        client.write("MAIL_SEND", {"TO": login})
    assert error.value.code == 3


def test_margin_and_profit_are_calculated_before_an_order(client: Mt5Commands, login: str) -> None:
    names = {"raw": ("TRADE_MARGIN_CHECK", "TRADE_PROFIT"), "rest": ("TRADE_CHECK_MARGIN", "TRADE_CALC_PROFIT")}
    check, profit = names[form_of(client)]
    order = {"LOGIN": login, "SYMBOL": "EURUSD", "TYPE": 0, "VOLUME": 10_000_000, "PRICE": "1.10000"}
    found = client.read(check, order).row()
    before, after = found["current"], found["new"]
    assert (before["Login"], before["Margin"], before["MarginFree"]) == (login, "0.00", "5000.00")
    assert Decimal(after["Margin"]) == Decimal("333.33"), "0.1 lot of 100,000 EUR at 1:30"
    assert Decimal(after["MarginFree"]) == Decimal("4666.67")
    asked = {
        "GROUP": "real\\standard-USD",
        "SYMBOL": "EURUSD",
        "VOLUME": 10_000_000,
        "PRICE_OPEN": "1.11500",
        "PRICE_CLOSE": "1.12500",
    }
    for kind, worth in ((0, "100.000000"), (1, "-100.000000")):
        answer = client.read(profit, {**asked, "TYPE": kind})
        assert (answer.parameters["PROFIT"], answer.parameters["PROFIT_RATE"]) == (worth, "1.000000")
    for wrong in ({"TYPE": 7}, {"VOLUME": "x"}, {"PRICE_OPEN": "-1"}):
        with pytest.raises(FinalError) as error:
            client.read(profit, {**asked, "TYPE": 0, **wrong})
        assert error.value.code == 3


def test_deals_and_open_orders_are_deleted_by_ticket_all_or_none(
    client: Mt5Commands, sandbox: Sandbox, login: str
) -> None:
    booked = {"LOGIN": login, "TYPE": 2, "BALANCE": "10.00", "COMMENT": "by mistake"}
    deals = [client.write("TRADE_BALANCE", booked).number("TICKET") for _each in range(2)]
    with pytest.raises(FinalError) as error:
        client.write("DEAL_DELETE", {"TICKET": f"{deals[0]},999999999"})
    assert error.value.code == 13
    assert client.write("DEAL_DELETE", {"TICKET": ",".join(map(str, deals))}).retcode == 0
    assert Decimal(client.read("USER_GET", {"LOGIN": login}).row()["Balance"]) == Decimal("5000.00")
    price = str(level(sandbox, "NZDUSD") + Decimal("0.05000"))
    order = sandbox.post("order", login=login, symbol="NZDUSD", kind="sell_limit", lots="0.10", price=price)["order"]
    assert client.write("ORDER_DELETE", {"TICKET": order}).retcode == 0
    for name in ("ORDER_GET", "HISTORY_GET"):
        with pytest.raises(FinalError) as error:
            client.read(name, {"TICKET": order})
        assert error.value.code == 13
    for wrong in ("", "x", "1;2"):
        with pytest.raises(FinalError) as error:
            client.write("ORDER_DELETE", {"TICKET": wrong})
        assert error.value.code == 3


@pytest.mark.parametrize("name", ["CLIENT_GET", "CHART_GET", "DAILY_GET", "DEALER_SEND"])
def test_what_is_not_there_says_so(client: Mt5Commands, name: str) -> None:
    with pytest.raises(FinalError):
        client.read(name)
