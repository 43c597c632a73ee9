"""The client over a real socket against the sandbox server, and the sandbox server against another client."""

from __future__ import annotations

import socket
import time
from decimal import Decimal

import pymt5pure
import pytest

from tests.trading.sandbox_server import Sandbox, running_sandbox
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.platforms.mt5.client import CRYPT_AES, CRYPT_NONE, Mt5Client, Mt5Config

BOTH = pytest.mark.parametrize("crypt_method", [CRYPT_NONE, CRYPT_AES])
DEPOSIT = {"TYPE": 2, "BALANCE": "100.00", "COMMENT": "D:TEST", "CHECK_MARGIN": 1}


def balance(client: Mt5Client, login: str) -> Decimal:
    return Decimal(client.read("USER_GET", {"LOGIN": login}).row()["Balance"])


# -- a client that we did not write -----------------------------------------------------------------------------------


@pytest.mark.parametrize("is_crypt", [False, True], ids=["plain", "aes"])
def test_a_client_from_elsewhere_can_drive_the_sandbox(sandbox: Sandbox, is_crypt: bool, monkeypatch) -> None:
    # Its keep-alive thread would outlive the test: one beat, and gone.
    monkeypatch.setattr(pymt5pure.MT5Client, "ping_interval", 0.05)
    client = pymt5pure.MT5Client("127.0.0.1", sandbox.port, is_crypt=is_crypt, timeout=5)
    client.connect("1000", "Sandbox-1000!")
    try:
        api = pymt5pure.MT5Api(client)
        assert api.symbol_total() == 13
        symbol = api.symbol_next(0)
        assert (symbol.Symbol, symbol.ContractSize, symbol.VolumeMin) == ("EURUSD", 100000.0, 100)
        assert api.group_total() >= 12
        answer = client(
            "USER_ADD",
            LOGIN=0,
            PASS_MAIN="Abcdef1!",
            PASS_INVESTOR="Abcdef2!",
            GROUP="real\\standard-EUR",
            NAME="Zoë | Müller = 🙂",
            LEVERAGE=30,
        )
        login = int(answer.params["LOGIN"])
        assert login in api.user_logins("real*")
        ticket = client("TRADE_BALANCE", LOGIN=login, TYPE=2, BALANCE="250.00", COMMENT="D:PURE").params["TICKET"]
        deal = client("DEAL_GET", TICKET=ticket).json
        assert (deal["Profit"], deal["Comment"], deal["Action"]) == ("250.00", "D:PURE", "2")
        assert client("USER_GET", LOGIN=login).json["Name"] == "Zoë | Müller = 🙂"
    finally:
        client.is_connected = False
        client._keepalive_thread.join()
        client.disconnect()


# -- connection -------------------------------------------------------------------------------------------------------


@BOTH
def test_both_sides_prove_the_password(sandbox: Sandbox, crypt_method: str) -> None:
    with sandbox.client(crypt_method=crypt_method) as client:
        assert client.connect() == ("3815", "3815")
        assert client.read("TEST_ACCESS").retcode == 0


@BOTH
def test_a_wrong_password_starts_nothing(sandbox: Sandbox, crypt_method: str) -> None:
    with (
        sandbox.client(crypt_method=crypt_method, password="Wrong-1000!") as client,
        pytest.raises(NotStarted) as error,
    ):
        client.read("TIME_SERVER")
    assert error.value.code == 1001


def test_an_unknown_manager_and_an_old_version_are_refused(sandbox: Sandbox) -> None:
    for fields, code in (({"login": 7}, 1001), ({"version": 100}, 1010), ({"agent": "two words"}, 1000)):
        with sandbox.client(**fields) as client, pytest.raises(NotStarted) as error:
            client.connect()
        assert error.value.code == code


def test_a_server_that_is_not_there_starts_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = Mt5Client(Mt5Config("127.0.0.1", taken.getsockname()[1], 1000, "x", connect_seconds=0.5))
        with pytest.raises(NotStarted, match="can't reach"):
            client.write("TRADE_BALANCE")


