"""A row that can't be right stops neither the feed nor a page: it is parked with its reason, and all others are taken in."""

import datetime as dt
import json
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tests.poison import NUMBERS, SECONDS, TIMES
from tests.trading.factories import make_account, make_server
from tests.trading.made_up import made_up
from trading.choices import IssueKind
from trading.core import clock
from trading.models import Deal, PlatformIssue, Position
from trading.platforms.aside import ROWS_MAX, collecting, read_each
from trading.platforms.base import PositionData
from trading.platforms.ctrader import csvs
from trading.platforms.ctrader.directory import Symbol
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.rows import deal_from as ctrader_deal
from trading.platforms.matchtrader import rows as matchtrader
from trading.platforms.mt4 import rows as mt4
from trading.platforms.mt5.deal import deal_from as mt5_deal
from trading.platforms.mt5.deal import msc_of
from trading.platforms.parsing import read_json
from trading.platforms.sirix import rows as sirix
from trading.sync.deals import take_in
from trading.sync.parked import why_no_deal
from trading.sync.positions import write

ZONE = ZoneInfo("Europe/Athens")
MT4 = mt4.Reader(zone=ZONE, in_utc=False, contract_size=lambda _symbol: Decimal(100_000), root_of=lambda order: order)
SIRIX = sirix.Reader(zone=ZONE, sizes={})
NAN, INFINITE = float("nan"), float("inf")


def of_mt5(row):
    return [mt5_deal(row, executed_at=clock.to_utc(msc_of(row, "Time"), ZONE))]


def of_sirix(row):
    return SIRIX.deals("1", [], [row], [])


def of_matchtrader(row):
    return [matchtrader.closing_deal(row, "1", contract_size=Decimal(100_000))]


def of_ctrader(row):
    return [ctrader_deal(pb.ProtoDeal(**row), None, Symbol("EURUSD", 5, Decimal(100_000), "EUR", "USD"))]


def of_csv(row):
    return list(csvs.deals_from([row], csvs.LotSizes([("EURUSD", Decimal(100_000))], {})))


# A row that is right, then where a number, a volume and a time stand in it.
PLATFORMS = {
    "mt5": (
        of_mt5,
        {
            "Deal": "7",
            "Login": "1",
            "Action": "0",
            "Entry": "1",
            "Time": "1790000000",
            "Symbol": "EURUSD",
            "VolumeExt": "10000000",
            "Price": "1.1",
            "Profit": "1.50",
        },
        "Profit",
        "VolumeExt",
        "Time",
    ),
    "mt4": (
        MT4.deals,
        {
            "order": 7,
            "login": 1,
            "tradeCommand": "Buy",
            "volume": 10,
            "symbol": "EURUSD",
            "openPrice": "1.1",
            "closePrice": "1.2",
            "profit": "1.50",
            "openTime": "2026-10-01T10:00:00",
            "closeTime": "2026-10-01T11:00:00",
        },
        "profit",
        "volume",
        "openTime",
    ),
    "sirix": (
        of_sirix,
        {
            "OrderNumber": 7,
            "Symbol": "EURUSD",
            "Side": 0,
            "Amount": "10000",
            "OpenRate": "1.1",
            "CloseRate": "1.2",
            "OpenTime": "2026-10-01T10:00:00",
            "CloseTime": "2026-10-01T11:00:00",
            "Profit": "1.50",
        },
        "Profit",
        "Amount",
        "CloseTime",
    ),
    "matchtrader": (
        of_matchtrader,
        {
            "id": "7",
            "symbol": "EURUSD",
            "side": "BUY",
            "volume": "0.1",
            "openPrice": "1.1",
            "closePrice": "1.2",
            "openTime": "2026-10-01T10:00:00Z",
            "profit": "1.50",
            "closeTime": "2026-10-01T11:00:00Z",
            "closingOrderId": "9",
        },
        "profit",
        "volume",
        "closeTime",
    ),
    "ctrader csv": (
        of_csv,
        {
            "dealId": "7",
            "login": "1",
            "symbol": "EURUSD",
            "direction": "BUY",
            "volume": "10000",
            "closePrice": "1.2",
            "entryPrice": "1.1",
            "pnl": "1.50",
            "commission": "0",
            "swap": "0",
            "positionId": "5",
            "closeTimestamp": "2026-10-01T11:00:00.000",
        },
        "pnl",
        "volume",
        "closeTimestamp",
    ),
}


def outcome(read, row):
    """ "parked" or "set aside" with its reason, else the deals."""
    with collecting() as odd:
        deals = list(read_each(lambda one: read(one), [row]))
    if odd:
        return odd[0].reason
    return next((why for deal in deals[0] if (why := why_no_deal(deal))), deals[0])


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_right_row_is_a_deal(platform):
    read, row, *_names = PLATFORMS[platform]
    assert outcome(read, row)[-1].profit == Decimal("1.50")


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("poison", NUMBERS)
@pytest.mark.parametrize("place", ["number", "volume"])
def test_a_poisoned_number_is_parked_with_its_reason(platform, poison, place):
    read, row, number, volume, _time = PLATFORMS[platform]
    found = outcome(read, {**row, (number if place == "number" else volume): NUMBERS[poison]})
    assert isinstance(found, str) and found, found


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("poison", ["-1", "-10000000", "0.00000000001"])
def test_a_volume_below_zero_or_next_to_nothing_is_parked(platform, poison):
    read, row, _number, volume, _time = PLATFORMS[platform]
    assert isinstance(outcome(read, {**row, volume: poison}), str)


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("poison", [*TIMES, *SECONDS])
def test_a_poisoned_time_is_parked(platform, poison):
    read, row, _number, _volume, time = PLATFORMS[platform]
    value = TIMES.get(poison) or str(SECONDS[poison])
    assert isinstance(outcome(read, {**row, time: value}), str)


