"""Order rows as deals and positions, user records as accounts (MT4ManagerAPI.h, in the bridge's names).

One row carries an opening and, once it is closed, a closing. It becomes two deals: IN under the order's number, OUT under the
number + 2^32, which carries profit, swap, commission and taxes. Balance and credit rows become one deal.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.platforms.base import AccountData, AccountMoney, DealData, PositionData, Right
from trading.platforms.mt4 import units

OUT_OFFSET: Final = 2**32
COMMANDS: Final = {
    "Buy": 0,
    "Sell": 1,
    "BuyLimit": 2,
    "SellLimit": 3,
    "BuyStop": 4,
    "SellStop": 5,
    "Balance": 6,
    "Credit": 7,
}
BUY, SELL, BALANCE, CREDIT = 0, 1, 6, 7
PENDING: Final = frozenset({2, 3, 4, 5})
MONEY: Final = {BALANCE: 2, CREDIT: 3}  # the house's numbers of the two
UNKNOWN_ACTION: Final = 1000  # and the server's number: stored and reported, as nobody knows what it is
IN, OUT, OUT_BY = 0, 1, 3
REASONS: Final = {"Client": 0, "Expert": 1, "Dealer": 2, "Signal": 7, "Gateway": 8, "Mobile": 16, "Web": 17, "API": 1}
BY_NUMBER: Final = ("Client", "Expert", "Dealer", "Signal", "Gateway", "Mobile", "Web", "API")
STOPPED_OUT: Final = 5
CLOSED_BY: Final = {"ClosedBy", "5"}
CHAINED: Final = re.compile(r"\b(from|to) #(\d+)")

# A right of ours: the bit in `enableFlags`, and whether the bit takes the right away instead of giving it.
RIGHT_BITS: Final = {Right.SIGN_IN: (0x1, False), Right.CHANGE_PASSWORD: (0x2, False), Right.TRADE: (0x4, True)}
ENABLE_FLAGS: Final = 0x1 | 0x2


@dataclass(frozen=True, slots=True)
class Reader:
    """What a row does not tell: the server's zone, whether the bridge writes UTC, contract sizes, roots of chains."""

    zone: ZoneInfo
    in_utc: bool
    contract_size: Callable[[str], Decimal]
    root_of: Callable[[int], int]

    def msc(self, row: Mapping[str, Any], name: str) -> int:
        return units.server_msc(row.get(name), self.zone, in_utc=self.in_utc)

    def instant(self, row: Mapping[str, Any], name: str) -> dt.datetime:
        return units.instant(row.get(name), self.zone, in_utc=self.in_utc)

    def deals(self, row: Mapping[str, Any]) -> list[DealData]:
        """Read one or two deals; none for a pending order. Raises: ValueError, KeyError for a row that is none."""
        command = command_of(row)
        if command in PENDING:
            return []
        if command not in (BUY, SELL):
            return [self._single(row, MONEY.get(command, UNKNOWN_ACTION + command))]
        deals = [self._trade(row, command, IN)]
        if self.msc(row, "closeTime"):
            deals.append(self._trade(row, command, OUT))
        return deals

    def _single(self, row: Mapping[str, Any], action: int) -> DealData:
        number = units.whole(row["order"])
        worth = sum((units.decimal(row.get(name)) for name in ("profit", "storage")), Decimal(0))
        return self._deal(
            row,
            number,
            "openTime",
            action=action,
            entry=IN,
            profit=worth,
            commission=units.decimal(row.get("commission")),
            fee=units.decimal(row.get("taxes")),
        )

    def _trade(self, row: Mapping[str, Any], command: int, entry: int) -> DealData:
        number, lots = units.whole(row["order"]), units.lots(row.get("volume"))
        opened = units.decimal(row.get("openPrice"))
        known = {
            "symbol": text(row.get("symbol"))[:32],
            "lots": lots,
            "position_id": self.root_of(number),
            "order_id": number,
            "contract_size": self.contract_size(text(row.get("symbol"))),
        }
        if entry == IN:
            return self._deal(row, number, "openTime", action=command, entry=IN, price=opened, **known)
        by = OUT_BY if str(row.get("tradeRecordState")) in CLOSED_BY else OUT
        return self._deal(
            row,
            number + OUT_OFFSET,
            "closeTime",
            action=1 - command,
            entry=by,
            closed_lots=lots,
            price=units.decimal(row.get("closePrice")),
            price_position=opened,
            profit=units.decimal(row.get("profit")),
            swap=units.decimal(row.get("storage")),
            commission=units.decimal(row.get("commission")),
            fee=units.decimal(row.get("taxes")),
            **known,
        )

    def _deal(self, row: Mapping[str, Any], ticket: int, at: str, *, action: int, entry: int, **known: Any) -> DealData:
        zero = Decimal(0)
        values = {
            "symbol": "",
            "lots": zero,
            "closed_lots": zero,
            "contract_size": zero,
            "price": zero,
            "price_position": zero,
            "profit": zero,
            "commission": zero,
            "swap": zero,
            "fee": zero,
            "position_id": 0,
            "order_id": 0,
            **known,
        }
        return DealData(
            ticket=ticket,
            login=str(units.whole(row["login"])),
            server_msc=self.msc(row, at),
            executed_at=self.instant(row, at),
            action=action,
            entry=entry,
            reason=reason_of(row),
            comment=text(row.get("comment"))[:64],
            raw=_kept(row, is_opening=entry == IN and action in (BUY, SELL)),
            **values,
        )

    def position(self, row: Mapping[str, Any]) -> PositionData:
        """Read an open order. Its ticket is the server's own number of the part that is open now."""
        symbol = text(row.get("symbol"))
        return PositionData(
            ticket=units.whole(row["order"]),
            login=str(units.whole(row["login"])),
            symbol=symbol[:32],
            action=command_of(row),
            lots=units.lots(row.get("volume")),
            contract_size=self.contract_size(symbol),
            price_open=units.decimal(row.get("openPrice")),
            price_current=units.decimal(row.get("closePrice")),
            profit=units.decimal(row.get("profit")),
            swap=units.decimal(row.get("storage")),
            server_msc=self.msc(row, "openTime"),
            opened_at=self.instant(row, "openTime"),
            comment=text(row.get("comment"))[:64],
        )

    def account(self, row: Mapping[str, Any]) -> AccountData:
        flags = units.whole(row.get("enableFlags"))
        return AccountData(
            login=str(units.whole(row["login"])),
            group=text(row.get("group")),
            leverage=units.whole(row.get("leverage")),
            rights=flags,
            reference=text(row.get("externalId")),
            name=text(row.get("name")),
            balance=units.decimal(row.get("balance")),
            credit=units.decimal(row.get("credit")),
            allowed=allowed_by(flags),
            email=text(row.get("email")),
            phone=text(row.get("phone")),
            country=text(row.get("country")),
            registered_at=self.instant(row, "registrationDate") if self.msc(row, "registrationDate") else None,
        )


