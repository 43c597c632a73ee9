"""The contract, part four: deals and positions, exact and complete."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from tests.trading.contract.arena import LOT_EXT, Arena, absent
from trading.platforms.base import DealData, Platform, ReadsPast

FAR = 2**45
SECONDS_MAX = 3.0


def history(platform: Platform, login: str) -> list[DealData]:
    return list(platform.deals_of(login, from_msc=0, to_msc=FAR))


def soon(look: Callable[[], bool]) -> bool:
    """What a stream brings is there a moment later."""
    deadline = time.monotonic() + SECONDS_MAX
    while not look():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def number(rows: list[dict[str, Any]], *names: str) -> Decimal:
    return sum((Decimal(row[name]) for row in rows for name in names), Decimal(0))


def test_deals_are_exact(arena: Arena, platform: Platform) -> None:
    """Lots, prices, sides and money of a position that is closed in two parts; their sum is the balance."""
    login = arena.account("real\\pro-EUR", money="20000.00")
    position = arena.trade(login, "XAUUSD", "0.30", side="sell")
    arena.process.post("rollover", nights=1)
    arena.close(position, "0.10")
    arena.close(position)
    truth = arena.truth(login)
    expected = [row for row in truth["deals"] if row["Symbol"]]
    deals = history(platform, login)
    trades = [deal for deal in deals if deal.action in (0, 1)]
    assert {deal.symbol for deal in trades} == {arena.symbol("XAUUSD")}
    opening, closing = ([deal for deal in trades if deal.entry == entry] for entry in (0, 1))
    assert {deal.action for deal in opening} == {1} and {deal.action for deal in closing} == {0}
    assert sum(deal.lots for deal in opening) == Decimal("0.30") == sum(deal.closed_lots for deal in closing)
    assert not any(deal.closed_lots for deal in opening)
    assert {deal.price for deal in opening} == {Decimal(expected[0]["Price"])}
    books = sorted(
        (Decimal(row["VolumeExt"]) / LOT_EXT, Decimal(row["Price"]), Decimal(row["Profit"])) for row in expected[1:]
    )
    assert sorted((deal.lots, deal.price, deal.profit) for deal in closing) == books
    assert len({deal.position_id for deal in trades}) == 1  # the lineage of a partial close
    if arena.splits_charges:
        assert sum(deal.swap for deal in trades) == number(expected, "Storage") != 0
        assert sum(deal.commission for deal in trades) == number(expected, "Commission") != 0
    charges = sum((deal.swap + deal.commission + deal.fee for deal in trades), Decimal(0))
    assert charges == number(expected, "Storage", "Commission", "Fee") != 0
    whole = sum((deal.profit + deal.swap + deal.commission + deal.fee for deal in deals), Decimal(0))
    assert whole == Decimal(truth["balance"])
    assert {deal.contract_size for deal in trades} == {100}
    assert len({deal.ticket for deal in deals}) == len(deals)
    now = dt.datetime.now(dt.UTC)
    assert all(abs((now - deal.executed_at).total_seconds()) < 30 and deal.raw for deal in deals)


def test_credit_is_no_balance(arena: Arena, platform: Platform) -> None:
    login = arena.account(money="100.00")
    arena.process.post("balance", login=int(login), amount="40.00", kind="credit", comment="by a dealer")
    assert {deal.action: deal.profit for deal in history(platform, login)} == {2: 100, 3: 40}
    (money,) = platform.account_money([login])
    assert (money.balance, money.credit, money.equity) == (100, 40, 140)


def test_positions_are_what_is_open_now(arena: Arena, platform: Platform) -> None:
    login, mask = arena.account("real\\standard-USD", money="20000.00"), arena.group("real\\standard-USD")
    first, second = arena.trade(login, "EURUSD", "0.10"), arena.trade(login, "XAUUSD", "0.25", side="sell")

    def mine() -> dict[str, Any]:
        return {row.symbol: row for row in platform.positions(mask=mask) if row.login == login}

    assert soon(lambda: len(mine()) == 2)
    euro, gold = mine()[arena.symbol("EURUSD")], mine()[arena.symbol("XAUUSD")]
    assert (euro.lots, euro.action, euro.contract_size) == (Decimal("0.10"), 0, 100_000)
    assert (gold.lots, gold.action, gold.contract_size) == (Decimal("0.25"), 1, 100)
    books = {row["position"]: Decimal(row["price_open"]) for row in arena.truth(login)["positions"]}
    assert (euro.price_open, gold.price_open) == (books[first], books[second])
    assert abs((dt.datetime.now(dt.UTC) - euro.opened_at).total_seconds()) < 30
    opening = {deal.symbol: deal.position_id for deal in history(platform, login) if deal.symbol}
    assert opening == {euro.symbol: euro.ticket, gold.symbol: gold.ticket}
    arena.close(first)
    arena.close(second, "0.05")
    assert soon(lambda: [(row.symbol, row.lots) for row in mine().values()] == [(gold.symbol, Decimal("0.20"))])
    assert not [row for row in platform.positions(mask=arena.group("real\\pro-GBP")) if row.login == login]


def test_deals_since_a_cursor_repeats_and_loses_nothing(arena: Arena, platform: Platform) -> None:
    login, overlap = arena.account("real\\pro-USD", money="50000.00"), dt.timedelta(seconds=30)
    page = platform.deals_since(None, mask="*", overlap=overlap)
    seen = {deal.ticket: deal for deal in page.deals if deal.login == login}
    cursor = page.cursor
    for _round in range(4):
        arena.close(arena.trade(login, "EURUSD", "0.10"))

        def read() -> bool:
            nonlocal cursor
            found = platform.deals_since(cursor, mask="*", overlap=overlap)
            cursor = found.cursor
            for deal in found.deals:
                if deal.login == login:
                    assert seen.setdefault(deal.ticket, deal).profit == deal.profit
            wanted = {deal.ticket for deal in history(platform, login)}
            return seen.keys() == wanted

        assert soon(read)
    assert len(seen) == 9
    assert all(deal.lots == Decimal("0.10") for deal in seen.values() if deal.symbol)


def test_a_window_of_the_history_is_the_same_however_it_is_asked_for(arena: Arena, platform: Platform) -> None:
    login = arena.account("real\\pro-GBP", money="30000.00")
    arena.close(arena.trade(login, "EURGBP", "0.20"))
    mine = {deal.ticket: (deal.profit, deal.price, deal.lots, deal.entry) for deal in history(platform, login)}
    assert len(mine) == 3
    now = platform.server_time().server_msc
    window = platform.deals(mask=arena.group("real\\pro-GBP"), from_msc=now - 3_600_000, to_msc=now + 60_000)
    assert {
        deal.ticket: (deal.profit, deal.price, deal.lots, deal.entry) for deal in window if deal.login == login
    } == mine
    if isinstance(platform, ReadsPast):
        first = now - 3_600_000
        pieces = list(platform.past(mask="*", from_msc=first, to_msc=now + 60_000, position_msc=first))
        passed = {deal.ticket: deal for piece in pieces for deal in piece.deals}
        assert passed == {deal.ticket: deal for deal in platform.deals(mask="*", from_msc=first, to_msc=now + 60_000)}
        positions = [piece.position_msc for piece in pieces]
        assert positions == sorted(positions) and positions[-1] == now + 60_001 and mine.keys() <= passed.keys()
    assert not list(platform.deals_of(login, from_msc=now - 7_200_000, to_msc=now - 3_600_000))
    tickets = sorted(mine)
    if absent(platform.capabilities.finds_deals, lambda: platform.deals_by_ticket(tickets)):
        return
    assert sorted(deal.ticket for deal in platform.deals_by_ticket([*tickets, 2**40])) == tickets
