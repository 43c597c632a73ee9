"""ORDER_* for pending orders and HISTORY_* for those that are done."""

from __future__ import annotations

from typing import Any

from sandbox.engine.books import Books, Refused
from sandbox.engine.orders import PLACED, Orders
from sandbox.mt5.commands import Answer, chosen_logins, command, login_of, page_of, window_of
from sandbox.mt5.protocol import Request


def _history(books: Books, request: Request) -> list[dict[str, Any]]:
    books.user(login_of(request))
    return Orders(books).history(login_of(request), *window_of(request))


@command("ORDER_GET")
def order_get(books: Books, request: Request) -> Answer:
    """Answer an open order."""
    order = books.store.order(request.integer("TICKET", 0) or 0)
    if order is None or order["State"] != str(PLACED):
        raise Refused(13)
    return {}, order


@command("ORDER_GET_TOTAL")
def order_get_total(books: Books, request: Request) -> Answer:
    """Count an account's open orders."""
    return {"TOTAL": len(books.store.open_orders(login_of(request)))}, None


@command("ORDER_GET_PAGE")
def order_get_page(books: Books, request: Request) -> Answer:
    """List a page of an account's open orders."""
    offset, total = page_of(request)
    return {}, books.store.open_orders(login_of(request))[offset : offset + total]


@command("ORDER_GET_BATCH")
def order_get_batch(books: Books, request: Request) -> Answer:
    """List the open orders of chosen accounts."""
    logins = {str(login) for login in chosen_logins(books, request)}
    return {}, [order for order in books.store.open_orders() if order["Login"] in logins]


@command("HISTORY_GET")
def history_get(books: Books, request: Request) -> Answer:
    """Answer an order that is done."""
    order = Orders(books).done(request.integer("TICKET", 0) or 0)
    if order is None:
        raise Refused(13)
    return {}, order


@command("HISTORY_GET_TOTAL")
def history_get_total(books: Books, request: Request) -> Answer:
    """Count an account's done orders in a window."""
    return {"TOTAL": len(_history(books, request))}, None


@command("HISTORY_GET_PAGE")
def history_get_page(books: Books, request: Request) -> Answer:
    """List a page of an account's done orders in a window."""
    offset, total = page_of(request)
    return {}, _history(books, request)[offset : offset + total]


@command("HISTORY_GET_BATCH")
def history_get_batch(books: Books, request: Request) -> Answer:
    """List the done orders of chosen accounts in a window."""
    orders, window = Orders(books), window_of(request)
    return {}, [row for login in chosen_logins(books, request) for row in orders.history(login, *window)]
