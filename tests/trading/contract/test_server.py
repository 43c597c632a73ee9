"""The contract, part one: the server itself."""

from __future__ import annotations

import datetime as dt
import socket
import time
from decimal import Decimal

import pytest

from tests.trading.contract.arena import Arena, absent
from trading.platforms.base import BalanceKind, GivesQuotes, Platform, QuoteData
from trading.platforms.errors import FinalError, NotStarted, ReadTimedOut


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def test_health_tells_a_version_and_the_right_time(arena: Arena, platform: Platform) -> None:
    health = platform.health()
    offset = dt.datetime.now(arena.row().zone).utcoffset()
    assert offset is not None and health.version and health.latency_ms >= 0
    assert health.time.offset_seconds == offset.total_seconds()
    assert abs(health.time.server_msc / 1000 - health.time.offset_seconds - time.time()) < 5
    assert abs(platform.server_time().server_msc - health.time.server_msc) < 5000


def test_groups_are_told_with_their_currency(arena: Arena, platform: Platform) -> None:
    if absent(platform.capabilities.lists_groups, platform.groups):
        return
    for group in ("real\\standard-EUR", "real\\vip-USD"):
        arena.account(group)  # where groups have none, their accounts tell
    groups = {group.name: group for group in platform.groups()}
    euro, dollar = groups[arena.group("real\\standard-EUR")], groups[arena.group("real\\vip-USD")]
    assert (euro.currency, euro.currency_digits, dollar.currency) == ("EUR", 2, "USD")
    assert euro.is_hedging


def test_symbols_are_told_with_their_contract(arena: Arena, platform: Platform) -> None:
    if absent(platform.capabilities.lists_symbols, platform.symbols):
        return
    rows = list(platform.symbols())
    symbols = {symbol.name: symbol for symbol in rows}
    assert len(symbols) == len(rows)
    euro, gold = symbols[arena.symbol("EURUSD")], symbols[arena.symbol("XAUUSD")]
    assert (euro.contract_size, euro.digits, euro.volume_min_lots) == (100_000, 5, Decimal("0.01"))
    assert (euro.volume_step_lots * 100, gold.contract_size, gold.digits) == (1, 100, 2)
    assert (euro.currency_base, euro.currency_profit) == ("EUR", "USD")


def test_where_nobody_listens_nothing_was_started(arena: Arena) -> None:
    with arena.platform(port=closed_port()) as platform:
        with pytest.raises(NotStarted):
            platform.balance_operation("1", BalanceKind.BALANCE, Decimal(1), "D:NOBODY")
        with pytest.raises(NotStarted):
            platform.read_account("1")


def test_a_wrong_secret_starts_nothing_and_is_not_repeated(arena: Arena) -> None:
    login, server = arena.account(money="100.00"), arena.row()
    server.set_password("wrong-1000!")
    platform = arena.make(server)
    try:
        with pytest.raises((NotStarted, FinalError)) as problem:
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D:WRONG")
    finally:
        platform.close()
    assert "wrong-1000!" not in str(problem.value)
    assert arena.truth(login)["balance"] == "100.00"


def test_a_read_without_an_answer_timed_out(arena: Arena) -> None:
    login = arena.account()
    with arena.platform(read=0.5) as platform:
        assert platform.read_account(login) is not None
        arena.fault("never_before", "read")
        with pytest.raises(ReadTimedOut):
            platform.read_account(login)


def test_a_late_answer_is_never_read_as_the_next(arena: Arena) -> None:
    first, second = arena.account(), arena.account()
    with arena.platform(read=0.5) as platform:
        assert platform.read_account(first) is not None
        arena.fault("slow", "read", value=0.8)
        with pytest.raises(ReadTimedOut):
            platform.read_account(first)
        time.sleep(0.4)
        found = platform.read_account(second)
    assert found is not None and found.login == second


def test_an_answer_in_small_pieces_is_read_whole(arena: Arena, platform: Platform) -> None:
    login = arena.account(name="Piece by Piece")
    whole = platform.read_account(login)
    arena.fault("split", "read", value=29)
    assert platform.read_account(login) == whole


def test_quotes_come_where_the_platform_gives_them(arena: Arena, platform: Platform) -> None:
    if not isinstance(platform, GivesQuotes):
        return
    if not arena.has_quotes:
        assert platform.quotes_since([arena.symbol("EURUSD")]) == []
        return
    name, until, quotes = arena.symbol("EURUSD"), time.monotonic() + 10, list[QuoteData]()
    while not quotes and time.monotonic() < until:  # where they are pushed, the first call only asks for them
        quotes = platform.quotes_since([name, "NONE"])
        time.sleep(0.05)
    assert {quote.symbol for quote in quotes} == {name}
    assert all(0 < quote.bid <= quote.ask and abs(quote.at.timestamp() - time.time()) < 5 for quote in quotes)
