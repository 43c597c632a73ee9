"""The sandbox MT4 server by requests that know nothing of our client: what it does where, and what it says."""

from __future__ import annotations

import socket
import ssl
import time
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.mt4.__main__ import PLATFORM
from sandbox.mt4.bridge import OWN_FAULTS
from sandbox.mt4.endpoints import ENDPOINTS
from tests.trading.mt4_lab import Mt4Lab
from tests.trading.sandbox_process import ROOT, started


def code(answer: httpx.Response) -> tuple[str, str]:
    """(bridge's code, outcome header) of an answer, which is always HTTP 200."""
    assert answer.status_code == 200
    error = answer.json()["error"] or {"code": "Ok"}
    return error["code"], answer.headers.get("X-Request-Outcome", "")


def test_its_page_names_every_call_and_every_fault_of_its_own() -> None:
    page = (ROOT / "docs" / "sandbox-mt4.md").read_text()
    assert [name for _method, name, _count in ENDPOINTS if f"`{name}`" not in page] == []
    assert [name for name in OWN_FAULTS if f"`{name}`" not in page] == []


# -- log-in


def test_a_token_is_needed_given_for_the_secret_and_taken_back(mt4: Mt4Lab) -> None:
    with httpx.Client(base_url=mt4.url) as stranger:
        answer = stranger.get(f"/api/v2/MT4/{PLATFORM}/ServerTime")
        assert (answer.status_code, "Bearer" in answer.headers["WWW-Authenticate"]) == (401, True)
        document = stranger.get("/.well-known/openid-configuration").json()
        assert document["token_endpoint"] == f"{mt4.url}/connect/token"
        for form, status in (
            ({"grant_type": "client_credentials", "client_id": "keelson", "client_secret": "no"}, 401),
            ({"grant_type": "password"}, 400),
        ):
            refused = stranger.post("/connect/token", data=form)
            assert refused.status_code == status and "error" in refused.json()
    mt4.data("ServerTime")
    mt4.fault("token_revoked", "ServerTime")
    assert mt4.call("GET", "ServerTime").status_code == 401
    mt4.data("ServerTime")


def test_platforms_are_listed_and_another_one_is_not_found(mt4: Mt4Lab) -> None:
    mt4.data("ServerTime")
    (one,) = mt4.http.get("/api/TradePlatforms").json()
    assert one["id"] == PLATFORM
    other = mt4.http.get("/api/v2/MT4/00000000-0000-4000-8000-000000000000/ServerTime")
    assert code(other)[0] == "NotFound"
    assert mt4.call("GET", "NoSuchCall").status_code == 404


# -- envelope, deadlines, keys


def test_answers_are_envelopes_that_tell_the_deadline_they_had(mt4: Mt4Lab) -> None:
    answer = mt4.call("GET", "ServerTime")
    assert answer.json().keys() == {"data", "error", "meta"} and answer.json()["meta"]["activityId"].startswith("00-")
    assert answer.headers["X-Request-Timeout-Applied"] == "10"
    own = mt4.call("GET", "ServerTime", X_Request_Timeout="2.5")
    assert own.headers["X-Request-Timeout-Applied"] == "2.5"
    for wrong in ("0.5", "301", "soon"):
        assert code(mt4.call("GET", "ServerTime", X_Request_Timeout=wrong)) == ("Validation", "")
    assert mt4.call("GET", "UserRecordGet/1").json()["error"]["code"] == "NotFound"


def test_the_same_key_with_the_same_request_is_done_once_and_with_another_refused(mt4: Mt4Lab) -> None:
    login = mt4.account()
    first = mt4.book(login, 10.5, "D:ONCE", Idempotency_Key=f"key-{login}")
    again = mt4.book(login, 10.5, "D:ONCE", Idempotency_Key=f"key-{login}")
    assert first.json()["data"] == again.json()["data"] and mt4.booked(login) == ["10.50"]
    assert code(mt4.book(login, 11, "D:ONCE", Idempotency_Key=f"key-{login}")) == ("Validation", "")
    assert code(mt4.book(login, 11, "", Idempotency_Key="k" * 256)) == ("Validation", "")
    mt4.book(login, 10.5, "D:ONCE")
    assert mt4.booked(login) == ["10.50", "10.50"]  # without a key nothing protects


