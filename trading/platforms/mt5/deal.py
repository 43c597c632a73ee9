"""A deal of the platform in the Web API's words, as one of ours."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from trading.platforms.base import DealData
from trading.platforms.mt5 import units


def msc_of(row: Mapping[str, Any], name: str) -> int:
    """Read milliseconds where the server has them, else its seconds."""
    return units.whole(row.get(f"{name}Msc")) or units.whole(row.get(name)) * 1000


def deal_from(row: Mapping[str, Any], *, executed_at: dt.datetime) -> DealData:
    """Read a deal; action, entry and position stay as they are. Raises: ValueError, KeyError for a row that is no deal."""
    return DealData(
        ticket=units.whole(row["Deal"]),
        login=str(units.whole(row["Login"])),
        server_msc=msc_of(row, "Time"),
        executed_at=executed_at,
        action=units.whole(row["Action"]),
        entry=units.whole(row.get("Entry")),
        reason=units.whole(row.get("Reason")),
        symbol=units.text(row.get("Symbol"))[:32],
        lots=units.lots(units.volume_ext(dict(row))),
        closed_lots=units.lots(units.volume_ext(dict(row), "VolumeClosed")),
        contract_size=units.decimal(row.get("ContractSize")),
        price=units.decimal(row.get("Price")),
        price_position=units.decimal(row.get("PricePosition")),
        profit=units.decimal(row.get("Profit")),
        commission=units.decimal(row.get("Commission")),
        swap=units.decimal(row.get("Storage")),
        fee=units.decimal(row.get("Fee")),
        position_id=units.whole(row.get("PositionID")),
        order_id=units.whole(row.get("Order")),
        comment=units.text(row.get("Comment"))[:64],
        raw={key: units.text(value) if isinstance(value, str) else value for key, value in row.items()},
    )
