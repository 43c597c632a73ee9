"""The points of "what goes wrong" (facts/platforms §9) that apply to Sirix, by number, over sockets."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from crm import approvals
from crm.errors import DomainError, WrongState
from tests.cast import Cast
from tests.trading.factories import make_account, make_type
from tests.trading.sandbox_process import SandboxProcess, started
from tests.trading.sirix_server import OPTIONS, close_platforms, new_account, platform_on, row
from trading.accounts import balance_operations, opening
from trading.accounts import changes as accounts
from trading.cap_breaches import group_checks
from trading.choices import Ability, AccountState, IssueKind, OperationKind, OperationState
from trading.imports import reading
from trading.imports.login_proposals import propose_login
from trading.models import Deal, LoginProposal, PlatformIssue, Position, SyncCursor, TradingAccount, TradingServer
from trading.platforms import capabilities, pool
from trading.platforms.base import BalanceKind
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, ReadTimedOut
from trading.platforms.sirix import history, status
from trading.sync import deals, money, positions, profiles, settings, symbols

pytestmark = pytest.mark.django_db
STATUS, CREATE, MONEY = "GETUSERTRANSACTIONS", "CREATEUSER", "CREATEMONETARYTRANSACTION"
HALF_MINUTE = dt.timedelta(seconds=30)


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with started("sirix", tmp_path_factory.mktemp("sirix") / "state.sqlite", "--port", "0") as running:
        yield running


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_platforms()


@pytest.fixture
def server(db: None, process: SandboxProcess, settings: Any) -> Iterator[TradingServer]:
    settings.TRADING_READ_SECONDS, settings.TRADING_WRITE_SECONDS = 5.0, 1.0
    process.post("faults/clear")
    server = row(process)
    server.save()
    yield server
    process.post("faults/clear")
    pool.close_all()


def account_on(cast: Cast, server: TradingServer, process: SandboxProcess, amount: str = "0") -> TradingAccount:
    login = new_account(process, money=amount)
    return make_account(cast.client, server, login=login, group="RL-Standard-EUR")


def deposit(account: TradingAccount, amount: str = "60.00") -> Any:
    return balance_operations.reserve_operation(
        account_id=account.pk, kind=OperationKind.DEPOSIT, amount=Decimal(amount), idempotency_key="t:1", actor=None
    )


def on_server(process: SandboxProcess, login: str) -> list[str]:
    return [deal["Profit"] for deal in process.post("look", login=int(login))["deals"]]


@pytest.mark.parametrize("fault", ["drop_after", "garbage", "proxy_403", "cut_off"])
def test_01_a_deposit_whose_answer_is_no_answer_is_booked_once(
    cast: Cast, server: TradingServer, process: SandboxProcess, fault: str
) -> None:
    account = account_on(cast, server, process)
    operation = deposit(account)
    process.fault(fault, MONEY, value=20)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.CONFIRMED
    assert on_server(process, account.login) == ["60.00"]


def test_01_booked_and_not_seen_yet_is_unknown_not_done(process: SandboxProcess, server: TradingServer) -> None:
    """The call's own "yes" is no number that could be found again: the transaction itself is."""
    login, platform = new_account(process), platform_on(server)
    process.fault("drop_before", STATUS, times=2)
    with pytest.raises(OutcomeUnknown, match="not seen yet"):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:SEEN")
    assert on_server(process, login) == ["5.00"]


def test_01_an_answer_without_the_field_that_says_yes_is_unknown(process: SandboxProcess) -> None:
    login = new_account(process)
    platform = platform_on(row(process, options={**OPTIONS, "money_answer": "Status.Text"}))
    with pytest.raises(OutcomeUnknown, match=r"Status\.Text"):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:FIELD")
    other = platform_on(row(process, options={**OPTIONS, "money_done": "Ok"}))
    with pytest.raises(FinalError, match="Success"):
        other.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:WORD")


def test_01_a_token_that_is_refused_started_nothing(process: SandboxProcess, server: TradingServer) -> None:
    login, platform = new_account(process), platform_on(server)
    process.fault("unauthorized", MONEY)
    with pytest.raises(NotStarted, match="token was not taken") as problem:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:TOKEN")
    assert problem.value.code == 401 and on_server(process, login) == []