@pytest.mark.parametrize(
    ("fault", "expected", "booked"),
    [
        ("outcome_unknown", ("OutcomeUnknown", "unknown"), True),
        ("unknown_before", ("OutcomeUnknown", "unknown"), False),
        ("in_progress", ("OutcomeUnknown", "in-progress"), False),
        ("timeout", ("Timeout", "timeout"), False),
        ("not_started", ("Busy", "not-started"), False),
        ("no_connect", ("NoConnect", ""), False),
        ("internal", ("Internal", ""), True),
        ("forbidden", ("Forbidden", ""), False),
        ("too_frequent", ("Busy", "not-started"), False),
    ],
)
def test_each_fault_says_what_it_should_and_does_what_it_says(
    mt4: Mt4Lab, fault: str, expected: tuple[str, str], booked: bool
) -> None:
    login = mt4.account()
    mt4.fault(fault, "money")
    assert code(mt4.book(login, 5, "x")) == expected
    assert mt4.booked(login) == (["5.00"] if booked else [])


def test_a_key_is_in_progress_until_its_late_work_is_done_and_then_brings_its_answer(mt4: Mt4Lab) -> None:
    login = mt4.account()
    mt4.fault("unknown_later", "money", value=0.3)
    assert code(mt4.book(login, 7, "D:LATE", Idempotency_Key=f"late-{login}")) == ("OutcomeUnknown", "unknown")
    assert code(mt4.book(login, 7, "D:LATE", Idempotency_Key=f"late-{login}")) == ("OutcomeUnknown", "in-progress")
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        answer = mt4.book(login, 7, "D:LATE", Idempotency_Key=f"late-{login}")
        if code(answer)[0] == "Ok":
            break
        time.sleep(0.05)
    assert answer.json()["data"]["order"] == int(mt4.truth(login)["deals"][0]["Deal"]) and mt4.booked(login) == ["7.00"]


def test_what_is_slower_than_its_deadline_is_answered_then_and_done_all_the_same(mt4: Mt4Lab) -> None:
    login, started_at = mt4.account(), time.monotonic()
    mt4.fault("slow", "money", value=30)
    answer = mt4.book(login, 9, "D:SLOW", X_Request_Timeout="1", Idempotency_Key=f"slow-{login}")
    assert code(answer) == ("OutcomeUnknown", "unknown") and 1 <= time.monotonic() - started_at < 3
    assert mt4.booked(login) == ["9.00"]
    mt4.fault("slow", "ServerTime", value=30)
    assert code(mt4.call("GET", "ServerTime", X_Request_Timeout="1")) == ("Timeout", "timeout")


def test_rights_are_the_bridges_to_give(mt4: Mt4Lab) -> None:
    mt4.process.post("rights", take="balance operations")
    assert code(mt4.book(mt4.account(), 5)) == ("Forbidden", "")
    mt4.process.post("rights", give="balance operations")


def test_lists_come_in_pages_that_fit_together(mt4: Mt4Lab) -> None:
    everybody = [user["login"] for user in mt4.data("UsersRequest")]
    seen, cursor = [], ""
    while True:
        envelope = mt4.call("GET", "UsersRequest", params={"limit": 4, **({"cursor": cursor} if cursor else {})}).json()
        seen += [user["login"] for user in envelope["data"]]
        if not envelope["meta"]["paging"]["hasMore"]:
            break
        cursor = envelope["meta"]["paging"]["nextCursor"]
    assert seen == everybody == sorted(everybody) and len(everybody) > 8
    assert code(mt4.call("GET", "UsersRequest", params={"cursor": "!"})) == ("Validation", "")
    groups = mt4.data("GroupsRequest")
    assert all(len(group["group"]) <= 15 for group in groups) and "real-std-EUR" in {group["group"] for group in groups}


# -- accounts


