"""What a back office asks besides accounts and deals: common settings, mail, news, calculations, and deleting by ticket."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.engine.books import Books, Refused
from sandbox.engine.contracts import GROUPS, SYMBOLS, Group, Symbol
from sandbox.engine.desk import Desk
from sandbox.engine.orders import PLACED
from sandbox.mt5 import users
from sandbox.mt5.commands import Answer, command, login_of
from sandbox.mt5.protocol import Request

LOTS_PER_UNIT = Decimal("0.00000001")
BUY_KINDS, KINDS = (0, 2, 4, 6), range(8)
TEXT_MAX = 64 * 1024


@command("COMMON_GET")
def common_get(books: Books, _request: Request) -> Answer:
    """Answer the server's common settings."""
    return {}, {
        "Name": "Sandbox",
        "NameFull": "Keelson-Sandbox",
        "Owner": "Keelson",
        "OwnerID": "Keelson",
        "OwnerHost": "localhost",
        "OwnerEmail": "",
        "Product": "MetaTrader 5",
        "ExpirationLicense": 0,
        "ExpirationSupport": 0,
        "LimitTradeServers": 1,
        "LimitWebServers": 1,
        "LimitAccounts": 0,
        "LimitDeals": 0,
        "LimitSymbols": len(SYMBOLS),
        "LimitGroups": len(GROUPS),
        "LiveUpdateMode": 0,
        "TotalUsers": len(books.store.users),
    }


@command("MAIL_SEND")
def mail_send(_books: Books, request: Request) -> Answer:
    """Taken and thrown away: the sandbox has no terminals that would show it."""
    if not request.get("TO") or not request.get("SUBJECT") or len(request.body) > TEXT_MAX:
        raise Refused(3)
    return {}, None


@command("NEWS_SEND")
def news_send(_books: Books, request: Request) -> Answer:
    """Accept a news item, which goes nowhere."""
    if not request.get("SUBJECT") or len(request.body) > TEXT_MAX:
        raise Refused(3)
    return {}, None


# -- calculations; a volume's unit is a hundred millionth of a lot


def _number(request: Request, name: str) -> Decimal:
    try:
        number = Decimal(request.get(name))
    except InvalidOperation:
        raise Refused(3) from None
    if not number.is_finite() or not 0 <= number < Decimal(10) ** 15:
        raise Refused(3)
    return number


def _symbol(request: Request) -> Symbol:
    symbol = SYMBOLS.get(request.get("SYMBOL"))
    if symbol is None:
        raise Refused(13)
    return symbol


def _group(request: Request) -> Group:
    group = GROUPS.get(request.get("GROUP"))
    if group is None:
        raise Refused(13)
    return group


@command("TRADE_MARGIN_CHECK")
def margin_check(books: Books, request: Request) -> Answer:
    """Answer the account before an order and after it.

    An order that lacks margin is answered, too: its free margin is below zero.
    """
    symbol, kind = _symbol(request), request.integer("TYPE", -1)
    if kind not in KINDS:
        raise Refused(3)
    view, lots = books.account(login_of(request)), _number(request, "VOLUME") * LOTS_PER_UNIT
    price = _number(request, "PRICE") if request.get("PRICE") else Decimal(0)
    if not price:
        bid, ask = books.market.quote(symbol, view.group)
        price = ask if kind in BUY_KINDS else bid
    needed = books.margin(symbol, view.group, view.user.leverage, lots, price)
    after = replace(view, margin=view.margin + needed)
    return {}, {"new": users.view_json(after), "current": users.view_json(view)}


@command("TRADE_PROFIT")
def profit(books: Books, request: Request) -> Answer:
    """Compute the profit of a trade between two prices."""
    symbol, group, kind = _symbol(request), _group(request), request.integer("TYPE", -1)
    if kind not in (0, 1):
        raise Refused(3)
    move = _number(request, "PRICE_CLOSE") - _number(request, "PRICE_OPEN")
    lots = _number(request, "VOLUME") * LOTS_PER_UNIT
    rate = books.market.rate(symbol.profit, group.currency)
    amount = (move if kind == 0 else -move) * lots * symbol.contract_size * rate
    return {"PROFIT": f"{amount:.6f}", "PROFIT_RATE": f"{rate:.6f}"}, None


@command("TRADE_RATE_BUY", "TRADE_RATE_SELL")
def rate(books: Books, request: Request) -> Answer:
    """Answer the rate between two currencies."""
    try:
        value = books.market.rate(request.get("BASE"), request.get("CURRENCY"))
    except KeyError:
        raise Refused(13) from None
    return {"RATE": f"{value:.6f}"}, None


# -- deleting by ticket


def _tickets(request: Request) -> list[int]:
    """TICKET=1,2 or a JSON array in the body. Raises Refused."""
    text = request.get("TICKET") or request.body.strip().removeprefix("[").removesuffix("]")
    try:
        tickets = [int(json.loads(item)) for item in text.split(",")]
    except (ValueError, TypeError):
        raise Refused(3) from None
    return list(dict.fromkeys(tickets))


@command("DEAL_DELETE")
def deal_delete(books: Books, request: Request) -> Answer:
    """Deals are gone from every answer, and what they were worth from their accounts. One that is not there: none is deleted."""
    tickets = _tickets(request)
    if any(books.store.deal(ticket) is None for ticket in tickets):
        raise Refused(13)
    for ticket in tickets:
        Desk(books).delete_deal(ticket)
    return {}, None


@command("ORDER_DELETE")
def order_delete(books: Books, request: Request) -> Answer:
    """Open orders go without a trace in the history."""
    tickets = _tickets(request)
    orders: list[Any] = [books.store.order(ticket) for ticket in tickets]
    if any(order is None or order["State"] != str(PLACED) for order in orders):
        raise Refused(13)
    with books.store.transaction():
        for ticket in tickets:
            books.store.delete_order(ticket)
    return {}, None
