"""Pending orders: placed, filled when the price comes by, cancelled; and the history of all orders, market orders, too."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sandbox.engine.books import BUY, SELL, Books, MarketOrder, Refused, cut
from sandbox.engine.contracts import GROUPS, SYMBOLS

BUY_LIMIT, SELL_LIMIT, BUY_STOP, SELL_STOP = 2, 3, 4, 5
KINDS = {"buy_limit": BUY_LIMIT, "sell_limit": SELL_LIMIT, "buy_stop": BUY_STOP, "sell_stop": SELL_STOP}
PLACED, CANCELED, FILLED, REJECTED = 1, 2, 4, 5


class Orders:
    """Orders live beside the books; a filled one leaves a deal under its own number."""

    def __init__(self, books: Books) -> None:
        self.books, self.store = books, books.store

    def place(self, login: int, symbol_name: str, kind: int, lots: Decimal, price: Decimal, comment: str = "") -> int:
        """Place an order. Raises Refused: 3 bad parameters, 13 no account, 10015 the price is on the wrong side."""
        user, symbol = self.books.user(login), SYMBOLS.get(symbol_name)
        volume = int(lots * 100_000_000)
        if symbol is None or kind not in KINDS.values() or volume < 1_000_000 or volume % 1_000_000:
            raise Refused(3)
        bid, ask = self.books.market.quote(symbol, GROUPS[user.group])
        wrong = price >= ask if kind in (BUY_LIMIT, SELL_STOP) else price <= bid
        if price <= 0 or wrong:
            raise Refused(10015)
        now = self.books.clock.now_msc()
        with self.store.transaction():
            ticket = self.store.next_ticket("order")
            self.store.save_order(
                {
                    **_blank(ticket, login, symbol_name, kind, volume, now),
                    "PriceOrder": f"{price:.{symbol.digits}f}",
                    "VolumeCurrent": str(volume // 10_000),
                    "VolumeCurrentExt": str(volume),
                    "State": str(PLACED),
                    "TimeDone": "0",
                    "TimeDoneMsc": "0",
                    "Comment": cut(comment),
                }
            )
        return ticket

    def cancel(self, ticket: int) -> None:
        order = self.store.order(ticket)
        if order is None or order["State"] != str(PLACED):
            raise Refused(13)
        with self.store.transaction():
            self._done(order, CANCELED)

    def step(self) -> int:
        """Fill what the price has reached; how many. An order without free margin is rejected."""
        filled = 0
        for order in self.store.open_orders():
            symbol, kind = SYMBOLS[order["Symbol"]], int(order["Type"])
            user = self.store.users.get(int(order["Login"]))
            if user is None or not self.books.market.is_open(symbol, self.books.clock.now()):
                continue
            bid, ask = self.books.market.quote(symbol, GROUPS[user.group])
            price, side = Decimal(order["PriceOrder"]), BUY if kind in (BUY_LIMIT, BUY_STOP) else SELL
            reached = {
                BUY_LIMIT: ask <= price,
                SELL_LIMIT: bid >= price,
                BUY_STOP: ask >= price,
                SELL_STOP: bid <= price,
            }[kind]
            if not reached:
                continue
            lots = Decimal(order["VolumeInitialExt"]).scaleb(-8)
            try:
                ticket, position = self.books.open(
                    MarketOrder(
                        user.login, symbol.name, side, lots, comment=order["Comment"], pending=int(order["Order"])
                    )
                )
            except Refused:
                with self.store.transaction():
                    self._done(order, REJECTED)
                continue
            with self.store.transaction():
                order["PositionID"] = str(position.ticket if position else 0)
                order["VolumeCurrent"] = order["VolumeCurrentExt"] = "0"
                self._done(order, FILLED)
            filled += bool(ticket)
        return filled

    def _done(self, order: dict[str, Any], state: int) -> None:
        now = self.books.clock.now_msc()
        self.store.save_order({**order, "State": str(state), "TimeDone": str(now // 1000), "TimeDoneMsc": str(now)})

    # -- history ------------------------------------------------------------------------------------------------------

    def history(self, login: int, first_msc: int, last_msc: int) -> list[dict[str, Any]]:
        """Orders that are done, by time and ticket: filled, cancelled, rejected, and the market orders behind deals."""
        rows = {int(row["Order"]): row for row in self.store.closed_orders(login, first_msc, last_msc)}
        for _owner, deal in self.store.deals_between(first_msc, last_msc, login):
            number = int(deal["Order"])
            if number and number not in rows and self.store.order(number) is None:
                rows[number] = of_deal(deal)
        return sorted(rows.values(), key=lambda row: (int(row["TimeDoneMsc"]), int(row["Order"])))

    def done(self, ticket: int) -> dict[str, Any] | None:
        order = self.store.order(ticket)
        if order is not None:
            return order if order["State"] != str(PLACED) else None
        deal = self.store.deal_of_order(ticket)
        return of_deal(deal) if deal else None


def of_deal(deal: dict[str, Any]) -> dict[str, Any]:
    """Make the market order that a deal filled."""
    blank = _blank(
        int(deal["Order"]),
        int(deal["Login"]),
        deal["Symbol"],
        int(deal["Action"]),
        int(deal["VolumeExt"]),
        int(deal["TimeMsc"]),
    )
    return {
        **blank,
        "Reason": deal["Reason"],
        "PriceOrder": deal["Price"],
        "PriceCurrent": deal["Price"],
        "PositionID": deal["PositionID"],
        "Comment": deal["Comment"],
    }


def _blank(ticket: int, login: int, symbol: str, kind: int, volume: int, msc: int) -> dict[str, Any]:
    """Make an order as ORDER_GET and HISTORY_GET show it: all values are texts. Its state is "filled" until changed."""
    seconds, zero = str(msc // 1000), f"{0:.{SYMBOLS[symbol].digits}f}"
    return {
        "Order": str(ticket),
        "ExternalID": "",
        "Login": str(login),
        "Dealer": "0",
        "Symbol": symbol,
        "Digits": str(SYMBOLS[symbol].digits),
        "DigitsCurrency": "2",
        "ContractSize": f"{SYMBOLS[symbol].contract_size:.8f}",
        "State": str(FILLED),
        "Reason": "0",
        "TimeSetup": seconds,
        "TimeSetupMsc": str(msc),
        "TimeExpiration": "0",
        "TimeDone": seconds,
        "TimeDoneMsc": str(msc),
        "ModificationFlags": "0",
        "Type": str(kind),
        "TypeFill": "0",
        "TypeTime": "0",
        "PriceOrder": zero,
        "PriceTrigger": zero,
        "PriceCurrent": zero,
        "PriceSL": zero,
        "PriceTP": zero,
        "VolumeInitial": str(volume // 10_000),
        "VolumeInitialExt": str(volume),
        "VolumeCurrent": "0",
        "VolumeCurrentExt": "0",
        "ExpertID": "0",
        "PositionID": "0",
        "PositionByID": "0",
        "Comment": "",
        "RateMargin": "1.00000000",
        "ActivationMode": "0",
        "ActivationTime": "0",
        "ActivationPrice": zero,
        "ActivationFlags": "0",
        "ApiData": [],
    }
