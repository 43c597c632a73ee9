"""What goes wrong with Match-Trader, by the numbers of the list in docs/platforms.md; the contract has what all platforms share."""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tests.trading.contract.arena_matchtrader import MatchTrader, MatchTraderStreams
from tests.trading.matchtrader_server import config, over, until
from tests.trading.sandbox_process import started
from trading.models import TradingServer
from trading.platforms import pool
from trading.platforms.base import BalanceKind, DealData, Purpose, Right
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy
from trading.platforms.matchtrader import parts
from trading.platforms.matchtrader.platform import MatchTraderPlatform
from trading.platforms.shared import shared_turn

REFERENCE = "D:ABCDEFGHJKLMNPQRSTUV"
HOUR = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatchTraderStreams]:
    state = tmp_path_factory.mktemp("matchtrader") / "state.sqlite"
    with started("matchtrader", state, *MatchTrader.arguments) as process:
        yield MatchTraderStreams(process)


@pytest.fixture
def arena(shared: MatchTraderStreams) -> Iterator[MatchTraderStreams]:
    shared.process.post("faults/clear")
    yield shared
    shared.process.post("faults/clear")
    shared.process.post("clock")
    pool.close_all()


@pytest.fixture
def platform(arena: MatchTraderStreams) -> Iterator[MatchTraderPlatform]:
    with over(arena) as platform:
        yield platform


@pytest.fixture
def login(arena: MatchTraderStreams) -> str:
    return arena.account("real\\pro-EUR", money="5000.00")


def find(platform: MatchTraderPlatform, login: str, amount: str, reference: str = REFERENCE) -> list[DealData]:
    return platform.find_operations(login, Decimal(amount), reference, since=dt.datetime.now(dt.UTC) - HOUR)


# -- money


def test_point_1_an_answer_without_a_number_becomes_the_ledger_entrys_ticket(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    ticket = platform.balance_operation(login, BalanceKind.BALANCE, Decimal("10.10"), REFERENCE)
    (found,) = find(platform, login, "10.10")
    assert found.ticket == ticket == int(found.raw["id"])
    assert arena.truth(login)["deals"][-1]["Comment"] == REFERENCE


@pytest.mark.parametrize("fault", ["proxy_403", "retcode_after"])
def test_point_1_a_money_call_whose_answer_is_no_answer_is_unknown_and_never_repeated(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str, fault: str
) -> None:
    before = arena.asked("money")
    arena.fault(fault, "money", value=502)
    with pytest.raises(OutcomeUnknown):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("7.00"), REFERENCE)
    assert arena.asked("money") == before + 1 and len(find(platform, login, "7.00")) == 1


def test_point_1_accepted_and_its_ledger_not_readable_is_unknown(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    arena.fault("retcode", "LEDGERS", value=500, times=5)
    with pytest.raises(OutcomeUnknown, match="accepted"):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("8.00"), REFERENCE)
    arena.process.post("faults/clear")
    assert len(find(platform, login, "8.00")) == 1


def test_point_1_booked_twice_by_the_platform_is_told_not_chosen(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    arena.fault("book_twice", "money")
    with pytest.raises(OutcomeUnknown, match="2 ledger entries"):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("9.00"), REFERENCE)
    assert len(find(platform, login, "9.00")) == 2


@pytest.mark.parametrize(("left", "is_found"), [(14, True), (11, False)])
def test_point_2_a_comment_that_was_cut_still_names_the_operation_while_enough_is_left(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str, left: int, is_found: bool
) -> None:
    arena.fault("cut_comment", "money", value=left)
    if is_found:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("6.00"), REFERENCE)
    else:
        with pytest.raises(OutcomeUnknown):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal("6.00"), REFERENCE)
    assert bool(find(platform, login, "6.00")) is is_found


def test_point_3_what_margin_holds_is_not_withdrawn(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    """The platform's own command would take it: it has no such check."""
    arena.trade(login, "EURUSD", "1.00")
    sent = arena.asked("WITHDRAW")
    with pytest.raises(FinalError, match="free of margin"):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(-4500), REFERENCE)
    assert arena.asked("WITHDRAW") == sent
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal(-4500), REFERENCE, check_margin=False)
    assert arena.asked("WITHDRAW") == sent + 1


def test_point_7_currencies_keep_their_own_digits(arena: MatchTraderStreams) -> None:
    yen = arena.account("real\\standard-JPY", money="900000")
    with over(arena, groups=("real-standard-JPY",)) as platform:
        platform.balance_operation(yen, BalanceKind.BALANCE, Decimal(123), REFERENCE)
        (money,) = platform.account_money([yen])
        (group,) = platform.groups()
    assert (money.balance, group.currency_digits) == (900_123, 0)