def test_a_server_that_does_not_know_the_password_is_refused() -> None:
    """A man in the middle can answer the handshake, but can't prove the password."""
    import threading

    from sandbox.mt5 import protocol

    def impostor(listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(protocol.frame(protocol.answer("AUTH_START", 0, {"SRV_RAND": "00" * 16}), 1))
            connection.recv(65536)
            answer = protocol.answer("AUTH_ANSWER", 0, {"CLI_RAND_ANSWER": "11" * 16, "CRYPT_RAND": "22" * 256})
            connection.sendall(protocol.frame(answer, 2))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=impostor, args=(listener,))
        thread.start()
        client = Mt5Client(Mt5Config("127.0.0.1", listener.getsockname()[1], 1000, "Secret-1!", connect_seconds=5))
        with pytest.raises(NotStarted, match="could not prove"):
            client.read("TIME_SERVER")
        thread.join()


def test_the_password_never_shows_in_a_representation(sandbox: Sandbox) -> None:
    assert "Sandbox-1000!" not in repr(sandbox.config())


def test_an_idle_connection_that_the_server_closed_is_replaced_without_a_word(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.read("TIME_SERVER")
        sandbox.post("restart")
        time.sleep(0.2)
        login = sandbox.new_account()
        client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT})
        assert balance(client, login) == 100


def test_a_child_process_opens_its_own_socket(sandbox: Sandbox) -> None:
    import os

    with sandbox.client() as client:
        client.read("TIME_SERVER")
        inherited = client._link
        read_end, write_end = os.pipe()
        child = os.fork()
        if not child:
            try:
                client.read("TIME_SERVER")
                os.write(write_end, b"new" if client._link is not inherited else b"old")
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        os.close(write_end)
        with os.fdopen(read_end, "rb") as pipe:
            assert pipe.read() == b"new"
        assert client.read("TIME_SERVER").retcode == 0  # the parent's connection is unharmed


# -- pings and framing ------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize(
    ("kind", "value"), [("split", 1), ("split", 7), ("parts", 1), ("parts", 33), ("ping_storm", 500)]
)
def test_an_answer_in_pieces_with_pings_in_between_is_read_whole(
    sandbox: Sandbox, crypt_method: str, kind: str, value: int
) -> None:
    with sandbox.client(crypt_method=crypt_method, read_seconds=20) as client:
        whole = client.read("GROUP_GET", {"GROUP": "real\\pro-EUR"}).row()
        sandbox.fault(kind, "GROUP_GET", value=value)
        assert client.read("GROUP_GET", {"GROUP": "real\\pro-EUR"}).row() == whole
        assert client.read("TEST_ACCESS").retcode == 0


@BOTH
def test_answers_beyond_64_kib_come_in_several_packets(sandbox: Sandbox, crypt_method: str) -> None:
    login = sandbox.new_account()
    with sandbox.client(crypt_method=crypt_method) as client:
        for number in range(40):
            client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "COMMENT": f"D:{number}"})
        rows = client.read("DEAL_GET_BATCH", {"LOGIN": login, "FROM": 0, "TO": 0}).rows()
        assert [row["Comment"] for row in rows] == [f"D:{number}" for number in range(40)]


def test_a_long_command_is_cut_into_packets(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    logins = ",".join([login] * 8000)
    with sandbox.client() as client:
        assert client.read("USER_GET_BATCH", {"LOGIN": logins}).rows()[0]["Login"] == login


def test_pings_that_piled_up_are_no_disconnect(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        client.read("TIME_SERVER")
        before = client._link
        time.sleep(1.2)  # this server pings twice a second
        client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT})
        assert client._link is before
        assert balance(client, login) == 100


@pytest.mark.parametrize("text", ["a|b=c\\d", "line\nbreak", "🙂 Ünïcødé 漢字", '"quoted" {json}'])
def test_odd_characters_survive_both_ways(sandbox: Sandbox, text: str) -> None:
    login = sandbox.new_account(NAME=text)
    with sandbox.client() as client:
        assert client.read("USER_GET", {"LOGIN": login}).row()["Name"] == text


