"""Rows of Broker API v2 as our values. Numbers come as numbers or texts and become Decimals; times are RFC 3339, UTC.

A deal's `raw` holds only what never changes about it, in one spelling, so that the same deal from a list and from a stream
is the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from trading.choices import DealAction
from trading.platforms.base import AccountData, AccountMoney, DealData, PositionData
from trading.platforms.matchtrader import access, tickets
from trading.platforms.mt5.enums import DealEntry
from trading.platforms.parsing import is_short, is_writable

Row = Mapping[str, Any]
Charges = Sequence[Row]
"""Ledger entries of commission and swap that a trade carries."""
ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")
SIDES: Final = {"BUY": DealAction.BUY, "SELL": DealAction.SELL}
COMMENT_CHARS: Final = 64

# Ledger entries by type: the house's action, the column that the amount stands in, and the sign that the type gives it
# (0: as it came). CLOSED_POSITION is left out: its money is in the closed position.
LEDGER_TYPES: Final[dict[str, tuple[DealAction, str, int]]] = {
    "DEPOSIT": (DealAction.BALANCE, "profit", 1),
    "WITHDRAWAL": (DealAction.BALANCE, "profit", -1),
    "CREDIT_IN": (DealAction.CREDIT, "profit", 1),
    "CREDIT_OUT": (DealAction.CREDIT, "profit", -1),
    "AGENT_COMMISSION": (DealAction.AGENT, "profit", 0),
    "COMMISSIONS": (DealAction.COMMISSION, "commission", 0),
    "SWAPS": (DealAction.CHARGE, "swap", 0),
    "OTHER": (DealAction.CHARGE, "profit", 0),
}
CLOSED_POSITION: Final = "CLOSED_POSITION"
OTHER: Final = "OTHER"
"""A type of the streams: the list of ledgers refuses it."""
CHARGES: Final = {"COMMISSIONS": "commission", "SWAPS": "swap"}
"""Entries that belong to the trade of the same account and instant, and the column there."""
MONEY_TYPES: Final = ("DEPOSIT", "WITHDRAWAL", "CREDIT_IN", "CREDIT_OUT")
# What a deposit or withdrawal is, where its additional type says more: no deposit of the client's.
MEANINGS: Final[dict[str, DealAction]] = {
    **dict.fromkeys(
        (
            "CORRECTION",
            "DEPOSIT_CORRECTION",
            "WITHDRAW_CORRECTION",
            "SWAP_CORRECTION",
            "COMMISSION_CORRECTION",
            "AGENT_FEE_CORRECTION",
            "MINIMUM_MONTHLY_FEE_CORRECTION",
            "REVENUE_SHARE_CORRECTION",
            "CASHBACK",
        ),
        DealAction.CORRECTION,
    ),
    **dict.fromkeys(("NEGATIVE_BALANCE_CORRECTION", "NEGATIVE_BALANCE_WITHDRAW"), DealAction.SO_COMPENSATION),
    **dict.fromkeys(("AGENT_COMMISSION", "IB_COMMISSION", "REVENUE_SHARE", "CPA"), DealAction.AGENT),
    **dict.fromkeys(
        ("INACTIVITY_FEE", "STORAGE_FEE", "MINIMUM_MONTHLY", "INVOICE_PAYMENT", "SETTLEMENT"), DealAction.CHARGE
    ),
}
CREDIT_MEANINGS: Final = {"BONUS_IN_OUT": DealAction.BONUS, "DEPOSIT_BONUS": DealAction.BONUS}


def text(value: Any) -> str:
    """Write a value as text; a missing one is empty."""
    return "" if value is None else str(value)


def decimal(value: Any) -> Decimal:
    """Read a number exactly, 0 for nothing. Raises: ValueError."""
    if value is None or value == "":
        return ZERO
    if isinstance(value, float):
        raise ValueError("a number that lost digits")
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError) as problem:
        raise ValueError(f"no number: {value!r}") from problem
    if not (is_short(str(value)) and is_writable(number)):
        raise ValueError(f"no number: {str(value)[:60]!r}")
    return number


def exact(value: float) -> str:
    """Write a stream's double with the digits that were put in: the shortest that mean it."""
    return repr(value)


def spelled(value: Any) -> str:
    """Write a number in one spelling: `1`, `1.0` and `"1.00"` are the same."""
    number = decimal(value)
    return f"{number.normalize():f}" if number else "0"


