"""Match-Trader's streams and what goes wrong with them, by the numbers of the list in docs/platforms.md."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from decimal import Decimal

import pytest

from tests.trading.contract.arena_matchtrader import MatchTrader, MatchTraderStreams
from tests.trading.matchtrader_server import OVERLAP, following, mine, over, requests, until
from tests.trading.sandbox_process import started
from trading.platforms import pool
from trading.platforms.errors import ReadTimedOut
from trading.platforms.matchtrader import history
from trading.platforms.matchtrader.options import PATHS
from trading.platforms.matchtrader.platform import MatchTraderPlatform


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


def test_point_6_a_quiet_second_asks_for_nothing_and_a_deal_comes_by_the_stream(
    arena: MatchTraderStreams, login: str
) -> None:
    with following(arena) as (_platform, read):
        before = requests(arena)
        assert not any(read() for _second in range(5)) and requests(arena) == before
        arena.process.post("balance", login=int(login), amount="5.00", comment="by a dealer")
        (deal,) = until(mine(read, login))
        assert (deal.profit, deal.comment) == (5, "by a dealer") and requests(arena) == before
        arena.trade(login, "EURUSD", "0.10")
        # The commission is an entry of its own, which may come a moment after the position.
        (opening,) = until(lambda: [deal for deal in mine(read, login)() if deal.symbol and deal.commission])
        assert (opening.lots, opening.entry) == (Decimal("0.10"), 0) and opening.commission < 0
        assert requests(arena) - before <= 4  # that account's lists, and contract sizes once


def test_of_many_accounts_that_moved_the_lists_of_their_groups_are_read(
    arena: MatchTraderStreams, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "TOUCHED_MAX", 0)
    with following(arena) as (_platform, read):
        before = requests(arena)
        arena.trade(login, "EURUSD", "0.10")
        assert until(lambda: [deal for deal in mine(read, login)() if deal.symbol])
        assert requests(arena) - before <= 4


def test_the_same_entry_by_stream_and_by_list_is_the_same_deal(arena: MatchTraderStreams, login: str) -> None:
    with following(arena) as (platform, read):
        arena.fault("stream_repeat", "LEDGERS_STREAM")
        arena.process.post("balance", login=int(login), amount="5.10", comment="twice told")
        told = until(mine(read, login))
        listed = [deal for deal in platform.deals_of(login, from_msc=0, to_msc=2**45) if deal.comment == "twice told"]
        assert told == listed and len(told) == 1 and told[0].raw == listed[0].raw


def test_point_6_what_a_stream_lost_comes_by_the_next_sweep(
    arena: MatchTraderStreams, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with following(arena) as (_platform, read):
        arena.fault("stream_lose", "LEDGERS_STREAM")
        arena.process.post("balance", login=int(login), amount="5.20", comment="lost")
        time.sleep(0.2)
        assert not mine(read, login)()
        monkeypatch.setattr(history, "SWEEP_MSC", 0)
        assert "lost" in [deal.comment for deal in mine(read, login)()]


@pytest.mark.parametrize("how", ["streams are cut", "the server restarts"])
def test_point_4_a_stream_that_broke_leaves_no_gap(arena: MatchTraderStreams, login: str, how: str) -> None:
    with following(arena) as (platform, read):
        if how == "streams are cut":
            arena.fault("stream_cut", "*")
        else:
            arena.process.post("restart")
        time.sleep(0.1)
        arena.process.post("balance", login=int(login), amount="5.30", comment="in the gap")
        assert "in the gap" in [deal.comment for deal in until(mine(read, login))]
        until(lambda: platform.streams.take().covered_since)  # type: ignore[union-attr]


def test_point_4_a_stream_that_is_silent_for_two_heartbeats_is_opened_anew(
    arena: MatchTraderStreams, login: str
) -> None:
    with following(arena, heartbeat_seconds=0.6) as (_platform, read):
        before = arena.asked("LEDGERS_STREAM")
        arena.fault("stream_silent", "LEDGERS_STREAM")
        until(lambda: arena.asked("LEDGERS_STREAM") > before)
        arena.process.post("balance", login=int(login), amount="5.40", comment="after the silence")
        assert "after the silence" in [deal.comment for deal in until(mine(read, login))]


def test_a_page_that_was_not_kept_is_given_again(arena: MatchTraderStreams, login: str) -> None:
    """The caller's transaction failed: it comes back with the cursor from before, and nothing of the stream is lost."""
    with following(arena) as (platform, _read):
        cursor = platform.deals_since(platform.client.now_msc() - 1000, mask="*", overlap=OVERLAP).cursor
        arena.process.post("balance", login=int(login), amount="5.50", comment="rolled back")
        until(lambda: "rolled back" in _comments(platform, cursor, login))
        assert "rolled back" in _comments(platform, cursor, login)