def test_an_account_is_made_without_a_password_and_then_gets_two(mt4: Mt4Lab) -> None:
    body = {"login": 0, "group": "real-pro-USD", "name": "Anna Ümläut", "externalId": "crm-1", "leverage": 100}
    user = mt4.call("POST", "UserRecordNew", json=body).json()["data"]
    login = user["login"]
    assert (user["enableFlags"], user["name"], user["externalId"], user["balance"]) == (3, "Anna Ümläut", "crm-1", 0)
    assert not {"password", "passwordInvestor", "otpSecret"} & user.keys()

    def check(password: str) -> bool:
        return mt4.call("POST", f"UserPasswordCheck/{login}", json=password).json()["data"]

    assert not check("")
    assert code(mt4.call("POST", f"UserPasswordSet/{login}", json="x" * 16)) == ("MT4Error", "")
    for password, params in (("Abcdef12", {}), ("Viewer12", {"changeInvestor": "true"})):
        assert mt4.call("POST", f"UserPasswordSet/{login}", json=password, params=params).json()["data"] is True
    assert check("Abcdef12") and not check("Viewer12")
    taken = mt4.call("POST", "UserRecordNew", json={**body, "login": login}).json()["error"]
    assert (taken["code"], taken["managerCode"]) == ("MT4Error", "BadAccountInfo")


def test_a_record_is_patched_field_by_field_and_in_bulk(mt4: Mt4Lab) -> None:
    login = int(mt4.account())
    merged = mt4.call("PATCH", f"UserRecord/{login}", json={"leverage": 20, "unknown": 1, "comment": "vip"}).json()[
        "data"
    ]
    assert (merged["leverage"], merged["comment"], merged["group"]) == (20, "vip", "real-std-EUR")
    assert code(mt4.call("PATCH", f"UserRecord/{login}", json={"group": "nowhere"}))[0] == "MT4Error"
    for body, flags in (({"command": "Disable"}, 2), ({"command": "enable"}, 3)):
        assert mt4.call("POST", "UsersGroupOp", json={**body, "logins": [login]}).json()["data"] is True
        assert mt4.data(f"UserRecordGet/{login}")["enableFlags"] == flags
    mt4.call("POST", "UsersGroupOp", json={"command": "SetGroup", "newGroup": "real-pro-EUR", "logins": [login]})
    assert mt4.data("UserRecordsRequest", logins=[login, 1])[0]["group"] == "real-pro-EUR"
    assert code(mt4.call("POST", "UsersGroupOp", json={"command": "Sing", "logins": [login]})) == ("Validation", "")


def test_netting_groups_and_those_in_them_are_not_on_this_server(mt4: Mt4Lab) -> None:
    assert code(mt4.call("GET", "UserRecordGet/600004"))[0] == "NotFound"
    assert not any("net" in group["group"] for group in mt4.data("GroupsGet"))


def test_texts_are_kept_in_the_servers_code_page(mt4: Mt4Lab) -> None:
    login = mt4.account()
    mt4.call("PATCH", f"UserRecord/{login}", json={"name": "Łukasz 🙂 Müller", "country": "x" * 40})
    user = mt4.data(f"UserRecordGet/{login}")
    assert (user["name"], user["country"]) == ("?ukasz ? Müller", "x" * 31)
    mt4.book(login, 1, "y" * 40)
    assert mt4.rows(login)[0]["comment"] == "y" * 31


# -- orders


def test_a_partial_close_keeps_its_number_and_gives_the_rest_a_new_one(mt4: Mt4Lab) -> None:
    login = mt4.account("real\\pro-EUR", money="20000.00")
    position = mt4.trade(login, "EURUSD", "0.50")
    for lots in ("0.10", "0.15"):
        mt4.close(position, lots)
    first, second = (row for row in mt4.rows(login) if row["tradeCommand"] == "Buy")
    (rest,) = mt4.data(f"TradesGetByLogin/{login}/real-pro-EUR")
    assert [row["order"] for row in (first, second)] == [position, int(first["comment"].removeprefix("to #"))]
    assert (second["comment"], rest["comment"]) == (f"to #{rest['order']}", f"from #{second['order']}")
    assert [row["tradeRecordState"] for row in (first, second, rest)] == ["ClosedPart", "ClosedPart", "OpenNormal"]
    assert [row["volume"] for row in (first, second, rest)] == [10, 15, 25]
    assert (
        len({row["openPrice"] for row in (first, second, rest)}) == len({row["openTime"] for row in (first, rest)}) == 1
    )
    mt4.close(position)
    last = mt4.rows(login)[-1]
    assert (last["order"], last["comment"], last["tradeRecordState"]) == (
        rest["order"],
        f"from #{second['order']}",
        "ClosedNormal",
    )