def test_02_a_cut_reference_is_still_found_by_what_is_left_of_it(
    process: SandboxProcess, server: TradingServer
) -> None:
    login, platform = new_account(process), platform_on(server)
    process.fault("cut_comment", MONEY, value=15)
    ticket = platform.balance_operation(login, BalanceKind.BALANCE, Decimal("8.00"), "D:ABCDEFGHIJKLMNOPQRST")
    (found,) = platform.find_operations(
        login, Decimal("8.00"), "D:ABCDEFGHIJKLMNOPQRST", since=dt.datetime.now(dt.UTC) - HALF_MINUTE
    )
    assert (found.ticket, found.comment) == (ticket, "D:ABCDEFGHIJKLM")


def test_02_two_candidates_are_for_a_person(cast: Cast, server: TradingServer, process: SandboxProcess) -> None:
    account = account_on(cast, server, process)
    operation = deposit(account)
    process.fault("book_twice", MONEY)
    assert balance_operations.send_operation(operation.pk) == OperationState.UNKNOWN
    assert balance_operations.resolve_operation(operation.pk) == OperationState.UNKNOWN
    assert PlatformIssue.objects.filter(kind=IssueKind.TWO_CANDIDATES).exists()


def test_03_a_withdrawal_that_the_platform_refuses_is_final(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account = account_on(cast, server, process, "10.00")
    platform = platform_on(server)
    with pytest.raises(FinalError, match="Not enough money"):
        platform.balance_operation(account.login, BalanceKind.BALANCE, Decimal(-11), "W:X")
    assert on_server(process, account.login) == ["10.00"]


def test_04_a_read_over_a_connection_that_died_is_asked_once_more(
    process: SandboxProcess, server: TradingServer
) -> None:
    login, platform = new_account(process), platform_on(server)
    assert platform.read_account(login) is not None
    process.fault("drop_before", STATUS)
    assert platform.read_account(login) is not None
    process.fault("drop_before", STATUS, times=2)
    with pytest.raises(ReadTimedOut):
        platform.read_account(login)


def test_05_a_clock_in_another_zone_is_read_as_such(process: SandboxProcess) -> None:
    login = new_account(process, money="5.00")
    platform = platform_on(row(process, time_zone="Europe/Nicosia"))
    (deal,) = platform.deals_of(login, from_msc=0, to_msc=2**45)
    now = platform.server_time()
    assert abs(deal.server_msc - now.server_msc) < 10_000 and now.offset_seconds in (7200, 10_800)
    assert abs((dt.datetime.now(dt.UTC) - deal.executed_at).total_seconds()) < 10


def test_06_what_was_handed_out_and_not_kept_comes_again(process: SandboxProcess, server: TradingServer) -> None:
    """A crash between reading and storing: the caller's cursor stays behind, and that is what counts."""
    login = new_account(process, money="5.00")
    platform = platform_on(server, lambda: [(login, "g")])
    first = platform.deals_since(None, mask="*", overlap=HALF_MINUTE)
    process.post("balance", login=int(login), amount="7.00")
    lost = platform.deals_since(first.cursor, mask="*", overlap=dt.timedelta(0))
    again = platform.deals_since(first.cursor, mask="*", overlap=dt.timedelta(0))
    assert {deal.profit for deal in first.deals} == {5} and 7 in {deal.profit for deal in lost.deals}
    assert 7 in {deal.profit for deal in again.deals}


def test_06_pages_that_move_while_they_are_read_are_read_anew(
    process: SandboxProcess, server: TradingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    login, platform = new_account(process), platform_on(server)
    for amount in range(1, 6):
        process.post("balance", login=int(login), amount=str(amount))
    monkeypatch.setattr(status, "PAGE", 2)
    asked, ask = [0], platform._ask

    def meanwhile(login: str, page: int, *, history: bool) -> dict[str, Any]:
        answer = ask(login, page, history=history)
        asked[0] += 1
        if asked[0] == 1:
            process.post("balance", login=int(login), amount="6")
        return answer

    monkeypatch.setattr(platform, "_ask", meanwhile)
    found = platform.deals_of(login, from_msc=0, to_msc=2**45)
    assert sorted(deal.profit for deal in found) == [1, 2, 3, 4, 5, 6]


def test_07_no_amount_goes_through_a_float(process: SandboxProcess, server: TradingServer) -> None:
    login, platform = new_account(process), platform_on(server)
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal("90071992.54"), "D:LARGE")
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal("0.10"), "D:SMALL")
    (money_row,) = platform.account_money([login])
    assert money_row.balance == Decimal("90071992.64")


