"""What only MetaTrader 5 has, over every form of its Web API: raw plain, raw AES, HTTPS. The rest is in `contract`."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.trading.sandbox_server import Sandbox
from trading.platforms.base import BalanceKind, NewAccount, Right
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.mt5 import commands
from trading.platforms.mt5.client import CRYPT_AES, CRYPT_NONE
from trading.platforms.mt5.commands import Mt5Commands
from trading.platforms.mt5.enums import RIGHTS_DEFAULT, Rights
from trading.platforms.mt5.platform import Mt5Platform
from trading.platforms.mt5.rest import Mt5RestClient, parse

FORMS = {"plain": {"crypt_method": CRYPT_NONE}, "aes": {"crypt_method": CRYPT_AES}, "rest": {"form": "rest"}}
ZONE = ZoneInfo("EET")
TODAY = dt.timedelta(hours=20)


@pytest.fixture(params=list(FORMS))
def client(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[Mt5Commands]:
    with sandbox.client(**FORMS[request.param], read_seconds=5.0, write_seconds=1.5) as client:
        yield client


@pytest.fixture
def platform(client: Mt5Commands) -> Mt5Platform:
    return Mt5Platform(client, ZONE)


@pytest.fixture
def login(sandbox: Sandbox) -> str:
    return sandbox.new_account()


def wanted(login: str, **fields: str) -> NewAccount:
    values = {
        "group": "real\\standard-EUR",
        "name": "Zoë | Müller = \\ 🙂",
        "reference": f"A:{login}",
        "main_password": "Abcdef1!",
        "investor_password": "Abcdef2!",
        **fields,
    }
    return NewAccount(login=login, leverage=30, **values)


def free_login(sandbox: Sandbox) -> str:
    return str(900_000 + int(time.monotonic_ns() % 90_000_000))


def booked(platform: Mt5Platform, login: str) -> list[Decimal]:
    return [deal.profit for deal in platform.deals_of(login, from_msc=0, to_msc=2**45)]


def hour_ago() -> dt.datetime:
    return dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)


# -- the server -------------------------------------------------------------------------------------------------------


def test_health_groups_and_symbols(platform: Mt5Platform) -> None:
    health = platform.health()
    assert health.version == "3815/3815"
    assert health.time.offset_seconds in (7200, 10800)
    assert abs(health.time.server_msc / 1000 - health.time.offset_seconds - time.time()) < 5
    groups = {group.name: group for group in platform.groups()}
    assert (groups["real\\standard-JPY"].currency_digits, groups["real\\pro-EUR"].is_hedging) == (0, True)
    gold = next(symbol for symbol in platform.symbols() if symbol.name == "XAUUSD")
    assert (gold.contract_size, gold.volume_min_lots, gold.digits) == (100, Decimal("0.01"), 2)


# -- accounts ---------------------------------------------------------------------------------------------------------


def test_an_account_is_made_once_however_often_it_is_asked_for(platform: Mt5Platform, sandbox: Sandbox) -> None:
    login = free_login(sandbox)
    first = platform.create_account(wanted(login))
    again = platform.create_account(wanted(login, main_password="Zyxwvu9?"))
    assert (first.login, again.login, again.name) == (login, login, "Zoë | Müller = \\ 🙂")
    assert platform.check_password(login, "Zyxwvu9?") and not platform.check_password(login, "Abcdef1!")
    with pytest.raises(FinalError) as error:
        platform.create_account(wanted(login, reference="A:other"))
    assert error.value.code == 3004


def test_an_account_is_read_changed_and_disabled(platform: Mt5Platform, login: str) -> None:
    assert platform.read_account("999") is None
    changed = platform.update_account(login, group="real\\pro-EUR", leverage=100)
    assert (changed.group, changed.leverage, changed.rights) == ("real\\pro-EUR", 100, RIGHTS_DEFAULT)
    disabled = Rights(platform.disable_account(login).rights)
    assert not disabled & Rights.ENABLED and disabled & Rights.TRADE_DISABLED
    back = platform.update_account(login, rights={Right.SIGN_IN: True, Right.TRADE: True})
    assert back.rights == RIGHTS_DEFAULT
    with pytest.raises(FinalError) as error:
        platform.update_account(login, group="real\\standard-USD")
    assert error.value.code == 3010
    assert login in platform.logins("real\\pro*") and login not in platform.logins("*,!real\\pro*")


def test_many_accounts_are_read_at_once_with_whose_they_are(platform: Mt5Platform, sandbox: Sandbox) -> None:
    first = sandbox.new_account(NAME="Zoë Müller", EMAIL="zoe@example.com", PHONE="+49 151 1", COUNTRY="Germany")
    second = sandbox.new_account(RIGHTS=0x1E3 | Rights.TRADE_DISABLED)
    before = sandbox.command_count("USER_GET_BATCH")
    found = {one.login: one for one in platform.read_accounts([first, "999", second])}
    assert found.keys() == {first, second} and sandbox.command_count("USER_GET_BATCH") == before + 1
    zoe = found[first]
    assert (zoe.name, zoe.email, zoe.phone, zoe.country) == ("Zoë Müller", "zoe@example.com", "+49 151 1", "Germany")
    assert zoe.registered_at is not None and abs((dt.datetime.now(dt.UTC) - zoe.registered_at).total_seconds()) < 60
    assert zoe.allowed == frozenset(Right) and found[second].allowed == frozenset(Right) - {Right.TRADE}
    assert platform.read_accounts([]) == []


def test_rights_that_are_not_ours_survive_a_change(platform: Mt5Platform, client: Mt5Commands, login: str) -> None:
    brokers = RIGHTS_DEFAULT | Rights.OTP | Rights.HOSTING
    client.write("USER_UPDATE", {"LOGIN": login, "RIGHTS": int(brokers)})
    stopped = platform.update_account(login, rights={Right.TRADE: False})
    assert stopped.rights == brokers | Rights.TRADE_DISABLED


def test_both_passwords_are_changed_and_checked(platform: Mt5Platform, login: str) -> None:
    platform.change_password(login, "Main-pw-1!")
    platform.change_password(login, "Read-pw-1!", investor=True)
    assert platform.check_password(login, "Main-pw-1!") and platform.check_password(login, "Read-pw-1!", investor=True)
    assert not platform.check_password(login, "Read-pw-1!")
    with pytest.raises(FinalError) as error:
        platform.change_password(login, "weak")
    assert error.value.code == 3006


# -- money ------------------------------------------------------------------------------------------------------------


def test_every_kind_of_balance_operation_is_booked_and_found(platform: Mt5Platform, login: str) -> None:
    moves = [
        (BalanceKind.BALANCE, "500.00", 2),
        (BalanceKind.BALANCE, "-120.50", 2),
        (BalanceKind.CREDIT, "50.00", 3),
        (BalanceKind.BONUS, "25.00", 6),
        (BalanceKind.CORRECTION, "-0.01", 5),
    ]
    for number, (kind, amount, action) in enumerate(moves):
        ticket = platform.balance_operation(login, kind, Decimal(amount), f"D:REF{number}")
        (found,) = platform.find_operations(login, Decimal(amount), f"D:REF{number}", since=hour_ago())
        assert (found.ticket, found.action, found.login) == (ticket, action, login)
    account = platform.read_account(login)
    assert account is not None and (account.balance, account.credit) == (Decimal("379.49"), Decimal("75.00"))
    with pytest.raises(FinalError) as error:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("-1000"), "D:TOOMUCH")
    assert error.value.code == 10019


def test_another_command_books_where_the_broker_has_a_plugin(client: Mt5Commands, sandbox: Sandbox, login: str) -> None:
    before = sandbox.command_count("TRADE_BALANCE")
    plugin = Mt5Platform(client, ZONE, balance_command="KEELSON_BALANCE")
    ticket = plugin.balance_operation(login, BalanceKind.BALANCE, Decimal("10.00"), "D:PLUGIN")
    assert (
        plugin.balance_operation(login, BalanceKind.BALANCE, Decimal("10.00"), "D:PLUGIN") == ticket
    )  # it is idempotent
    assert booked(plugin, login) == [Decimal("10.00")]
    assert sandbox.command_count("TRADE_BALANCE") == before


# -- the five kinds of error ------------------------------------------------------------------------------------------


def test_a_late_answer_is_never_read_as_the_answer_to_the_next_command(
    client: Mt5Commands, sandbox: Sandbox, login: str
) -> None:
    sandbox.fault("slow", "GROUP_TOTAL", value=0.6)
    with pytest.raises(ReadTimedOut):
        client.read("GROUP_TOTAL", seconds=0.3)
    time.sleep(0.5)
    assert client.read("SYMBOL_TOTAL").number("TOTAL") == 13
    assert client.read("USER_GET", {"LOGIN": login}).row()["Login"] == login


def test_an_answer_in_small_pieces_is_read_whole(client: Mt5Commands, sandbox: Sandbox) -> None:
    whole = client.read("GROUP_GET", {"GROUP": "real\\pro-EUR"}).row()
    sandbox.fault("split", "GROUP_GET", value=3)
    assert client.read("GROUP_GET", {"GROUP": "real\\pro-EUR"}, seconds=20).row() == whole


def test_an_answer_that_drips_does_not_hold_a_command_beyond_its_time(client: Mt5Commands, sandbox: Sandbox) -> None:
    client.read("GROUP_TOTAL")
    sandbox.fault("drip", "SYMBOL_TOTAL", value=0.05)
    started = time.monotonic()
    with pytest.raises(ReadTimedOut, match="no answer within"):
        client.read("SYMBOL_TOTAL", seconds=0.4)
    assert time.monotonic() - started < 2
    assert client.read("SYMBOL_TOTAL").number("TOTAL") == 13


def test_a_second_answer_is_not_taken_for_the_next(client: Mt5Commands, sandbox: Sandbox, login: str) -> None:
    sandbox.fault("duplicate", "GROUP_TOTAL")
    assert client.read("GROUP_TOTAL").number("TOTAL") > 13
    time.sleep(0.1)
    assert client.read("SYMBOL_TOTAL").number("TOTAL") == 13


@pytest.mark.parametrize(
    ("code", "kind"), [(12, PlatformBusy), (13, FinalError), (9, OutcomeUnknown), (11, NotStarted), (10019, FinalError)]
)
def test_codes_become_the_kind_that_says_what_may_be_done_next(
    platform: Mt5Platform, sandbox: Sandbox, login: str, code: int, kind: type[PlatformError]
) -> None:
    sandbox.fault("retcode", "TRADE_BALANCE", value=code)
    with pytest.raises(kind) as error:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D:CODE")
    assert error.value.code == code


def test_no_change_is_a_success(client: Mt5Commands, sandbox: Sandbox, login: str) -> None:
    sandbox.fault("retcode", "USER_UPDATE", value=1)
    assert client.write("USER_UPDATE", {"LOGIN": login, "LEVERAGE": 30}).retcode == 1


def test_a_session_that_ends_in_the_middle_is_opened_again(platform: Mt5Platform, sandbox: Sandbox, login: str) -> None:
    platform.server_time()
    sandbox.fault("forbidden", "SYMBOL_TOTAL")
    assert len(list(platform.symbols())) == 13


def test_a_wrong_password_starts_nothing(sandbox: Sandbox) -> None:
    for fields in FORMS.values():
        with sandbox.client(**fields, password="Wrong-1000!") as client, pytest.raises(NotStarted) as error:
            client.write("TRADE_BALANCE", {"LOGIN": 1})
        assert error.value.code == 1001


def test_two_threads_share_a_connection_without_mixing_answers(client: Mt5Commands, login: str) -> None:
    wrong: list[str] = []

    def ask(name: str, total: int) -> None:
        for _again in range(25):
            if client.read(name).number("TOTAL") != total:
                wrong.append(name)

    totals = {name: client.read(name).number("TOTAL") for name in ("GROUP_TOTAL", "SYMBOL_TOTAL")}
    threads = [threading.Thread(target=ask, args=item) for item in totals.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# -- only in the HTTPS form -------------------------------------------------------------------------------------------


def test_a_write_that_meets_403_is_sent_once_and_not_again(sandbox: Sandbox, login: str) -> None:
    """facts/platforms §1.6, §9.1: the platform says that it did not begin; who sent it looks it up before a second try."""
    with sandbox.client("rest") as client:
        platform = Mt5Platform(client, ZONE)
        platform.server_time()
        sandbox.fault("forbidden", "TRADE_BALANCE")
        sent = sandbox.command_count("TRADE_BALANCE")
        with pytest.raises(NotStarted, match="403"):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:NEVER")
        assert sandbox.command_count("TRADE_BALANCE") == sent + 1
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:ONCE")
        assert booked(platform, login) == [Decimal("5.00")]


def test_a_403_that_is_not_the_platforms_own_leaves_a_write_unknown(sandbox: Sandbox, login: str) -> None:
    with sandbox.client("rest") as client:
        platform = Mt5Platform(client, ZONE)
        platform.server_time()
        sandbox.fault("proxy_403", "TRADE_BALANCE")
        with pytest.raises(OutcomeUnknown, match="not the platform's own"):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:PROXY")
        assert booked(platform, login) == [Decimal("5.00")]  # this proxy had passed it on


@pytest.mark.parametrize("fault", ["forbidden", "never_before"])
def test_an_idle_connection_is_asked_whether_it_is_there_before_a_write(
    platform: Mt5Platform, sandbox: Sandbox, login: str, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    monkeypatch.setattr(commands, "PROBE_AFTER_SECONDS", 0.0)
    object.__setattr__(platform.client.config, "connect_seconds", 1.0)
    platform.server_time()
    sandbox.fault(fault, "TEST_ACCESS")  # the server has forgotten the session, or the way there is dead
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:PROBED")
    assert booked(platform, login) == [Decimal("5.00")]


def test_an_older_build_is_spoken_to_without_the_prefix(sandbox: Sandbox, login: str) -> None:
    with sandbox.client("rest", path_prefix="") as client:
        assert client._path("TRADE_BALANCE") == "/trade_balance"  # type: ignore[attr-defined]
        platform = Mt5Platform(client, ZONE)
        assert platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:OLD") > 0
        assert platform.check_password(login, "Abcdef1!") is True
        assert login in platform.logins("*")
    with sandbox.client("rest", path_prefix="/nowhere") as client, pytest.raises(NotStarted):
        client.read("TIME_SERVER")


def test_a_certificate_that_nobody_vouches_for_is_not_believed(sandbox: Sandbox) -> None:
    with sandbox.client("rest", certificate="") as client, pytest.raises(NotStarted, match="not believed"):
        client.read("TIME_SERVER")
    with sandbox.client("rest", certificate="no PEM") as client, pytest.raises(NotStarted, match="can't be read"):
        client.read("TIME_SERVER")
    with sandbox.client("rest", host="localhost") as client:
        assert client.read("TEST_ACCESS").retcode == 0


def test_the_raw_port_is_no_rest_port(sandbox: Sandbox) -> None:
    with sandbox.client("rest", port=sandbox.port, connect_seconds=1.0) as client, pytest.raises(NotStarted):
        client.read("TIME_SERVER")


def test_money_goes_by_post_and_passwords_never_stand_in_an_address(sandbox: Sandbox) -> None:
    client = Mt5RestClient(sandbox.config())
    method, target, body = client._request(
        "TRADE_BALANCE", {"LOGIN": 7, "BALANCE": "-1.50", "COMMENT": "D:A|b=c&d"}, True
    )
    assert (method, body) == ("POST", b"")
    assert target == "/api/trade/balance?login=7&balance=-1.50&comment=D%3AA%7Cb%3Dc%26d"
    for name in ("USER_PASS_CHECK", "USER_PASS_CHANGE"):
        method, target, body = client._request(name, {"LOGIN": 7, "TYPE": "MAIN", "PASSWORD": "Secret-1!"}, False)
        assert method == "POST" and "Secret" not in target and b'"Password": "Secret-1!"' in body
    method, target, body = client._request("USER_ADD", {"LOGIN": 7, "PASS_MAIN": "Secret-1!"}, True)
    assert "Secret" not in target and b"PassMain" in body
    assert client._request("FXC_CHANGEDEPOSIT", {"LOGIN": 1}, True)[1] == "/api/fxc/changedeposit?login=1"


def test_documented_answers_are_read() -> None:
    start = parse("AUTH", b'{"retcode":"0 Done","version_access":"1290","srv_rand":"73007dc7184747ce0f7c98516ef1c851"}')
    assert (start.retcode, start.parameters["SRV_RAND"]) == (0, "73007dc7184747ce0f7c98516ef1c851")
    booked = parse("TRADE_BALANCE", b'{"retcode":"0 Done","answer":{"Ticket":"4611686018427387905"}}')
    assert booked.number("TICKET") == 4611686018427387905
    assert (
        parse("USER_ADD", b'{"retcode":"0 Done","login":"954402","answer":{"Login":"954402"}}').number("LOGIN")
        == 954402
    )
    rows = parse("DEAL_GET_BATCH", b'{"retcode":"0 Done","answer":[{"Deal":"1","Profit":"0.10"},{"Deal":"2"}]}').rows()
    assert [row["Deal"] for row in rows] == ["1", "2"]
