"""Trades: order rows by every path that shows them, balance operations, reports and the sync session."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.engine.books import BALANCE as BALANCE_ACTION
from sandbox.engine.books import CREDIT as CREDIT_ACTION
from sandbox.engine.books import Refused
from sandbox.engine.http import Response
from sandbox.mt4 import names
from sandbox.mt4.endpoints import BALANCE, REPORTS, TRADES, USERS, Call, Server, endpoint, user_of
from sandbox.mt4.envelope import Problem, answer, page
from sandbox.mt4.records import PENDING, REASONS, STOP_OUT, Row

EVER = 2**31 - 1
SYNC_ROWS = 100_000
TRANSACTIONS = (
    "PricesGet",
    "PricesRequote",
    "OpenInstant",
    "OpenRequest",
    "OpenMarket",
    "PendingOpen",
    "CloseInstant",
    "CloseRequest",
    "CloseMarket",
    "Modify",
    "Delete",
    "CloseBy",
    "CloseAll",
    "BrOpen",
    "BrClose",
    "BrDelete",
    "BrCloseBy",
    "BrCloseAll",
    "BrModify",
    "BrActivate",
    "BrComment",
    "BrBalance",
)
MONEY_COMMANDS = {"balance": BALANCE_ACTION, "6": BALANCE_ACTION, "credit": CREDIT_ACTION, "7": CREDIT_ACTION}


def show(server: Server, row: Row) -> dict[str, Any]:
    """Show an order row as the bridge does."""
    times, zero = server.times, Decimal(0)
    return {
        "order": row.order,
        "login": row.login,
        "symbol": names.WIRE_SYMBOLS.get(row.symbol, ""),
        "digits": max(0, -int(row.open_price.as_tuple().exponent)) if row.symbol else 2,
        "tradeCommand": row.command,
        "volume": row.volume,
        "volumeLots": Decimal(row.volume).scaleb(-2),
        "tradeRecordState": row.state,
        "openPrice": row.open_price,
        "sl": zero,
        "tp": zero,
        "openTime": times.text(row.open_msc),
        "closeTime": times.text(row.close_msc),
        "closePrice": row.close_price,
        "commission": row.commission,
        "commissionAgent": zero,
        "storage": row.storage,
        "profit": row.profit,
        "taxes": zero,
        "magic": 0,
        "comment": names.ansi(row.comment, server.accounts.code_page, names.COMMENT_MAX),
        "expiration": times.text(0),
        "tradeRecordReason": REASONS.get(row.reason, "Client"),
        "activationType": "Stopout" if row.reason == STOP_OUT else "None",
        "timeStamp": times.text(server.records.second_of(row.changed) * 1000 if row.changed else row.open_msc),
        "marginRate": Decimal(1),
    }


def _open(server: Server) -> list[Row]:
    """Open and waiting orders of the whole server, by number."""
    logins = {login for login, tickets in server.books.store.by_login.items() if tickets}
    logins |= {int(order["Login"]) for order in server.books.store.open_orders()}
    rows = [row for login in logins if server.records.is_here(login) for row in server.records.open(login)]
    return sorted(rows, key=lambda row: row.order)


def _of_group(server: Server, rows: list[Row], group: str) -> list[Row]:
    users = server.books.store.users
    return [row for row in rows if names.wire_group(users[row.login].group) == group]


def _shown(server: Server, rows: list[Row]) -> Response:
    return answer([show(server, row) for row in rows])


# -- open trades


@endpoint("TradesRequest", right=TRADES)
@endpoint("TradesGet", right=TRADES)
def trades(server: Server, call: Call) -> Response:
    """List open orders page by page."""
    rows = _open(server)
    if call.query.get("group"):
        rows = _of_group(server, rows, call.query["group"])
    shown, paging = page(rows, lambda row: row.order, call.query)
    return answer([show(server, row) for row in shown], paging)


@endpoint("TradesSnapshot", kind="history", right=TRADES)
def trades_snapshot(server: Server, call: Call) -> Response:
    """List open orders at once."""
    return _shown(server, _open(server)[: int(call.query.get("limit") or SYNC_ROWS)])


@endpoint("TradesGet", arguments=1, right=TRADES)
def trade_open(server: Server, call: Call) -> Response:
    """Answer an open order."""
    return _one(server, call, only_open=True)


@endpoint("TradeRecordGet", arguments=1, right=TRADES)
@endpoint("TradeRecordRequest", arguments=1, right=TRADES)
def trade_record(server: Server, call: Call) -> Response:
    """Answer an order, open or closed."""
    return _one(server, call, only_open=False)


def _one(server: Server, call: Call, *, only_open: bool) -> Response:
    row = server.records.by_number(call.number())
    if row is None or (only_open and not row.is_open):
        raise Problem("NotFound", "There is no such order.")
    return answer(show(server, row))


@endpoint("TradeRecordsRequest", right=TRADES)
def trade_records(server: Server, call: Call) -> Response:
    """Numbers that are not there are left out without a word."""
    return _shown(server, [row for row in map(server.records.by_number, call.numbers("orders")) if row])


@endpoint("TradesGetByLogin", arguments=2, right=TRADES)
def trades_of_login(server: Server, call: Call) -> Response:
    """List an account's open orders."""
    user = server.accounts.user(call.number())
    if user is None or names.wire_group(user.group) != call.arguments[1]:
        return answer([])
    return _shown(server, server.records.open(user.login))