@pytest.mark.parametrize(
    "change",
    [
        {"executionPrice": NAN},
        {"executionPrice": INFINITE},
        {"executionPrice": 1e300},
        {"executionTimestamp": 2**62},
        {"executionTimestamp": -62_135_596_800_000},
        {"filledVolume": -100},
    ],
)
def test_a_poisoned_deal_of_the_ctrader_manager_is_parked(change):
    row = {
        "dealId": 7,
        "positionId": 5,
        "orderId": 3,
        "traderId": 1,
        "filledVolume": 1_000_000,
        "symbolId": 1,
        "executionPrice": 1.1,
        "executionTimestamp": 1_790_000_000_000,
    }
    assert isinstance(outcome(of_ctrader, {**row, **change}), str)
    assert not isinstance(outcome(of_ctrader, row), str)


def test_one_endless_number_does_not_make_an_answer_unreadable():
    found = read_json('[{"profit": 1.5, "ticket": 7}, {"profit": 2, "ticket": ' + "9" * 5_000 + "}]")
    assert found[0] == {"profit": Decimal("1.5"), "ticket": 7} and found[1]["ticket"].is_nan()
    with pytest.raises(json.JSONDecodeError):
        read_json("[1,")


def test_many_odd_rows_are_a_form_that_nobody_knows():
    with collecting() as odd, pytest.raises(ValueError, match="invalid literal"):
        list(read_each(int, ["x"] * (ROWS_MAX + 1)))
    assert len(odd) == ROWS_MAX


def test_where_nobody_collects_a_row_that_cannot_be_read_is_an_error():
    with pytest.raises(ValueError, match="invalid literal"):
        list(read_each(int, ["1", "x"]))


# ── into the tables ──────────────────────────────────────────────────────────────────────────────────────────────────

pytest_db = pytest.mark.django_db
UTC = dt.UTC
ODD = {
    "year 1": {"executed_at": dt.datetime(1, 1, 1, tzinfo=UTC)},
    "year 9999": {"executed_at": dt.datetime(9999, 12, 31, tzinfo=UTC)},
    "endless ticket": {"ticket": 10**40},
    "negative lots": {"lots": Decimal(-1)},
    "tiny lots": {"lots": Decimal("1e-30")},
    "huge lots": {"lots": Decimal("1e30")},
    "no price": {"price": Decimal("NaN")},
    "infinite profit": {"profit": Decimal("Infinity")},
    "finer than the column": {"profit": Decimal("0.000000123456")},
    "29 digits": {"profit": Decimal("1." + "1" * 28)},
    "nul": {"comment": "a\0b"},
    "half a character": {"comment": "a\ud800"},
    "long login": {"login": "1" * 40},
    "action": {"action": 10**6},
}


@pytest_db
@pytest.mark.parametrize("name", ODD)
def test_an_odd_deal_is_parked_and_the_others_are_taken_in(name, cast):
    server = make_server()
    odd = made_up(**{"ticket": 2, **ODD[name]})
    done = take_in(server, [made_up(1), odd, made_up(3)])
    assert sorted(done.new) == [1, 3]
    assert sorted(Deal.objects.values_list("ticket", flat=True)) == [1, 3]
    question = PlatformIssue.objects.get(kind=IssueKind.UNREADABLE_ROW)
    assert next(iter(ODD[name])) in question.details["why"]
    take_in(server, [odd])
    question.refresh_from_db()
    assert (PlatformIssue.objects.filter(kind=IssueKind.UNREADABLE_ROW).count(), question.times) == (1, 2)


@pytest_db
def test_binary_noise_in_money_is_no_poison(cast):
    take_in(make_server(), [made_up(1, profit=Decimal("12.340000000000001"))])
    assert Deal.objects.get().profit == Decimal("12.34")


@pytest_db
def test_the_question_shows_its_reason_on_the_health_page(cast, browse):
    take_in(make_server(), [made_up(2, lots=Decimal(-1))])
    page = browse(cast.administrator).get("/trading/health/").content.decode()
    assert "Invalid row" in page or "Row that can’t be right" in page or "can't be right" in page
    assert "lots" in page


@pytest_db
def test_an_odd_position_is_parked_and_closes_no_other(cast):
    server = make_server()
    account = make_account(cast.client, server)

    def position(ticket, lots):
        return PositionData(
            ticket=ticket,
            login=account.login,
            symbol="EURUSD",
            action=0,
            lots=Decimal(lots),
            contract_size=Decimal(100_000),
            price_open=Decimal("1.1"),
            price_current=Decimal("1.2"),
            profit=Decimal(1),
            swap=Decimal(0),
            server_msc=1_790_000_000_000,
            opened_at=dt.datetime(2026, 9, 21, tzinfo=UTC),
            comment="",
        )

    write(server, [position(1, "0.1"), position(2, "0.2")])
    write(server, [position(1, "0.3"), position(2, "-5")])
    assert sorted(Position.objects.values_list("ticket", "lots")) == [(1, Decimal("0.3")), (2, Decimal("0.2"))]
    assert PlatformIssue.objects.filter(kind=IssueKind.UNREADABLE_ROW).count() == 1
    write(server, [position(1, "0.3")])
    assert Position.objects.count() == 1