def test_commission_counts_when_an_order_is_closed_and_rows_add_up_to_the_balance(mt4: Mt4Lab) -> None:
    login = mt4.account("real\\pro-EUR", money="20000.00")
    position = mt4.trade(login, "EURUSD", "0.50")
    assert mt4.truth(login)["balance"] == "19998.50"  # the engine books the opening's commission at once
    assert mt4.data(f"UserRecordGet/{login}")["balance"] == 20000
    mt4.close(position, "0.20")
    for user in mt4.data("UsersRequest"):
        assert mt4.data(f"AdmBalanceCheck/{user['login']}")["diff"] == 0
    mt4.close(position)
    assert Decimal(str(mt4.data(f"UserRecordGet/{login}")["balance"])) == Decimal(mt4.truth(login)["balance"])
    assert mt4.data("AdmBalanceCheck", logins=[login]) == []


def test_close_by_and_pending_orders_are_rows_of_their_own_kind(mt4: Mt4Lab) -> None:
    login = mt4.account(money="20000.00")
    one, other = mt4.trade(login, side="buy"), mt4.trade(login, side="sell")
    mt4.process.post("close_by", position=one, by=other)
    ask = float(mt4.data("TickInfoLast/EURUSD.m")["ask"])
    waits, given_up = (
        mt4.process.post(
            "order", login=int(login), symbol="EURUSD", kind="buy_limit", lots="0.1", price=round(ask / 2, 5)
        )["order"]
        for _time in range(2)
    )
    mt4.process.post("order/cancel", order=given_up)
    rows = {row["order"]: row for row in [*mt4.rows(login), *mt4.data("TradesRequest", group="real-std-EUR")]}
    assert [rows[number]["tradeRecordState"] for number in (one, other, given_up, waits)] == [
        "ClosedBy",
        "ClosedBy",
        "Deleted",
        "OpenNormal",
    ]
    assert rows[waits]["tradeCommand"] == rows[given_up]["tradeCommand"] == "BuyLimit"
    found = mt4.data("TradeRecordsRequest", orders=[one, waits, 1])
    assert sorted(row["order"] for row in found) == sorted([one, waits])
    assert waits not in {row["order"] for row in mt4.data("TradesGetByMarket")}


def test_the_sync_session_tells_what_changed_and_then_nothing(mt4: Mt4Lab) -> None:
    login = mt4.account()
    mt4.fault("sync_lost", "TradesSyncRead")
    assert code(mt4.call("GET", "TradesSyncRead")) == ("MT4Error", "")
    now = mt4.process.state()["server_time"]
    mt4.book(login, 12, "new")
    mt4.call("POST", "TradesSyncStart", params={"timestamp": now - 1})
    assert "new" in {row["comment"] for row in mt4.data("TradesSyncRead")} and mt4.data("TradesSyncRead") == []
    mt4.call("POST", "TradesSyncStart", params={"timestamp": 0})
    pieces = [len(mt4.data("TradesSyncRead", limit=200)) for _piece in range(3)]
    assert pieces[0] == pieces[1] == 200
    mt4.call("POST", "UsersSyncStart", params={"timestamp": 0})
    assert len(mt4.data("UsersSyncRead")) >= 9


def test_the_old_port_answers_quotes_and_has_no_plugin(mt4: Mt4Lab) -> None:
    def ask(query: str) -> list[str]:
        with socket.create_connection(("127.0.0.1", mt4.process.ports["quote_port"]), timeout=5) as sock:
            sock.sendall(f"{query}\nQUIT\n".encode())
            answer = b""
            while piece := sock.recv(4096):
                answer += piece
        return answer.decode().split("\r\n")

    lines = ask("WQUOTES-EURUSD.m,NOTHING,XAUUSD.m,")
    assert [line.split(" ")[1] for line in lines[:2]] == ["EURUSD.m", "XAUUSD.m"] and lines[2] == "end"
    assert ask("WNEWACCOUNT MASTER=x|NAME=y")[0] == "ERROR"


def test_over_tls_with_its_own_certificate_and_times_in_utc(tmp_path: Any) -> None:
    with started("mt4", tmp_path / "s.sqlite", "--port", "0", "--tls", "--utc") as process:
        (tmp_path / "ca.pem").write_text(process.certificate)
        lab = Mt4Lab(process)
        lab.http.close()
        lab.url = lab.url.replace("http:", "https:")
        lab.http = httpx.Client(base_url=lab.url, verify=ssl.create_default_context(cafile=str(tmp_path / "ca.pem")))
        assert lab.data("ServerTime").endswith("Z")
        lab.http.close()
