"""The sandbox cTrader server by raw requests: what it says, and that it says it as the platform would."""

from __future__ import annotations

import csv
import datetime as dt
import io
import time
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from sandbox.ctrader.proto import ctrader_manager_pb2 as pb
from tests.trading.ctrader_server import HASH, CtraderSandbox, running_ctrader, trader_id, wire_group

TRADERS = "/v2/webserv/traders"
NEW = {
    "accessRights": "FULL_ACCESS",
    "accountType": "HEDGED",
    "balance": 0,
    "brokerName": "keelson",
    "depositCurrency": "EUR",
    "groupName": "LIVE_STANDARD_EUR",
    "hashedPassword": "5f4dcc3b5aa765d61d8327deb882cf99",
    "leverageInCents": 3000,
    "totalMarginCalculationType": "MAX",
    "name": "Anna",
    "lastName": "Raw",
    "description": "keelson-1",
}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CtraderSandbox]:
    state = tmp_path_factory.mktemp("ctrader") / "state.sqlite"
    with running_ctrader(state, "--chunk", "3", "--silence-seconds", "0.8") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: CtraderSandbox) -> CtraderSandbox:
    shared.post("faults/clear")
    return shared


def text_of(at: dt.datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.000")


def balance(rest: Any, number: str, amount: float | int = 50, **fields: Any) -> Any:
    body = {"login": int(number), "preciseAmount": amount, "type": "DEPOSIT", "externalId": "pay-1", **fields}
    return rest.post(f"{TRADERS}/{number}/changebalance", json=body)


# -- WebServices --------------------------------------------------------------------------------------------------------


def test_without_a_right_token_nothing_is_told(sandbox: CtraderSandbox) -> None:
    with sandbox.rest() as rest:
        refused = rest.post("/v2/webserv/managers/token", json={"login": 3000, "hashedPassword": HASH.upper()})
        assert (refused.status_code, refused.json()["error"]["errorCode"]) == (401, "AUTHENTICATION_FAILED")
        assert rest.get(f"{TRADERS}/1").status_code == 401
        assert rest.get(f"{TRADERS}/1", params={"token": "guessed"}).status_code == 401


def test_a_token_is_over_after_its_time() -> None:
    with running_ctrader(":memory:", "--token-seconds", "0.3") as short, short.rest(short.token()) as rest:
        assert rest.get("/v2/webserv/tradergroups").status_code == 200
        time.sleep(0.35)
        assert rest.get("/v2/webserv/tradergroups").status_code == 401


def test_answers_are_xml_unless_json_is_asked_for(sandbox: CtraderSandbox) -> None:
    login = sandbox.account(money="12.50", name="Äöü & Söhne")
    with sandbox.rest(sandbox.token(), Accept="*/*") as rest:
        answer = rest.get(f"{TRADERS}/{login}")
    root = ElementTree.fromstring(answer.content)
    assert answer.headers["content-type"].startswith("application/xml")
    assert (root.tag, root.findtext("balance"), root.findtext("lastName")) == ("trader", "1250", "Söhne")


def test_a_trader_is_made_with_a_login_of_the_servers_own(sandbox: CtraderSandbox) -> None:
    with sandbox.rest(sandbox.token()) as rest:
        made = rest.post(TRADERS, json=NEW)
        assert made.status_code == 201
        assert made.json().keys() == {
            "login",
            "balance",
            "bonus",
            "equity",
            "freeMargin",
            "cashEquity",
            "usedMargin",
            "moneyDigits",
            "registrationTimestamp",
            "lastUpdateTimestamp",
            "swapFree",
        }
        login = made.json()["login"]
        shown = rest.get(f"{TRADERS}/{login}").json()
        assert (shown["groupName"], shown["leverageInCents"], shown["description"]) == (
            "LIVE_STANDARD_EUR",
            3000,
            "keelson-1",
        )
        assert rest.patch(f"{TRADERS}/{login}", json={"leverageInCents": 10_000}).status_code == 204
        assert rest.get(f"{TRADERS}/{login}").json()["leverageInCents"] == 10_000
    assert trader_id(login) != login
    with sandbox.manager() as manager:
        found = manager.ask(pb.ProtoTraderByIdReq(traderId=[trader_id(login)]), pb.ProtoTraderByIdRes).trader
    assert [(one.login, one.traderId) for one in found] == [(login, trader_id(login))]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"groupName": "nowhere"}, "TRADER_GROUP_NOT_FOUND"),
        ({"leverageInCents": 60_000}, "WRONG_LEVERAGE"),
        ({"depositCurrency": "USD"}, "DEPOSIT_CURRENCY_NOT_ALLOWED"),
        ({"hashedPassword": "plain"}, "INVALID_REQUEST"),
        ({"brokerName": "other"}, "CH_BROKER_NOT_FOUND"),
        ({"accessRights": "ALL"}, "INVALID_REQUEST"),
    ],
)
def test_a_wish_that_can_not_be_makes_no_trader(sandbox: CtraderSandbox, change: dict[str, Any], code: str) -> None:
    before = sandbox.state()["users"]
    with sandbox.rest(sandbox.token()) as rest:
        refused = rest.post(TRADERS, json={**NEW, **change})
    assert (refused.status_code, refused.json()["error"]["errorCode"]) == (400, code)
    assert sandbox.state()["users"] == before