def test_12_an_account_whose_making_was_not_answered_waits_for_a_person(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account_type = make_type(cast.brand, server, group="RL-Standard-EUR", kyc_level=0)
    before = process.state()["users"]
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="w", actor=None
    )
    process.fault("drop_after", CREATE)
    assert opening.open_on_platform(account.pk) == AccountState.FAILED
    assert PlatformIssue.objects.get(kind=IssueKind.BY_HAND).details["account"] == account.pk
    assert (opening.due_accounts(), process.state()["users"]) == ([], before + 1)


def test_12_a_person_says_which_login_the_unanswered_account_has(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account_type = make_type(cast.brand, server, group="RL-Standard-EUR", kyc_level=0)
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="w", actor=None
    )
    other = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="other", actor=None
    )
    opening.open_on_platform(other.pk)
    taken = TradingAccount.objects.get(pk=other.pk).login
    process.fault("drop_after", CREATE)
    opening.open_on_platform(account.pk)
    made = str(int(taken) + 1)  # this server counts

    def attach(login: str, **more: str) -> TradingAccount:
        told = {"reason": "Seen in the back office", **more}
        proposal = propose_login(account_id=account.pk, login=login, actor=cast.support, **told)
        return approvals.approve(LoginProposal, proposal.pk, actor=cast.desk_head).account

    with pytest.raises(DomainError, match="has no account 987654321"):
        attach("987654321")
    with pytest.raises(DomainError, match="where you found it"):
        attach(made, reason=" ")
    with pytest.raises(DomainError, match="belongs to another account"):
        attach(taken)
    account.refresh_from_db()
    assert account.state == AccountState.FAILED
    done = attach(made)
    assert (done.state, done.login, done.error) == (AccountState.OPEN, made, "")
    assert done.history_due_at is not None
    assert not PlatformIssue.objects.filter(kind=IssueKind.BY_HAND, closed_at__isnull=True).exists()
    with pytest.raises(WrongState):
        attach(made)


