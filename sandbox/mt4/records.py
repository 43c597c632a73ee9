"""Deals, positions and pending orders of the engine as order rows: one row carries opening and closing.

A partial close leaves the closed part its number and gives the rest a new one; the two name each other in their comments,
`to #rest` and `from #part`. Balance and credit operations are rows, too. What the engine books at the opening (commission)
counts here when the order is closed, as on the real server; `unrealised` is the difference.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.engine.books import BONUS, BUY, CREDIT, Books
from sandbox.engine.contracts import GROUPS, SYMBOLS
from sandbox.engine.deals import OUT_BY
from sandbox.engine.orders import FILLED, PLACED
from sandbox.engine.store import Position
from sandbox.mt4 import names

COMMANDS = ("Buy", "Sell", "BuyLimit", "SellLimit", "BuyStop", "SellStop", "Balance", "Credit")
PENDING = COMMANDS[2:6]
REASONS = {0: "Client", 1: "Expert", 2: "Dealer", 5: "Client"}  # a stop-out is told in the comment
STOP_OUT = 5
VOLUME = 1_000_000  # of the engine in 1/100 lot
SCHEMA = """
CREATE TABLE IF NOT EXISTS mt4_rests (position INTEGER NOT NULL, closing INTEGER NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (position, closing));
CREATE INDEX IF NOT EXISTS mt4_deals_by_position ON deals (json_extract(data, '$.PositionID'));
"""


@dataclass(frozen=True)
class Row:
    """One order. Times in milliseconds of the server's clock; `changed` is the engine's stamp of its last change."""

    order: int
    login: int
    command: str
    state: str
    symbol: str
    volume: int
    open_msc: int
    close_msc: int
    open_price: Decimal
    close_price: Decimal
    profit: Decimal
    storage: Decimal
    commission: Decimal
    comment: str
    reason: int
    changed: int

    @property
    def is_open(self) -> bool:
        return self.state.startswith("Open")


@dataclass(frozen=True)
class _Kept:
    """Rows of a login that are over, what is still open of each position, and what closing it will bring."""

    version: int
    closed: tuple[Row, ...]
    heads: dict[int, _Head]
    unrealised: Decimal


@dataclass(frozen=True)
class _Head:
    """The open part of a position: its number, its opening deal, its share of the opening commission."""

    number: int
    opening: dict[str, Any]
    commission: Decimal
    comment: str
    changed: int


class Records:
    """Rows are made of the engine's books whenever they are asked for; only numbers of rests are kept."""

    def __init__(self, books: Books) -> None:
        self.books, self.store = books, books.store
        self.store.db.executescript(SCHEMA)
        self._kept: dict[int, _Kept] = {}

    # -- what is asked for

    def closed(self, login: int) -> tuple[Row, ...]:
        """List closed orders, balance operations and cancelled pending orders, by close time and number."""
        rows = [*self._of(login).closed, *self._pending(login, is_open=False)]
        return tuple(sorted(rows, key=lambda row: (row.close_msc, row.order)))

    def open(self, login: int) -> list[Row]:
        """Open orders and those that wait for their price."""
        chains = self._of(login)
        rows = [self._open_row(position, chains) for position in self.store.positions_of(login)]
        return sorted([*rows, *self._pending(login, is_open=True)], key=lambda row: row.order)

    def all(self, login: int) -> list[Row]:
        return [*self.closed(login), *self.open(login)]

    def unrealised(self, login: int) -> Decimal:
        """Sum up what the engine has booked of open orders (negative: commission of their opening)."""
        return self._of(login).unrealised

    def by_number(self, number: int) -> Row | None:
        return next((row for login in self._owners(number) for row in self.all(login) if row.order == number), None)

    def changed_since(self, stamp: int) -> list[Row]:
        """Rows of the whole server that changed at or after an engine stamp, by stamp."""
        logins = {
            row[0] for row in self.store.db.execute("SELECT DISTINCT login FROM deals WHERE changed >= ?", (stamp,))
        }
        logins |= {int(order["Login"]) for order in self.store.open_orders()}
        done = "SELECT DISTINCT login FROM orders WHERE NOT is_open AND done_msc >= ?"
        logins |= {row[0] for row in self.store.db.execute(done, (self._msc_of(stamp),))}
        rows = [
            row for login in sorted(logins) if self.is_here(login) for row in self.all(login) if row.changed >= stamp
        ]
        return sorted(rows, key=lambda row: (row.changed, row.order))

    def is_here(self, login: int) -> bool:
        user = self.store.users.get(login)
        return user is not None and names.wire_group(user.group) is not None

    # -- how they are made

    def _owners(self, number: int) -> Iterator[int]:
        """Logins that may have this number: of a position, of a rest, of a balance operation, of a pending order."""
        rest = self.store.db.execute("SELECT position FROM mt4_rests WHERE number = ?", (number,)).fetchone()
        position = rest[0] if rest else number
        known = self.store.positions.get(position)
        owners: list[int] = [known.login] if known else []
        query = "SELECT login FROM deals WHERE ticket = ? OR json_extract(data, '$.PositionID') = ? LIMIT 2"
        owners += [row[0] for row in self.store.db.execute(query, (number, str(position)))]
        order = self.store.order(number)
        if order:
            owners.append(int(order["Login"]))
        yield from (login for login in dict.fromkeys(owners) if self.is_here(login))

    def _of(self, login: int) -> _Kept:
        version = self.store.deal_versions.get(login, 0)
        kept = self._kept.get(login)
        if kept is None or kept.version != version:
            kept = self._kept[login] = self._make(login, version)
        return kept

    def _make(self, login: int, version: int) -> _Kept:
        chains: dict[int, list[tuple[dict[str, Any], int]]] = {}
        closed: list[Row] = []
        query = "SELECT data, changed FROM deals WHERE login = ? ORDER BY time_msc, ticket"
        for data, changed in self.store.db.execute(query, (login,)).fetchall():
            deal = json.loads(data)
            if int(deal["Action"]) > 1:
                closed.append(_money_row(deal, changed))
            else:
                chains.setdefault(int(deal["PositionID"]), []).append((deal, changed))
        heads: dict[int, _Head] = {}
        unrealised = Decimal(0)
        for position, deals in chains.items():
            rows, head, left = self._chain(position, deals)
            closed += rows
            unrealised += left
            if head:
                heads[position] = head
        return _Kept(version, tuple(closed), heads, unrealised)

    def _chain(self, position: int, deals: list[tuple[dict[str, Any], int]]) -> tuple[list[Row], _Head | None, Decimal]:
        """Split a position into its closed parts, its open part, and the commission that no closed part carries yet."""
        openings = [(deal, changed) for deal, changed in deals if deal["Entry"] == "0"]
        if not openings:
            return [], None, Decimal(0)
        opening, number = openings[0][0], position
        whole = sum(int(deal["VolumeExt"]) for deal, _changed in openings)
        paid = sum((Decimal(deal["Commission"]) for deal, _changed in openings), Decimal(0))
        stamp = max(changed for _deal, changed in openings)
        rows, closed_volume, shared, comment = [], 0, Decimal(0), opening["Comment"]
        closings = [(deal, changed) for deal, changed in deals if deal["Entry"] != "0"]
        for deal, changed in closings:
            closed_volume += int(deal["VolumeClosedExt"])
            share = _share(paid, closed_volume, whole, opening) - shared
            shared += share
            is_last = closed_volume >= whole
            rest = 0 if is_last else self._rest(position, int(deal["Deal"]))
            note = f"to #{rest}" if rest else (comment if comment.startswith("from #") else deal["Comment"] or comment)
            state = "ClosedBy" if int(deal["Entry"]) == OUT_BY else "ClosedNormal" if is_last else "ClosedPart"
            rows.append(_closed_row(opening, deal, number, share, note, state, max(stamp, changed)))
            number, comment, stamp = rest, f"from #{number}", changed
        head = _Head(number, opening, paid - shared, comment, stamp) if number and closed_volume < whole else None
        return rows, head, paid - shared

    def _rest(self, position: int, closing: int) -> int:
        """Give what a partial close left its number, the same every time."""
        query = "SELECT number FROM mt4_rests WHERE position = ? AND closing = ?"
        row = self.store.db.execute(query, (position, closing)).fetchone()
        if row:
            return int(row[0])
        number = self.store.next_ticket("order")
        self.store.db.execute("INSERT INTO mt4_rests VALUES (?, ?, ?)", (position, closing, number))
        return number

    def _open_row(self, position: Position, kept: _Kept) -> Row:
        group, symbol = GROUPS[self.store.users[position.login].group], SYMBOLS[position.symbol]
        bid, ask = self.books.market.quote(symbol, group)
        head = kept.heads.get(position.ticket)
        return Row(
            head.number if head else position.ticket,
            position.login,
            COMMANDS[position.action],
            "OpenNormal",
            position.symbol,
            position.volume_ext // VOLUME,
            position.time_msc,
            0,
            position.price_open,
            bid if position.action == BUY else ask,
            self.books.floating(position, group),
            self.books.money(position.storage, group),
            head.commission if head else Decimal(0),
            head.comment if head else position.comment,
            int(head.opening["Reason"]) if head else 0,
            head.changed if head else 0,
        )

    def _pending(self, login: int, *, is_open: bool) -> list[Row]:
        """Orders that wait, or that were cancelled or refused; a filled one is a market order under the same number."""
        if is_open:
            orders = self.store.open_orders(login)
        else:
            orders = self.store.closed_orders(login, 0, 2**62)
        return [self._pending_row(order) for order in orders if order["State"] != str(FILLED)]

    def _pending_row(self, order: dict[str, Any]) -> Row:
        placed, zero = order["State"] == str(PLACED), Decimal(0)
        done = int(order["TimeDoneMsc"])
        comment = order["Comment"] if placed else "cancelled"
        return Row(
            int(order["Order"]),
            int(order["Login"]),
            COMMANDS[int(order["Type"])],
            "OpenNormal" if placed else "Deleted",
            order["Symbol"],
            int(order["VolumeInitialExt"]) // VOLUME,
            int(order["TimeSetupMsc"]),
            done,
            Decimal(order["PriceOrder"]),
            zero,
            zero,
            zero,
            zero,
            comment,
            0,
            self._stamp_of(done or int(order["TimeSetupMsc"])),
        )

    def _stamp_of(self, server_msc: int) -> int:
        return server_msc * 10_000 + self.books.clock.filetime() - self.books.clock.now_msc() * 10_000

    def _msc_of(self, stamp: int) -> int:
        return (stamp - self.books.clock.filetime()) // 10_000 + self.books.clock.now_msc()

    def stamp_of_second(self, server_seconds: int) -> int:
        """Find the engine's stamp of a second of the server's clock."""
        return self._stamp_of(server_seconds * 1000)

    def second_of(self, stamp: int) -> int:
        return (self._msc_of(stamp) + 100) // 1000  # a stamp is an instant, read by another clock a little later


