"""Accounts and their money, from the Web API's rows."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.platforms.base import AccountData, AccountMoney
from trading.platforms.mt5 import units


def account_from(row: Mapping[str, Any]) -> AccountData:
    return AccountData(
        login=str(units.whole(row["Login"])),
        group=units.text(row["Group"]),
        leverage=units.whole(row.get("Leverage")),
        rights=units.whole(row.get("Rights")),
        reference=units.text(row.get("Comment")),
        name=units.text(row.get("Name")),
        balance=units.decimal(row.get("Balance")),
        credit=units.decimal(row.get("Credit")),
    )


def money_from(row: Mapping[str, Any]) -> AccountMoney:
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
    """Without positions equity is balance and credit, and no margin is in use."""
    balance, credit = units.decimal(row.get("Balance")), units.decimal(row.get("Credit"))
    return AccountMoney(
        login=str(units.whole(row["Login"])), balance=balance, credit=credit, floating=Decimal(0),
        equity=balance + credit, margin=Decimal(0), margin_free=balance + credit, margin_level=Decimal(0),
    )  # fmt: skip