# What moves while an order is open: told by positions, and no change of the deal that opened it.
MOVING: Final = (
    "closePrice",
    "profit",
    "storage",
    "commission",
    "commissionAgent",
    "taxes",
    "closeTime",
    "tradeRecordState",
    "comment",
    "sl",
    "tp",
    "activationType",
    "marginRate",
)


def _kept(row: Mapping[str, Any], *, is_opening: bool) -> dict[str, Any]:
    """Copy a row with numbers as text, without its own stamp of change; of an opening only what an opening is."""
    return {
        key: units.written(value) if isinstance(value, Decimal) else value
        for key, value in row.items()
        if key != "timeStamp" and not (is_opening and key in MOVING)
    }


def money_of(user: Mapping[str, Any], margin: Mapping[str, Any] | None) -> AccountMoney:
    """Read what an account is worth. Without open trades it has no margin record: equity is balance and credit then."""
    login, credit = str(units.whole(user["login"])), units.decimal(user.get("credit"))
    source = margin or user
    balance = units.decimal(source.get("balance"))
    equity = units.decimal(margin.get("equity")) if margin else balance + credit
    return AccountMoney(
        login=login,
        balance=balance,
        credit=credit,
        floating=equity - balance - credit,
        equity=equity,
        margin=units.decimal(margin.get("margin")) if margin else Decimal(0),
        margin_free=units.decimal(margin.get("free")) if margin else equity,
        margin_level=units.decimal(margin.get("level")) if margin else Decimal(0),
    )


def command_of(row: Mapping[str, Any]) -> int:
    """Read the trade command, by name or by number; an unknown name is 99."""
    command = row.get("tradeCommand")
    if isinstance(command, str) and not command.isdigit():
        return COMMANDS.get(command, 99)
    return units.whole(command)


def reason_of(row: Mapping[str, Any]) -> int:
    """Read the reason of a trade in our own numbers; the activation marks a stop-out."""
    if str(row.get("activationType", "")).lower() == "stopout":
        return STOPPED_OUT
    reason = row.get("tradeRecordReason")
    if isinstance(reason, int) and 0 <= reason < len(BY_NUMBER):
        reason = BY_NUMBER[reason]
    return REASONS.get(str(reason), 0)


def allowed_by(flags: int) -> frozenset[Right]:
    """Translate the flags of a user record into the rights of its owner."""
    return frozenset(right for right, (bit, takes_away) in RIGHT_BITS.items() if bool(flags & bit) != takes_away)


def with_rights(flags: int, rights: Mapping[Right, bool]) -> int:
    """Set these rights in the flags; every other bit is the broker's and stays."""
    for right, allowed in rights.items():
        bit, takes_away = RIGHT_BITS[right]
        flags = flags | bit if allowed != takes_away else flags & ~bit
    return flags


def neighbours(row: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Read (part before, part after) of a partial close from its comment."""
    numbers = {way: int(number) for way, number in CHAINED.findall(text(row.get("comment")))}
    return numbers.get("from"), numbers.get("to")


def text(value: object) -> str:
    """Write a value as text without NUL, which PostgreSQL refuses; a missing one is empty."""
    return "" if value is None else str(value).replace("\x00", "")
