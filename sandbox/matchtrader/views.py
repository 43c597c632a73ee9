"""The engine's books as this platform shows them: accounts, ledgers, open and closed positions, groups, symbols."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.engine.books import Books
from sandbox.engine.contracts import GROUPS, SYMBOLS, Group, Symbol
from sandbox.engine.deals import IN, OUT, OUT_BY
from sandbox.engine.store import Position, User
from sandbox.matchtrader.accounts import SPACE, Accounts, owner_of
from sandbox.matchtrader.names import LEDGER_TYPES, OFFERED, wire_group

SIDES = ("BUY", "SELL")
FEW = 50  # accounts
Row = dict[str, Any]


def moment(msc: int) -> str:
    """RFC 3339 in UTC, the clock that this platform keeps."""
    return dt.datetime.fromtimestamp(msc / 1000, dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def msc_of(text: str) -> int:
    """Convert a time with a zone to milliseconds. Raises ValueError."""
    at = dt.datetime.fromisoformat(text.replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return round(at.timestamp() * 1000)


class Views:
    """Reads only."""

    def __init__(self, books: Books, accounts: Accounts, broker_id: int) -> None:
        self.books, self.accounts, self.broker_id = books, accounts, broker_id
        self._opened: dict[tuple[int, str], int] = {}

    # -- accounts

    def account(self, user: User) -> Row:
        version, _said, more = self.accounts.kept(user.login)
        fields = user.fields
        first, _space, last = fields.get("Name", "").partition(" ")
        return {
            "uuid": str(uuid.uuid5(SPACE, f"account:{user.login}")),
            "created": moment(user.registration * 1000),
            "brokerId": self.broker_id,
            "login": str(user.login),
            "group": wire_group(user.group),
            "leverageRatioPercent": user.leverage * 100,
            "accessRight": self.accounts.word(user),
            "isProView": bool(more.get("isProView")),
            "accountType": "DEMO" if user.group.startswith("demo") else "REAL",
            "accountDetails": {
                "firstName": first,
                "lastName": last,
                "email": owner_of(user),
                "phoneNumber": fields.get("Phone", ""),
                "addressDetails": {"country": fields.get("Country", "")},
            },
            "remarks": str(more.get("remarks", "")),
            "financeInfo": self.finance(user.login),
            "missingInTradingSystem": False,
            "version": version,
        }

    @staticmethod
    def account_group(user: User) -> str:
        return wire_group(user.group)

    def finance(self, login: int) -> Row:
        view = self.books.account(login)
        money = self.books.money
        return {
            "balance": view.user.balance,
            "credit": view.user.credit,
            "equity": money(view.equity, view.group),
            "profit": view.profit,
            "netProfit": money(view.floating, view.group),
            "margin": view.margin,
            "freeMargin": money(view.free, view.group),
            "marginLevel": view.level,
            "currency": view.group.currency,
            "currencyPrecision": view.group.digits,
        }

    # -- ledgers

    def deals(self, logins: list[int], first: int, last: int) -> Iterator[Row]:
        """Of these accounts in a stretch of time: of a few one by one, of many in one pass."""
        if len(logins) <= FEW:
            for login in logins:
                yield from (deal for _owner, deal in self.books.store.deals_between(first, last, login))
            return
        chosen = set(logins)
        yield from (deal for owner, deal in self.books.store.deals_between(first, last) if owner in chosen)

    def ledgers(self, logins: list[int], first: int, last: int, types: set[str]) -> dict[int, list[Row]]:
        """By login; who has no entry is left out."""
        by_login: dict[int, list[Row]] = {}
        for deal in self.deals(logins, first, last):
            for row in self.entries(deal):
                if row["type"] in types:
                    by_login.setdefault(int(deal["Login"]), []).append(row)
        return by_login

    @staticmethod
    def entries(deal: Row) -> Iterator[Row]:
        """Yield the movements of money behind a deal. A trade makes up to four; what is zero is none."""
        at, number = moment(int(deal["TimeMsc"])), deal["Deal"]
        profit = Decimal(deal["Profit"])
        if not deal["Symbol"]:
            into, out, more = LEDGER_TYPES.get(int(deal["Action"]), ("OTHER", "OTHER", "NONE"))
            kind = into if profit >= 0 else out
            yield {
                "id": number,
                "type": kind,
                "additionalType": more,
                "time": at,
                "profit": profit,
                "comment": deal["Comment"],
            }
        elif profit and int(deal["Entry"]) in (OUT, OUT_BY):
            yield {
                "id": f"{number}P",
                "type": "CLOSED_POSITION",
                "additionalType": "NONE",
                "time": at,
                "profit": profit,
                "comment": deal["Comment"],
            }
        for field, kind in (("Commission", "COMMISSIONS"), ("Storage", "SWAPS"), ("Fee", "COMMISSIONS")):
            if amount := Decimal(deal[field]):
                yield {
                    "id": f"{number}{field[0]}",
                    "type": kind,
                    "additionalType": "NONE",
                    "time": at,
                    "profit": amount,
                    "comment": "",
                }

    # -- positions

    def open_position(self, position: Position, group: Group) -> Row:
        symbol = SYMBOLS[position.symbol]
        bid, ask = self.books.market.quote(symbol, group)
        profit = self.books.floating(position, group)
        return {
            "id": str(position.ticket),
            "symbol": position.symbol,
            "alias": position.symbol,
            "volume": position.lots,
            "side": SIDES[position.action],
            "openTime": moment(position.time_msc),
            "openPrice": position.price_open,
            "stopLoss": 0,
            "takeProfit": 0,
            "swap": position.storage,
            "profit": profit,
            "netProfit": profit + position.storage,
            "currentPrice": bid if position.action == 0 else ask,
            "commission": 0,
            "comment": position.comment,
            "positions": [],
        }

    def open_positions(self, login: int) -> list[Row]:
        group = GROUPS[self.books.user(login).group]
        return [self.open_position(position, group) for position in self.books.store.positions_of(login)]

    def closed_positions(self, logins: list[int], first: int, last: int) -> Iterator[Row]:
        for deal in self.deals(logins, first, last):
            if deal["Symbol"] and int(deal["Entry"]) in (OUT, OUT_BY):
                yield self.closed_position(deal)

    def closed_position(self, deal: Row) -> Row:
        profit, swap, commission = (Decimal(deal[name]) for name in ("Profit", "Storage", "Commission"))
        login = int(deal["Login"])
        return {
            "id": deal["PositionID"],
            "symbol": deal["Symbol"],
            "alias": deal["Symbol"],
            "volume": Decimal(deal["VolumeClosedExt"]).scaleb(-8),
            "side": SIDES[1 - int(deal["Action"])],
            "openTime": moment(self._open_msc(login, deal)),
            "openPrice": Decimal(deal["PricePosition"]),
            "closeTime": moment(int(deal["TimeMsc"])),
            "closePrice": Decimal(deal["Price"]),
            "stopLoss": 0,
            "takeProfit": 0,
            "commission": commission,
            "swap": swap,
            "profit": profit,
            "netProfit": profit + swap + commission,
            "closingOrderId": deal["Order"],
        }

    def _open_msc(self, login: int, deal: Row) -> int:
        """When the position of a closing deal was opened."""
        key = (login, deal["PositionID"])
        if key not in self._opened:
            query = (
                "SELECT time_msc FROM deals WHERE login = ? AND json_extract(data, '$.PositionID') = ? "
                "AND json_extract(data, '$.Entry') = ?"
            )
            row = self.books.store.db.execute(query, (login, deal["PositionID"], str(IN))).fetchone()
            self._opened[key] = int(row[0]) if row else int(deal["TimeMsc"])
        return self._opened[key]

    # -- the market

    @staticmethod
    def group(name: str) -> Row:
        group = OFFERED[name]
        symbols = [{"symbol": symbol, "fixedLeverage": False} for symbol in SYMBOLS]
        return {
            "name": name,
            "currency": group.currency,
            "currencyPrecision": group.digits,
            "groupOwner": group.company,
            "symbols": symbols,
            "commission": group.commission,
            "marginCalculationType": "UNREALIZED_PROFIT_LOSS",
        }

    @staticmethod
    def symbol(symbol: Symbol, group: Group) -> Row:
        markup = group.markup_points * symbol.point
        return {
            "symbol": symbol.name,
            "alias": symbol.name,
            "baseCurrency": symbol.base,
            "quoteCurrency": symbol.profit,
            "type": symbol.path.rpartition("\\")[0].replace("\\", "/"),
            "description": symbol.description,
            "pricePrecision": symbol.digits,
            "volumePrecision": 2,
            "swapType": "PIPS_SWAP_TYPE",
            "swapBuy": symbol.swap_long,
            "swapSell": symbol.swap_short,
            "volumeMin": Decimal("0.01"),
            "volumeMax": symbol.volume_max_lots,
            "volumeStep": Decimal("0.01"),
            "commissionMin": 0,
            "contractSize": symbol.contract_size,
            "sizeOfOnePoint": symbol.point,
            "multiplier": 1,
            "divider": 1,
            "bidMarkup": markup,
            "askMarkup": markup,
            "freezeLevel": 0,
            "stopsLevel": 1,
            "leverage": group.leverage,
            "isFixedLeverage": False,
            "tags": [],
            "sessionOpen": True,
            "tradingHours": [],
        }