# -- what goes wrong --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "is_booked"),
    [
        ("drop_before", False),
        ("drop_after", True),
        ("never_before", False),
        ("never_after", True),
        ("garbage", True),
        ("foreign_number", True),
    ],
)
def test_a_lost_answer_to_a_change_is_an_unknown_outcome_and_nothing_is_sent_again(
    sandbox: Sandbox, kind: str, is_booked: bool
) -> None:
    login = sandbox.new_account()
    sent = sandbox.command_count("TRADE_BALANCE")
    with sandbox.client(write_seconds=0.5) as client:
        sandbox.fault(kind, "TRADE_BALANCE")
        with pytest.raises(OutcomeUnknown):
            client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT})
        assert balance(client, login) == (100 if is_booked else 0)
    assert sandbox.command_count("TRADE_BALANCE") == sent + 1


def test_a_late_answer_is_never_read_as_the_next_ones(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client(read_seconds=0.3) as client:
        sandbox.fault("slow", "SYMBOL_TOTAL", value=0.6)
        with pytest.raises(ReadTimedOut):
            client.read("SYMBOL_TOTAL")
        time.sleep(0.5)
        assert client.read("USER_GET", {"LOGIN": login}, seconds=3).row()["Login"] == login


def test_a_second_answer_spoils_the_connection_but_not_the_command(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        sandbox.fault("duplicate", "TRADE_BALANCE")
        first = client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT}).number("TICKET")
        time.sleep(0.1)
        second = client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT}).number("TICKET")
        assert second > first
        assert balance(client, login) == 200


@pytest.mark.parametrize(("code", "kind"), [(12, PlatformBusy), (13, FinalError), (9, OutcomeUnknown), (1, None)])
def test_answer_codes_become_the_right_kind_of_error(sandbox: Sandbox, code: int, kind: type | None) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        sandbox.fault("retcode", "TRADE_BALANCE", value=code)
        if kind is None:  # "no change" is a success
            assert client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT}).retcode == 1
            return
        with pytest.raises(kind) as error:
            client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT})
        assert error.value.code == code


def test_a_lost_read_is_repeated_once_on_a_new_connection(sandbox: Sandbox) -> None:
    with sandbox.client() as client:
        client.read("TIME_SERVER")
        sandbox.fault("drop_before", "SYMBOL_TOTAL")
        assert client.read("SYMBOL_TOTAL").number("TOTAL") == 13


# -- the sandbox's own rules ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"BALANCE": "-100.01"}, 10019),  # above the balance
        ({"TYPE": 9}, 3),
        ({"TYPE": 3, "BALANCE": "-1.00"}, 10019),  # more credit than was given
        ({"BALANCE": "1000000000.01"}, 4005),
        ({"BALANCE": "abc"}, 3),
        ({"LOGIN": 999}, 13),
    ],
)
def test_balance_operations_follow_the_documented_rules(sandbox: Sandbox, change: dict[str, object], code: int) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT})
        with pytest.raises(FinalError) as error:
            client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, **change})
        assert error.value.code == code
        assert balance(client, login) == 100


def test_money_behind_open_positions_can_be_withdrawn_only_without_the_margin_check(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "BALANCE": "1000.00"})
        sandbox.post("trade", login=int(login), symbol="EURUSD", lots="0.2")
        withdrawal = {"LOGIN": login, **DEPOSIT, "BALANCE": "-900.00"}
        with pytest.raises(FinalError) as error:
            client.write("TRADE_BALANCE", withdrawal)
        assert error.value.code == 10019
        assert client.write("TRADE_BALANCE", {**withdrawal, "CHECK_MARGIN": 0}).number("TICKET")


def test_a_comment_is_cut_to_31_characters_without_a_word(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        ticket = client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "COMMENT": "x" * 40}).number("TICKET")
        assert client.read("DEAL_GET", {"TICKET": ticket}).row()["Comment"] == "x" * 31


