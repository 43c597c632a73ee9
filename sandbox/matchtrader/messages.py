"""Protobuf by hand: what the streams say, written without anybody's generated code, so that both sides prove each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sandbox.matchtrader.names import TYPES

EQUITY = {"login": 1, "equity": 2, "balance": 3, "credit": 4, "margin": 5, "freeMargin": 6, "marginLevel": 7}
LEDGER = {"id": 1, "time": 3, "profit": 4, "comment": 5, "group": 6, "login": 7, "additionalType": 8}
POSITION = {
    "id": 1,
    "symbol": 2,
    "volume": 3,
    "openTime": 5,
    "openPrice": 6,
    "stopLoss": 7,
    "takeProfit": 8,
    "swap": 9,
    "profit": 10,
    "netProfit": 11,
    "currentPrice": 12,
    "commission": 13,
    "alias": 15,
}
UPDATES = {"NEW": 0, "UPDATE": 1, "CLOSED": 2, "PROFIT_CHANGE": 3, "PARTIALLY_CLOSED": 4}


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
    entries = (texts(row, LEDGER) + number(2, TYPES.index(row["type"]) + 1) for row in rows)
    return part(1, b"".join(part(1, entry) for entry in entries))


def positions(login: str, group: str, changes: Iterable[tuple[str, Mapping[str, Any]]]) -> bytes:
    """Encode changes of an account's positions: what happened, and the position."""
    states = (
        number(1, UPDATES[update]) + part(2, texts(row, POSITION) + number(4, int(row["side"] == "SELL")))
        for update, row in changes
    )
    return part(1, part(1, login.encode()) + part(2, group.encode()) + b"".join(part(3, state) for state in states))


def stop_out(login: str, group: str, row: Mapping[str, Any]) -> bytes:
    """Encode the stop-out of a position."""
    event = texts(
        {"login": login, "orderId": row["closeOrderId"], "instrument": row["symbol"], "volume": row["volume"]},
        {"login": 1, "orderId": 2, "instrument": 3, "volume": 4},
    )
    return part(1, part(2, event) + part(6, login.encode()) + part(7, group.encode()))


def margin_call(login: str, group: str, level: Any) -> bytes:
    """Encode a margin call."""
    event = texts({"login": login, "marginLevel": level}, {"login": 1, "marginLevel": 2})
    return part(1, part(1, event) + part(6, login.encode()) + part(7, group.encode()))


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
