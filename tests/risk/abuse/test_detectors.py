"""Each detector finds what it is for and leaves alone what only looks like it."""

import numpy as np
import pytest

from bench.risk.traders import World, figures, simulate
from risk.abuse.book import DAY, HOUR, MINUTE, SECOND, Account, Book, Cash, CashKind, Mark, Quotes, Trade, amount_of
from risk.abuse.choices import HANDLING, Abuse
from risk.abuse.detectors.pairs import coincidences
from risk.abuse.engine import DETECTORS, judge
from risk.abuse.findings import Limits
from risk.abuse.texts import sentence

MONDAY = 1_767_571_200_000
FRIDAY_EVENING = MONDAY + 4 * DAY + 20 * HOUR


def book(trades=(), cash=(), marks=(), quotes=None, accounts=("a", "b")) -> Book:
    known = {key: Account(key, f"client {key}", "EUR") for key in accounts}
    return Book(trades, known, cash=cash, marks=marks, quotes=Quotes(quotes or {}))


def trade(number: int, account: str, at: int, hold: int, side: int = 1, **more) -> Trade:
    values = {"lots": 1.0, "open_price": 1.1, "close_price": 1.1, "profit": 10_000, "swap": 0} | more
    symbol = values.pop("symbol", "EURUSD")
    lots, price = values.pop("lots"), values.pop("open_price")
    return Trade(f"{account}{number}", account, symbol, side, lots, at, price, at + hold, **values)


def kinds(found) -> set[Abuse]:
    return {row.kind for row in found.findings}


def test_abusers_are_told_from_lookalikes_on_unseen_brokerages():
    """Seeds and parameters that nothing was tuned on; the whole set is in `manage.py bench risk`."""
    world = World(
        days=5,
        ordinary=120,
        scalpers=8,
        followers=12,
        households=20,
        offices=4,
        hedge_delay_ms=8_000,
        copied_share=(0.65, 0.95),
        arbitrage_share=(0.5, 0.9),
    )
    made = simulate(733, world)
    whole = made.book()
    found = judge(whole).findings
    for kind, (precision, recall) in figures(made, found, whole).items():
        assert precision >= 0.9 and recall >= 0.8, kind
    for row in found:
        assert row.rows and sentence(row.kind, row.facts, "USD") and HANDLING[row.kind]
    curve = next(row for row in found if row.kind == Abuse.LATENCY).facts["curve"]
    assert curve[0] < 0 < curve[2]  # a fair price at first sight, and a gain within the second


def test_without_quotes_nothing_is_guessed():
    trades = [trade(n, "a", MONDAY + n * HOUR, 30 * SECOND) for n in range(40)]
    found = judge(book(trades))
    assert {row.kind for row in found.unjudged} == {Abuse.LATENCY, Abuse.TOXIC, Abuse.NEWS}
    assert all(row.without_quotes == 40 for row in found.unjudged)
    assert kinds(found) == {Abuse.SCALPING}
    far = (np.array([MONDAY, MONDAY + DAY]), np.array([5.0, 5.0]), np.array([5.01, 5.01]))
    assert len(judge(book(trades, quotes={"EURUSD": far})).unjudged) == 3  # another market's quotes are none


