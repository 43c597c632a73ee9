"""Accounts, their money and positions, from the Web API's rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.core import clock
from trading.platforms.base import AccountData, AccountMoney, PositionData, Right
from trading.platforms.mt5 import units
from trading.platforms.mt5.deal import msc_of
from trading.platforms.mt5.enums import Rights

# A right of ours: the bit on the server, and whether the bit takes the right away instead of giving it.
RIGHT_BITS: Final = {
    Right.SIGN_IN: (Rights.ENABLED, False),
    Right.TRADE: (Rights.TRADE_DISABLED, True),
    Right.CHANGE_PASSWORD: (Rights.CHANGE_PASSWORD, False),
    Right.EXPERTS: (Rights.EXPERT, False),
}


def allowed_by(bits: int) -> frozenset[Right]:
    """Translate the bits of a user record into the rights of its owner."""
    return frozenset(right for right, (bit, takes_away) in RIGHT_BITS.items() if bool(bits & bit) != takes_away)


def account_from(row: Mapping[str, Any], zone: ZoneInfo) -> AccountData:
    """Read an account from a user record."""
    rights, registered = units.whole(row.get("Rights")), units.whole(row.get("Registration"))
    return AccountData(
        login=str(units.whole(row["Login"])),
        group=units.text(row["Group"]),
        leverage=units.whole(row.get("Leverage")),
        rights=rights,
        reference=units.text(row.get("Comment")),
        name=units.text(row.get("Name")),
        balance=units.decimal(row.get("Balance")),
        credit=units.decimal(row.get("Credit")),
        allowed=allowed_by(rights),
        email=units.text(row.get("Email")),
        phone=units.text(row.get("Phone")),
        country=units.text(row.get("Country")),
        registered_at=clock.to_utc(registered * 1000, zone) if registered > 0 else None,
    )


def money_from(row: Mapping[str, Any]) -> AccountMoney:
    """Read an account's money."""
    return AccountMoney(
        login=str(units.whole(row["Login"])),
        balance=units.decimal(row.get("Balance")),
        credit=units.decimal(row.get("Credit")),
        floating=units.decimal(row.get("Floating")),
        equity=units.decimal(row.get("Equity")),
        margin=units.decimal(row.get("Margin")),
        margin_free=units.decimal(row.get("MarginFree")),
        margin_level=units.decimal(row.get("MarginLevel")),
    )


def idle_money_from(row: Mapping[str, Any]) -> AccountMoney:
    """Compute the money of an account without positions: equity is balance and credit, no margin is in use."""
    balance, credit = units.decimal(row.get("Balance")), units.decimal(row.get("Credit"))
    return AccountMoney(
        login=str(units.whole(row["Login"])),
        balance=balance,
        credit=credit,
        floating=Decimal(0),
        equity=balance + credit,
        margin=Decimal(0),
        margin_free=balance + credit,
        margin_level=Decimal(0),
    )


def position_from(row: Mapping[str, Any], zone: ZoneInfo) -> PositionData:
    """Read an open position."""
    opened = msc_of(row, "TimeCreate")
    return PositionData(
        ticket=units.whole(row["Position"]),
        login=str(units.whole(row["Login"])),
        symbol=units.text(row["Symbol"]),
        action=units.whole(row["Action"]),
        lots=units.lots(units.volume_ext(dict(row))),
        contract_size=units.decimal(row.get("ContractSize")),
        price_open=units.decimal(row.get("PriceOpen")),
        price_current=units.decimal(row.get("PriceCurrent")),
        profit=units.decimal(row.get("Profit")),
        swap=units.decimal(row.get("Storage")),
        server_msc=opened,
        opened_at=clock.to_utc(opened, zone),
        comment=units.text(row.get("Comment"))[:64],
    )
