"""An account as GetUserTransactions shows it, derived from the books each time it is asked for.

The field names are those that public clients of the platform read; `docs/sandbox-sirix.md` says what is evidence and what is
this server's own choice. Amounts are in units of the instrument, not in lots. Commission is charged when a position closes:
until then the balance does not have it, and a closed position's `TotalProfit` is its profit with commission and swap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.engine.books import BUY, Books
from sandbox.engine.contracts import SYMBOLS, Group
from sandbox.engine.deals import IN, OUT, OUT_BY
from sandbox.sirix.names import SYMBOL_NAMES, money_type

TRADES = (0, 1)


@dataclass
class Opening:
    """The deal that opened a position, and how much of it and of its commission is closed so far."""

    at_msc: int
    price: str
    volume_ext: int
    commission: Decimal
    closed_ext: int = 0
    charged: Decimal = Decimal(0)

    def charge(self, volume_ext: int, group: Group) -> Decimal:
        """Take the share of the commission that closes with so much more of the position; the last part takes the rest."""
        self.closed_ext += volume_ext
        due = Books.money(self.commission * self.closed_ext / self.volume_ext, group)
        share, self.charged = due - self.charged, due
        return share


class Account:
    """One user's history at this moment."""

    def __init__(self, books: Books, login: int) -> None:
        self.books, self.login = books, login
        self.view = books.account(login)  # raises Refused for nobody
        self.openings: dict[int, Opening] = {}
        self.closed: list[tuple[int, int, dict[str, Any]]] = []
        self.money: list[tuple[int, int, dict[str, Any]]] = []
        for _owner, deal in books.store.deals_between(0, 2**62, login):
            if int(deal["Action"]) in TRADES:
                self._trade(deal)
            else:
                self._monetary(deal)

    def _when(self, msc: int) -> str:
        """Convert a time of the books to an instant in ISO 8601."""
        clock = self.books.clock
        wall = datetime(1970, 1, 1) + timedelta(milliseconds=msc - clock.shift * 1000)  # noqa: DTZ001 - a wall clock
        at = wall.replace(tzinfo=clock.zone).astimezone(UTC)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _trade(self, deal: dict[str, Any]) -> None:
        position, volume = int(deal["PositionID"]), int(deal["VolumeExt"])
        if int(deal["Entry"]) == IN:
            self.openings[position] = Opening(int(deal["TimeMsc"]), deal["Price"], volume, Decimal(deal["Commission"]))
            return
        opening = self.openings.get(position)
        if opening is None or int(deal["Entry"]) not in (OUT, OUT_BY):
            return
        charge = opening.charge(volume, self.view.group) + Decimal(deal["Commission"]) + Decimal(deal["Storage"])
        profit, at = Decimal(deal["Profit"]), int(deal["TimeMsc"])
        row = {
            "OrderNumber": position,
            "Symbol": SYMBOL_NAMES[deal["Symbol"]],
            "Side": 1 - int(deal["Action"]),
            "Amount": units(deal["Symbol"], volume),
            "OpenTime": self._when(opening.at_msc),
            "OpenRate": Decimal(opening.price),
            "CloseTime": self._when(at),
            "CloseRate": Decimal(deal["Price"]),
            "Profit": profit,
            "TotalProfit": profit + charge + Decimal(deal["Fee"]),
        }
        self.closed.append((at, int(deal["Deal"]), row))

    def _monetary(self, deal: dict[str, Any]) -> None:
        amount, at = Decimal(deal["Profit"]), int(deal["TimeMsc"])
        row = {
            "Time": self._when(at),
            "Type": money_type(int(deal["Action"]), amount),
            "Amount": amount,
            "Comment": deal["Comment"],
        }
        self.money.append((at, int(deal["Deal"]), row))

    def user_data(self) -> dict[str, Any]:
        view, fields = self.view, self.view.user.fields
        later = sum((opening.commission - opening.charged for opening in self.openings.values()), Decimal(0))
        return {
            "UserID": str(self.login),
            "Currency": view.group.currency,
            "UserDetails": {
                "FullName": fields.get("Name", ""),
                "Email": fields.get("Email", ""),
                "Phone": fields.get("Phone", ""),
                "Country": fields.get("Country", ""),
            },
            "AccountBalance": {
                "Balance": view.user.balance - later,
                "Equity": view.equity - later,
                "FreeMargin": view.free - later,
                "MarginLevel": view.level,
            },
        }

    def open_positions(self) -> list[dict[str, Any]]:
        rows = []
        for held in self.books.store.positions_of(self.login):
            symbol = SYMBOLS[held.symbol]
            bid, ask = self.books.market.quote(symbol, self.view.group)
            rows.append(
                {
                    "OrderNumber": held.ticket,
                    "Symbol": SYMBOL_NAMES[held.symbol],
                    "Side": held.action,
                    "Amount": units(held.symbol, held.volume_ext),
                    "OpenTime": self._when(held.time_msc),
                    "OpenRate": held.price_open,
                    "CurrentRate": bid if held.action == BUY else ask,
                    "StopLoss": 0,
                    "TakeProfit": 0,
                    "Profit": self.books.floating(held, self.view.group)
                    + self.books.money(held.storage, self.view.group),
                }
            )
        return rows

    def pending_orders(self) -> list[dict[str, Any]]:
        return [
            {
                "OrderNumber": int(order["Order"]),
                "CreationTime": self._when(int(order["TimeSetupMsc"])),
                "PendingOrderType": int(order["Type"]),
                "Symbol": SYMBOL_NAMES[order["Symbol"]],
                "Amount": units(order["Symbol"], int(order["VolumeInitialExt"])),
                "Price": Decimal(order["PriceOrder"]),
            }
            for order in self.books.store.open_orders(self.login)
        ]


def units(symbol: str, volume_ext: int) -> Decimal:
    """Convert a volume in 1/100,000,000 lot to an amount of the instrument."""
    amount = Decimal(volume_ext).scaleb(-8) * SYMBOLS[symbol].contract_size
    return Decimal(f"{amount.normalize():f}")


def page_of(rows: Iterable[tuple[int, int, dict[str, Any]]], page: int, size: int) -> list[dict[str, Any]]:
    """Newest first."""
    ordered = sorted(rows, key=lambda row: row[:2], reverse=True)
    return [row for _at, _deal, row in ordered[(page - 1) * size : page * size]]