@pytest.mark.parametrize(
    ("kind", "trades"),
    [
        (Abuse.SCALPING, [trade(n, "a", MONDAY + n * HOUR, 20 * SECOND) for n in range(25)]),
        (Abuse.SWAP, [trade(n, "a", MONDAY + (n + 1) * DAY - 10 * MINUTE, 20 * MINUTE, swap=5_000) for n in range(6)]),
        (Abuse.GAP, [trade(n, "a", FRIDAY_EVENING + 7 * n * DAY, 50 * HOUR) for n in range(3)]),
        (Abuse.SIZE, [trade(n, "a", MONDAY + n * HOUR, 90 * MINUTE, lots=12.0 if n == 30 else 1.0) for n in range(31)]),
    ],
)
def test_habits_that_need_no_quotes(kind, trades):
    found = judge(book(trades))
    assert kinds(found) == {kind}
    assert found.findings[0].stake > 0
    fewer = judge(book(trades[: len(trades) // 2]))
    assert kind not in kinds(fewer)  # too little to say so


def test_swap_needs_swap_and_scalping_needs_a_gain():
    nights = [trade(n, "a", MONDAY + (n + 1) * DAY - 10 * MINUTE, 20 * MINUTE) for n in range(6)]
    losing = [trade(n, "a", MONDAY + n * HOUR, 20 * SECOND, profit=-10_000) for n in range(25)]
    assert not judge(book(nights)).findings and not judge(book(losing)).findings


def test_news_are_jumps_that_the_quotes_show():
    at = MONDAY + np.arange(0, 10 * HOUR, 5 * SECOND)
    mid = 1.1 + np.cumsum(np.random.default_rng(5).normal(0, 0.00001, len(at)))
    jumps = [MONDAY + hour * HOUR for hour in range(1, 9)]
    for moment in jumps:
        mid[at >= moment + 20 * SECOND] += 0.004
    quotes = {"EURUSD": (at, mid - 0.00005, mid + 0.00005)}
    fill = [float(mid[np.searchsorted(at, moment - 30 * SECOND)]) + 0.00005 for moment in jumps]
    trades = [trade(n, "a", moment - 30 * SECOND, 5 * MINUTE, open_price=fill[n]) for n, moment in enumerate(jumps)]
    assert Abuse.NEWS in kinds(judge(book(trades, quotes=quotes)))
    later = [trade(n, "a", moment + 20 * MINUTE, 5 * MINUTE, open_price=fill[n]) for n, moment in enumerate(jumps)]
    assert Abuse.NEWS not in kinds(judge(book(later, quotes=quotes)))


def test_money_that_comes_and_goes_is_for_the_aml_officer():
    cash = [
        Cash("a", MONDAY, 50_000_000, CashKind.DEPOSIT),
        Cash("a", MONDAY + 3 * DAY, 49_000_000, CashKind.WITHDRAWAL),
    ]
    found = judge(book([trade(1, "a", MONDAY + DAY, HOUR, profit=-200_000)], cash=cash)).findings
    assert [row.kind for row in found] == [Abuse.LAUNDERING] and amount_of(found[0].stake) == 4900
    assert kinds(judge(book(cash=cash))) == {Abuse.LAUNDERING}  # with no trade at all
    busy = [trade(n, "a", MONDAY + n * HOUR, HOUR) for n in range(12)]
    assert not judge(book(busy, cash=cash)).findings


def test_a_household_is_not_one_person_and_a_shared_passport_is():
    home = [Mark(f"client {who}", kind, "home") for who in "ab" for kind in ("device", "card", "ip_prefix", "phone")]
    passport = [Mark(f"client {who}", "document", "X1") for who in "ab"]
    assert not judge(book(marks=home)).findings
    found = judge(book(marks=passport)).findings
    assert kinds_of(found) == {Abuse.MULTI} and found[0].facts["clients"] == 2
    crowd = tuple(f"{n}" for n in range(40))
    office = [Mark(f"client {who}", "device", "kiosk") for who in crowd]
    assert not judge(book(marks=office, accounts=crowd)).findings


def kinds_of(found) -> set[Abuse]:
    return {row.kind for row in found}


def test_thousand_openings_in_one_second_stay_bounded():
    """News bring everybody in together: neighbours are limited, whatever the crowd."""
    crowd = tuple(f"{n}" for n in range(1000))
    trades = [trade(1, who, MONDAY + n % 1000, HOUR, side=1 if n % 2 else -1) for n, who in enumerate(crowd)]
    whole = book(trades, accounts=crowd)
    left, _right = coincidences(whole, Limits().seconds("hedge_seconds", len(crowd)), opposite=True)
    assert len(left) <= 60 * 1000
    assert not judge(book(trades, accounts=crowd)).findings


def test_a_book_of_nothing_has_no_findings_and_limits_move_the_bar():
    assert not judge(book()).findings
    trades = [trade(n, "a", MONDAY + n * HOUR, 100 * SECOND) for n in range(25)]
    assert not judge(book(trades)).findings
    assert kinds(judge(book(trades), Limits(scalp_seconds=120))) == {Abuse.SCALPING}
    assert set(DETECTORS) == set(Abuse) == set(HANDLING)