@endpoint("TradesGetByMarket", right=TRADES)
def trades_at_market(server: Server, _call: Call) -> Response:
    """List open orders that are no pending ones."""
    return _shown(server, [row for row in _open(server) if row.command not in PENDING])


@endpoint("TradesGetBySymbol", right=TRADES)
def trades_of_symbol(server: Server, call: Call) -> Response:
    """List the open orders on a symbol."""
    symbol = names.ENGINE_SYMBOLS.get(call.query.get("symbol", ""))
    return _shown(server, [row for row in _open(server) if row.symbol == symbol])


# -- history


@endpoint("TradesUserHistory", arguments=1, kind="history", right=TRADES)
def history(server: Server, call: Call) -> Response:
    """List what an account closed in the window, both ends included."""
    user = user_of(server, call.number())
    first = server.times.seconds(call.query.get("fromTime"), 0)
    last = server.times.seconds(call.query.get("toTime"), EVER)
    return _shown(server, _closed(server, user.login, first, last))


@endpoint("ReportsRequest", kind="history", right=REPORTS)
def reports(server: Server, call: Call) -> Response:
    """List what many accounts closed in the window; logins that are not there are left out."""
    first, last = (server.times.seconds(call.query.get(name), other) for name, other in (("from", 0), ("to", EVER)))
    logins = [login for login in call.numbers("logins") if server.records.is_here(login)]
    return _shown(server, [row for login in logins for row in _closed(server, login, first, last)])


@endpoint("AdmTradesRequest", arguments=1, kind="history", right=TRADES)
def trades_of_group(server: Server, call: Call) -> Response:
    """List the orders of a group."""
    rows = _open(server)
    if not call.is_on("openOnly", otherwise=True):
        rows += [row for user in server.accounts.all() for row in server.records.closed(user.login)]
    return _shown(server, _of_group(server, rows, call.arguments[0]))


def _closed(server: Server, login: int, first: int, last: int) -> list[Row]:
    return [row for row in server.records.closed(login) if first <= row.close_msc // 1000 <= last]


# -- sync


@endpoint("TradesSyncStart", method="POST", kind="maintenance", right=TRADES)
def sync_start(server: Server, call: Call) -> Response:
    """Open a sync session of orders at a second of the server's clock."""
    server.sync.start_trades(int(call.query.get("timestamp") or 0))
    return answer(True)


@endpoint("TradesSyncRead", kind="history", right=TRADES)
def sync_read(server: Server, call: Call) -> Response:
    """Read the next piece of the sync session of orders."""
    rows = server.sync.read_trades(int(call.query.get("limit") or SYNC_ROWS))
    if rows is None:
        raise Refused(2)
    return _shown(server, rows)


@endpoint("UsersSyncStart", method="POST", kind="maintenance", right=USERS)
def users_sync_start(server: Server, call: Call) -> Response:
    """Open a sync session of accounts at a second of the server's clock."""
    server.sync.start_users(int(call.query.get("timestamp") or 0))
    return answer(True)


@endpoint("UsersSyncRead", kind="history", right=USERS)
def users_sync_read(server: Server, _call: Call) -> Response:
    """Read the sync session of accounts."""
    logins = server.sync.read_users()
    if logins is None:
        raise Refused(2)
    return answer([server.accounts.show(user) for user in map(server.accounts.user, logins) if user])


# -- money


@endpoint("TradeTransaction", method="POST", kind="trade", right=BALANCE)
def transaction(server: Server, call: Call) -> Response:
    """Balance and credit operations (`BrBalance`). Dealing through the bridge is not served: traders deal here themselves."""
    body = call.body()
    kind = str(body.get("tradeTransactionType") or "")
    if kind.lower() not in {name.lower() for name in TRANSACTIONS}:
        raise Problem("Validation", f"tradeTransactionType is one of: {', '.join(TRANSACTIONS)}")
    if kind.lower() != "brbalance":
        raise Refused(133)
    action = MONEY_COMMANDS.get(str(body.get("tradeCommand") or "").lower())
    if action is None:
        raise Problem("Validation", "tradeCommand is Balance or Credit for BrBalance")
    try:
        amount = Decimal(str(body.get("price")))
    except InvalidOperation:
        raise Problem("Validation", "price is the amount") from None
    login = int(body.get("orderBy") or 0)
    if server.accounts.user(login) is None:
        raise Refused(65)
    comment = names.ansi(str(body.get("comment") or ""), server.accounts.code_page, names.COMMENT_MAX)
    if server.comment_max is not None:
        comment = comment[: server.comment_max]
    number = server.books.balance_operation(login, action, amount, comment, True)
    return answer(
        {
            "tradeTransactionType": "BrBalance",
            "tradeCommand": "Balance" if action == BALANCE_ACTION else "Credit",
            "tradeRequestFlags": "None",
            "expiration": server.times.text(0),
            "order": number,
            "orderBy": login,
            "symbol": "",
            "volume": 0,
            "price": amount,
            "sl": 0,
            "tp": 0,
            "ieDeviation": 0,
            "comment": comment,
            "crc": 0,
        }
    )
