"""Protobuf by hand: what the streams say, written without anybody's generated code, so that both sides prove each other."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.matchtrader.names import TYPES

EQUITY = {"login": 1, "equity": 2, "balance": 3, "credit": 4}
LEDGER = {"id": 1, "time": 3, "comment": 5, "group": 6, "login": 7}
POSITION = {"id": 3, "symbol": 4, "openTime": 7, "alias": 17}
POSITION_NUMBERS = {
    "volume": 5,
    "openPrice": 8,
    "stopLoss": 9,
    "takeProfit": 10,
    "swap": 11,
    "profit": 12,
    "netProfit": 13,
    "currentPrice": 14,
    "commission": 15,
}
UPDATES = {"NEW": 1, "UPDATE": 2, "CLOSED": 3, "PROFIT_CHANGE": 4, "PARTIALLY_CLOSED": 5}
ADDITIONAL = {"NONE": 0, "CORRECTION": 2, "NEGATIVE_BALANCE_CORRECTION": 7, "BONUS_IN_OUT": 10}


def varint(number: int) -> bytes:
    """Encode a number in seven bits per byte."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def number(field: int, value: int) -> bytes:
    """Zero is not written, as in proto3."""
    return varint(field << 3) + varint(value) if value else b""


def part(field: int, content: bytes) -> bytes:
    """Encode a text or an inner message, also an empty one."""
    return varint(field << 3 | 2) + varint(len(content)) + content


def double(field: int, value: Any) -> bytes:
    """Encode a number of 64 bits, as the platform sends amounts and prices. Zero is not written."""
    return varint(field << 3 | 1) + struct.pack("<d", float(value)) if value else b""


def doubles(row: Mapping[str, Any], fields: Mapping[str, int]) -> bytes:
    """Encode the numbers of a row that have a field."""
    return b"".join(double(field, row[name]) for name, field in fields.items() if name in row)


def texts(row: Mapping[str, Any], fields: Mapping[str, int]) -> bytes:
    """Numbers go as texts with their digits."""
    numbered = sorted((field, row[name]) for name, field in fields.items() if name in row)
    shown = ((field, f"{value:f}" if isinstance(value, Decimal) else str(value)) for field, value in numbered)
    return b"".join(part(field, value.encode()) for field, value in shown if value)


def heartbeat() -> bytes:
    """Encode a heartbeat."""
    return number(2, 1)


def equity(row: Mapping[str, Any]) -> bytes:
    """Encode an account's equity."""
    return part(1, texts(row, EQUITY))


def ledgers(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Encode ledger entries."""
    entries = (
        texts(row, LEDGER)
        + number(2, TYPES.index(row["type"]) + 1)
        + double(4, row["profit"])
        + number(8, ADDITIONAL[row.get("additionalType", "NONE")])
        for row in rows
    )
    return part(1, b"".join(part(1, entry) for entry in entries))


def positions(login: str, group: str, changes: Iterable[tuple[str, Mapping[str, Any]]]) -> bytes:
    """Encode changes of an account's positions: what happened, and the position."""
    states = (
        part(1, login.encode())
        + part(2, group.encode())
        + texts(row, POSITION)
        + doubles(row, POSITION_NUMBERS)
        + number(6, 2 if row["side"] == "SELL" else 1)
        + number(18, UPDATES[update])
        for update, row in changes
    )
    return part(1, b"".join(part(1, state) for state in states))


def _event(login: str, group: str, field: int, event: bytes) -> bytes:
    return part(1, part(1, part(field, event) + part(6, login.encode()) + part(7, group.encode())))


def stop_out(login: str, group: str, row: Mapping[str, Any]) -> bytes:
    """Encode the stop-out of a position."""
    event = texts({"orderId": row["closingOrderId"], "instrument": row["symbol"]}, {"orderId": 1, "instrument": 2})
    return _event(login, group, 2, event + double(3, row["volume"]))


def margin_call(login: str, group: str, level: Any) -> bytes:
    """Encode a margin call."""
    return _event(login, group, 1, double(1, level))


def quotation(symbol: str, bid: Any, ask: Any, at_msc: int) -> bytes:
    """Encode a quote."""
    return part(1, part(1, symbol.encode()) + double(2, bid) + double(3, ask) + number(4, at_msc))


def fields_of(data: bytes) -> dict[int, list[bytes | int]]:
    """Decode a request's fields by number. Raises ValueError, IndexError for what is no message."""
    fields: dict[int, list[bytes | int]] = {}
    at = 0

    def read() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7

    while at < len(data):
        tag = read()
        if tag & 7 == 0:
            fields.setdefault(tag >> 3, []).append(read())
        elif tag & 7 == 2:
            length = read()
            fields.setdefault(tag >> 3, []).append(data[at : at + length])
            at += length
        else:
            raise ValueError(f"wire type {tag & 7}")
    return fields
