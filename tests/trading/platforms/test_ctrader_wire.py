"""cTrader's bytes, units and words, without a server: frames, protocol text, money digits, volumes, codes, rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from grpc_tools import protoc

from trading.platforms.base import Right
from trading.platforms.ctrader import codes, csvs, rows, units
from trading.platforms.ctrader.config import CtraderConfig
from trading.platforms.ctrader.directory import Symbol, Trader
from trading.platforms.ctrader.frames import FrameError, FrameReader, encode, read
from trading.platforms.ctrader.proto import ctrader_manager_pb2 as pb
from trading.platforms.ctrader.rest import code_in, dump, refusal
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.platforms.web import Address, Reply

ROOT = Path(__file__).resolve().parents[3]
OURS, THEIRS = ROOT / "trading/platforms/ctrader/proto", ROOT / "sandbox/ctrader/proto"
VECTOR = "0000001b0887041213100718b96022017828004a057061792d3150011a0131"
EURO = Symbol("EURUSD", 5, Decimal(100_000), "EUR", "USD")
WHO = Trader(7, "500001", 101, 1)


# -- frames and protocol text -------------------------------------------------------------------------------------------


def test_the_published_frame_comes_out_byte_for_byte() -> None:
    """Facts §3.2: a change of balance with our reference, newWay and clientMsgId."""
    request = pb.ProtoChangeBalanceReq(traderId=7, amount=12345, comment="x", type=0, externalId="pay-1", newWay=True)
    assert encode(request, "1").hex() == VECTOR
    (envelope,) = FrameReader().feed(bytes.fromhex(VECTOR))
    assert (envelope.payloadType, envelope.clientMsgId) == (519, "1")
    again = pb.ProtoChangeBalanceReq.FromString(envelope.payload)
    assert (again.traderId, again.amount, again.externalId, again.newWay) == (7, 12345, "pay-1", True)


def test_frames_split_at_every_byte_are_read_whole() -> None:
    data = bytes.fromhex(VECTOR) + encode(pb.ProtoHeartbeatEvent()) + encode(pb.ProtoVersionRes(version="ü🙂"), "2")
    for cut in range(len(data) + 1):
        reader = FrameReader()
        found = [*reader.feed(data[:cut]), *reader.feed(data[cut:])]
        assert [one.payloadType for one in found] == [519, 51, 155]
    reader = FrameReader()
    assert len([one for byte in data for one in reader.feed(bytes([byte]))]) == 3


@pytest.mark.parametrize(
    "data",
    [b"HTTP/1.1 502 Bad Gateway\r\n\r\n", b"\x00\x00\x00\x03abc", b"\x00\x00\x00\x00", b"\x00\x00\x00\x02\x1a\x00"],
)
def test_bytes_that_are_no_frame_are_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        FrameReader().feed(data)


def test_a_message_without_what_it_must_have_is_refused() -> None:
    with pytest.raises(FrameError):
        read(pb.ProtoChangeBalanceRes(), b"\x08\x01", "an answer")


def test_the_generated_modules_are_those_of_the_protocol_text(tmp_path: Path) -> None:
    """And the sandbox server, which may import nothing of ours, has the same."""
    arguments = ["protoc", f"-I{OURS}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}", "ctrader_manager.proto"]
    assert protoc.main(arguments) == 0
    for name in ("ctrader_manager_pb2.py", "ctrader_manager_pb2.pyi"):
        assert (tmp_path / name).read_text() == (OURS / name).read_text() == (THEIRS / name).read_text()
    assert (OURS / "ctrader_manager.proto").read_text() == (THEIRS / "ctrader_manager.proto").read_text()


# -- units --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "digits", "shown"),
    [(1234512, 2, "12345.12"), (5000, 0, "5000"), (10053099944, 8, "100.53099944"), (-7, 2, "-0.07"), (0, 2, "0.00")],
)
def test_money_is_whole_units_of_its_digits_both_ways(amount: int, digits: int, shown: str) -> None:
    assert str(units.money(amount, digits)) == shown
    assert units.smallest_units(Decimal(shown), digits) == amount


def test_an_amount_with_more_digits_than_the_currency_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 0 digits"):
        units.smallest_units(Decimal("10.50"), 0)


@pytest.mark.parametrize(
    ("hundredths", "lot", "lots"),
    [
        (10_000_000, 100_000, "1"),
        (100_000, 100_000, "0.01"),
        (3000, 100, "0.3"),
        (1, 1, "0.01"),
        (333, 1000, "0.00333"),
    ],
)
def test_volumes_are_lots_by_the_contract(hundredths: int, lot: int, lots: str) -> None:
    assert units.lots(units.volume(hundredths), Decimal(lot)) == Decimal(lots)


def test_a_price_keeps_the_digits_that_people_see() -> None:
    assert str(units.price(1.10345)) == "1.10345" and str(units.price(0.1 + 0.2)) == "0.30000000000000004"


def test_times_are_utc_to_the_millisecond() -> None:
    at = dt.datetime(2026, 3, 29, 1, 30, 0, 125_000, tzinfo=dt.UTC)  # the night of a change of summer time
    assert units.date_text(at) == "2026-03-29T01:30:00.125"
    assert units.from_date_text("2026-03-29T01:30:00.125") == at == units.instant(units.milliseconds(at))
    assert units.date_text(at.astimezone(dt.timezone(dt.timedelta(hours=2)))) == "2026-03-29T01:30:00.125"


def test_the_password_crosses_as_its_lower_case_hash_only() -> None:
    assert units.password_hash("password") == "5f4dcc3b5aa765d61d8327deb882cf99"
    assert units.password_hash("pässwörd🙂") == units.password_hash("pässwörd🙂").lower()


def test_a_configuration_shows_no_secret() -> None:
    config = CtraderConfig(rest=Address("h", 1, certificate="PEM"), login=1, password_hash="5f4dcc3b", broker="b")
    assert "5f4dcc3b" not in repr(config) and "PEM" not in repr(config)


# -- codes --------------------------------------------------------------------------------------------------------------

KINDS = {
    "NOT_ENOUGH_MONEY": (1, FinalError),
    "NOT_ENOUGH_RIGHTS": (2, FinalError),
    "AUTHENTICATION_FAILED": (3, NotStarted),
    "CHANGE_BALANCE_BAD_AMOUNT": (6, FinalError),
    "TRADER_NOT_FOUND": (11, FinalError),
    "TRADER_GROUP_NOT_FOUND": (12, FinalError),
    "ALREADY_LOGGED_IN": (14, NotStarted),
    "WRONG_LEVERAGE": (20, FinalError),
    "REQUEST_FREQUENCY_EXCEEDED": (23, PlatformBusy),
    "TRADER_HAS_POSITIONS": (28, FinalError),
    "SERVER_IS_UNDER_MAINTENANCE": (47, NotStarted),
    "CONNECTIONS_LIMIT_EXCEEDED": (67, NotStarted),
    "CONCURRENT_MODIFICATION": (910, PlatformBusy),
    "WRONG_PASSWORD": (904, FinalError),
}


@pytest.mark.parametrize("name", sorted(KINDS))
def test_each_error_code_is_one_of_the_five_kinds(name: str) -> None:
    code, kind = KINDS[name]
    for is_write in (False, True):
        problem = codes.error_for(name, command="X", is_write=is_write)
        assert (type(problem), problem.code) == (kind, code) and name in str(problem)


def test_an_error_of_unknown_outcome_is_never_taken_for_a_refusal() -> None:
    for name in ("UNKNOWN_ERROR", "TIMEOUT_ERROR"):
        assert isinstance(codes.error_for(name, command="X", is_write=True), OutcomeUnknown)
        assert isinstance(codes.error_for(name, command="X", is_write=False), ReadTimedOut)


def test_a_code_that_nobody_knows_is_final_and_keeps_its_name() -> None:
    problem = codes.error_for("CH_SOMETHING_NEW", command="X", is_write=True, description="because")
    assert isinstance(problem, FinalError) and "because (CH_SOMETHING_NEW)" in str(problem)


def test_maintenance_says_until_when() -> None:
    end = int(dt.datetime(2026, 11, 22, 9, 30, tzinfo=dt.UTC).timestamp() * 1000)
    problem = codes.error_for("SERVER_IS_UNDER_MAINTENANCE", command="X", is_write=True, maintenance_end_msc=end)
    assert isinstance(problem, NotStarted) and "until 2026-11-22 09:30 UTC" in problem.message


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"error":{"errorCode":"NOT_ENOUGH_MONEY","description":"d"}}', "NOT_ENOUGH_MONEY"),
        (b"TRADER_NOT_FOUND: no such trader", "TRADER_NOT_FOUND"),
        (b"<html>401</html>", ""),
        (b"", ""),
        (b"[]", ""),
        (b"Forbidden: by the proxy", ""),
    ],
)
def test_the_platforms_own_code_is_told_from_anybody_elses_page(body: bytes, code: str) -> None:
    assert code_in(body)[0] == code


@pytest.mark.parametrize(
    ("status", "body", "is_write", "kind"),
    [
        (401, b'{"error":{"errorCode":"CH_ACCESS_TOKEN_INVALID"}}', True, NotStarted),
        (401, b"<html>", True, OutcomeUnknown),
        (403, b"<html>", True, OutcomeUnknown),
        (403, b'{"error":{"errorCode":"NOT_ENOUGH_RIGHTS"}}', True, FinalError),
        (429, b"", True, PlatformBusy),
        (502, b"<html>", True, OutcomeUnknown),
        (502, b"<html>", False, ReadTimedOut),
        (404, b"<html>", True, FinalError),
        (503, b"SERVER_IS_UNDER_MAINTENANCE", True, NotStarted),
        (302, b"", True, OutcomeUnknown),
        (408, b"", True, OutcomeUnknown),
    ],
)
def test_a_refusal_is_judged_by_who_said_it(status: int, body: bytes, is_write: bool, kind: type[Exception]) -> None:
    assert type(refusal("X", Reply(status, {}, body), is_write=is_write)) is kind


def test_an_amount_is_written_with_all_its_digits() -> None:
    assert (
        dump({"preciseAmount": Decimal("0.10000000"), "a": [1], "ü": "🙂"})
        == '{"preciseAmount":0.10000000,"a":[1],"\\u00fc":"🙂"}'
    )


# -- rows ---------------------------------------------------------------------------------------------------------------


def deal(**fields: Any) -> pb.ProtoDeal:
    values = {
        "dealId": 5,
        "orderId": 6,
        "positionId": 8,
        "traderId": 7,
        "volume": 3_000_000,
        "filledVolume": 3_000_000,
        "symbolId": 1,
        "createTimestamp": 1,
        "executionTimestamp": 1_700_000_000_123,
        "utcLastUpdateTimestamp": 9,
        "executionPrice": 1.10345,
        "tradeSide": pb.BUY,
        "dealStatus": pb.FILLED,
        "dealType": 1,
        "commission": -90,
        "moneyDigits": 2,
        **fields,
    }
    return pb.ProtoDeal(**values)


def detail(**fields: Any) -> pb.ProtoClosePositionDetail:
    values = {"entryPrice": 1.1, "profit": 12345, "swap": -150, "commission": -180, "balance": 1, **fields}
    return pb.ProtoClosePositionDetail(**{"closedVolume": 3_000_000, "moneyDigits": 2, **values})


def test_an_opening_deal_costs_nothing_before_its_position_closes() -> None:
    found = rows.deal_from(deal(), WHO, EURO)
    assert found is not None
    assert (found.ticket, found.login, found.action, found.entry, found.position_id) == (5, "500001", 0, 0, 8)
    assert (found.lots, found.closed_lots, found.price) == (Decimal("0.3"), 0, Decimal("1.10345"))
    assert (found.profit, found.commission, found.swap) == (0, 0, 0) and found.raw["commission"] == "-90"
    assert found.executed_at == dt.datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=dt.UTC)
    assert "utcLastUpdateTimestamp" not in found.raw


@pytest.mark.parametrize("sign", [1, -1])
def test_a_commission_is_a_cost_whatever_its_sign(sign: int) -> None:
    found = rows.deal_from(
        deal(tradeSide=pb.SELL, closePositionDetail=detail(commission=180 * sign, pnlConversionFee=20 * sign)),
        WHO,
        EURO,
    )
    assert found is not None
    assert (found.action, found.entry, found.closed_lots) == (1, 1, Decimal("0.3"))
    assert (found.profit, found.commission, found.swap, found.fee) == tuple(
        map(Decimal, ("123.45", "-1.80", "-1.50", "-0.20"))
    )
    assert found.price_position == Decimal("1.1")


def test_a_deal_that_closes_less_than_it_fills_turns_the_position() -> None:
    found = rows.deal_from(deal(closePositionDetail=detail(closedVolume=1_000_000)), WHO, EURO)
    assert found is not None and (found.entry, found.lots, found.closed_lots) == (2, Decimal("0.3"), Decimal("0.1"))


def test_a_deal_of_somebody_whom_we_may_not_see_keeps_a_number() -> None:
    found = rows.deal_from(deal(), None, Symbol("#9", 5, Decimal(0), "", ""))
    assert found is not None and (found.login, found.symbol, found.lots) == ("#7", "#9", 0)


def test_what_filled_nothing_is_no_deal() -> None:
    assert rows.deal_from(deal(filledVolume=0, dealStatus=pb.REJECTED), WHO, EURO) is None


def ledger(kind: int, delta: int = 5000, **fields: Any) -> pb.ProtoDepositWithdraw:
    values = {
        "operationType": kind,
        "balanceHistoryId": 5,
        "traderId": 7,
        "balance": 0,
        "delta": delta,
        "changeBalanceTimestamp": 1_700_000_000_000,
        "moneyDigits": 2,
        **fields,
    }
    return pb.ProtoDepositWithdraw(**values)


@pytest.mark.parametrize(
    ("kind", "action", "amount"),
    [
        (0, 2, 50),
        (1, 2, -50),
        (19, 3, 50),
        (20, 3, -50),
        (35, 4, -50),
        (15, 15, 50),
        (16, 15, -50),
        (5, 18, 50),
        (39, 19, 50),
        (21, 12, 50),
        (36, 2, 50),
        (37, 2, -50),
        (41, 241, 50),
    ],
)
def test_each_type_of_the_balance_history_is_an_action_of_the_house(kind: int, action: int, amount: int) -> None:
    """One that nobody knows is told, never dropped; a withdrawal is one with either sign."""
    for delta in (5000, -5000) if kind != 41 else (5000,):
        found = rows.balance_from(ledger(kind, delta), WHO)
        assert found is not None and (found.action, found.profit) == (action, amount)


def test_a_closing_deals_own_row_in_the_balance_history_is_not_counted_twice() -> None:
    assert rows.balance_from(ledger(2), WHO) is None


def test_our_corrections_are_told_from_deposits_by_their_source() -> None:
    found = rows.balance_from(ledger(0, source=rows.CORRECTION_SOURCE, externalId="C:1", comment="edited"), WHO)
    assert found is not None and (found.action, found.comment) == (5, "C:1")


def test_three_ledgers_make_one_kind_of_ticket_without_meeting() -> None:
    bonus = pb.ProtoBonusDepositWithdraw(
        operationType=pb.BONUS_WITHDRAW,
        bonusHistoryId=5,
        traderId=7,
        managerBonus=0,
        managerDelta=700,
        ibBonus=0,
        ibDelta=0,
        changeBonusTimestamp=1,
        comment="B:1",
        moneyDigits=2,
    )
    found = [rows.deal_from(deal(), WHO, EURO), rows.balance_from(ledger(0), WHO), rows.bonus_from(bonus, WHO)]
    assert [one.ticket for one in found if one] == [5, 2**60 + 5, 2**61 + 5]
    assert found[2] is not None and (found[2].action, found[2].profit, found[2].comment) == (6, -7, "B:1")


@pytest.mark.parametrize(
    ("now", "wanted", "then"),
    [
        ("FULL_ACCESS", {Right.TRADE: False}, "NO_TRADING"),
        ("NO_TRADING", {Right.TRADE: True}, "FULL_ACCESS"),
        ("CLOSE_ONLY", {Right.TRADE: False}, "CLOSE_ONLY"),
        ("CLOSE_ONLY", {Right.SIGN_IN: True}, "CLOSE_ONLY"),
        ("FULL_ACCESS", {Right.SIGN_IN: False}, "NO_LOGIN"),
        ("NO_LOGIN", {Right.TRADE: True}, "NO_LOGIN"),
        ("NO_LOGIN", {Right.SIGN_IN: True}, "NO_TRADING"),
        ("NO_LOGIN", {Right.SIGN_IN: True, Right.TRADE: True}, "FULL_ACCESS"),
        ("FULL_ACCESS", {}, "FULL_ACCESS"),
        ("NO_TRADING", {}, "NO_TRADING"),
    ],
)
def test_two_rights_are_one_word_of_four(now: str, wanted: dict[Right, bool], then: str) -> None:
    assert rows.access_with(now, wanted) == then


# -- CSV ----------------------------------------------------------------------------------------------------------------

HEAD = (
    "login,positionId,dealId,openTimestamp,closeTimestamp,entryPrice,closePrice,direction,volume,symbol,commission,swap,pnl,"
    "depositConversionRate,usdConversionRate,bookType,stake,spreadBetting"
)
SIZES = csvs.LotSizes([("Forex", Decimal(100_000)), ("XAUUSD", Decimal(100)), ("*", Decimal(1))], {"EURUSD": "Forex"})


def closed(**fields: str) -> str:
    values = {
        "login": "500001",
        "positionId": "77",
        "dealId": "4690813",
        "openTimestamp": "2026-03-19T13:44:21.224",
        "closeTimestamp": "2026-03-29T01:30:00.125",
        "entryPrice": "1.10000",
        "closePrice": "1.10345",
        "direction": "BUY",
        "volume": "30000.00",
        "symbol": "EURUSD",
        "commission": "1.80",
        "swap": "-1.50",
        "pnl": "103.50",
        "depositConversionRate": "1",
        "usdConversionRate": "1",
        "bookType": "BOOK_B",
        "stake": "0.00",
        "spreadBetting": "false",
        **fields,
    }
    return f"{HEAD}\n{','.join(values.values())}\n"


def test_a_closed_position_in_csv_is_its_closing_deal() -> None:
    """The same ticket as in the Manager API; the deal that closes a long position sells."""
    (found,) = csvs.deals_from(csvs.rows_of(closed(), csvs.CLOSED_COLUMNS), SIZES)
    assert (found.ticket, found.position_id, found.action, found.entry) == (4_690_813, 77, 1, 1)
    assert (found.lots, found.closed_lots, found.contract_size) == (Decimal("0.3"), Decimal("0.3"), 100_000)
    assert (found.profit, found.commission, found.swap) == tuple(map(Decimal, ("103.50", "-1.80", "-1.50")))
    assert found.executed_at == dt.datetime(2026, 3, 29, 1, 30, 0, 125_000, tzinfo=dt.UTC)


def test_units_in_a_lot_go_by_symbol_then_class_then_the_rest() -> None:
    assert [SIZES.of(name) for name in ("EURUSD", "xauusd", "US500")] == [100_000, 100, 1]
    assert csvs.LotSizes([], {}).of("EURUSD") == 0


@pytest.mark.parametrize("text", ["login,dealId\n1,2", "<html>", "", closed().rpartition(",")[0], closed() + "1,2\n"])
def test_a_list_that_is_none_is_refused_whole(text: str) -> None:
    with pytest.raises(ValueError, match=r"missing|number of fields"):
        csvs.rows_of(text, csvs.CLOSED_COLUMNS)
