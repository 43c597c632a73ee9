"""GetUserTransactions → accounts, money, positions and deals.

Field names as public clients of `UserStatus/GetUserTransactions` read them; of closed positions they show only CloseTime,
OpenRate, CloseRate, Profit and TotalProfit: the others are taken to be called as in open positions. What `TotalProfit` has
beyond `Profit` is commission and swap in one sum, which the platform does not split: it is kept as the deal's `fee`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from trading.platforms.aside import each_row, read_each
from trading.platforms.base import AccountData, AccountMoney, DealData, PositionData
from trading.platforms.errors import FinalError
from trading.platforms.sirix import units

BUY, SELL, BALANCE, CREDIT, CORRECTION, BONUS, COMPENSATION = 0, 1, 2, 3, 5, 6, 19
IN, OUT = 0, 1
NAMED: Final = (
    ("credit", CREDIT),
    ("bonus", BONUS),
    ("negativebalance", COMPENSATION),
    ("adjust", CORRECTION),
    ("correct", CORRECTION),
)
ZERO: Final = Decimal(0)
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """How one server's rows are read: its clock's zone, and units of a lot where they are not the usual ones."""

    zone: ZoneInfo
    sizes: Mapping[str, Decimal]

    def positions(self, login: str, rows: Iterable[Row]) -> list[PositionData]:
        return list(read_each(lambda row: self._position(login, row), rows))

    def _position(self, login: str, row: Row) -> PositionData:
        at, size = units.instant(row["OpenTime"], self.zone), self._size(row)
        return PositionData(
            ticket=int(row["OrderNumber"]),
            login=login,
            symbol=str(row["Symbol"]),
            action=_side(row),
            lots=units.decimal(row["Amount"]) / size,
            contract_size=size,
            price_open=units.decimal(row["OpenRate"]),
            price_current=units.decimal(row.get("CurrentRate")),
            profit=units.decimal(row.get("Profit")),
            swap=ZERO,
            server_msc=units.server_msc(at, self.zone),
            opened_at=at,
            comment="",
        )

    def deals(self, login: str, opened: Sequence[Row], closed: Sequence[Row], money: Sequence[Row]) -> list[DealData]:
        """Make all deals of these rows, oldest first. Raises: FinalError when two rows would get one number."""
        deals = list(read_each(lambda numbered: self._monetary(login, *numbered), _numbered(money)))
        deals += read_each(lambda numbered: self._closing(login, *numbered), _numbered(closed))
        parts: dict[int, list[Row]] = {}
        for row in (*opened, *closed):
            with each_row(row):
                parts.setdefault(int(row["OrderNumber"]), []).append(row)
        deals += read_each(lambda numbered: self._opening(login, *numbered), parts.items())
        if len({deal.ticket for deal in deals}) != len(deals):
            raise FinalError(
                "two deals of the account would get the same number", command="GetUserTransactions", code=0
            )
        return sorted(deals, key=lambda deal: (deal.server_msc, deal.entry, deal.ticket))

    def _opening(self, login: str, order: int, rows: list[Row]) -> DealData:
        """Make the opening deal of a position, as large as all its parts, closed and open."""
        first, amount = rows[0], sum((units.decimal(row["Amount"]) for row in rows), ZERO)
        values = {
            "order": order,
            "symbol": first["Symbol"],
            "side": first["Side"],
            "amount": f"{amount:f}",
            "rate": str(first["OpenRate"]),
            "time": first["OpenTime"],
        }
        return self._deal(
            login,
            order,
            first["OpenTime"],
            values,
            action=_side(first),
            entry=IN,
            symbol=str(first["Symbol"]),
            lots=amount / self._size(first),
            contract_size=self._size(first),
            price=units.decimal(first["OpenRate"]),
            position_id=order,
            order_id=order,
        )

    def _closing(self, login: str, row: Row, number: int) -> DealData:
        order, size, profit = int(row["OrderNumber"]), self._size(row), units.decimal(row["Profit"])
        total = row.get("TotalProfit")
        charge = ZERO if total in (None, "") else units.decimal(total) - profit
        lots = units.decimal(row["Amount"]) / size
        ticket = units.ticket_of("closed", login, order, row["CloseTime"], row["Amount"], row["CloseRate"], number)
        return self._deal(
            login,
            ticket,
            row["CloseTime"],
            _plain(row),
            action=1 - _side(row),
            entry=OUT,
            symbol=str(row["Symbol"]),
            lots=lots,
            closed_lots=lots,
            contract_size=size,
            price=units.decimal(row["CloseRate"]),
            price_position=units.decimal(row["OpenRate"]),
            profit=profit,
            fee=charge,
            position_id=order,
            order_id=order,
        )

    def _monetary(self, login: str, row: Row, number: int) -> DealData:
        kind, amount, comment = str(row.get("Type") or ""), units.decimal(row["Amount"]), str(row.get("Comment") or "")
        if "withdraw" in kind.lower():
            amount = -abs(amount)  # nobody says which sign a withdrawal has
        plain = kind.replace(" ", "").lower()
        action = next((code for word, code in NAMED if word in plain), BALANCE)
        ticket = units.ticket_of("money", login, row["Time"], kind, row["Amount"], comment, number)
        return self._deal(login, ticket, row["Time"], _plain(row), action=action, profit=amount, comment=comment)

    def _deal(self, login: str, ticket: int, time: object, raw: dict[str, Any], **values: Any) -> DealData:
        at = units.instant(time, self.zone)
        empty: dict[str, Any] = {
            "entry": IN,
            "reason": 0,
            "symbol": "",
            "lots": ZERO,
            "closed_lots": ZERO,
            "contract_size": ZERO,
            "price": ZERO,
            "price_position": ZERO,
            "profit": ZERO,
            "commission": ZERO,
            "swap": ZERO,
            "fee": ZERO,
            "position_id": 0,
            "order_id": 0,
            "comment": "",
        }
        return DealData(
            ticket=ticket,
            login=login,
            server_msc=units.server_msc(at, self.zone),
            executed_at=at,
            raw=raw,
            **{**empty, **values},
        )

    def _size(self, row: Row) -> Decimal:
        return units.contract_size(str(row["Symbol"]), self.sizes)


def _side(row: Row) -> int:
    """Read the side: 0 buys, 1 sells. Raises: ValueError for anything else."""
    side = int(row["Side"])
    if side not in (BUY, SELL):
        raise ValueError(f"a side {side} is not known")
    return side


def _plain(row: Row) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, Decimal) else value for key, value in row.items()}


def _numbered(rows: Iterable[Row]) -> Iterable[tuple[Row, int]]:
    """Tell rows with the same content apart by their number among themselves."""
    seen: Counter[str] = Counter()
    for row in rows:
        text = repr(sorted(_plain(row).items()))
        seen[text] += 1
        yield row, seen[text]


def account_from(login: str, user: Row, credit: Decimal = ZERO, *, group: str = "") -> AccountData:
    """Group, leverage and rights are not told; `group` is the one that we asked for."""
    details, money = user.get("UserDetails") or {}, user.get("AccountBalance") or {}
    return AccountData(
        login=login,
        group=group,
        leverage=0,
        rights=0,
        reference="",
        name=str(details.get("FullName") or ""),
        balance=units.decimal(money.get("Balance")),
        credit=credit,
        email=str(details.get("Email") or ""),
        phone=str(details.get("Phone") or ""),
        country=str(details.get("Country") or ""),
    )


def money_from(login: str, user: Row, positions: Iterable[PositionData]) -> AccountMoney:
    """Compute an account's money; credit, which the platform leaves out, is equity beyond balance and open profit.

    Margin is what is not free.
    """
    money = user.get("AccountBalance") or {}
    balance, equity = units.decimal(money.get("Balance")), units.decimal(money.get("Equity"))
    free, floating = units.decimal(money.get("FreeMargin")), sum((position.profit for position in positions), ZERO)
    return AccountMoney(
        login=login,
        balance=balance,
        credit=equity - balance - floating,
        floating=floating,
        equity=equity,
        margin=equity - free,
        margin_free=free,
        margin_level=units.decimal(money.get("MarginLevel")),
    )
