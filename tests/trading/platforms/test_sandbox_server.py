"""The sandbox server's own rules, seen from outside: what the adapters are tested against must itself be right."""

from __future__ import annotations

import datetime as dt
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pymt5pure
import pytest

from tests.trading.sandbox_process import ROOT, _ready_line
from tests.trading.sandbox_server import Sandbox, running_sandbox
from trading.platforms.errors import FinalError, NotStarted
from trading.platforms.mt5.client import CRYPT_NONE, Mt5Client, Mt5Config
from trading.platforms.mt5.commands import Mt5Commands
from trading.platforms.mt5.rest import Mt5RestClient

PASSWORD = "Other-pw-7!"


def fund(client: Mt5Commands, login: str, amount: str = "20000.00") -> None:
    client.write("TRADE_BALANCE", {"LOGIN": login, "TYPE": 2, "BALANCE": amount, "COMMENT": "D:FUND"})


def deals(client: Mt5Commands, login: str) -> list[dict[str, str]]:
    return client.read("DEAL_GET_BATCH", {"LOGIN": login, "FROM": 0, "TO": 0}).rows()


def balance(client: Mt5Commands, login: str) -> Decimal:
    return Decimal(client.read("USER_GET", {"LOGIN": login}).row()["Balance"])


def worth(rows: list[dict[str, str]]) -> Decimal:
    return sum((Decimal(d[k]) for d in rows for k in ("Profit", "Commission", "Storage", "Fee")), Decimal(0))


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Mt5Commands]:
    with sandbox.client() as client:
        yield client
    for path in ("calendar", "clock"):
        sandbox.post(path, calendar="always")


# -- netting, hedging -------------------------------------------------------------------------------------------------