def test_the_same_external_id_is_booked_twice_and_told_twice(sandbox: CtraderSandbox) -> None:
    """Our assumption of the real thing: `externalId` is for reconciliation, nobody says that it must be unique."""
    login = sandbox.account()
    with sandbox.rest(sandbox.token()) as rest:
        first, second = (balance(rest, login, comment="c").json()["balanceHistoryId"] for _time in range(2))
    assert first != second
    with sandbox.manager() as manager:
        request = pb.ProtoBalanceHistoryListReq(traderId=trader_id(int(login)), fromTimestamp=0, toTimestamp=2**45)
        rows = manager.ask(request, pb.ProtoBalanceHistoryListRes).depositWithdraw
    assert [(one.balanceHistoryId, one.externalId, one.delta) for one in rows] == [
        (second, "pay-1", 5000),
        (first, "pay-1", 5000),
    ]


def test_money_is_whole_units_of_the_accounts_own_digits(sandbox: CtraderSandbox) -> None:
    yen, cent = sandbox.account("real\\standard-JPY"), sandbox.account("real\\cent-USC")
    with sandbox.rest(sandbox.token()) as rest:
        assert balance(rest, yen, 5000).status_code == 200
        assert balance(rest, yen, 0.5).json()["error"]["errorCode"] == "CHANGE_BALANCE_BAD_AMOUNT"
        assert balance(rest, cent, 12.34).status_code == 200
        rows = {login: rest.get(f"{TRADERS}/{login}").json() for login in (yen, cent)}
    assert [(rows[one]["balance"], rows[one]["moneyDigits"]) for one in (yen, cent)] == [(5000, 0), (1234, 2)]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"preciseAmount": -5}, "CHANGE_BALANCE_BAD_AMOUNT"),
        ({"type": "WITHDRAW"}, "NOT_ENOUGH_MONEY"),
        ({"type": "GIFT"}, "INVALID_REQUEST"),
        ({"login": 1}, "INVALID_REQUEST"),
    ],
)
def test_money_that_can_not_move_moves_not(sandbox: CtraderSandbox, fields: dict[str, Any], code: str) -> None:
    login = sandbox.account()
    with sandbox.rest(sandbox.token()) as rest:
        assert balance(rest, login, **fields).json()["error"]["errorCode"] == code
    assert sandbox.truth(login)["deals"] == []


def test_traders_are_listed_by_their_time_of_registration(sandbox: CtraderSandbox) -> None:
    login = sandbox.account("real\\islamic-GBP")
    now = dt.datetime.now(dt.UTC)
    with sandbox.rest(sandbox.token()) as rest:
        groups = {row["name"]: row["id"] for row in rest.get("/v2/webserv/tradergroups").json()["traderGroup"]}
        window = {"from": text_of(now - dt.timedelta(hours=1)), "to": text_of(now + dt.timedelta(hours=1))}
        wanted = {"groupId": groups[wire_group("real\\islamic-GBP")]}
        assert [row["login"] for row in rest.get(f"{TRADERS}/", params={**window, **wanted}).json()["trader"]] == [
            int(login)
        ]
        early = {"from": "2001-01-01T00:00:00.000", "to": "2001-01-02T00:00:00.000"}
        assert rest.get(f"{TRADERS}/", params=early).json() == {"trader": []}