def test_12_a_worker_that_died_in_the_middle_makes_no_second_account(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account_type = make_type(cast.brand, server, group="RL-Standard-EUR", kyc_level=0)
    account = opening.request_account(
        client_id=cast.client.pk, account_type_id=account_type.pk, request_key="w", actor=None
    )
    past = dt.datetime.now(dt.UTC) - HALF_MINUTE
    TradingAccount.objects.filter(pk=account.pk).update(state=AccountState.OPENING, attempts=1, next_try_at=past)
    made = process.command_count(CREATE)
    opening.open_on_platform(account.pk)
    account.refresh_from_db()
    assert (account.state, process.command_count(CREATE)) == (AccountState.FAILED, made)
    assert PlatformIssue.objects.filter(kind=IssueKind.BY_HAND).exists()


def test_13_14_what_the_platform_has_no_call_for_is_refused_in_words_and_left_to_a_person(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account = account_on(cast, server, process)
    lacking = set(capabilities.lacking(server))
    assert {Ability.CHANGE_GROUP, Ability.CHANGE_LEVERAGE, Ability.STOP_TRADING, Ability.SET_PASSWORDS} <= lacking
    assert Ability.MOVE_MONEY not in lacking
    cast.client.restrictions = ["no_trading"]
    cast.client.save(update_fields=["restrictions"])
    assert accounts.follow_restrictions(client_id=cast.client.pk) == [account.pk]
    assert accounts.apply_right_to_trade(account.pk) is False
    assert PlatformIssue.objects.get(kind=IssueKind.BY_HAND).subject == account.login
    assert profiles.sync_profiles(server) == 0  # the platform tells no group and no leverage: nothing "changed there"


def test_what_the_platform_does_not_list_is_not_asked_for(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    asked = process.command_count(STATUS)
    assert settings.sync_groups(server) == symbols.sync_symbols(server) == 0
    assert not SyncCursor.objects.filter(server=server).exists()
    assert group_checks.check(server, "RL-Anything", "EUR") == ""
    with pytest.raises(DomainError, match="doesn't list its accounts"):
        reading.start_import(server_id=server.pk, actor=cast.administrator, mask="*")
    assert process.command_count(STATUS) == asked


def test_without_a_call_that_moves_money_none_is_moved(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account = account_on(cast, server, process)
    server.options = {"tls": "no", "pause": "0"}
    server.save()
    assert Ability.MOVE_MONEY in capabilities.lacking(server)
    with pytest.raises(DomainError, match="deposits and withdrawals"):
        deposit(account)
    with pytest.raises(FinalError, match="no call that moves money"):
        platform_on(server).balance_operation(account.login, BalanceKind.BALANCE, Decimal(1), "D:X")


def test_15_a_vanished_account_is_marked_and_its_deals_stay(
    cast: Cast, server: TradingServer, process: SandboxProcess
) -> None:
    account = account_on(cast, server, process, "5.00")
    deals.sync_deals(server)
    process.fault("null_user", STATUS)  # an answer without user data says the same as 404
    assert platform_on(server).read_account(account.login) is None
    process.post("archive", login=int(account.login))
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_since is not None and Deal.objects.filter(account=account).count() == 1
    deals.sync_deals(server)  # what is not there is not asked for in every round
    process.post("restore", login=int(account.login))
    platform_on(server).looks.forget(account.login)  # an account that is not there is asked for every half minute
    money.sync_money(server)
    account.refresh_from_db()
    assert account.missing_since is None


def test_16_the_token_and_passwords_stand_in_no_log_and_no_error(
    process: SandboxProcess, server: TradingServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    platform = platform_on(server)
    process.fault("unauthorized", STATUS)
    with pytest.raises(NotStarted) as problem:
        platform.read_account("1")
    text = caplog.text + str(problem.value) + repr(platform.client.config)
    assert server.password() not in text


def test_17_a_token_that_is_refused_in_mid_session_is_told_as_that(
    server: TradingServer, process: SandboxProcess
) -> None:
    login, platform = new_account(process), platform_on(server)
    assert platform.health().version == "REST"
    process.fault("proxy_403", STATUS)
    with pytest.raises(ReadTimedOut, match="without an answer of the platform"):
        platform.read_account(login)
    assert platform.read_account(login) is not None


# ── reading account by account ───────────────────────────────────────────────────────────────────────────────────────


def test_a_round_is_bounded_and_the_account_that_waited_longest_comes_first(
    process: SandboxProcess, server: TradingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    logins = [new_account(process, money="5.00") for _number in range(6)]
    platform = platform_on(server, lambda: [(login, "g") for login in logins])
    monkeypatch.setattr(history, "ROUND_SECONDS", 0.0)  # one account each time
    seen = []
    cursor = None
    for _round in range(6):
        page = platform.deals_since(cursor, mask="*", overlap=HALF_MINUTE)
        cursor = page.cursor
        seen.append({deal.login for deal in page.deals})
    assert all(len(one) == 1 for one in seen) and set().union(*seen) == set(logins)


def test_where_a_round_takes_too_long_accounts_come_first_on_which_more_happens(
    process: SandboxProcess, server: TradingServer
) -> None:
    quiet, busy = new_account(process), new_account(process, money="5000.00")
    platform = platform_on(server, lambda: [(quiet, "g"), (busy, "g")])
    platform.read_account(busy)
    process.post("trade", login=int(busy), symbol="EURUSD", lots="0.10")
    for login in (busy, quiet):
        platform.read_account(login)
    looks = platform.looks.of([quiet, busy])
    assert (looks[busy].activity, looks[quiet].activity) == (1, 0)
    for login, age in ((quiet, 15), (busy, 8)):
        platform.looks.keep(replace(looks[login], taken_at=looks[login].taken_at - age))
    assert platform.looks.by_turn([busy, quiet], pause=0.2) == [quiet, busy]  # there is time for both
    assert platform.looks.by_turn([quiet, busy], pause=5.0) == [busy, quiet]
    platform.looks.keep(replace(looks[quiet], taken_at=looks[quiet].taken_at - 30))
    assert platform.looks.by_turn([quiet, busy], pause=5.0) == [quiet, busy]  # nobody waits longer than two rounds


def test_a_round_that_was_not_kept_comes_again_and_a_bad_account_costs_no_other(
    process: SandboxProcess, server: TradingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, *others = logins = [new_account(process, money="5.00") for _number in range(3)]
    platform = platform_on(server, lambda: [(login, "g") for login in logins])

    def read(cursor: int | None) -> tuple[set[str], int]:
        page = platform.deals_since(cursor, mask="*", overlap=dt.timedelta(0))
        return {deal.login for deal in page.deals}, page.cursor

    found, cursor = read(None)
    assert found == set(logins) and platform.looks.read_until(logins) == {}  # nobody has said that it was kept
    cursor = read(cursor)[1]
    assert platform.looks.read_until(logins).keys() == set(logins)
    tell = platform.reader.deals

    def broken(login: str, *rows: Any) -> list[Any]:
        if login == bad:
            raise ValueError("a side 7 is not known")
        return tell(login, *rows)

    monkeypatch.setattr(type(platform.reader), "deals", lambda _self, *given: broken(*given))
    for login in logins:
        process.post("balance", login=int(login), amount="6.00")
    found, cursor = read(cursor)
    before = platform.looks.read_until(logins)
    for _round in range(20):  # one ends after a second, and a loaded machine gets no further than it gets
        more, cursor = read(cursor)
        found, after = found | more, platform.looks.read_until(logins)
        if found == set(others) and all(after[login] > before[login] for login in others):
            break
    assert found == set(others)
    assert after[bad] == before[bad] and all(after[login] > before[login] for login in others)
    monkeypatch.undo()
    assert bad in read(cursor)[0]


def test_the_pause_between_accounts_is_kept_by_all_readers_together(
    process: SandboxProcess, server: TradingServer
) -> None:
    logins = [new_account(process) for _number in range(3)]
    server.options = {**OPTIONS, "pause": "0.1"}
    platforms = [platform_on(server), platform_on(server)]
    started = time.monotonic()
    for login in logins:
        for platform in platforms:
            platform.read_account(login)
    assert time.monotonic() - started >= 0.5


def test_positions_of_accounts_that_nobody_has_looked_at_are_not_closed(
    cast: Cast, server: TradingServer, process: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts_here = [account_on(cast, server, process, "5000.00") for _number in range(2)]
    for account in accounts_here:
        process.post("trade", login=int(account.login), symbol="EURUSD", lots="0.10")
    assert positions.sync_positions(server) == 2
    platform = platform_on(server, lambda: [(account.login, "g") for account in accounts_here])
    for account in accounts_here:
        platform.looks.forget(account.login)
    monkeypatch.setattr(history, "POSITIONS_SECONDS", 0.0)
    with pytest.raises(ReadTimedOut, match="first look"):
        platform.positions(mask="*")
    assert Position.objects.filter(account__in=accounts_here).count() == 2


def test_a_trade_is_on_the_page_within_five_seconds(cast: Cast, server: TradingServer, process: SandboxProcess) -> None:
    """Twelve accounts with the pause that public pollers leave: a trade on any of them arrives within the goal."""
    server.options = {**OPTIONS, "pause": "0.2"}
    server.save()
    rows = [account_on(cast, server, process, "5000.00") for _number in range(12)]
    for _round in range(3):
        deals.sync_deals(server)
    process.post("trade", login=int(rows[7].login), symbol="EURUSD", lots="0.10")
    started = time.monotonic()
    while not Deal.objects.filter(account=rows[7], symbol="EUR/USD").exists():
        deals.sync_deals(server)
        assert time.monotonic() - started < 5