def test_what_a_stream_told_to_a_reading_that_failed_comes_with_the_next(
    arena: MatchTraderStreams, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with following(arena) as (platform, read):
        arena.trade(login, "EURUSD", "0.10")
        monkeypatch.setattr(platform, "_of", lambda *_given: (_ for _ in ()).throw(ReadTimedOut("no answer")))
        with pytest.raises(ReadTimedOut):
            until(lambda: not read() and False)
        monkeypatch.undo()
        assert [deal.lots for deal in mine(read, login)() if deal.symbol] == [Decimal("0.10")]  # at once, by list


def _comments(platform: MatchTraderPlatform, cursor: int, login: str) -> list[str]:
    page = platform.deals_since(cursor, mask="*", overlap=dt.timedelta(0))
    return [deal.comment for deal in page.deals if deal.login == login]


def test_point_6_what_a_dealer_edited_is_found_by_a_wider_reading(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str
) -> None:
    arena.close(arena.trade(login, "EURUSD", "0.10"))
    (closing,) = [
        deal for deal in platform.deals_of(login, from_msc=0, to_msc=2**45) if deal.entry == 1 and deal.symbol
    ]
    row = arena.truth(login)["deals"][-1]
    arena.process.post("deal/edit", ticket=int(row["Deal"]), Profit="12.34")
    now = platform.server_time().server_msc
    after = {deal.ticket: deal for deal in platform.deals(mask="*", from_msc=now - 3_600_000, to_msc=now + 60_000)}
    assert (after[closing.ticket].profit, closing.profit != Decimal("12.34")) == (Decimal("12.34"), True)
    assert after[closing.ticket].raw != closing.raw


def test_a_charge_without_its_trade_waits_and_then_stands_alone(
    arena: MatchTraderStreams, platform: MatchTraderPlatform, login: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that is quicker than the list of positions: the sum is the balance in the end, whatever the order."""
    arena.trade(login, "EURUSD", "0.50")
    monkeypatch.setattr(history, "_open", lambda answers: list(answers) and [])  # positions are not told yet

    def money() -> Decimal:
        deals = platform.deals_of(login, from_msc=0, to_msc=2**45)
        return sum((deal.profit + deal.commission + deal.swap for deal in deals), Decimal(0))

    assert money() == 5000
    monkeypatch.setattr(history, "CHARGE_WAITS_MSC", -60_000)
    assert money() == Decimal(arena.truth(login)["balance"]) < 5000


def test_equity_of_many_accounts_comes_from_the_stream_and_their_margin_from_the_list(
    arena: MatchTraderStreams,
) -> None:
    logins = [arena.account("real\\pro-EUR", money="1000.00") for _number in range(7)]
    arena.trade(logins[1], "EURUSD", "0.10")
    with following(arena) as (platform, _read):
        until(lambda: len(platform.streams.money(logins)) == 7)  # type: ignore[union-attr]
        before = requests(arena)
        held = {row.login: row for row in platform.account_money(logins)}
        assert {row.balance for login, row in held.items() if login != logins[1]} == {1000}
        assert requests(arena) - before <= 1  # the list, which is good for some seconds
        arena.process.post("balance", login=int(logins[0]), amount="11.00", comment="x")
        until(lambda: {row.login: row.equity for row in platform.account_money(logins)}[logins[0]] == 1011)
        trading = {row.login: row for row in platform.account_money(logins)}[logins[1]]
        assert trading.margin > 0 and trading.margin_free == trading.equity - trading.margin
        assert trading.floating == trading.equity - trading.balance - trading.credit


def test_quotes_are_pushed_with_the_markup_of_a_real_group_and_survive_a_cut(arena: MatchTraderStreams) -> None:
    with over(arena, streams=True) as platform:
        first = until(lambda: platform.quotes_since(["EURUSD", "NONE"]))
        assert {quote.symbol for quote in first} == {"EURUSD"}
        # What was asked for before goes on, and is not given to who asks for something else.
        (gold, *_later) = until(lambda: platform.quotes_since(["XAUUSD"]))
        assert gold.symbol == "XAUUSD" and platform.quotes._wanted == ("EURUSD", "NONE", "XAUUSD")  # type: ignore[union-attr]
        arena.fault("stream_cut", "QUOTES_STREAM")
        time.sleep(0.3)
        again = until(lambda: platform.quotes_since(["EURUSD"]))
        assert again[0].at >= first[-1].at and all(0 < quote.bid < quote.ask for quote in again)


def test_closed_positions_that_name_no_account_are_those_of_whom_the_ledger_names(arena: MatchTraderStreams) -> None:
    """One is closed at neither profit nor loss, and has no entry: the other accounts of the group are asked for it."""
    logins = [arena.account("real\\vip-GBP", money="5000.00") for _number in range(4)]
    with over(arena, groups=("real-vip-GBP",)) as platform:
        now = platform.server_time().server_msc
        for login in logins[:3]:
            arena.close(arena.trade(login, "EURUSD", "0.10"))
        row = arena.truth(logins[1])["deals"][-1]
        arena.process.post("deal/edit", ticket=int(row["Deal"]), Profit="0.00")
        window = {"from_msc": now - 60_000, "to_msc": now + 60_000}
        closings = [deal for deal in platform.deals(mask="*", **window) if deal.entry == 1 and deal.symbol]
        assert sorted(deal.login for deal in closings) == sorted(logins[:3])
        assert {deal.login: deal.profit for deal in closings}[logins[1]] == 0
        before = requests(arena)
        mine = platform._of([logins[0], logins[3]], window["from_msc"], window["to_msc"])
        assert {deal.login for deal in mine if deal.entry == 1 and deal.symbol} == {logins[0]}
        assert requests(arena) - before <= 5  # ledger, open and closed, whose, and that account's


def test_what_an_account_newer_than_the_list_closed_is_not_its_neighbours(arena: MatchTraderStreams) -> None:
    known = arena.account("real\\standard-GBP", money="5000.00")
    with over(arena, groups=("real-standard-GBP",)) as platform:
        now = platform.server_time().server_msc
        assert known in platform.listing(fresh=False)
        newer = arena.account("real\\standard-GBP", money="5000.00")
        arena.close(arena.trade(newer, "EURUSD", "0.10"))
        deals = platform.deals(mask="*", from_msc=now - 60_000, to_msc=now + 60_000)
        assert {deal.login for deal in deals if deal.entry == 1 and deal.symbol} == {newer}


def test_all_groups_are_read_where_none_is_set(arena: MatchTraderStreams) -> None:
    with over(arena, groups=()) as platform:
        assert "real-islamic-EUR" in platform.group_names("*")
    paths = {**PATHS, "group_names": "/v9/group-names"}
    login = arena.account("real\\pro-EUR")
    with over(arena, groups=(), paths=paths) as platform:  # a server without the list: those that accounts are in
        assert "real-pro-EUR" in platform.group_names("*") and login in platform.logins("*")


def test_point_4_streams_never_cross_a_fork(arena: MatchTraderStreams, login: str) -> None:
    """The parent's are closed before it forks; the child reads by lists, and both go on."""
    with following(arena) as (_platform, read):
        child = os.fork()
        if child == 0:
            is_right = not [one for one in threading.enumerate() if one.name == "matchtrader-streams"]
            found = read().values()
            os._exit(0 if is_right and any(deal.login == login for deal in found) else 1)
        _pid, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        arena.process.post("balance", login=int(login), amount="5.60", comment="after the fork")
        assert "after the fork" in [deal.comment for deal in until(mine(read, login))]