def test_positions_come_in_csv_and_two_days_at_a_time(sandbox: CtraderSandbox) -> None:
    login = sandbox.account("real\\pro-EUR", money="20000.00")
    position = sandbox.trade(login, "XAUUSD", "0.30")["position"]
    sandbox.post("close", position=position, lots="0.10")
    sandbox.post("close", position=position, lots="0.05")
    now = dt.datetime.now(dt.UTC)
    with sandbox.rest(sandbox.token()) as rest:
        window = {
            "from": text_of(now - dt.timedelta(hours=47)),
            "to": text_of(now + dt.timedelta(hours=1)),
            "login": login,
        }
        answer = rest.get("/v2/webserv/closedPositions", params=window)
        closed = list(csv.DictReader(io.StringIO(answer.text)))
        opened = list(csv.DictReader(io.StringIO(rest.get("/v2/webserv/openPositions", params={"login": login}).text)))
        too_long = rest.get(
            "/v2/webserv/closedPositions", params={**window, "from": text_of(now - dt.timedelta(hours=48))}
        )
    assert answer.headers["content-type"].startswith("text/csv")
    assert [(row["positionId"], row["volume"], row["direction"]) for row in closed] == [
        (str(position), "10.00", "BUY"),
        (str(position), "5.00", "BUY"),
    ]
    assert len({row["dealId"] for row in closed}) == 2 and closed[0]["closeTimestamp"].startswith(str(now.year))
    assert [(row["volume"], row["symbol"]) for row in opened] == [("15.00", "XAUUSD")]
    assert too_long.status_code == 400 and "two days or less" in too_long.json()["error"]["description"]


def test_an_email_has_one_ctid_and_a_trader_one_link(sandbox: CtraderSandbox) -> None:
    with sandbox.rest(sandbox.token()) as rest:
        login = rest.post(TRADERS, json=NEW).json()["login"]
        person = {"email": "Anna@traders.example", "brokerName": "keelson", "preferredLanguage": "de"}
        first, second = (rest.post("/cid/ctid/create", json=person).json() for _time in range(2))
        assert first["status"] == "CTID_NEW" and second == {"userId": first["userId"]}
        link = {
            "traderLogin": login,
            "traderPasswordHash": NEW["hashedPassword"],
            "userId": first["userId"],
            "brokerName": "keelson",
            "environmentName": "live",
            "returnAccountDetails": True,
        }
        wrong = rest.post("/cid/ctid/link", json={**link, "traderPasswordHash": "0" * 32})
        assert wrong.json()["error"]["errorCode"] == "CH_TRADER_ACCOUNT_CANNOT_BE_LINKED"
        assert rest.post("/cid/ctid/link", json=link).json()["ctidTraderAccountId"]
        again = rest.post("/cid/ctid/link", json=link)
        assert again.json()["error"]["errorCode"] == "CH_CTID_TRADER_ACCOUNT_ALREADY_EXISTS"


# -- Manager API --------------------------------------------------------------------------------------------------------


def test_the_server_says_hello_and_takes_only_the_right_manager(sandbox: CtraderSandbox) -> None:
    for wrong in ({"plantId": "other"}, {"environmentName": "demo"}, {"login": 1}, {"passwordHash": "0" * 32}):
        with sandbox.manager(signs_in=False) as manager:
            assert manager.sign_in(**wrong).errorCode == "AUTHENTICATION_FAILED"
            assert manager.next() is None
    with sandbox.manager(signs_in=False) as manager:
        assert len(manager.sign_in().permission) > 5


def test_a_request_before_the_log_in_ends_the_connection(sandbox: CtraderSandbox) -> None:
    with sandbox.manager(signs_in=False) as manager:
        manager.wait_for(pb.ProtoHelloEvent)
        manager.send(pb.ProtoServerTimeReq(), "1")
        assert manager.wait_for(pb.ProtoErrorRes).errorCode == "INVALID_REQUEST"
        assert manager.next() is None


def test_heartbeats_go_both_ways_and_a_silent_manager_is_hung_up(sandbox: CtraderSandbox) -> None:
    with sandbox.manager() as talking, sandbox.manager() as silent:
        for _beat in range(5):
            assert talking.wait_for(pb.ProtoHeartbeatEvent) is not None
            talking.send(pb.ProtoHeartbeatEvent())
            time.sleep(0.1)
        while silent.next() is not None:
            talking.send(pb.ProtoHeartbeatEvent())
        assert talking.ask(pb.ProtoPingReq(timestamp=42), pb.ProtoPingRes).timestamp == 42


def test_our_own_heartbeats_keep_a_connection_that_nobody_uses(sandbox: CtraderSandbox) -> None:
    with sandbox.platform() as platform:
        platform.manager.heartbeat_seconds = 0.2
        assert platform.server_time().server_msc
        link = platform.manager._link
        time.sleep(1.0)
        assert platform.server_time().server_msc and platform.manager._link is link


WRONG_FRAMES = {
    "too long": (b"GET / HTTP/1.1\r\n\r\n", "FRAME_TOO_LONG"),
    "no message": ((5).to_bytes(4, "big") + b"\xff" * 5, "INVALID_REQUEST"),
    "nothing in it": ((0).to_bytes(4, "big"), "INVALID_REQUEST"),
    "half a request": ((4).to_bytes(4, "big") + b"\x08\xad\x02\x12", "INVALID_REQUEST"),
}


