"""The demo's deals in the words of the platform, and everything written to the tables in bulk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.db import connection

from trading.core.clock import to_server_seconds
from trading.demo.traders import Trade


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY into a table of ours."""
    names = ", ".join(columns)
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def server_msc(at: dt.datetime, zone: ZoneInfo) -> int:
    """Convert an instant to milliseconds of the server's wall clock."""
    return to_server_seconds(at, zone) * 1000 + at.microsecond // 1000


def cents(value: int) -> str:
    """Write cents as a decimal number."""
    sign, whole = ("-" if value < 0 else ""), abs(value)
    return f"{sign}{whole // 100}.{whole % 100:02}"


# A deal as the server shows it: every value a string, every field there. The sandbox's importer fills in the same.
DEFAULTS: dict[str, Any] = {
    "ExternalID": "",
    "Dealer": "0",
    "Order": "0",
    "Action": "0",
    "Entry": "0",
    "Reason": "0",
    "Digits": "0",
    "DigitsCurrency": "2",
    "ContractSize": "0.00000000",
    "Symbol": "",
    "Price": "0",
    "PriceSL": "0",
    "PriceTP": "0",
    "VolumeExt": "0",
    "VolumeClosedExt": "0",
    "Profit": "0.00",
    "Value": "0.00",
    "Storage": "0.00",
    "Commission": "0.00",
    "Fee": "0.00",
    "RateProfit": "1.00000000",
    "RateMargin": "1.00000000",
    "ExpertID": "0",
    "PositionID": "0",
    "Comment": "",
    "ProfitRaw": "0.00000000",
    "PricePosition": "0",
    "TickValue": "0.00000000",
    "TickSize": "0.00000000",
    "Flags": "0",
    "Gateway": "",
    "PriceGateway": "0",
    "MarketBid": "0",
    "MarketAsk": "0",
    "MarketLast": "0",
    "ModificationFlags": "0",
    "Volume": "0",
    "VolumeClosed": "0",
    "ApiData": [],
}


def _raw(ticket: int, login: str, msc: int, **fields: Any) -> dict[str, Any]:
    volume, closed = fields.get("VolumeExt", 0), fields.get("VolumeClosedExt", 0)
    return {
        **DEFAULTS,
        "Deal": str(ticket),
        "Login": login,
        "Time": str(msc // 1000),
        "TimeMsc": str(msc),
        "Volume": str(volume // 10_000),
        "VolumeClosed": str(closed // 10_000),
        **{name: str(value) for name, value in fields.items()},
    }


def without_defaults(raw: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a deal what the importer fills in itself."""
    return {name: value for name, value in raw.items() if DEFAULTS.get(name) != value}


def money_deal(ticket: int, login: str, msc: int, amount: int, comment: str) -> dict[str, Any]:
    """Make a balance deal of an amount in cents."""
    return _raw(ticket, login, msc, Dealer=1000, Action=2, Reason=2, Profit=cents(amount), Comment=comment)


def opening_deal(ticket: int, login: str, msc: int, trade: Trade, position: int) -> dict[str, Any]:
    """Make the deal that opened a position."""
    return _raw(
        ticket,
        login,
        msc,
        Action=trade.side,
        Entry=0,
        Order=position,
        PositionID=position,
        Price=str(trade.price_open),
        Commission=cents(trade.commission),
        **_contract(trade),
    )


def closing_deal(ticket: int, login: str, msc: int, trade: Trade, position: int, order: int) -> dict[str, Any]:
    """Make the deal that closed a position."""
    raw = (trade.price_close - trade.price_open) * (1 if trade.side == 0 else -1)
    raw *= Decimal(trade.lots) / 100 * trade.symbol.size
    return _raw(
        ticket,
        login,
        msc,
        Action=1 - trade.side,
        Entry=1,
        Order=order,
        PositionID=position,
        Price=str(trade.price_close),
        PricePosition=str(trade.price_open),
        Profit=cents(trade.profit),
        Commission=cents(trade.commission),
        VolumeClosedExt=trade.lots * 1_000_000,
        ProfitRaw=f"{raw:.8f}",
        RateProfit=f"{trade.rate:.8f}",
        **_contract(trade),
    )


def _contract(trade: Trade) -> dict[str, Any]:
    return {
        "Symbol": trade.symbol.name,
        "Digits": trade.symbol.digits,
        "ContractSize": f"{trade.symbol.size:.8f}",
        "VolumeExt": trade.lots * 1_000_000,
    }


DEAL_COLUMNS = (
    "executed_at",
    "server_id",
    "ticket",
    "account_id",
    "login",
    "server_msc",
    "action",
    "entry",
    "reason",
    "symbol",
    "lots",
    "closed_lots",
    "contract_size",
    "price",
    "price_position",
    "profit",
    "commission",
    "swap",
    "fee",
    "position_id",
    "order_id",
    "comment",
    "raw",
)


def deal_row(
    server_id: int, account_id: int, at: dt.datetime, deal: dict[str, Any], told: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """Convert a raw deal to a row of `trading_deal`; numbers travel as the text they came as.

    `told`: fields that another platform has otherwise, and the `raw` that is kept of its row.
    """
    raw = {**deal, **told} if told else deal
    return (
        at,
        server_id,
        raw["Deal"],
        account_id,
        raw["Login"],
        raw["TimeMsc"],
        raw["Action"],
        raw["Entry"],
        raw["Reason"],
        raw["Symbol"],
        str(Decimal(raw["VolumeExt"]).scaleb(-8)),
        str(Decimal(raw["VolumeClosedExt"]).scaleb(-8)),
        raw["ContractSize"],
        raw["Price"],
        raw["PricePosition"],
        raw["Profit"],
        raw["Commission"],
        raw["Storage"],
        raw["Fee"],
        raw["PositionID"],
        raw["Order"],
        raw["Comment"],
        orjson.dumps(told["raw"] if told else raw).decode(),
    )
