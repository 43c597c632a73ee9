"""Deals that no server sent."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from trading.platforms.base import DealData


def made_up(ticket: int, **fields: object) -> DealData:
    """A deal that no server sent."""
    at = timezone.now()
    values: dict[str, object] = {
        "ticket": ticket,
        "login": "1",
        "server_msc": int(at.timestamp() * 1000),
        "executed_at": at,
        "action": 0,
        "entry": 0,
        "reason": 0,
        "symbol": "EURUSD",
        "lots": Decimal("0.1"),
        "closed_lots": Decimal(0),
        "contract_size": Decimal(100_000),
        "price": Decimal("1.08"),
        "price_position": Decimal(0),
        "profit": Decimal(0),
        "commission": Decimal(0),
        "swap": Decimal(0),
        "fee": Decimal(0),
        "position_id": ticket,
        "order_id": ticket,
        "comment": "",
        **fields,
    }
    values["raw"] = {key: str(value) for key, value in values.items()}
    return DealData(**values)  # type: ignore[arg-type]