@pytest.mark.parametrize("name", WRONG_FRAMES)
def test_a_wrong_frame_is_answered_with_its_error_before_the_end(sandbox: CtraderSandbox, name: str) -> None:
    data, code = WRONG_FRAMES[name]
    with sandbox.manager() as manager:
        assert manager.ask(pb.ProtoHelloEvent(), pb.ProtoHelloEvent).errorCode == "UNSUPPORTED_MESSAGE"
        manager.sock.sendall(data)
        assert manager.wait_for(pb.ProtoErrorRes).errorCode == code
        assert manager.next() is None, "then it closes"


def test_a_request_whose_content_is_wrong_is_answered_under_its_number(sandbox: CtraderSandbox) -> None:
    with sandbox.manager() as manager:
        envelope = pb.ProtoMessage(
            payloadType=pb.ProtoChangeBalanceReq().payloadType, payload=b"\xff\xff", clientMsgId="9"
        )
        body = envelope.SerializeToString()
        manager.sock.sendall(len(body).to_bytes(4, "big") + body)
        while (message := manager.next()) is not None and message.clientMsgId != "9":
            pass
        assert message is not None
        assert pb.ProtoErrorRes.FromString(message.payload).errorCode == "INVALID_REQUEST"


def test_lists_come_in_chunks_newest_first(sandbox: CtraderSandbox) -> None:
    login = sandbox.account("real\\pro-USD", money="50000.00")
    for _trade in range(4):
        sandbox.post("close", position=sandbox.trade(login)["position"])
    who, end, seen = trader_id(int(login)), 2**45, []
    with sandbox.manager() as manager:
        while True:
            request = pb.ProtoManagerDealListReq(traderId=[who], fromTimestamp=0, toTimestamp=end)
            chunk = manager.ask(request, pb.ProtoManagerDealListRes)
            times = [deal.createTimestamp for deal in chunk.deal]
            assert len(times) <= 3 and times == sorted(times, reverse=True)
            seen += [deal.dealId for deal in chunk.deal]
            end = times[-1] - 1
            if not chunk.hasMore:
                break
        wrong = pb.ProtoManagerDealListReq(fromTimestamp=5, toTimestamp=1)
        assert manager.ask(wrong, pb.ProtoManagerDealListRes).errorCode == "INCORRECT_BOUNDARIES"
    assert len(seen) == 8


def test_commission_is_taken_when_a_position_closes(sandbox: CtraderSandbox) -> None:
    """The balance stands still at the opening; each closing deal carries its share of it, and the sum is exact."""
    login = sandbox.account("real\\pro-EUR", money="20000.00")
    position = sandbox.trade(login, "EURUSD", "0.70")["position"]
    who = trader_id(int(login))
    with sandbox.manager() as manager:
        trader = manager.ask(pb.ProtoTraderByIdReq(traderId=[who]), pb.ProtoTraderByIdRes).trader[0]
        request = pb.ProtoPositionListReq(traderId=who, fromTimestamp=0, toTimestamp=2**45)
        (held,) = manager.ask(request, pb.ProtoPositionListRes).position
        assert (trader.balance, held.commission, held.tradeData.volume) == (2_000_000, -210, 7_000_000)
        for lots in ("0.33", "0.18", "0.19"):
            sandbox.post("close", position=position, lots=lots)
        request = pb.ProtoManagerDealListReq(traderId=[who], fromTimestamp=0, toTimestamp=2**45, maxRows=3)
        closing = manager.ask(request, pb.ProtoManagerDealListRes).deal
        trader = manager.ask(pb.ProtoTraderByIdReq(traderId=[who]), pb.ProtoTraderByIdRes).trader[0]
    details = [deal.closePositionDetail for deal in closing]
    assert (
        all(deal.HasField("closePositionDetail") for deal in closing) and sum(one.commission for one in details) == -420
    )
    assert trader.balance == 2_000_000 + sum(one.profit + one.swap + one.commission for one in details)


def heard(manager: Any, kind: int) -> Any:
    """The next event of one type; what the books did just before may still be on its way."""
    while (event := manager.wait_for(pb.ProtoExecutionEvent)).executionType != kind:
        pass
    return event


