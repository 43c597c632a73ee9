"""What stands between MT4's rows and ours: units, times, texts, codes, partial closes. No server."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings

from tests.trading.factories import make_server
from trading.models import TradingServer
from trading.platforms.base import Right
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.mt4 import codes, quotes, text, units
from trading.platforms.mt4.adapter import configuration, deadlines, habits_of
from trading.platforms.mt4.client import DEADLINES, Work, _encode
from trading.platforms.mt4.lineage import Lineage
from trading.platforms.mt4.rows import OUT_OFFSET, UNKNOWN_ACTION, Reader, money_of, with_rights

EET = ZoneInfo("EET")


def row(order: int, **fields: Any) -> dict[str, Any]:
    """A closed order as the bridge shows it."""
    return {
        "order": order,
        "login": 7,
        "symbol": "EURUSD.m",
        "digits": 5,
        "tradeCommand": "Sell",
        "volume": 15,
        "volumeLots": Decimal("0.15"),
        "tradeRecordState": "ClosedNormal",
        "openPrice": Decimal("1.10500"),
        "sl": 0,
        "tp": 0,
        "openTime": "2026-01-12T10:00:00",
        "closeTime": "2026-01-12T11:30:00",
        "closePrice": Decimal("1.10000"),
        "commission": Decimal("-0.9"),
        "storage": Decimal("-0.11"),
        "profit": Decimal("75.00"),
        "taxes": Decimal("-0.05"),
        "comment": "",
        "tradeRecordReason": "Client",
        "activationType": "None",
        "timeStamp": "2026-01-12T11:30:00",
        **fields,
    }


def reader(**fields: Any) -> Reader:
    values = {
        "zone": EET,
        "in_utc": False,
        "contract_size": lambda _s: Decimal(100_000),
        "root_of": lambda n: n,
        **fields,
    }
    return Reader(**values)


# -- rows


def test_a_closed_order_is_an_opening_and_a_closing_that_carries_the_money() -> None:
    opening, closing = reader().deals(row(4711))
    assert (opening.ticket, opening.action, opening.entry, opening.lots, opening.closed_lots) == (
        4711,
        1,
        0,
        Decimal("0.15"),
        0,
    )
    assert (closing.ticket, closing.action, closing.entry) == (4711 + OUT_OFFSET, 0, 1)
    assert (opening.price, closing.price, closing.price_position) == (
        Decimal("1.10500"),
        Decimal("1.10000"),
        Decimal("1.10500"),
    )
    assert opening.profit == opening.commission == opening.swap == opening.fee == 0
    assert (closing.profit, closing.swap, closing.commission, closing.fee) == (
        Decimal("75.00"),
        Decimal("-0.11"),
        Decimal("-0.9"),
        Decimal("-0.05"),
    )
    assert closing.closed_lots == closing.lots == Decimal("0.15")
    assert (opening.position_id, closing.position_id, closing.order_id) == (4711, 4711, 4711)
    assert opening.executed_at == dt.datetime(2026, 1, 12, 8, 0, tzinfo=dt.UTC)  # 10:00 by a clock of UTC+2
    assert closing.server_msc - opening.server_msc == 90 * 60_000


def test_an_open_order_is_its_opening_alone_and_what_moves_is_no_change_of_it() -> None:
    first = row(1, closeTime="1970-01-01T00:00:00", tradeRecordState="OpenNormal", profit=Decimal("1.00"))
    later = {
        **first,
        "profit": Decimal("2.00"),
        "closePrice": Decimal("1.09"),
        "storage": Decimal(-1),
        "sl": Decimal("1.2"),
    }
    (deal,), (again,) = reader().deals(first), reader().deals(later)
    assert deal == again and deal.raw == again.raw
    (cut_short,) = reader().deals({**first, "volume": 5})
    assert cut_short.raw != deal.raw and cut_short.lots == Decimal("0.05")


@pytest.mark.parametrize(
    ("fields", "action", "entry"),
    [
        ({"tradeCommand": "Balance"}, 2, 0),
        ({"tradeCommand": "Credit"}, 3, 0),
        ({"tradeCommand": 6}, 2, 0),
        ({"tradeCommand": "Rebate"}, UNKNOWN_ACTION + 99, 0),
        ({"tradeCommand": 11}, UNKNOWN_ACTION + 11, 0),
        ({"tradeRecordState": "ClosedBy"}, 0, 3),
        ({"tradeRecordState": 5, "tradeCommand": 0}, 1, 3),
    ],
)
def test_every_command_is_told_apart_and_an_unknown_one_is_kept(
    fields: dict[str, Any], action: int, entry: int
) -> None:
    deal = reader().deals(row(5, **fields))[-1]
    assert (deal.action, deal.entry) == (action, entry)


@pytest.mark.parametrize("command", ["BuyLimit", "SellLimit", "BuyStop", "SellStop", 2, "5"])
def test_an_order_that_waits_or_was_cancelled_is_no_deal(command: Any) -> None:
    assert reader().deals(row(5, tradeCommand=command, tradeRecordState="Deleted")) == []


def test_a_stop_out_is_told_by_its_activation_and_an_expert_by_its_reason() -> None:
    assert reader().deals(row(5, activationType="Stopout"))[1].reason == 5
    assert [reader().deals(row(5, tradeRecordReason=told))[1].reason for told in ("Expert", 2, "Mobile", "New")] == [
        1,
        2,
        16,
        0,
    ]


def test_money_without_open_trades_is_the_users_and_with_them_the_margin_lists() -> None:
    user = {"login": 7, "balance": Decimal("100.50"), "credit": Decimal(20)}
    idle = money_of(user, None)
    assert (idle.equity, idle.margin_free, idle.margin, idle.floating) == (Decimal("120.50"), Decimal("120.50"), 0, 0)
    margin = {
        "balance": Decimal("100.50"),
        "equity": Decimal("110.25"),
        "margin": Decimal(50),
        "free": Decimal("60.25"),
        "level": Decimal("220.50"),
    }
    active = money_of(user, margin)
    assert (active.floating, active.margin_free, active.margin_level) == (
        Decimal("-10.25"),
        Decimal("60.25"),
        Decimal("220.50"),
    )


def test_rights_change_their_bits_and_leave_the_brokers() -> None:
    otp = 0x8 | 0x1 | 0x2
    assert with_rights(otp, {Right.TRADE: False}) == otp | 0x4
    assert with_rights(otp | 0x4, {Right.TRADE: True, Right.SIGN_IN: False}) == 0x8 | 0x2


# -- partial closes


def parts() -> list[dict[str, Any]]:
    """Three parts of order 10: each names its neighbour, the one in the middle only the next."""
    return [row(10, comment="to #20"), row(20, comment="to #30"), row(30, comment="from #20", closeTime=None)]


def test_all_parts_of_a_partial_close_have_the_first_orders_number() -> None:
    lineage = Lineage(lambda _login, _rows: pytest.fail("nothing is to be looked up"))
    asked: list[int] = []
    lineage.history = lambda login, _rows: asked.append(login) or parts()
    lineage.learn(parts())
    assert {lineage.root_of(number) for number in (10, 20, 30)} == {10}
    assert asked == [7]  # once, to be sure that nobody came before
    lineage.learn(parts())
    assert asked == [7]


def test_a_part_that_comes_alone_is_looked_up_once() -> None:
    asked: list[int] = []

    def history(login: int, _row: Any) -> list[dict[str, Any]]:
        asked.append(login)
        return parts()[:2]

    lineage = Lineage(history)
    lineage.learn([parts()[2], row(99)])
    assert (lineage.root_of(30), lineage.root_of(99), asked) == (10, 99, [7])
    lineage.learn([row(40, comment="from #30"), row(30, comment="to #40")])
    assert (lineage.root_of(40), asked) == (10, [7])


def test_of_two_chains_the_older_ones_parts_are_looked_up_too_and_none_where_all_was_seen() -> None:
    asked: list[list[int]] = []
    lineage = Lineage(lambda _login, rows: asked.append([one["order"] for one in rows]) or [])
    lineage.learn([row(50, comment="from #40"), row(51, comment="from #41")])
    assert asked == [[50, 51]]  # one question, from the first opening of both on
    lineage.learn([row(60, comment="to #61")], is_whole=lambda _row: True)
    assert (lineage.root_of(61), len(asked)) == (60, 1)


def test_comments_that_point_in_a_circle_or_nowhere_end_somewhere() -> None:
    lineage = Lineage(lambda _login, _rows: [])
    lineage.learn([row(1, comment="from #2"), row(2, comment="from #1"), row(5, comment="from #4")])
    assert lineage.root_of(1) in (1, 2) and lineage.root_of(5) == 4


# -- units and times


def test_numbers_keep_their_digits_and_the_servers_noise_is_taken_off() -> None:
    read = json.loads('{"a": 0.30000000000000004, "b": 12345678.91, "c": 3}', parse_float=Decimal)
    assert [units.decimal(read[name]) for name in "abc"] == [Decimal("0.3"), Decimal("12345678.91"), 3]
    for nonsense in ("NaN", "Infinity", "x"):
        with pytest.raises(ValueError, match="number"):
            units.decimal(nonsense)
    assert units.lots(15) == Decimal("0.15") and units.lots(100) == 1
    assert [units.is_sum(Decimal(text)) for text in ("0.01", "-5", "1.005", "0", "NaN", "1e12")] == [
        True,
        True,
        False,
        False,
        False,
        False,
    ]
    assert (
        _encode({"price": Decimal("0.10"), "orderBy": 7, "comment": "ü"}) == '{"price":0.10,"orderBy":7,"comment":"ü"}'
    )


def test_times_are_the_servers_wall_clock_whatever_stands_behind_them() -> None:
    summer = 1_783_332_000_000  # 2026-07-06 10:00 by a wall clock, as if it were UTC
    for written in ("2026-07-06T10:00:00", "2026-07-06T10:00:00Z", "2026-07-06T10:00:00+03:00"):
        assert units.server_msc(written, EET, in_utc=False) == summer
    assert units.server_msc("2026-07-06T07:00:00Z", EET, in_utc=True) == summer
    assert units.wire_time(summer, EET, in_utc=False) == "2026-07-06T10:00:00"
    assert units.wire_time(summer, EET, in_utc=True) == "2026-07-06T07:00:00Z"
    for never in (None, "", "1970-01-01T00:00:00", "0001-01-01T00:00:00"):
        assert units.server_msc(never, EET, in_utc=False) == 0
    back = int(dt.datetime(2026, 10, 25, 4, tzinfo=dt.UTC).timestamp() * 1000)  # where the doubled hour ends
    assert units.wire_time(back, EET, in_utc=True) == "2026-10-25T02:00:00Z"
    assert units.wire_time(back, EET, in_utc=True, less_seconds=1) == "2026-10-25T01:59:59Z"
    assert units.wire_time(back, EET, in_utc=False, less_seconds=1) == "2026-10-25T03:59:59"
    assert units.wire_time(2**62, EET, in_utc=False) == "2038-01-19T03:14:07"  # where 32 bits end


def test_in_the_doubled_hour_a_bridge_that_writes_utc_tells_which_one_it_was() -> None:
    first, second = (row(1, closeTime=f"2026-10-25T{hour}:30:00Z") for hour in ("00", "01"))
    in_utc = reader(in_utc=True)
    closings = [in_utc.deals(one)[1] for one in (first, second)]
    assert closings[0].server_msc == closings[1].server_msc  # 03:30 by the server's clock, twice
    assert [deal.executed_at.hour for deal in closings] == [0, 1]
    (_opening, closing) = reader().deals(row(1, closeTime="2026-10-25T03:30:00"))
    assert closing.executed_at.hour == 0  # else the earlier one


# -- texts


@pytest.mark.parametrize(
    ("written", "page", "kept"),
    [
        ("Zoë Müller 🙂", "cp1252", "Zoë Müller"),
        ("Юрий Щукин", "cp1251", "Юрий Щукин"),
        ("Юрий Щукин", "cp1252", "Yuriy Shchukin"),
        ("Łukasz Żółć", "cp1252", "Lukasz Zólc"),
        ("Łukasz Żółć", "cp1250", "Łukasz Żółć"),
        ("Ærø Straße", "cp1251", "AEro Strasse"),
        ("Νίκος", "cp1252", "Nikos"),
        ("Zoë", "cp1252", "Zoë"),
        ("O’Neill", "cp874", "O’Neill"),
        ("a\tb\nc", "cp1252", "abc"),
    ],
)
def test_what_the_code_page_lacks_is_written_in_letters_that_it_has(written: str, page: str, kept: str) -> None:
    assert text.personal(written, page, text.NAME_MAX, what="name") == kept


def test_a_name_that_can_not_be_written_is_refused_in_words_and_a_long_one_is_cut() -> None:
    with pytest.raises(FinalError, match="Latin letters"):
        text.personal("王小明", "cp1252", text.NAME_MAX, what="name")
    assert len(text.personal("ä" * 300, "cp1252", text.NAME_MAX, what="name")) == 127
    assert text.personal("", "cp1252", 10, what="country") == ""
    with pytest.raises(FinalError, match="longer than 15"):
        text.exact("real-standard-EUR", "cp1252", text.GROUP_MAX, what="group")
    with pytest.raises(FinalError, match="code page"):
        text.exact("реал", "cp1252", text.GROUP_MAX, what="group")
    assert (
        text.is_reference("D:" + "A" * 29) and not text.is_reference("D:" + "A" * 30) and not text.is_reference("a b")
    )


def test_a_mask_chooses_groups_as_on_the_server() -> None:
    assert (
        matches("*", "x")
        and matches("real*,!real-test", "real-std-EUR")
        and not matches("real*,!real-test", "real-test")
    )
    assert not matches("Real*", "real-std-EUR") and not matches("", "x")


# -- codes


@pytest.mark.parametrize(
    ("code", "manager", "outcome", "read", "write"),
    [
        ("NoConnect", None, "", NotStarted, NotStarted),
        ("Validation", None, "", FinalError, FinalError),
        ("Forbidden", None, "", FinalError, FinalError),
        ("NotFound", None, "", FinalError, FinalError),
        ("Timeout", None, "timeout", ReadTimedOut, OutcomeUnknown),
        ("OutcomeUnknown", None, "unknown", ReadTimedOut, OutcomeUnknown),
        ("OutcomeUnknown", None, "in-progress", ReadTimedOut, OutcomeUnknown),
        ("Busy", None, "not-started", PlatformBusy, PlatformBusy),
        ("Internal", None, "", ReadTimedOut, OutcomeUnknown),
        ("Internal", None, "not-started", NotStarted, NotStarted),
        ("SomethingNew", None, "", ReadTimedOut, OutcomeUnknown),
        ("MT4Error", None, "unknown", ReadTimedOut, OutcomeUnknown),
        ("MT4Error", "TradeNoMoney", "", FinalError, FinalError),
        ("MT4Error", 134, "", FinalError, FinalError),
        ("MT4Error", "TooFrequent", "", PlatformBusy, PlatformBusy),
        ("MT4Error", "TradeTimeout", "", ReadTimedOut, OutcomeUnknown),
        ("MT4Error", "NoConnect", "", ReadTimedOut, OutcomeUnknown),
        ("MT4Error", "Error", "", ReadTimedOut, OutcomeUnknown),
        ("MT4Error", "Brandnew", "", FinalError, OutcomeUnknown),
        ("MT4Error", 999, "", FinalError, OutcomeUnknown),
    ],
)
def test_each_code_and_outcome_is_one_of_the_five_kinds(
    code: str, manager: Any, outcome: str, read: type[Exception], write: type[Exception]
) -> None:
    for is_write, kind in ((False, read), (True, write)):
        problem = codes.error_for(code, manager, "told", outcome, command="X", is_write=is_write)
        assert type(problem) is kind and problem.code is not None and problem.message


def test_every_result_has_one_meaning_for_a_write() -> None:
    assert not codes.BUSY & codes.FINAL and codes.result_of("TradeNoMoney") == codes.result_of("134") == 134
    assert codes.result_of(True) is None and codes.result_of(None) is None


# -- quotes


def test_a_quote_line_is_read_and_any_other_is_none() -> None:
    quote = quotes.parse("up EURUSD.m 1.08010 1.08022 2026.01.05 10:00:00")
    assert quote == quotes.Quote("EURUSD.m", Decimal("1.08010"), Decimal("1.08022"), "2026.01.05 10:00:00", True)
    for line in ("end", "ERROR", "", "up EURUSD 1..2 3 now", "sideways X 1 2 3"):
        assert quotes.parse(line) is None
    with pytest.raises(ValueError, match="no symbol"):
        quotes.read(("127.0.0.1", 1), ["EURUSD\nQUIT"])


# -- how a row becomes a platform


@pytest.fixture
def server(db: None) -> TradingServer:
    options = {"trade_platform": "6F1A4C1E-0000-4000-8000-00000000D4D4", "quote_port": "444", "code_page": "cp1251"}
    return make_server(
        kind="mt4", name="Bridge", manager_login="keelson", host="bridge.example", port=443, options=options
    )


def test_a_server_row_says_how_to_reach_its_bridge(server: TradingServer) -> None:
    config, habits = configuration(server), habits_of(server)
    assert (config.address.host, config.address.is_tls, config.client_id) == ("bridge.example", True, "keelson")
    assert config.trade_platform == "6f1a4c1e-0000-4000-8000-00000000d4d4"
    assert (habits.code_page, habits.has_sync, habits.in_utc, habits.quote_address) == (
        "cp1251",
        True,
        False,
        ("bridge.example", 444),
    )
    assert "Sandbox-1000!" not in repr(config)


def test_the_bridge_is_told_its_documented_deadlines_and_we_wait_longer(server: TradingServer) -> None:
    with override_settings(TRADING_READ_SECONDS=20.0, TRADING_WRITE_SECONDS=15.0):
        config = configuration(server)
    assert config.deadlines == DEADLINES
    assert all(config.waits[work] == config.deadlines[work] + 20 for work in Work)
    told, waits = deadlines(10.0, 1.5)
    assert (told[Work.READ], told[Work.TRADE], told[Work.HISTORY]) == (5, 1, 15)
    assert waits[Work.TRADE] == pytest.approx(2.5) and waits[Work.READ] == pytest.approx(15)
