"""The contract, part three: money is booked once, found by our reference, and told of exactly."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from tests.trading.contract.arena import Arena, absent
from trading.platforms.base import BalanceKind, DealData, Platform
from trading.platforms.errors import FinalError, OutcomeUnknown, PlatformBusy

ACTIONS = {BalanceKind.BALANCE: 2, BalanceKind.CREDIT: 3, BalanceKind.BONUS: 6, BalanceKind.CORRECTION: 5}
REFERENCE = "D:ABCDEFGHJKLMNPQRSTUVWXYZ234567890"


def find(platform: Platform, login: str, amount: str, reference: str) -> list[DealData]:
    hour_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)
    return platform.find_operations(login, Decimal(amount), reference, since=hour_ago)


def booked(arena: Arena, login: str) -> list[str]:
    """Amounts of the account's deals, by the books."""
    return [deal["Profit"] for deal in arena.truth(login)["deals"]]


@pytest.mark.parametrize("kind", list(BalanceKind))
def test_each_kind_of_balance_operation_is_booked_and_found(
    arena: Arena, platform: Platform, kind: BalanceKind
) -> None:
    login, reference = arena.account(), f"D:KIND{kind.value.upper()}"

    def book(amount: str, under: str) -> int:
        return platform.balance_operation(login, kind, Decimal(amount), under)

    if absent(kind in platform.capabilities.balance_kinds, lambda: book("500.25", reference)):
        assert booked(arena, login) == []
        return
    ticket = book("500.25", reference)
    (found,) = find(platform, login, "500.25", reference)
    assert (found.ticket, found.action, found.login) == (ticket, ACTIONS[kind], login)
    assert (found.profit, found.lots, found.comment) == (Decimal("500.25"), 0, reference)
    book("-120.50", f"{reference}2")
    truth = arena.truth(login)
    (money,) = platform.account_money([login])
    assert (money.balance, money.credit) == (Decimal(truth["balance"]), Decimal(truth["credit"]))
    assert money.balance + money.credit == Decimal("379.75") == money.equity


def test_a_refused_withdrawal_is_final_and_moves_nothing(arena: Arena, platform: Platform) -> None:
    login = arena.account(money="100.00")
    with pytest.raises(FinalError) as problem:
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal("-100.01"), "W:TOOMUCH")
    assert problem.value.code == arena.refusal_code
    assert booked(arena, login) == ["100.00"]
    assert find(platform, login, "-100.01", "W:TOOMUCH") == []


@pytest.mark.parametrize("fault", ["drop_after", "never_after", "garbage", "cut_off"])
def test_a_lost_answer_after_booking_is_unknown_and_found_by_its_reference(arena: Arena, fault: str) -> None:
    login = arena.account()
    with arena.platform(write=1.0) as platform:
        sent = arena.asked("money")
        arena.fault(fault, "money", value=20)
        with pytest.raises(OutcomeUnknown):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal("77.00"), "D:LOST")
        assert arena.asked("money") == sent + 1
        (found,) = find(platform, login, "77.00", "D:LOST")
    assert (found.comment, booked(arena, login)) == ("D:LOST", ["77.00"])


@pytest.mark.parametrize("fault", ["drop_before", "never_before"])
def test_a_lost_answer_before_booking_is_unknown_and_not_found(arena: Arena, fault: str) -> None:
    login = arena.account()
    with arena.platform(write=1.0) as platform:
        arena.fault(fault, "money")
        with pytest.raises(OutcomeUnknown):
            platform.balance_operation(login, BalanceKind.BALANCE, Decimal("77.00"), "D:GONE")
        assert find(platform, login, "77.00", "D:GONE") == []
    assert booked(arena, login) == []


def test_a_busy_server_did_nothing(arena: Arena, platform: Platform) -> None:
    login = arena.account()
    arena.fault("too_frequent", "money")
    with pytest.raises(PlatformBusy):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:BUSY")
    assert booked(arena, login) == []
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal(5), "D:BUSY")
    assert booked(arena, login) == ["5.00"]


def test_a_reference_of_full_length_survives_and_a_longer_one_is_never_sent(arena: Arena, platform: Platform) -> None:
    login, longest = arena.account(), platform.capabilities.reference_chars_max
    reference = (REFERENCE * 10)[: min(longest, 60)]
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal("3.21"), reference)
    (found,) = find(platform, login, "3.21", reference)
    assert found.comment == reference
    sent = arena.asked("money")
    with pytest.raises(FinalError):
        platform.balance_operation(login, BalanceKind.BALANCE, Decimal(1), "D" * (longest + 1))
    assert arena.asked("money") == sent


def test_only_the_same_amount_under_the_same_reference_is_found(arena: Arena, platform: Platform) -> None:
    login = arena.account()
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal("10.00"), "D:REFERENCEA")
    platform.balance_operation(login, BalanceKind.BALANCE, Decimal("10.00"), "D:REFERENCEB")
    assert len(find(platform, login, "10.00", "D:REFERENCEA")) == 1
    assert find(platform, login, "10.01", "D:REFERENCEA") == []
    assert find(platform, login, "10.00", "D:REFERENCEC") == []


def test_money_of_many_accounts_takes_few_requests(arena: Arena, platform: Platform) -> None:
    logins = [arena.account("real\\vip-USD", money="10000.00") for _number in range(5)]
    arena.trade(logins[0])
    able = platform.capabilities.reads_many_accounts
    list(platform.group_money(arena.group("real\\vip-USD")))  # a first pass may have to learn how to page
    before = arena.asked_in_all()
    rows = {row.login: row for row in platform.account_money([*logins, "123"])}
    assert arena.asked_in_all() - before <= (4 if able else len(logins) + 2)
    assert rows.keys() == set(logins)
    before = arena.asked_in_all()
    everyone = {row.login: row for row in platform.group_money(arena.group("real\\vip-USD"))}
    assert arena.asked_in_all() - before <= (4 if able else len(arena.groups) + 2)
    assert rows.keys() <= everyone.keys()
    for row in (*rows.values(), *everyone.values()):
        assert row.equity == row.balance + row.credit + row.floating
        assert row.margin_free == row.equity - row.margin
    active, idle = rows[logins[0]], rows[logins[1]]
    assert active.margin > 0 and active.margin_level > 0
    assert (idle.margin, idle.balance, idle.margin_level) == (0, 10_000, 0)
