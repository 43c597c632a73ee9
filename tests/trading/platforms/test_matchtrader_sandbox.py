"""The sandbox Match-Trader by raw requests and a plain gRPC client: nothing here is our adapter's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.trading.sandbox_process import SandboxProcess, started
from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2

KEY = "Sandbox-key-0!"
PACKAGE = "com.matchtrade.mtr.broker_api.grpc"
EVERY = ["FULL", "CLOSE_ONLY", "TRADING_DISABLED", "TRADING_AND_LOGIN_DISABLED", "LOCKED_CLOSE_ONLY"]
GROUP = "real-pro-EUR"
TYPES = [
    "DEPOSIT",
    "WITHDRAWAL",
    "CREDIT_IN",
    "CREDIT_OUT",
    "AGENT_COMMISSION",
    "COMMISSIONS",
    "SWAPS",
    "CLOSED_POSITION",
]
_numbers = count(1)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    state = tmp_path_factory.mktemp("matchtrader") / "state.sqlite"
    with started("matchtrader", state, "--port", "0", "--grpc-port", "0", "--heartbeat-seconds", "0.3") as process:
        yield process


@pytest.fixture
def http(process: SandboxProcess) -> Iterator[httpx.Client]:
    process.post("faults/clear")
    address = f"http://127.0.0.1:{process.ports['matchtrader_port']}"
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {KEY}"}, timeout=5) as client:
        yield client


def person(http: httpx.Client) -> str:
    email = f"person{next(_numbers)}@traders.example"
    answer = http.post("/v1/user-accounts", json={"email": email, "password": "Abcdef1!", "personalDetails": {}})
    assert answer.status_code == 200
    return answer.json()["uuid"]


def account(http: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {
        "group": GROUP,
        "leverageRatioPercent": 10_000,
        "accountType": "REAL",
        "accountDetails": {"name": "P"},
        **fields,
    }
    answer = http.post(f"/v1/user-accounts/{person(http)}/trading-accounts", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def money(http: httpx.Client, login: str, what: str, **body: Any) -> httpx.Response:
    return http.post(f"/v1/trading-accounts/{login}/{what}", json=body)


def ledger(http: httpx.Client, login: str) -> list[dict[str, Any]]:
    wanted = {"logins": [login], "types": TYPES, "accessRightsFilter": EVERY}
    answer = http.post("/v1/trading-accounts/trading-data/ledgers", json=wanted).json()
    return answer[0]["operations"] if answer else []


# -- REST


def test_without_the_key_nothing_is_told(http: httpx.Client, process: SandboxProcess) -> None:
    for key in ("", "Bearer wrong", KEY):
        answer = http.get("/v1/trading-accounts", headers={"Authorization": key})
        assert answer.status_code == 401
        assert answer.json().keys() == {"status", "title", "detail", "path", "timestamp"}
        assert (answer.json()["path"], answer.json()["timestamp"][-1]) == ("/v1/trading-accounts", "Z")


def test_people_have_accounts_and_one_address_is_one_person(http: httpx.Client) -> None:
    body = {"email": "Anna@traders.example", "password": "Abcdef1!"}
    made = http.post("/v1/user-accounts", json=body).json()
    assert "password" not in made
    assert http.get("/v1/user-accounts/email/anna@traders.example").json()["uuid"] == made["uuid"]
    assert http.get(f"/v1/user-accounts/{made['uuid']}").json()["email"] == "anna@traders.example"
    assert http.post("/v1/user-accounts", json=body).status_code == 409
    assert http.get("/v1/user-accounts/email/nobody@traders.example").status_code == 404
    path = f"/v1/user-accounts/{made['uuid']}/change-password"
    assert http.post(path, json={"newPassword": "x"}).status_code == 400
    answer = http.post(path, json={"newPassword": "Longer-1!"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_an_account_carries_version_remarks_and_exact_money(http: httpx.Client) -> None:
    made = account(http, remarks="keelson-1")
    assert made["remarks"] == "keelson-1" and (made["version"], made["leverageRatioPercent"]) == (1, 10_000)
    assert money(http, made["login"], "deposit", amount=100.1, comment="D:1").status_code == 204
    answer = http.get(f"/v1/trading-accounts/{made['login']}")
    assert '"balance":100.10,' in answer.text and '"currency":"EUR"' in answer.text
    for body in ({"group": "nowhere"}, {"leverageRatioPercent": "x"}, {"accountType": "OTHER"}, {"accessRight": "ALL"}):
        values = {"group": GROUP, "leverageRatioPercent": 100, "accountType": "REAL", "accountDetails": {}, **body}
        assert http.post(f"/v1/user-accounts/{person(http)}/trading-accounts", json=values).status_code == 400
    assert http.post("/v1/user-accounts/nobody/trading-accounts", json=values).status_code == 404
    assert http.get("/v1/trading-accounts/123").status_code == 404


def test_an_update_needs_the_version_that_the_account_has(http: httpx.Client) -> None:
    login = account(http)["login"]
    path = f"/v1/trading-accounts/{login}"
    assert http.patch(path, json={"leverageRatioPercent": 5000}).status_code == 400
    assert http.patch(path, json={"leverageRatioPercent": 5000, "version": 1}).status_code == 204
    assert http.patch(path, json={"leverageRatioPercent": 2000, "version": 1}).status_code == 409
    after = http.get(path).json()
    assert (after["version"], after["leverageRatioPercent"]) == (2, 5000)
    assert http.patch(path, json={"group": "real-pro-USD", "version": 2}).status_code == 400  # another currency
    assert http.patch(path, json={"accessRight": "CLOSE_ONLY", "version": 2}).status_code == 204
    assert http.get(path).json()["accessRight"] == "CLOSE_ONLY"


def test_lists_show_full_rights_only_unless_told_otherwise_and_come_in_pages(http: httpx.Client) -> None:
    group = "real-vip-GBP"
    logins = [account(http, group=group)["login"] for _one in range(3)]
    path = f"/v1/trading-accounts/{logins[0]}"
    assert http.patch(path, json={"accessRight": "CLOSE_ONLY", "version": 1}).status_code == 204

    def listed(**query: Any) -> list[str]:
        return [
            row["login"] for row in http.get("/v1/trading-accounts", params={"group": group, **query}).json()["content"]
        ]

    assert listed(accessRightsFilter=EVERY) == logins and listed() == logins[1:]
    assert [listed(accessRightsFilter=EVERY, page=page, size=2) for page in range(3)] == [logins[:2], logins[2:], []]
    assert http.get("/v1/trading-accounts", params={"size": 1001}).status_code == 400


def test_money_moves_are_answered_without_a_number_and_stand_in_the_ledger(http: httpx.Client) -> None:
    login = account(http)["login"]
    assert money(http, login, "deposit", amount=50, comment="in", additionalType="NONE").content == b""
    assert money(http, login, "withdraw", amount=20, comment="out").status_code == 204
    assert (
        money(http, login, "credit-in", amount=7).status_code
        == money(http, login, "credit-out", amount=2).status_code
        == 204
    )
    assert money(http, login, "deposit", amount=1, additionalType="CORRECTION").status_code == 204
    told = [(row["type"], row["additionalType"], row["profit"], row["comment"]) for row in ledger(http, login)]
    assert told == [
        ("DEPOSIT", "NONE", 50, "in"),
        ("WITHDRAWAL", "NONE", -20, "out"),
        ("CREDIT_IN", "NONE", 7, ""),
        ("CREDIT_OUT", "NONE", -2, ""),
        ("DEPOSIT", "CORRECTION", 1, ""),
    ]
    assert money(http, login, "withdraw", amount=31.01).json()["detail"] == "Not enough money"
    assert money(http, login, "deposit", amount=-5).status_code == 400
    assert money(http, "123", "deposit", amount=5).status_code == 404
    assert len(ledger(http, login)) == 5


def test_trades_are_ledger_entries_open_and_closed_positions(http: httpx.Client, process: SandboxProcess) -> None:
    login = account(http)["login"]
    money(http, login, "deposit", amount=20_000)
    position = process.post("trade", login=int(login), symbol="XAUUSD", lots="0.30", side="sell")["position"]
    wanted = {"logins": [login], "from": "2026-01-01T00:00:00Z", "to": "2099-01-01T00:00:00Z"}
    (shown,) = http.post("/v1/trading-accounts/trading-data/open-positions", json={"logins": [login]}).json()
    assert (shown["positions"][0]["id"], shown["positions"][0]["side"]) == (str(position), "SELL")
    process.post("close", position=position, lots="0.10")
    (closed,) = http.post("/v1/trading-accounts/trading-data/closed-positions", json=wanted).json()["closedPositions"]
    assert (closed["id"], closed["side"], Decimal(str(closed["volume"]))) == (str(position), "SELL", Decimal("0.1"))
    assert (
        closed["openTime"] == shown["positions"][0]["openTime"] and closed["closingOrderId"] and "login" not in closed
    )
    assert [row["type"] for row in ledger(http, login)] == ["DEPOSIT", "COMMISSIONS", "CLOSED_POSITION", "COMMISSIONS"]
    assert http.post("/v1/trading-accounts/trading-data/closed-positions", json={"logins": [login]}).status_code == 400
    for body in ({}, {"logins": [login]}, {"logins": [login], "types": ["OTHER"]}):
        assert http.post("/v1/trading-accounts/trading-data/ledgers", json=body).status_code == 400


def test_groups_are_told_by_name_and_symbols_by_group(http: httpx.Client) -> None:
    assert {"real-standard-JPY", GROUP} < set(http.get("/v1/group-names").json())
    (group,) = http.post("/v1/groups", json={"names": ["real-standard-JPY", "nowhere"]}).json()
    assert (group["currency"], group["currencyPrecision"]) == ("JPY", 0)
    rows = {row["symbol"]: row for row in http.get("/v1/symbols", params={"group": GROUP}).json()}
    assert (rows["XAUUSD"]["contractSize"], rows["EURUSD"]["pricePrecision"]) == (100, 5)
    assert http.get("/v1/symbols", params={"group": "real-netting-EUR"}).status_code == 400


def test_a_path_that_is_not_there_is_answered_by_somebody_else(http: httpx.Client) -> None:
    answer = http.get("/v2/trading-accounts")
    assert answer.status_code == 404 and "html" in answer.text


def test_the_five_hundredth_and_first_request_of_a_minute_is_refused(tmp_path: Path) -> None:
    with started("matchtrader", tmp_path / "limit.sqlite", "--port", "0", "--per-minute", "25") as process:
        address = f"http://127.0.0.1:{process.ports['matchtrader_port']}/v1/trading-accounts"
        with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}) as client:
            answers = [client.get(address).status_code for _request in range(27)]
        assert answers == [200] * 25 + [429] * 2


# -- streams


@pytest.fixture
def channel(process: SandboxProcess) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{process.ports['grpc_port']}") as channel:
        yield channel


def listen(
    channel: grpc.Channel, method: str, request: Any, answer: Any, *, key: str = KEY, seconds: float = 10
) -> Any:
    """An open stream, from its first message on."""
    call = channel.unary_stream(
        f"/{PACKAGE}.{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=answer.FromString,
    )(request, metadata=(("authorization", f"Bearer {key}"),), timeout=seconds)
    next(call)
    return call


def heard(call: Any, *, seconds: float = 3.0) -> Any:
    """The next message that is no heartbeat."""
    deadline = time.monotonic() + seconds
    for message in call:
        if not message.heartbeat:
            return message
        assert time.monotonic() < deadline
    raise AssertionError("the stream ended")


def test_a_stream_needs_the_key_too(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError) as problem:
        listen(
            channel,
            "LedgerServiceExternal/getLedgersStream",
            pb2.PBLedgersRequestExternal(),
            pb2.PBLedgersStreamResponseExternal,
            key="wrong",
        )
    assert problem.value.code() == grpc.StatusCode.UNAUTHENTICATED
    with pytest.raises(grpc.RpcError) as problem:
        listen(channel, "NoService/noStream", pb2.PBLedgersRequestExternal(), pb2.PBLedgersStreamResponseExternal)
    assert problem.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_ledger_entries_come_at_once_for_the_group_that_was_asked_for(
    http: httpx.Client, channel: grpc.Channel
) -> None:
    mine, other = account(http, group="real-islamic-EUR")["login"], account(http)["login"]
    request = pb2.PBLedgersRequestExternal(groups=["real-islamic-EUR"])
    call = listen(channel, "LedgerServiceExternal/getLedgersStream", request, pb2.PBLedgersStreamResponseExternal)
    money(http, other, "deposit", amount=1)
    started_at = time.monotonic()
    money(http, mine, "deposit", amount=12.5, comment="D:STREAM")
    (entry,) = heard(call).ledgers.ledgers
    assert time.monotonic() - started_at < 1
    assert (entry.login, entry.profit, entry.comment, entry.time[-1]) == (mine, 12.5, "D:STREAM", "Z")
    assert entry.historyOperationType == pb2.HISTORY_OPERATION_TYPE_DEPOSIT
    assert entry.id == ledger(http, mine)[0]["id"]
    assert next(call).heartbeat  # and then nothing but heartbeats
    call.cancel()


def test_positions_and_equity_are_told_as_they_change(
    http: httpx.Client, channel: grpc.Channel, process: SandboxProcess
) -> None:
    group = "real-vip-USD"
    login = account(http, group=group)["login"]
    money(http, login, "deposit", amount=10_000)
    positions = listen(
        channel,
        "PositionsServiceExternal/getOpenPositionsStream",
        pb2.PBOpenPositionRequestExternal(groups=[group]),
        pb2.PBOpenPositionsStreamResponseExternal,
    )
    equity = listen(
        channel,
        "EquityServiceExternal/getEquityStream",
        pb2.PBEquityRequestExternal(logins=[login]),
        pb2.PBEquityStreamResponseExternal,
    )
    assert heard(equity).equity.balance == "10000.00"
    position = process.post("trade", login=int(login), symbol="EURUSD", lots="0.20")["position"]
    (state,) = heard(positions).positions.positions
    assert (state.login, state.requestUpdateType, state.id) == (login, pb2.REQUEST_UPDATE_TYPE_NEW, str(position))
    assert (state.volume, state.side) == (0.2, pb2.ORDER_SIDE_BUY)
    moved = heard(equity).equity
    while moved.equity == moved.balance:  # what the deposit changed may be told again
        moved = heard(equity).equity
    assert Decimal(moved.equity) < Decimal(moved.balance)
    process.post("close", position=position, lots="0.05")
    assert heard(positions).positions.positions[0].requestUpdateType == pb2.REQUEST_UPDATE_TYPE_PARTIALLY_CLOSED
    process.post("close", position=position)
    assert heard(positions).positions.positions[0].requestUpdateType == pb2.REQUEST_UPDATE_TYPE_CLOSED
    for call in (positions, equity):
        call.cancel()


def test_a_margin_call_and_a_stop_out_are_events(
    http: httpx.Client, channel: grpc.Channel, process: SandboxProcess
) -> None:
    login = account(http)["login"]
    money(http, login, "deposit", amount=250)
    process.post("trade", login=int(login), symbol="GBPUSD", lots="0.10")
    events = listen(
        channel,
        "TradingEventsServiceExternal/getTradingEventsStream",
        pb2.PBTradingEventsStreamRequestExternal(logins=[login]),
        pb2.PBTradingEventsStreamResponseExternal,
    )
    level = float(process.state()["prices"]["GBPUSD"]["bid"])
    process.post("price", symbol="GBPUSD", level=level * 0.985)
    (called,) = heard(events).tradingEvents.tradingEvents
    assert (called.WhichOneof("msg"), called.login) == ("marginCallEvent", login)
    assert called.marginCallEvent.marginLevel < 100
    process.post("price", symbol="GBPUSD", level=level * 0.975)
    (stopped,) = heard(events).tradingEvents.tradingEvents
    process.post("price", symbol="GBPUSD", level=level)
    assert (stopped.WhichOneof("msg"), stopped.stopOutEvent.instrument) == ("stopOutEvent", "GBPUSD")
    events.cancel()


def test_streams_are_cut_silenced_repeated_and_robbed_of_entries(
    http: httpx.Client, channel: grpc.Channel, process: SandboxProcess
) -> None:
    login = account(http)["login"]
    request = pb2.PBLedgersRequestExternal(logins=[login])

    def open_stream(seconds: float = 10) -> Any:
        method = "LedgerServiceExternal/getLedgersStream"
        return listen(channel, method, request, pb2.PBLedgersStreamResponseExternal, seconds=seconds)

    call = open_stream()
    process.fault("stream_repeat", "LEDGERS_STREAM")
    money(http, login, "deposit", amount=1)
    assert heard(call).ledgers.ledgers[0].id == heard(call).ledgers.ledgers[0].id
    process.fault("stream_lose", "LEDGERS_STREAM")
    money(http, login, "deposit", amount=2)
    time.sleep(0.15)
    money(http, login, "deposit", amount=3)
    assert heard(call).ledgers.ledgers[0].profit == 3
    process.fault("stream_cut", "LEDGERS_STREAM")
    assert all(message.heartbeat for message in call)  # it ends
    call = open_stream(0.8)
    process.fault("stream_silent", "LEDGERS_STREAM")
    while process.state()["faults"]:
        time.sleep(0.02)
    money(http, login, "deposit", amount=4)
    told = []
    with pytest.raises(grpc.RpcError) as problem:
        told += list(call)
    assert problem.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert not [message for message in told if message.WhichOneof("msg") != "heartbeat"]
    open_stream().cancel()  # a new one speaks


def test_options_and_state_survive_a_restart(tmp_path: Path) -> None:
    state = tmp_path / "kept.sqlite"
    arguments = ("--port", "0", "--key", "other", "--broker-id", "42")
    headers = {"Authorization": "Bearer other"}
    with started("matchtrader", state, *arguments) as process:
        base = f"http://127.0.0.1:{process.ports['matchtrader_port']}"
        with httpx.Client(base_url=base, headers=headers) as http:
            made = account(http, remarks="kept", accessRight="CLOSE_ONLY")
            assert made["brokerId"] == 42
    with started("matchtrader", state, *arguments) as process:
        base = f"http://127.0.0.1:{process.ports['matchtrader_port']}"
        with httpx.Client(base_url=base, headers=headers) as http:
            assert http.get(f"/v1/trading-accounts/{made['login']}").json() == made
