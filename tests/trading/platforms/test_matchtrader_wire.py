"""Match-Trader's wire by itself: messages, tickets, rows, settings, errors. No server."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sandbox.matchtrader import messages
from trading.platforms.base import Right
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.platforms.masks import matches
from trading.platforms.matchtrader import access, options, rows, tickets
from trading.platforms.matchtrader.adapter import RATES
from trading.platforms.matchtrader.platform import CAPABILITIES
from trading.platforms.matchtrader.proto import matchtrader_pb2 as pb2
from trading.platforms.matchtrader.rest import encode, error_for

ROOT = Path(__file__).resolve().parents[3]
PROTO = "trading/platforms/matchtrader/proto/matchtrader"
SAID = {"status": "400", "title": "Bad Request", "detail": "no", "path": "/v1", "timestamp": "2026-11-22T08:00:00Z"}


# -- messages


def test_the_generated_messages_are_those_of_the_proto_file(tmp_path: Path) -> None:
    made = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run([*made, f"{PROTO}.proto"], cwd=ROOT, check=True, capture_output=True)
    for name in ("_pb2.py", "_pb2.pyi"):
        assert (tmp_path / f"{PROTO}{name}").read_text() == (ROOT / f"{PROTO}{name}").read_text(), name


def test_messages_written_by_hand_are_read_by_the_generated_code() -> None:
    """The sandbox writes its bytes without our code: each proves the other. Equity is told as text, the rest as doubles."""
    equity = pb2.PBEquityStreamResponseExternal.FromString(
        messages.equity({"login": "7", "equity": Decimal("1250.10"), "balance": Decimal("0.00"), "other": 1})
    )
    assert equity.WhichOneof("msg") == "equity"
    assert (equity.equity.login, equity.equity.equity, equity.equity.balance) == ("7", "1250.10", "0.00")
    assert pb2.PBLedgersStreamResponseExternal.FromString(messages.heartbeat()).heartbeat
    row = {
        "id": "1",
        "type": "CLOSED_POSITION",
        "time": "t",
        "profit": Decimal("-3.5"),
        "comment": "ü" * 90,
        "login": "7",
    }
    (entry,) = pb2.PBLedgersStreamResponseExternal.FromString(messages.ledgers([row])).ledgers.ledgers
    assert (entry.id, rows.exact(entry.profit), entry.comment, entry.login) == ("1", "-3.5", "ü" * 90, "7")
    assert entry.historyOperationType == pb2.HISTORY_OPERATION_TYPE_CLOSED_POSITION
    state = {"id": "5", "symbol": "EURUSD", "volume": Decimal("0.10"), "side": "SELL", "alias": "EURUSD"}
    (told,) = pb2.PBOpenPositionsStreamResponseExternal.FromString(
        messages.positions("7", "real", [("PARTIALLY_CLOSED", state)])
    ).positions.positions
    assert (told.login, told.group, told.requestUpdateType) == ("7", "real", pb2.REQUEST_UPDATE_TYPE_PARTIALLY_CLOSED)
    assert (told.volume, told.side, told.alias) == (0.1, pb2.ORDER_SIDE_SELL, "EURUSD")
    (event,) = pb2.PBTradingEventsStreamResponseExternal.FromString(
        messages.margin_call("7", "real", Decimal("99.5"))
    ).tradingEvents.tradingEvents
    assert (event.login, event.marginCallEvent.marginLevel) == ("7", 99.5)
    quote = pb2.PBQuotationSimpleExternal.FromString(
        messages.quotation("EURUSD", Decimal("1.1"), Decimal("1.10012"), 7)
    )
    told_at = quote.quotation.timestampInMillis
    assert [rows.exact(quote.quotation.bidPrice), rows.exact(quote.quotation.askPrice), told_at] == [
        "1.1",
        "1.10012",
        7,
    ]


def test_a_request_written_by_the_generated_code_is_read_by_hand() -> None:
    request = pb2.PBEquityRequestExternal(groups=["a", "b" * 200], logins=["7"], includeStateHistory=True)
    assert messages.fields_of(request.SerializeToString()) == {1: [b"a", b"b" * 200], 2: [b"7"], 4: [1]}


# -- tickets


def test_an_id_that_is_a_number_is_its_ticket_and_any_other_a_hash_in_a_space_of_its_own() -> None:
    assert tickets.of_ledger("1000001") == 1_000_001 == tickets.number_of("1000001")
    assert tickets.of_opening("1000001") == (1 << 60) + 1_000_001
    for odd in ("W3958299420285", "007", "-5", "٣", "", str(1 << 60), "6f0d3c1e-52a4-4d0b-9a55-0d6f1f6f0b11"):
        assert tickets.of_ledger(odd) >> 60 == 0b100, odd
    assert tickets.of_closing("5", "9") >> 60 == 0b110
    every = [make(name) for make in (tickets.of_ledger, tickets.of_opening) for name in ("5", "x5")]
    assert len({*every, tickets.of_closing("5", "9"), tickets.of_closing("5", "8"), tickets.of_closing("59", "")}) == 7
    assert all(0 < ticket < 2**63 for ticket in every)


def test_two_ids_with_one_number_are_refused_and_the_same_id_is_not() -> None:
    numbers = tickets.Numbers()
    assert numbers.check(5, "a") == 5 == numbers.check(5, "a")
    with pytest.raises(FinalError, match="the same number 5"):
        numbers.check(5, "b")


def test_what_tickets_are_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "REMEMBERED", 3)
    numbers = tickets.Numbers()
    for number in range(10):
        numbers.check(number, str(number))
    assert numbers.check(0, "another, after a long time") == 0


# -- rows


def closed(**fields: Any) -> dict[str, Any]:
    return {
        "id": "77",
        "login": "1",
        "symbol": "XAUUSD",
        "volume": Decimal("0.10"),
        "side": "SELL",
        "openTime": "2026-11-20T10:00:00.5Z",
        "openPrice": "2350.10",
        "closeTime": "2026-11-20T11:00:00Z",
        "closePrice": "2340.1",
        "commission": "-0.6",
        "swap": "1.2",
        "profit": "100.00",
        "closingOrderId": "900",
        **fields,
    }


def test_a_closed_position_is_a_deal_the_other_way_with_what_the_ledger_charged() -> None:
    charges = [
        {"id": "9C", "type": "COMMISSIONS", "profit": "-0.30"},
        {"id": "9S", "type": "SWAPS", "profit": Decimal("1.20")},
    ]
    deal = rows.closing_deal(closed(), "1", contract_size=Decimal(100), charges=charges)
    assert (deal.action, deal.entry, deal.lots, deal.closed_lots) == (0, 1, Decimal("0.10"), Decimal("0.10"))
    assert (deal.profit, deal.commission, deal.swap) == (Decimal("100.00"), Decimal("-0.30"), Decimal("1.20"))
    assert (deal.price, deal.price_position, deal.position_id, deal.order_id) == (
        Decimal("2340.1"),
        Decimal("2350.10"),
        77,
        900,
    )
    assert deal.executed_at == dt.datetime(2026, 11, 20, 11, tzinfo=dt.UTC) and deal.server_msc == 1_795_172_400_000
    assert deal.raw["charges"] == [["9C", "COMMISSIONS", "-0.3"], ["9S", "SWAPS", "1.2"]]
    opening = rows.opening_deal(closed(), "1", lots=Decimal("0.3"), contract_size=Decimal(100))
    assert (opening.action, opening.entry, opening.lots, opening.profit, opening.position_id) == (
        1,
        0,
        Decimal("0.3"),
        0,
        77,
    )
    assert opening.server_msc % 1000 == 500


def test_one_deal_in_two_spellings_is_the_same() -> None:
    first = rows.closing_deal(closed(), "1", contract_size=Decimal(100))
    other = closed(volume="0.1", profit=100, openTime="2026-11-20T12:00:00.500+02:00")
    second = rows.closing_deal(other, "1", contract_size=Decimal(100))
    assert first.raw == second.raw


@pytest.mark.parametrize(
    ("kind", "more", "profit", "action", "column", "amount"),
    [
        ("DEPOSIT", "NONE", "5", 2, "profit", "5"),
        ("WITHDRAWAL", "", "5", 2, "profit", "-5"),
        ("WITHDRAWAL", None, "-5", 2, "profit", "-5"),
        ("DEPOSIT", "CORRECTION", "5", 5, "profit", "5"),
        ("DEPOSIT", "NEGATIVE_BALANCE_CORRECTION", "5", 19, "profit", "5"),
        ("DEPOSIT", "IB_COMMISSION", "5", 18, "profit", "5"),
        ("DEPOSIT", "INTERNAL_TRANSFER", "5", 2, "profit", "5"),
        ("CREDIT_IN", "NONE", "5", 3, "profit", "5"),
        ("CREDIT_OUT", "BONUS_IN_OUT", "5", 6, "profit", "-5"),
        ("AGENT_COMMISSION", "NONE", "5", 18, "profit", "5"),
        ("COMMISSIONS", "NONE", "-5", 7, "commission", "-5"),
        ("SWAPS", "NONE", "-5", 4, "swap", "-5"),
        ("OTHER", "NONE", "-5", 4, "profit", "-5"),
        ("SOMETHING_NEW", "NONE", "-5", 4, "profit", "-5"),
    ],
)
def test_each_ledger_entry_is_one_deal_of_the_houses_kind(
    kind: str, more: str | None, profit: str, action: int, column: str, amount: str
) -> None:
    """Point 10: corrections, fees and commissions are no deposits; what is not known is kept, and its money counted."""
    row = {
        "id": "1",
        "type": kind,
        "additionalType": more,
        "time": "2026-11-20T10:00:00Z",
        "profit": profit,
        "comment": "c",
    }
    deal = rows.ledger_deal(row, "7")
    assert deal is not None and (deal.action, deal.comment, deal.lots) == (action, "c", 0)
    assert getattr(deal, column) == Decimal(amount) == deal.profit + deal.commission + deal.swap


def test_the_money_of_a_closed_position_is_counted_once() -> None:
    row = {"id": "1", "type": "CLOSED_POSITION", "time": "2026-11-20T10:00:00Z", "profit": "5", "comment": ""}
    assert rows.ledger_deal(row, "7") is None


def test_numbers_keep_their_digits_and_times_need_a_zone() -> None:
    """Points 5 and 7."""
    assert rows.decimal("0.1") + rows.decimal("0.2") == Decimal("0.3")
    assert rows.decimal("12345678901234.12345678") == Decimal("12345678901234.12345678")
    for wrong in (0.1, "NaN", "Infinity", "1,5", "x"):
        with pytest.raises(ValueError, match="number"):
            rows.decimal(wrong)
    with pytest.raises(ValueError, match="without a zone"):
        rows.instant("2026-11-20T10:00:00")
    assert rows.written(rows.msc_of(rows.instant("2026-11-20T10:00:00.651+01:00"))) == "2026-11-20T09:00:00.651Z"
    assert json.loads(encode({"amount": Decimal("0.10"), "n": [1, None, "ü"]})) == {"amount": 0.1, "n": [1, None, "ü"]}
    assert '"amount":0.10' in encode({"amount": Decimal("0.10")})


def test_five_words_of_access_and_what_they_allow() -> None:
    """Point 14: what the broker set beyond ours stays."""
    both, none = {Right.SIGN_IN: True, Right.TRADE: True}, {Right.SIGN_IN: False, Right.TRADE: False}
    assert access.allowed_by("FULL") == {Right.SIGN_IN, Right.TRADE}
    assert access.allowed_by("TRADING_AND_LOGIN_DISABLED") == access.allowed_by("NEW_WORD") == frozenset()
    assert access.word_for("FULL", {Right.TRADE: False}) == "TRADING_DISABLED"
    for kept in ("CLOSE_ONLY", "LOCKED_CLOSE_ONLY", "TRADING_DISABLED"):
        assert access.word_for(kept, {Right.TRADE: False}) == kept
    assert (
        access.word_for("CLOSE_ONLY", both) == "FULL" and access.word_for("FULL", none) == "TRADING_AND_LOGIN_DISABLED"
    )
    assert access.word_for("TRADING_AND_LOGIN_DISABLED", {Right.SIGN_IN: True}) == "TRADING_DISABLED"


# -- settings


def test_paths_of_a_broker_replace_ours_and_keep_their_placeholders() -> None:
    text = "deposit=/v2/{login}/money/in; ledgers = /v2/l\n accounts=/v2/accounts"
    found = options.lines(text, options.PATHS_PATTERN, options.PATHS)
    assert (found["deposit"], found["ledgers"], found["accounts"]) == ("/v2/{login}/money/in", "/v2/l", "/v2/accounts")
    assert found["withdraw"] == options.PATHS["withdraw"] and found.keys() == options.PATHS.keys()
    assert options.lines("", options.PATHS_PATTERN, options.PATHS) == options.PATHS


@pytest.mark.parametrize(
    "text",
    [
        "deposit=/v2/{account}/in",
        "deposit=/v2/in",
        "nothing=/v2",
        "ledgers=/v2/{login}",
        "deposit=v2/{login}",
        "deposit=/v2/{login}/{login}",
        "deposit=/v2/{login}/in?x=1",
        "deposit=//evil.example/{login}",
        "deposit",
    ],
)
def test_a_path_with_a_placeholder_that_its_command_has_not_is_refused(text: str) -> None:
    with pytest.raises(FinalError, match="can't be read"):
        options.lines(text, options.PATHS_PATTERN, options.PATHS)


def test_every_default_is_right_by_its_own_pattern() -> None:
    whole = "\n".join(f"{name}={path}" for name, path in options.PATHS.items())
    assert options.lines(whole, options.PATHS_PATTERN, {}) == options.PATHS
    assert options.PATHS.keys() >= options.DOCUMENTED
    streams = ";".join(f"{name}={path}" for name, path in options.STREAMS.items())
    assert options.lines(streams, options.STREAMS_PATTERN, {}) == options.STREAMS


def test_group_masks() -> None:
    assert matches("real*,!real-test*", "real-pro-EUR") and not matches("real*,!real-test*", "real-test-1")
    assert not matches("", "real") and matches("*", "anything") and not matches("real", "real-pro")


# -- errors


@pytest.mark.parametrize(
    ("status", "body", "of_write", "of_read"),
    [
        (400, SAID, FinalError, FinalError),
        (401, SAID, NotStarted, NotStarted),
        (403, SAID, FinalError, FinalError),
        (401, None, OutcomeUnknown, NotStarted),
        (403, None, OutcomeUnknown, NotStarted),
        (404, SAID, FinalError, FinalError),
        (404, None, FinalError, FinalError),
        (408, None, OutcomeUnknown, ReadTimedOut),
        (409, SAID, FinalError, FinalError),
        (429, SAID, PlatformBusy, PlatformBusy),
        (429, None, PlatformBusy, PlatformBusy),
        (500, SAID, OutcomeUnknown, ReadTimedOut),
        (502, None, OutcomeUnknown, ReadTimedOut),
    ],
)
def test_an_answer_that_says_no_is_one_of_five_errors(
    status: int, body: dict[str, str] | None, of_write: type, of_read: type
) -> None:
    content = json.dumps(body).encode() if body else b"<html>no</html>"
    assert type(error_for(status, content, command="deposit", is_write=True)) is of_write
    assert type(error_for(status, content, command="deposit", is_write=False)) is of_read


# -- what it says of itself


def test_all_purposes_together_stay_below_five_hundred_requests_a_minute() -> None:
    most = {purpose: rate * 60 + burst for purpose, (rate, burst, _wait) in RATES.items()}
    assert most.keys() == {"money", "reads", "backfill"} and sum(most.values()) < 500


def test_capabilities_are_what_the_interface_has() -> None:
    assert not CAPABILITIES.own_logins and not CAPABILITIES.checks_passwords and CAPABILITIES.pushes_deals
    assert CAPABILITIES.rights == {Right.SIGN_IN, Right.TRADE} and "bonus" not in CAPABILITIES.balance_kinds
    assert CAPABILITIES.unverified == {"book_credit"}