def test_idle_accounts_are_not_in_the_account_list_until_they_trade(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "BALANCE": "1000.00"})
        with pytest.raises(FinalError) as error:
            client.read("USER_ACCOUNT_GET", {"LOGIN": login})
        assert error.value.code == 13
        sandbox.post("trade", login=int(login), symbol="EURUSD", lots="0.1")
        account = client.read("USER_ACCOUNT_GET", {"LOGIN": login}).row()
        money = {
            key: Decimal(account[key]) for key in ("Balance", "Credit", "Floating", "Equity", "Margin", "MarginFree")
        }
        assert money["Equity"] == money["Balance"] + money["Credit"] + money["Floating"]
        assert money["MarginFree"] == money["Equity"] - money["Margin"]
        assert money["Margin"] == pytest.approx(Decimal("333.33"), abs=Decimal("5"))


def test_a_round_trip_moves_the_balance_by_profit_commission_and_swap(sandbox: Sandbox) -> None:
    login = sandbox.new_account("real\\pro-EUR")
    with sandbox.client() as client:
        client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "BALANCE": "5000.00"})
        done = sandbox.post("trade", login=int(login), symbol="XAUUSD", lots="0.25", side="sell", hold_seconds=0)
        deals = client.read("DEAL_GET_BATCH", {"LOGIN": login, "FROM": 0, "TO": 0}).rows()
        entry, leaving = deals[1], deals[2]
        assert (int(entry["Deal"]), int(leaving["Deal"])) == (done["deal"], done["closing_deal"])
        assert (entry["Entry"], entry["Action"], leaving["Entry"], leaving["Action"]) == ("0", "1", "1", "0")
        assert entry["PositionID"] == leaving["PositionID"]
        assert (entry["VolumeExt"], leaving["VolumeClosedExt"]) == ("25000000", "25000000")
        assert Decimal(entry["Commission"]) == Decimal(leaving["Commission"]) == Decimal("-0.75")
        assert Decimal(leaving["Profit"]) < 0  # the spread
        moved = sum(Decimal(d[k]) for d in deals for k in ("Profit", "Commission", "Storage", "Fee"))
        assert balance(client, login) == moved


def test_pages_hold_at_most_a_hundred_deals(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    with sandbox.client() as client:
        with pytest.raises(FinalError):
            client.read("DEAL_GET_PAGE", {"LOGIN": login, "FROM": 0, "TO": 0, "OFFSET": 0, "TOTAL": 101})
        with pytest.raises(FinalError):  # exactly one selector
            client.read("DEAL_GET_BATCH", {"LOGIN": login, "GROUP": "*", "FROM": 0, "TO": 0})


def test_a_taken_login_a_weak_password_and_an_unknown_group_are_refused(sandbox: Sandbox) -> None:
    login = sandbox.new_account()
    for fields, code in (({"LOGIN": login}, 3004), ({"PASS_MAIN": "short"}, 3006), ({"GROUP": "nowhere"}, 8)):
        with pytest.raises(FinalError) as error:
            sandbox.new_account(**{"group": "real\\standard-EUR", **fields})
        assert error.value.code == code


def test_the_state_survives_a_restart(tmp_path) -> None:
    with running_sandbox(tmp_path / "state.sqlite") as first:
        login = first.new_account()
        with first.client() as client:
            client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "BALANCE": "1000.00"})
        first.post("trade", login=int(login), symbol="EURUSD", lots="0.1")
    with running_sandbox(tmp_path / "state.sqlite") as second, second.client() as client:
        assert balance(client, login) == 1000
        assert len(client.read("POSITION_GET_BATCH", {"LOGIN": login}).rows()) == 1


def test_simulated_traders_move_funded_accounts(tmp_path) -> None:
    with running_sandbox(tmp_path / "state.sqlite", "--rhythm", "6000") as busy:
        logins = [busy.new_account() for _number in range(8)]
        with busy.client() as client:
            for login in logins:
                client.write("TRADE_BALANCE", {"LOGIN": login, **DEPOSIT, "BALANCE": "5000.00"})
        deadline = time.monotonic() + 10
        while busy.state()["opened_by_traders"] < 3:
            assert time.monotonic() < deadline, busy.state()
            time.sleep(0.1)
        assert busy.http.get("/").text.count("real\\standard-EUR") >= 8