def test_every_manager_hears_what_the_books_do(sandbox: CtraderSandbox) -> None:
    login = sandbox.account(money="20000.00")
    time.sleep(0.1)
    with sandbox.manager() as first, sandbox.manager() as second:
        made = sandbox.trade(login, "EURUSD", "0.10")
        for manager in (first, second):
            event = heard(manager, pb.ORDER_FILLED)
            assert event.deal.dealId == made["deal"] and not event.deal.HasField("closePositionDetail")
            assert event.position.positionId == made["position"]
        sandbox.post("close", position=made["position"])
        assert heard(first, pb.ORDER_FILLED).deal.closePositionDetail.closedVolume == 1_000_000
        sandbox.post("balance", login=int(login), amount="7.00", kind="bonus")
        assert heard(first, pb.BONUS_DEPOSIT_WITHDRAW).bonusDepositWithdraw.managerDelta == 700
        with sandbox.rest(sandbox.token()) as rest:
            balance(rest, login, 3, externalId="pay-9")
        event = heard(first, pb.DEPOSIT_WITHDRAW)
        assert (event.depositWithdraw.externalId, event.depositWithdraw.delta) == ("pay-9", 300)
        assert second.wait_for(pb.ProtoTraderChangedEvent).trader.login == int(login)


def test_quotes_come_for_what_was_asked_for(sandbox: CtraderSandbox) -> None:
    with sandbox.manager() as manager:
        assert manager.ask(pb.ProtoSubscribeSpotQuotesReq(symbolId=[1]), pb.ProtoSubscribeSpotQuotesRes) is not None
        quotes = [manager.wait_for(pb.ProtoSpotEvent) for _tick in range(3)]
    assert all(one.symbolId == 1 and 0 < one.bid < one.ask for one in quotes)


def test_a_version_that_is_not_the_current_one_changes_nothing(sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    with sandbox.manager() as manager:
        (row,) = manager.ask(pb.ProtoTraderByIdReq(traderId=[trader_id(int(login))]), pb.ProtoTraderByIdRes).trader

        def change(version: int, cents: int) -> Any:
            then = pb.ProtoTrader(
                traderId=row.traderId,
                login=row.login,
                groupId=row.groupId,
                balance=0,
                version=version,
                leverageInCents=cents,
            )
            request = pb.ProtoCrudTraderReq(operation=pb.PROTO_UPDATE_DIFF, trader=then, validateVersion=True)
            return manager.ask(request, pb.ProtoCrudTraderRes)

        assert change(row.version, 5000).traderId == row.traderId
        assert change(row.version, 9000).errorCode == "CONCURRENT_MODIFICATION"
    assert sandbox.truth(login)["leverage"] == 50


def test_a_right_that_is_taken_away_is_missed_in_both_interfaces(sandbox: CtraderSandbox) -> None:
    login = sandbox.account()
    sandbox.post("rights", take="trader cashier")
    try:
        with sandbox.rest(sandbox.token()) as rest, sandbox.manager() as manager:
            assert balance(rest, login).json()["error"]["errorCode"] == "NOT_ENOUGH_RIGHTS"
            request = pb.ProtoChangeBalanceReq(traderId=trader_id(int(login)), amount=1, type=0, newWay=True)
            assert manager.ask(request, pb.ProtoChangeBalanceRes).errorCode == "NOT_ENOUGH_RIGHTS"
    finally:
        sandbox.post("rights")


def test_what_it_knows_beside_the_books_survives_a_restart(tmp_path: Any) -> None:
    state = tmp_path / "state.sqlite"
    with running_ctrader(state) as first, first.rest(first.token()) as rest:
        login = str(rest.post(TRADERS, json=NEW).json()["login"])
        balance(rest, login, externalId="kept")
        person = rest.post("/cid/ctid/create", json={"email": "a@b.example", "brokerName": "keelson"}).json()["userId"]
        rest.patch(f"{TRADERS}/{login}", json={"leverageInCents": 10_000})
    with running_ctrader(state) as second, second.rest(second.token()) as rest, second.manager() as manager:
        again = rest.post("/cid/ctid/create", json={"email": "a@b.example", "brokerName": "keelson"}).json()
        assert again == {"userId": person}
        request = pb.ProtoBalanceHistoryListReq(traderId=trader_id(int(login)), fromTimestamp=0, toTimestamp=2**45)
        (row,) = manager.ask(request, pb.ProtoBalanceHistoryListRes).depositWithdraw
        (trader,) = manager.ask(pb.ProtoTraderByIdReq(traderId=[trader_id(int(login))]), pb.ProtoTraderByIdRes).trader
        assert (row.externalId, trader.version, trader.leverageInCents) == ("kept", 2, 10_000)
        hashed = {"passwordHash": NEW["hashedPassword"], "traderId": trader_id(int(login))}
        assert manager.ask(pb.ProtoCheckTraderPasswordReq(**hashed), pb.ProtoCheckTraderPasswordRes).traderId