# -- accounts


def test_point_12_an_account_is_found_again_by_its_remarks_on_any_page(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PAGE", 2)
    wanted = arena.wanted(group="real-pro-EUR", email="twelve@traders.example")
    made = platform.create_account(wanted)
    for _other in range(3):
        arena.account("real\\pro-EUR")
    again = platform.create_account(replace(wanted, may_exist=True))
    assert (again.login, again.reference, again.leverage) == (made.login, wanted.reference, 30)


def test_point_12_a_person_is_made_once_and_two_accounts_with_one_reference_are_a_question(
    arena: MatchTraderStreams, platform: MatchTraderPlatform
) -> None:
    people = arena.asked("USERS")
    wanted = arena.wanted(group="real-pro-EUR", email="thirteen@traders.example")
    first, second = platform.create_account(wanted), platform.create_account(wanted)
    assert first.login != second.login and arena.asked("USERS") == people + 1
    with pytest.raises(FinalError, match=f"{first.login}, {second.login}"):
        platform.create_account(replace(wanted, may_exist=True))
    with pytest.raises(FinalError, match="e-mail"):
        platform.create_account(replace(wanted, email=""))


def test_point_13_a_group_of_another_currency_is_a_business_answer(platform: MatchTraderPlatform, login: str) -> None:
    with pytest.raises(FinalError, match="another currency") as problem:
        platform.update_account(login, group="real-pro-USD")
    assert problem.value.code == 400


def test_point_14_a_change_that_somebody_was_quicker_than_is_read_and_sent_again(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    sent = arena.asked("ACCOUNT_PATCH")
    arena.fault("version_raced", "ACCOUNT_PATCH", times=2)
    assert platform.update_account(login, leverage=20).leverage == 20
    assert arena.asked("ACCOUNT_PATCH") == sent + 3


def test_point_14_it_gives_up_after_a_few_times_and_changes_nothing(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    arena.fault("version_raced", "ACCOUNT_PATCH", times=50)
    with pytest.raises(FinalError, match="5 times"):
        platform.update_account(login, leverage=20)
    assert arena.truth(login)["leverage"] == 30


def test_point_14_what_the_broker_closed_stays_closed(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    platform.client.write("account", {"accessRight": "CLOSE_ONLY", "version": 1}, method="PATCH", login=login)
    assert platform.update_account(login, rights={Right.TRADE: False}).rights == 2  # CLOSE_ONLY, not another word
    assert login in platform.logins("real-pro-EUR")  # and is listed, though lists show full rights only by themselves
    assert platform.update_account(login, rights={Right.TRADE: True}).allowed == {Right.SIGN_IN, Right.TRADE}


# -- secrets


def test_point_16_key_and_passwords_are_in_no_error_log_or_repr(
    arena: MatchTraderStreams, login: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with over(arena, key="wrong-key-1!", streams=True) as platform:
        platform.streams.follow(["real-pro-EUR"])  # type: ignore[union-attr]
        with pytest.raises(NotStarted) as problem:
            platform.change_password(login, "Secret-pw-9!")
        until(lambda: "stream of" in caplog.text)
        shown = f"{problem.value!r} {problem.value} {platform.config!r} {caplog.text}"
    with over(arena) as good:
        good.change_password(login, "Secret-pw-9!")
        with pytest.raises(FinalError, match="investor"):
            good.change_password(login, "x", investor=True)
    assert "wrong-key-1!" not in shown and "Secret-pw-9!" not in shown + caplog.text


# -- requests


def test_too_many_requests_are_a_busy_server_and_slow_us_down(arena: MatchTraderStreams, login: str) -> None:
    row = arena.row()
    row.pk = 4_000_001
    gate = pool.gate_for(row, Purpose.READS)
    with over(arena, gate=gate) as platform:
        arena.fault("limit_now", "ACCOUNT", value=0.3)
        with pytest.raises(PlatformBusy):
            platform.read_account(login)
        assert gate.limit is not None and gate.limit.share == 0.5
        time.sleep(0.4)
        assert platform.read_account(login) is not None and gate.limit.share > 0.5


def test_the_limit_of_a_minute_is_counted_over_all_processes(arena: MatchTraderStreams) -> None:
    """Two gates as two processes make them: what one took the other waits for, and a minute never sees more than its share."""
    row = arena.row()
    row.pk = 4_000_000 + time.time_ns() % 900_000
    gates = [pool.gate_for(row, Purpose.MONEY) for _process in range(2)]
    rate = gates[0].limit.rate  # type: ignore[union-attr]
    assert (rate.per_second, rate.burst) == (2.0, 20)
    turn = shared_turn(f"{row.pk}:money")
    waits = [turn(rate.per_second, rate.burst, 100.0) for _request in range(40)]
    assert None not in waits and waits[:20] == [0.0] * 20
    assert waits[-1] == pytest.approx(10.0, abs=0.5)  # twenty more take ten seconds
    with pytest.raises(PlatformBusy), gates[1].passing():
        pass


def test_point_16_a_path_that_the_broker_does_not_have_is_said_so(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    arena.fault("wrong_path", "ACCOUNT")
    with pytest.raises(FinalError, match="look at the server's paths"):
        platform.read_account(login)
    other = {**config(arena).paths, "account": "/v9/{login}"}
    with over(arena, paths=other) as lost, pytest.raises(FinalError, match="look at the server's paths"):
        lost.read_account(login)


def test_point_17_a_403_in_mid_session_is_final_when_the_platform_says_it(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    arena.fault("retcode", "money", value=403)
    with pytest.raises(FinalError) as problem:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), REFERENCE)
    assert problem.value.code == 403 and find(platform, login, "1") == []


def test_tls_on_both_ports_with_the_brokers_own_certificate(tmp_path: Any) -> None:
    arguments = ("--port", "0", "--grpc-port", "0", "--heartbeat-seconds", "0.5", "--tls")
    with started("matchtrader", tmp_path / "tls.sqlite", *arguments) as process:
        arena = MatchTrader(process)
        login = arena.account("real\\pro-EUR", money="10.00")
        with over(arena, is_tls=True) as stranger, pytest.raises(NotStarted, match="not believed"):
            stranger.read_account(login)
        with over(arena, is_tls=True, streams=True, certificate=process.certificate) as platform:
            assert platform.read_account(login) is not None
            platform.streams.follow(["real-pro-EUR"])  # type: ignore[union-attr]
            until(lambda: platform.streams.take().covered_since)  # type: ignore[union-attr]


# -- time


def test_point_5_the_servers_clock_is_its_own_and_utc(arena: MatchTraderStreams, platform: MatchTraderPlatform) -> None:
    at = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=7)
    arena.process.post("clock", at=at.isoformat())
    platform.health()
    told = platform.server_time()
    assert told.offset_seconds == 0 and abs(told.server_msc / 1000 - at.timestamp()) < 3


# -- settings


def test_settings_that_can_not_be_are_refused_before_anything_is_asked(arena: MatchTraderStreams) -> None:
    server: TradingServer = arena.row()
    server.options = {**server.options, "paths": "deposit=/v1/{accountUuid}/deposit"}
    with pytest.raises(FinalError, match="can't be read"):
        arena.make(server)


def test_a_months_history_of_every_seeded_account_adds_up_to_its_balance(tmp_path: Any) -> None:
    """Partial closes, closes by each other, swaps, stop-out with forgiveness, credit, bonus, a dealer's edit and deletion."""
    with started(
        "matchtrader", tmp_path / "seeded.sqlite", "--port", "0", "--per-minute", "0", "--world", "seeded"
    ) as process:
        arena = MatchTrader(process)
        with over(arena, groups=()) as platform:
            told = {row.login: row for row in platform.group_money("*")}
            deals = platform.deals(mask="*", from_msc=0, to_msc=2**42)
            assert set(told) == {str(600_000 + n) for n in (1, 2, 3, 6, 7, 8, 9, 10, 11)}
            for login, money in told.items():
                mine = [deal for deal in deals if deal.login == login]
                credit = sum((deal.profit for deal in mine if deal.action in (3, 6)), Decimal(0))
                net = sum((deal.profit + deal.commission + deal.swap + deal.fee for deal in mine), Decimal(0))
                assert (net - credit, credit) == (money.balance, money.credit), login
                assert sorted(deal.ticket for deal in platform.deals_of(login, from_msc=0, to_msc=2**42)) == sorted(
                    deal.ticket for deal in mine
                )
            assert {deal.action for deal in deals} == {0, 1, 2, 3, 5, 6, 19}
            held = platform.positions(mask="*")
            assert {row.ticket for row in held} <= {deal.position_id for deal in deals}