def test_netting_adds_reduces_turns_and_closes_one_position(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account("real\\netting-EUR")
    fund(client, login)

    def trade(side: str, lots: str) -> None:
        sandbox.post("trade", login=int(login), symbol="EURUSD", side=side, lots=lots)

    trade("buy", "1.00")
    sandbox.post("price", symbol="EURUSD", level=1.10)
    trade("buy", "1.00")
    (position,) = client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()
    opened = [Decimal(d["Price"]) for d in deals(client, login)[1:]]
    assert Decimal(position["PriceOpen"]) == pytest.approx(sum(opened) / 2, abs=Decimal("0.00001"))
    trade("sell", "0.50")
    trade("sell", "2.00")
    trade("buy", "0.50")
    rows = deals(client, login)[1:]
    assert [d["Entry"] for d in rows] == ["0", "0", "1", "2", "1"]
    assert len({d["PositionID"] for d in rows}) == 1  # it lives through them all
    turn = rows[3]
    assert (turn["VolumeExt"], turn["VolumeClosedExt"]) == ("200000000", "150000000")  # it closed 1.5 and opened 0.5
    assert not client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()
    assert balance(client, login) == worth(deals(client, login))


def test_close_by_is_a_pair_of_deals_and_leaves_the_rest(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account()
    fund(client, login)
    long, short = (
        sandbox.post("trade", login=int(login), symbol="EURUSD", side=side, lots=lots)["position"]
        for side, lots in (("buy", "0.30"), ("sell", "0.20"))
    )
    assert len(sandbox.post("close_by", position=long, by=short)["deals"]) == 2
    pair = deals(client, login)[-2:]
    assert [(d["Entry"], d["VolumeClosedExt"]) for d in pair] == [("3", "20000000")] * 2
    assert {d["PositionID"] for d in pair} == {str(long), str(short)}
    assert [d["Action"] for d in pair] == ["1", "0"]
    (left,) = client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()
    assert (left["Position"], left["VolumeExt"]) == (str(long), "10000000")
    assert balance(client, login) == worth(deals(client, login))


def test_a_part_of_a_position_is_closed_with_its_share_of_the_swap(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account("real\\pro-EUR")
    fund(client, login)
    position = sandbox.post("trade", login=int(login), symbol="EURUSD", lots="0.40")["position"]
    sandbox.post("rollover", nights=3)
    swap = Decimal(client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()[0]["Storage"])
    sandbox.post("close", position=position, lots="0.10")
    sandbox.post("close", position=position)
    first, second = deals(client, login)[-2:]
    assert (first["VolumeClosedExt"], second["VolumeClosedExt"]) == ("10000000", "30000000")
    assert swap < 0 and Decimal(first["Storage"]) + Decimal(second["Storage"]) == swap
    assert Decimal(first["Storage"]) == pytest.approx(swap / 4, abs=Decimal("0.01"))


def test_swap_free_groups_pay_no_swap(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account("real\\islamic-EUR")
    fund(client, login)
    sandbox.post("trade", login=int(login), symbol="XAUUSD", lots="0.10")
    sandbox.post("rollover", nights=3)
    assert Decimal(client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()[0]["Storage"]) == 0


def test_a_jump_stops_out_and_forgives_a_negative_balance(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account()
    fund(client, login, "1000.00")
    level = float(sandbox.state()["prices"]["AUDUSD"]["bid"])
    sandbox.post("trade", login=int(login), symbol="AUDUSD", lots="0.30")
    sandbox.post("price", symbol="AUDUSD", level=level * 0.9)
    deadline = time.monotonic() + 5
    while len(rows := deals(client, login)) < 4:
        assert time.monotonic() < deadline, rows
        time.sleep(0.1)
    sandbox.post("price", symbol="AUDUSD", level=level)
    stopped, forgiven = rows[-2:]
    assert (stopped["Reason"], stopped["Entry"], forgiven["Action"]) == ("5", "1", "19")
    assert balance(client, login) == 0


# -- the dealer's desk, the archive -----------------------------------------------------------------------------------


def test_a_dealers_edit_and_deletion_move_the_account(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account()
    fund(client, login, "100.00")
    fund(client, login, "50.00")
    first, second = deals(client, login)
    sandbox.post("deal/edit", ticket=int(first["Deal"]), Profit="90.00", Comment="corrected")
    sandbox.post("deal/delete", ticket=int(second["Deal"]))
    (left,) = deals(client, login)
    assert (left["Profit"], left["Comment"], left["ModificationFlags"]) == ("90.00", "corrected", "1")
    assert balance(client, login) == 90
    assert sandbox.http.post("/control/deal/edit", json={"ticket": 1, "Profit": "1"}).status_code == 409


@pytest.mark.parametrize("form", ["raw", "rest"])
def test_an_archived_account_vanishes_and_comes_back(sandbox: Sandbox, form: str) -> None:
    login = sandbox.new_account()
    with sandbox.client(form) as client:
        fund(client, login, "10.00")
        client.write("USER_ARCHIVE_ADD", {"LOGIN": login})
        with pytest.raises(FinalError) as error:
            client.read("USER_GET", {"LOGIN": login})
        assert error.value.code == 13
        assert int(login) not in [int(one) for one in client.read("USER_LOGINS", {"GROUP": "*"}).json()]
        with pytest.raises(FinalError) as taken:
            sandbox.new_account(LOGIN=login)
        assert taken.value.code == 3004
        client.write("USER_RESTORE", {"LOGIN": login})
        assert balance(client, login) == 10


# -- market and clock -------------------------------------------------------------------------------------------------


def test_a_closed_market_takes_no_trades_but_crypto(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account()
    fund(client, login)
    sandbox.post("clock", at="2026-11-21T12:00:00Z")  # a Saturday
    sandbox.post("calendar", calendar="real")
    answer = sandbox.http.post("/control/trade", json={"login": int(login), "symbol": "EURUSD", "lots": "0.1"})
    assert (answer.status_code, answer.json()["retcode"]) == (409, 10018)
    assert sandbox.post("trade", login=int(login), symbol="BTCUSD", lots="0.01")["deal"]
    sandbox.post("clock", at="2026-11-23T12:00:00Z")
    assert sandbox.post("trade", login=int(login), symbol="EURUSD", lots="0.1")["deal"]


def test_news_widens_the_spread(sandbox: Sandbox) -> None:
    def spread() -> Decimal:
        price = sandbox.state()["prices"]["USDCHF"]
        return Decimal(price["ask"]) - Decimal(price["bid"])

    calm = spread()
    assert "USDCHF" in sandbox.post("news", currency="CHF", seconds=30)["restless"]
    assert spread() == pytest.approx(calm * 4, abs=Decimal("0.00002"))


def test_the_servers_clock_follows_its_zone_over_a_dst_change(sandbox: Sandbox, client: Mt5Commands) -> None:
    sandbox.post("clock", at="2026-10-25T00:59:30Z")
    summer = client.read("TIME_GET").row()
    before = int(client.read("TIME_SERVER").parameters["TIME"].split()[0])
    sandbox.post("clock", at="2026-10-25T01:00:00Z")
    winter = client.read("TIME_GET").row()
    after = int(client.read("TIME_SERVER").parameters["TIME"].split()[0])
    assert (summer["TimeZone"], summer["DaylightState"], winter["DaylightState"]) == ("120", "1", "0")
    assert abs(after - before - 30 + 3600) < 20  # half a minute later, and an hour back
    sandbox.post("clock", shift_hours=1)
    assert client.read("TIME_GET").row()["TimeZone"] == "180"


@pytest.mark.parametrize(
    ("right", "command"),
    [
        ("accountant", "TRADE_BALANCE"),
        ("modify accounts", "USER_UPDATE"),
        ("access to trade orders", "DEAL_GET_TOTAL"),
        ("access to accounts", "USER_GET"),
    ],
)
def test_a_manager_without_a_right_is_refused(sandbox: Sandbox, client: Mt5Commands, right: str, command: str) -> None:
    login = sandbox.new_account()
    parameters = {"LOGIN": login, "TYPE": 2, "BALANCE": "1.00", "COMMENT": "x", "FROM": 0, "TO": 0}
    sandbox.post("rights", take=right)
    try:
        with pytest.raises(FinalError) as error:
            client.write(command, parameters)
        assert error.value.code == 8
        assert client.read("SYMBOL_TOTAL").number("TOTAL") == 13
    finally:
        sandbox.post("rights")
    client.write(command, parameters)


# -- traders ----------------------------------------------------------------------------------------------------------


def test_a_hedged_pair_takes_both_sides(sandbox: Sandbox, client: Mt5Commands) -> None:
    pair = [sandbox.new_account("real\\vip-GBP") for _number in range(2)]
    for login in pair:
        fund(client, login)
        sandbox.post("habit", login=int(login), habit="hedged pair")
    sandbox.post("habit", login=int(pair[0]), habit="hedged pair", trade=True)
    first, second = (client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()[0] for login in pair)
    assert first["Symbol"] == second["Symbol"] and first["VolumeExt"] == second["VolumeExt"]
    assert {first["Action"], second["Action"]} == {"0", "1"}


def test_a_news_trader_waits_for_news(sandbox: Sandbox, client: Mt5Commands) -> None:
    login = sandbox.new_account()
    fund(client, login)

    def positions() -> int:
        sandbox.post("habit", login=int(login), habit="news trader", trade=True)
        return len(client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows())

    deadline = time.monotonic() + 30
    while sandbox.state()["restless"]:  # the market has news of its own, too
        assert time.monotonic() < deadline
        for one in ("USD", "EUR", "GBP", "JPY"):
            sandbox.post("news", currency=one, seconds=0.001)
        time.sleep(0.4)
    assert positions() == 0
    sandbox.post("news", currency="USD", seconds=30)
    assert positions() == 1


def test_a_latency_arbitrageur_trades_at_the_price_before_the_jump() -> None:
    from sandbox.engine.contracts import SYMBOLS
    from sandbox.engine.market import Market

    market = Market(1)
    market.before = dict(market.middle)
    market.middle["EURUSD"] *= 1.01
    old, new = market.quote(SYMBOLS["EURUSD"], stale=True), market.quote(SYMBOLS["EURUSD"])
    assert new[0] > old[1]  # buy at the old ask, sell at the new bid: a sure profit


# -- alone, seeded, for other people's clients ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def alone() -> Iterator[dict[str, int]]:
    """`manage.py sandbox mt5` as it is documented; its ports."""
    process = subprocess.Popen(
        [
            sys.executable,
            "manage.py",
            "sandbox",
            "mt5",
            "--port",
            "0",
            "--login",
            "2001",
            "--password",
            PASSWORD,
            "--seed",
            "7",
            "--rhythm",
            "0",
        ],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield json.loads(_ready_line(process).removeprefix("ready "))
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


@pytest.mark.parametrize("is_crypt", [False, True], ids=["plain", "aes"])
def test_the_documented_seed_is_served_to_other_peoples_clients(
    alone: dict[str, int], is_crypt: bool, monkeypatch
) -> None:
    monkeypatch.setattr(pymt5pure.MT5Client, "ping_interval", 0.05)
    client = pymt5pure.MT5Client("127.0.0.1", alone["mt5_port"], is_crypt=is_crypt, timeout=5)
    client.connect("2001", PASSWORD)
    try:
        documented = {int(n) for n in re.findall(r"^\| (6000\d\d)(?:, (6000\d\d))?", DOCS, re.M) for n in n if n}
        assert set(pymt5pure.MT5Api(client).user_logins("*")) == documented - {600012}
        assert pymt5pure.MT5Api(client).group_total() == 23
        assert client("USER_GET", LOGIN=600011).json["Name"] == "Dora | Demo = \\ 🙂"
        entries = [
            row["Entry"] for row in client("DEAL_GET_PAGE", LOGIN=600004, FROM=0, TO=0, OFFSET=0, TOTAL=100).json
        ]
        assert entries == ["0", "0", "0", "1", "2", "1"]
    finally:
        client.is_connected = False
        client._keepalive_thread.join()
        client.disconnect()


DOCS = (ROOT / "docs" / "sandbox-mt5.md").read_text()


def test_the_rest_form_is_on_tls_with_a_certificate_that_can_be_fetched(alone: dict[str, int]) -> None:
    certificate = httpx.get(f"http://127.0.0.1:{alone['http_port']}/certificate.pem").text
    config = Mt5Config("127.0.0.1", alone["rest_port"], 2001, PASSWORD, certificate=certificate)
    client = Mt5RestClient(config)
    try:
        rows = deals(client, "600003")
        assert "19" in {row["Action"] for row in rows}  # the forgiven balance
        assert balance(client, "600003") == worth([row for row in rows if row["Action"] not in ("3", "6")])
        assert (
            client.read("USER_PASS_CHECK", {"LOGIN": 600001, "TYPE": "INVESTOR", "PASSWORD": "View-600001!"}).retcode
            == 0
        )
        edited = [row for row in deals(client, "600002") if row["ModificationFlags"] != "0"]
        assert len(edited) == 1
        assert {row["Entry"] for row in deals(client, "600001")} == {"0", "1", "3"}
    finally:
        client.close()


def test_the_same_seed_makes_the_same_world(tmp_path: Path) -> None:
    from sandbox.mt5.__main__ import arguments, make

    def dump(seed: int) -> list[str]:
        process = make(arguments(["--world", "seeded", "--seed", str(seed)]))
        rows = [data for (data,) in process.store.db.execute("SELECT data FROM deals ORDER BY ticket")]
        rows += [str(user) for user in process.store.users.values()]
        process.store.db.close()
        return rows

    assert dump(3) == dump(3)
    assert dump(3) != dump(4)


def test_a_server_that_wants_encryption_refuses_plain_sessions(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "state.sqlite", "--crypt") as strict:
        client = Mt5Client(strict.config(crypt_method=CRYPT_NONE))
        with pytest.raises(NotStarted):
            client.connect()
        with strict.client() as encrypted:
            assert encrypted.read("TEST_ACCESS").retcode == 0


def test_every_fault_is_documented_and_on_the_page(sandbox: Sandbox) -> None:
    from sandbox.engine.faults import KINDS
    from sandbox.mt5.server import OWN_FAULTS

    page = sandbox.http.get("/").text
    for kind in {**KINDS, **OWN_FAULTS}:
        assert f"`{kind}`" in DOCS
        assert f'<option value="{kind}">' in page
    for switch in ("clock", "calendar", "news", "deal/edit", "archive", "frequency", "restart", "close_by"):
        assert f'action="/control/{switch}"' in page
    answer = sandbox.http.post("/control/fault", data={"kind": "slow", "command": "QUIT", "times": "1", "value": "0.1"})
    assert answer.status_code == 303 and sandbox.state()["faults"][0]["command"] == "QUIT"


def test_the_seed_ends_on_the_day_that_is_documented() -> None:
    from sandbox.engine import world

    last = world.FIRST_DAY + dt.timedelta(days=world.DAYS - 1)
    assert (last.isoformat()[:10], last.strftime("%A")) == ("2026-01-30", "Friday")