def instant(value: Any) -> dt.datetime:
    """Read a time. Raises: ValueError for one without a zone: the interface's times name UTC."""
    moment = dt.datetime.fromisoformat(text(value).replace("Z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {value!r}")
    return moment.astimezone(dt.UTC)


def msc_of(at: dt.datetime) -> int:
    """Convert an instant to milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def at_msc(msc: int) -> dt.datetime:
    """Convert milliseconds since 1970 to an instant. Raises: OverflowError for one that no calendar has."""
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(milliseconds=msc)


def written(msc: int) -> str:
    """Write an instant as the interface takes it."""
    return at_msc(msc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


# -- accounts ---------------------------------------------------------------------------------------------------------


def account_from(row: Row, *, leverage_unit: int) -> AccountData:
    """Read an account; the owner's personal data only as far as the account's details repeat it."""
    details, money, word = row.get("accountDetails") or {}, row.get("financeInfo") or {}, text(row.get("accessRight"))
    names = (text(details.get(name)) for name in ("firstName", "lastName"))
    address = details.get("addressDetails") or {}
    return AccountData(
        login=text(row["login"]),
        group=text(row["group"]),
        leverage=int(decimal(row.get("leverageRatioPercent")) / leverage_unit),
        rights=access.number_of(word),
        reference=text(row.get("remarks")),
        name=" ".join(filter(None, names)),
        balance=decimal(money.get("balance")),
        credit=decimal(money.get("credit")),
        allowed=access.allowed_by(word),
        email=text(details.get("email")),
        phone=text(details.get("phoneNumber")),
        country=text(address.get("country")),
        registered_at=instant(row["created"]) if row.get("created") else None,
    )


def money_from(login: str, row: Row) -> AccountMoney:
    """Read an account's money of `financeInfo`. Floating profit is equity beyond balance and credit."""
    balance, credit, equity = (decimal(row.get(name)) for name in ("balance", "credit", "equity"))
    margin = decimal(row.get("margin"))
    free = decimal(row.get("freeMargin")) if row.get("freeMargin") not in (None, "") else equity - margin
    return AccountMoney(
        login=login,
        balance=balance,
        credit=credit,
        floating=equity - balance - credit,
        equity=equity,
        margin=margin,
        margin_free=free,
        margin_level=decimal(row.get("marginLevel")) if margin else ZERO,
    )


def with_equity(money: AccountMoney, latest: Row) -> AccountMoney:
    """Put a stream's equity, balance and credit in the place of older ones; it has no margin, so that stays as it was."""
    balance, credit, equity = (decimal(latest[name]) for name in ("balance", "credit", "equity"))
    return replace(
        money,
        balance=balance,
        credit=credit,
        equity=equity,
        floating=equity - balance - credit,
        margin_free=equity - money.margin,
        margin_level=(equity / money.margin * 100).quantize(CENT) if money.margin else ZERO,
    )


# -- deals and positions ----------------------------------------------------------------------------------------------


def ledger_deal(row: Row, login: str) -> DealData | None:
    """Read a ledger entry as a deal; None for one whose money the closed position carries.

    An unknown type is kept as a charge under its own name, so that the sum of an account's deals stays its balance.
    """
    kind, more = text(row["type"]), text(row.get("additionalType"))
    if kind == CLOSED_POSITION:
        return None
    action, column, sign = LEDGER_TYPES.get(kind, (DealAction.CHARGE, "profit", 0))
    if action == DealAction.BALANCE:
        action = MEANINGS.get(more, action)
    elif action == DealAction.CREDIT:
        action = CREDIT_MEANINGS.get(more, action)
    amount, at = decimal(row["profit"]), instant(row["time"])
    amount = sign * abs(amount) if sign else amount
    raw = {
        "id": text(row["id"]),
        "type": kind,
        "additionalType": "" if more == "NONE" else more,
        "time": written(msc_of(at)),
        "profit": spelled(amount),
        "comment": text(row.get("comment")),
    }
    return _deal(
        tickets.of_ledger(text(row["id"])),
        login,
        at,
        raw,
        action=action,
        comment=text(row.get("comment"))[:COMMENT_CHARS],
        **{column: amount},
    )


def opening_deal(row: Row, login: str, *, lots: Decimal, contract_size: Decimal, charges: Charges = ()) -> DealData:
    """Make the opening deal of a position from an open or a closed row; `lots` is what was opened in all.

    Of money it carries only what the ledger charged at that instant.
    """
    position, at = text(row["id"]), instant(row["openTime"])
    raw = {
        "id": position,
        "symbol": text(row["symbol"]),
        "side": text(row["side"]),
        "volume": spelled(lots),
        "openTime": written(msc_of(at)),
        "openPrice": spelled(row["openPrice"]),
        **_told_of(charges),
    }
    return _deal(
        tickets.of_opening(position),
        login,
        at,
        raw,
        **_charged(charges),
        action=SIDES[text(row["side"])],
        entry=DealEntry.IN,
        symbol=text(row["symbol"]),
        lots=lots,
        contract_size=contract_size,
        price=decimal(row["openPrice"]),
        position_id=tickets.number_of(position),
    )


def closing_deal(row: Row, login: str, *, contract_size: Decimal, charges: Charges = ()) -> DealData:
    """Make the deal that closed a position or a part of it. `side` in the row is the position's; the deal goes the other way.

    Profit is the row's. Commission and swap are what the ledger charged at that instant, so that nothing is counted
    twice; the row's own figures are in `raw`.
    """
    position, at = text(row["id"]), instant(row["closeTime"])
    order = closing_order(row)
    lots, side = decimal(row["volume"]), SIDES[text(row["side"])]
    raw = {
        name: spelled(row.get(name)) for name in ("volume", "openPrice", "closePrice", "commission", "swap", "profit")
    }
    raw |= {
        "id": position,
        "closeOrderId": order,
        "symbol": text(row["symbol"]),
        "side": text(row["side"]),
        "openTime": written(msc_of(instant(row["openTime"]))),
        "closeTime": written(msc_of(at)),
        **_told_of(charges),
    }
    return _deal(
        tickets.of_closing(position, order),
        login,
        at,
        raw,
        **_charged(charges),
        action=DealAction(1 - side),
        entry=DealEntry.OUT,
        symbol=text(row["symbol"]),
        lots=lots,
        closed_lots=lots,
        contract_size=contract_size,
        price=decimal(row["closePrice"]),
        price_position=decimal(row["openPrice"]),
        profit=decimal(row["profit"]),
        position_id=tickets.number_of(position),
        order_id=tickets.number_of(order),
    )


def _told_of(charges: Charges) -> dict[str, Any]:
    """Collect for `raw` the ledger entries that a trade carries."""
    if not charges:
        return {}
    return {"charges": [[text(row["id"]), text(row["type"]), spelled(row["profit"])] for row in charges]}


def _charged(charges: Charges) -> dict[str, Decimal]:
    sums = dict.fromkeys(CHARGES.values(), ZERO)
    for row in charges:
        sums[CHARGES[text(row["type"])]] += decimal(row["profit"])
    return sums


def closing_order(row: Row) -> str:
    """Name the order that closed it; where a server has none, the time of closing."""
    return text(row.get("closingOrderId") or row.get("orderId")) or written(msc_of(instant(row["closeTime"])))


def position_from(row: Row, login: str, *, contract_size: Decimal) -> PositionData:
    """Read an open position."""
    at = instant(row["openTime"])
    return PositionData(
        ticket=tickets.number_of(text(row["id"])),
        login=login,
        symbol=text(row["symbol"]),
        action=SIDES[text(row["side"])],
        lots=decimal(row["volume"]),
        contract_size=contract_size,
        price_open=decimal(row["openPrice"]),
        price_current=decimal(row.get("currentPrice")),
        profit=decimal(row.get("profit")),
        swap=decimal(row.get("swap")),
        server_msc=msc_of(at),
        opened_at=at,
        comment=text(row.get("comment"))[:COMMENT_CHARS],
    )


def _deal(ticket: int, login: str, at: dt.datetime, raw: dict[str, Any], *, action: int, **fields: Any) -> DealData:
    values: dict[str, Any] = {
        **dict.fromkeys(
            ("lots", "closed_lots", "contract_size", "price", "price_position", "profit", "commission", "swap", "fee"),
            ZERO,
        ),
        "entry": int(DealEntry.IN),
        "reason": 0,
        "symbol": "",
        "position_id": 0,
        "order_id": 0,
        "comment": "",
    }
    return DealData(
        ticket=ticket,
        login=login,
        server_msc=msc_of(at),
        executed_at=at,
        action=int(action),
        raw=raw,
        **{**values, **fields},
    )