def _share(paid: Decimal, closed_volume: int, whole: int, opening: dict[str, Any]) -> Decimal:
    """Of the opening's commission, to the account's digits, what the closed volume carries."""
    if closed_volume >= whole:
        return paid
    return (paid * closed_volume / whole).quantize(Decimal(1).scaleb(-int(opening["DigitsCurrency"])), ROUND_HALF_UP)


def _money_row(deal: dict[str, Any], changed: int) -> Row:
    at = int(deal["TimeMsc"])
    command = "Credit" if int(deal["Action"]) in (CREDIT, BONUS) else "Balance"
    worth = sum((Decimal(deal[name]) for name in ("Profit", "Commission", "Storage", "Fee")), Decimal(0))
    return Row(
        int(deal["Deal"]),
        int(deal["Login"]),
        command,
        "ClosedNormal",
        "",
        0,
        at,
        at,
        Decimal(0),
        Decimal(0),
        worth,
        Decimal(0),
        Decimal(0),
        deal["Comment"],
        int(deal["Reason"]),
        changed,
    )


def _closed_row(
    opening: dict[str, Any],
    closing: dict[str, Any],
    number: int,
    share: Decimal,
    comment: str,
    state: str,
    changed: int,
) -> Row:
    return Row(
        number,
        int(opening["Login"]),
        COMMANDS[int(opening["Action"])],
        state,
        opening["Symbol"],
        int(closing["VolumeClosedExt"]) // VOLUME,
        int(opening["TimeMsc"]),
        int(closing["TimeMsc"]),
        Decimal(opening["Price"]),
        Decimal(closing["Price"]),
        Decimal(closing["Profit"]) + Decimal(closing["Fee"]),
        Decimal(closing["Storage"]) + Decimal(opening["Storage"]),
        share + Decimal(closing["Commission"]),
        comment,
        int(closing["Reason"]),
        changed,
    )
