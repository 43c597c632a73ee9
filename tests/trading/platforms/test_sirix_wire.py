"""Rows of Sirix and what is made of them: units, signs, charges, numbers, pages. No server."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from trading.platforms.errors import FinalError
from trading.platforms.sirix import units
from trading.platforms.sirix.client import decode, encode
from trading.platforms.sirix.rows import Reader, account_from, money_from
from trading.platforms.sirix.status import in_mask

UTC = ZoneInfo("UTC")
READER = Reader(UTC, {"US500": Decimal(10)})
CLOSED = {
    "OrderNumber": 7,
    "Symbol": "EUR/USD",
    "Side": 0,
    "Amount": Decimal(10_000),
    "OpenTime": "2026-02-03T10:00:00Z",
    "OpenRate": Decimal("1.08000"),
    "CloseTime": "2026-02-03T11:00:00.250Z",
    "CloseRate": Decimal("1.08100"),
    "Profit": Decimal("10.00"),
    "TotalProfit": Decimal("9.10"),
}
DEPOSIT = {"Time": "2026-02-03T09:00:00Z", "Type": "Deposit", "Amount": Decimal("500.00"), "Comment": "D:ABC"}


def deals(*, opened: list[dict[str, Any]] = [], closed: Any = (), money: Any = ()) -> list[Any]:  # noqa: B006
    return READER.deals("1", opened, list(closed), list(money))


@pytest.mark.parametrize(
    ("symbol", "size"),
    [
        ("EUR/USD", 100_000),
        ("EURUSD", 100_000),
        ("XAU/USD", 100),
        ("XAG/USD", 5000),
        ("BTC/USD", 1),
        ("US500", 10),
        ("DE40", 1),
    ],
)
def test_units_become_lots_by_the_symbols_contract(symbol: str, size: int) -> None:
    assert units.contract_size(symbol, units.sizes("US500 = 10, BRENT=1000")) == size


def test_a_closed_position_is_an_opening_and_a_closing_deal() -> None:
    opening, closing = deals(closed=[CLOSED])
    assert (opening.ticket, opening.action, opening.entry, opening.lots, opening.price) == (
        7,
        0,
        0,
        Decimal("0.1"),
        Decimal("1.08"),
    )
    assert (closing.action, closing.entry, closing.closed_lots, closing.price_position) == (
        1,
        1,
        Decimal("0.1"),
        Decimal("1.08"),
    )
    assert (closing.profit, closing.fee) == (10, Decimal("-0.90"))  # commission and swap in one sum
    assert closing.executed_at == dt.datetime(2026, 2, 3, 11, 0, 0, 250_000, dt.UTC)
    assert closing.ticket > units.MADE_TICKET > opening.ticket and closing.ticket < 2**63
    assert opening.position_id == closing.position_id == 7
    assert closing.raw["TotalProfit"] == "9.10"


def test_the_opening_deal_is_the_same_before_and_after_a_partial_close() -> None:
    """One chain of a position's parts: its opening deal never changes, so nothing is stored twice or edited."""
    whole = {**CLOSED, "Amount": Decimal(30_000), "CurrentRate": Decimal(1), "Profit": Decimal(0)}
    (before,) = deals(opened=[whole])
    after = deals(opened=[{**whole, "Amount": Decimal(20_000)}], closed=[CLOSED])
    assert before in after and before.lots == Decimal("0.3") and len(after) == 2


def test_tickets_of_rows_without_a_number_stay_the_same_and_are_told_apart() -> None:
    twice = deals(money=[DEPOSIT, dict(DEPOSIT), {**DEPOSIT, "Comment": "D:ABD"}])
    again = deals(money=[{**DEPOSIT, "Comment": "D:ABD"}, DEPOSIT, DEPOSIT])
    assert len({deal.ticket for deal in twice}) == 3
    assert {deal.ticket for deal in twice} == {deal.ticket for deal in again}
    assert (
        units.ticket_of("money", "1", "x") == units.ticket_of("money", "1", "x") != units.ticket_of("money", "1", "y")
    )


def test_two_rows_that_would_get_one_number_are_not_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(units, "ticket_of", lambda *_parts: units.MADE_TICKET)
    with pytest.raises(FinalError, match="same number"):
        deals(money=[DEPOSIT, {**DEPOSIT, "Amount": Decimal(1)}])


@pytest.mark.parametrize(
    ("kind", "amount", "action", "booked"),
    [
        ("Deposit", "5", 2, "5"),
        ("Withdrawal", "5", 2, "-5"),
        ("Withdrawal", "-5", 2, "-5"),
        ("Credit", "5", 3, "5"),
        ("Bonus", "5", 6, "5"),
        ("Adjustment", "-1", 5, "-1"),
        ("NegativeBalanceProtection", "3", 19, "3"),
        ("Odd", "2", 2, "2"),
    ],
)
def test_kinds_of_money_are_told_apart(kind: str, amount: str, action: int, booked: str) -> None:
    (deal,) = deals(money=[{**DEPOSIT, "Type": kind, "Amount": Decimal(amount)}])
    assert (deal.action, deal.profit) == (action, Decimal(booked))


def test_a_time_without_an_offset_is_the_servers_wall_clock() -> None:
    nicosia = ZoneInfo("Europe/Nicosia")
    assert units.instant("2026-07-01T12:00:00", nicosia) == dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)
    at = dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)
    assert units.server_msc(at, nicosia) == dt.datetime(2026, 7, 1, 12, tzinfo=dt.UTC).timestamp() * 1000


def test_credit_and_margin_follow_from_what_is_told() -> None:
    user = {
        "AccountBalance": {
            "Balance": Decimal(100),
            "Equity": Decimal(165),
            "FreeMargin": Decimal(120),
            "MarginLevel": Decimal("366.67"),
        }
    }
    held = {**CLOSED, "CurrentRate": Decimal("1.09"), "Profit": Decimal(25)}
    money = money_from("1", user, READER.positions("1", [held]))
    assert (money.credit, money.floating, money.margin, money.margin_free) == (40, 25, 45, 120)
    assert account_from("1", {}).balance == 0


def test_numbers_cross_exactly_and_nonsense_is_no_answer() -> None:
    assert encode({"Amount": Decimal("0.10"), "UserID": "1"}) == '{"Amount":0.10,"UserID":"1"}'
    answer = decode(b'{"Balance": 12345678901234567.89}')
    assert answer == {"Balance": Decimal("12345678901234567.89")}
    assert decode(b"<html>") is None and decode(b"[1]") is None and decode(b"\xff") is None
    with pytest.raises(ValueError, match="side 2"):
        READER.positions("1", [{**CLOSED, "Side": 2}])
    with pytest.raises(ValueError, match="finite"):
        units.decimal("NaN")


def test_a_mask_names_groups() -> None:
    assert in_mask("RL-Standard-EUR", "RL-*") and not in_mask("DM-Standard-EUR", "RL-*")
    assert not in_mask("RL-Test", "RL-*,!RL-Test") and in_mask("anything", "*")
