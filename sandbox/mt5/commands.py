"""What each command of the Web API does. A handler returns parameters and JSON of its answer, or raises Refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.engine.books import Books, Refused
from sandbox.engine.contracts import matches
from sandbox.engine.desk import Desk
from sandbox.mt5 import users
from sandbox.mt5.protocol import Request

PAGE_MAX = 100
Answer = tuple[dict[str, object], Any]
Handler = Callable[[Books, Request], Answer]
HANDLERS: dict[str, Handler] = {}


def command(*names: str) -> Callable[[Handler], Handler]:
    """Register the handler of these commands."""

    def register(handler: Handler) -> Handler:
        HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


def login_of(request: Request) -> int:
    """Read the LOGIN of a request. Raises Refused."""
    login = request.integer("LOGIN")
    if login is None:
        raise Refused(3)
    return login


def window_of(request: Request) -> tuple[int, int]:
    """FROM and TO in server seconds, as milliseconds, both ends included; TO=0 or none is open."""
    first, last = request.integer("FROM", 0) or 0, request.integer("TO", 0) or 0
    return first * 1000, (last * 1000 + 999) if last else 2**62


def chosen_logins(books: Books, request: Request) -> list[int]:
    """Find the logins of LOGIN=1,2 or of GROUP=mask. Raises Refused unless exactly one is there."""
    by_login, by_group = request.get("LOGIN"), request.get("GROUP")
    if bool(by_login) == bool(by_group):
        raise Refused(3)
    if by_login:
        try:
            return list(dict.fromkeys(int(item) for item in by_login.split(",") if item.strip()))
        except ValueError:
            raise Refused(3) from None
    return [user.login for user in books.store.users.values() if matches(by_group, user.group)]


def page_of(request: Request) -> tuple[int, int]:
    """Read OFFSET and TOTAL of a request. Raises Refused."""
    offset, total = request.integer("OFFSET", 0) or 0, request.integer("TOTAL", PAGE_MAX) or 0
    if offset < 0 or not 0 < total <= PAGE_MAX:
        raise Refused(3)
    return offset, total


# -- server


@command("PING", "TEST_ACCESS")
def nothing(_books: Books, _request: Request) -> Answer:
    """Answer without data."""
    return {}, None


@command("TIME_SERVER")
def time_server(books: Books, _request: Request) -> Answer:
    """Answer the server's clock."""
    now = books.clock.now_msc()
    return {"TIME": f"{now // 1000} {now % 1000 * 1_000_000:09d}"}, None


@command("TIME_GET")
def time_get(books: Books, _request: Request) -> Answer:
    """Answer the clock's settings."""
    return {}, books.clock.settings()


# -- users


@command("USER_ADD")
def user_add(books: Books, request: Request) -> Answer:
    """Add an account."""
    user = users.add(books, request)
    return {"LOGIN": user.login}, users.user_json(books, user)


@command("USER_UPDATE")
def user_update(books: Books, request: Request) -> Answer:
    """Change an account."""
    return {}, users.user_json(books, users.update(books, request))


@command("USER_GET")
def user_get(books: Books, request: Request) -> Answer:
    """Answer an account."""
    return {}, users.user_json(books, books.user(login_of(request)))


@command("USER_GET_BATCH")
def user_get_batch(books: Books, request: Request) -> Answer:
    """List chosen accounts."""
    known = books.store.users
    return {}, [users.user_json(books, known[login]) for login in chosen_logins(books, request) if login in known]


@command("USER_LOGINS")
def user_logins(books: Books, request: Request) -> Answer:
    """List the logins of a group mask."""
    mask = request.get("GROUP") or "*"
    return {}, [user.login for user in books.store.users.values() if matches(mask, user.group)]


@command("USER_TOTAL")
def user_total(books: Books, _request: Request) -> Answer:
    """Count the accounts."""
    return {"TOTAL": len(books.store.users)}, None


@command("USER_DELETE")
def user_delete(books: Books, request: Request) -> Answer:
    """Delete an account without open positions."""
    users.delete(books, login_of(request))
    return {}, None


@command("USER_ARCHIVE_ADD")
def user_archive_add(books: Books, request: Request) -> Answer:
    """Archive an account."""
    Desk(books).archive(login_of(request))
    return {}, None


@command("USER_ARCHIVE_LOGINS")
def user_archive_logins(books: Books, _request: Request) -> Answer:
    """List archived logins."""
    return {}, books.store.archived()


@command("USER_ARCHIVE_GET")
def user_archive_get(books: Books, request: Request) -> Answer:
    """Answer an archived account."""
    user = books.store.archived_user(login_of(request))
    if user is None:
        raise Refused(13)
    return {}, users.user_json(books, user)


@command("USER_CHECK_BALANCE")
def user_check_balance(books: Books, request: Request) -> Answer:
    """Balance and credit beside what the deals add up to; with FIXFLAG=1 they are set right."""
    comparison = Desk(books).check_balance(login_of(request), fix=request.get("FIXFLAG") == "1")
    return {}, comparison


@command("USER_RESTORE")
def user_restore(books: Books, request: Request) -> Answer:
    """Restore an archived account."""
    Desk(books).restore(login_of(request))
    return {}, users.user_json(books, books.user(login_of(request)))


@command("USER_PASS_CHECK")
def user_pass_check(books: Books, request: Request) -> Answer:
    """Check a password."""
    users.check_password(books, login_of(request), request.get("TYPE").upper(), request.get("PASSWORD"))
    return {}, None


@command("USER_PASS_CHANGE")
def user_pass_change(books: Books, request: Request) -> Answer:
    """Change a password."""
    users.change_password(books, login_of(request), request.get("TYPE").upper(), request.get("PASSWORD"))
    return {}, None


@command("USER_ACCOUNT_GET")
def user_account_get(books: Books, request: Request) -> Answer:
    """Only for accounts with positions or trading activity since the start; others are "not found"."""
    login = login_of(request)
    books.user(login)
    if login not in books.active:
        raise Refused(13)
    return {}, users.account_json(books, login)


@command("USER_ACCOUNT_GET_BATCH")
def user_account_get_batch(books: Books, request: Request) -> Answer:
    """List the money of chosen accounts, as far as they traded since the start."""
    logins = chosen_logins(books, request)
    known = books.store.users
    return {}, [users.account_json(books, login) for login in logins if login in books.active and login in known]


# -- money


@command("TRADE_BALANCE")
def trade_balance(books: Books, request: Request) -> Answer:
    """Book a balance operation."""
    kind = request.integer("TYPE")
    try:
        amount = Decimal(request.get("BALANCE"))
    except InvalidOperation:
        raise Refused(3) from None
    units = request.integer("_COMMENT_UNITS", 31) or 31
    is_checked = request.get("CHECK_MARGIN", "1") != "0"
    ticket = books.balance_operation(
        login_of(request),
        -1 if kind is None else kind,
        amount,
        request.get("COMMENT"),
        is_checked,
        units,
        may_overdraw=not is_checked,
    )
    return {"TICKET": ticket}, None


@command("KEELSON_BALANCE")
def plugin_balance(books: Books, request: Request) -> Answer:
    """Book as a broker's own plugin does: as TRADE_BALANCE, but the same comment on the same login only once."""
    login, comment = login_of(request), request.get("COMMENT")
    for _owner, deal in books.store.deals_between(0, 2**62, login):
        if comment and deal["Comment"] == comment:
            return {"TICKET": deal["Deal"]}, None
    return trade_balance(books, request)


# -- deals and positions


@command("DEAL_GET")
def deal_get(books: Books, request: Request) -> Answer:
    """Answer a deal."""
    deal = books.store.deal(request.integer("TICKET", 0) or 0)
    if deal is None:
        raise Refused(13)
    return {}, deal


@command("DEAL_GET_TOTAL")
def deal_get_total(books: Books, request: Request) -> Answer:
    """Count an account's deals in a window."""
    return {"TOTAL": books.store.count_deals(login_of(request), *window_of(request))}, None


@command("DEAL_GET_PAGE")
def deal_get_page(books: Books, request: Request) -> Answer:
    """List a page of an account's deals in a window."""
    return {}, books.store.page_of_deals(login_of(request), *window_of(request), *page_of(request))


@command("DEAL_GET_BATCH")
def deal_get_batch(books: Books, request: Request) -> Answer:
    """Exactly one of LOGIN, GROUP, TICKET."""
    if request.get("TICKET"):
        if request.get("LOGIN") or request.get("GROUP"):
            raise Refused(3)
        tickets = [int(item) for item in request.get("TICKET").split(",") if item.strip().isdigit()]
        return {}, [deal for deal in map(books.store.deal, tickets) if deal]
    first, last = window_of(request)
    symbol = request.get("SYMBOL")
    logins = chosen_logins(books, request)
    if request.get("LOGIN"):
        rows = [deal for login in logins for _owner, deal in books.store.deals_between(first, last, login, symbol)]
    else:
        chosen = set(logins)
        rows = [deal for owner, deal in books.store.deals_between(first, last, symbol=symbol) if owner in chosen]
    return {}, rows


@command("POSITION_GET_TOTAL")
def position_get_total(books: Books, request: Request) -> Answer:
    """Count an account's positions."""
    return {"TOTAL": len(books.store.positions_of(login_of(request)))}, None


@command("POSITION_GET_PAGE")
def position_get_page(books: Books, request: Request) -> Answer:
    """List a page of an account's positions."""
    offset, total = page_of(request)
    return {}, users.position_json(books, login_of(request))[offset : offset + total]


@command("POSITION_GET")
def position_get(books: Books, request: Request) -> Answer:
    """Answer an account's position on a symbol."""
    rows = [row for row in users.position_json(books, login_of(request)) if row["Symbol"] == request.get("SYMBOL")]
    if not rows:
        raise Refused(13)
    return {}, rows[0]


@command("POSITION_GET_BATCH")
def position_get_batch(books: Books, request: Request) -> Answer:
    """List the positions of chosen accounts."""
    symbol = request.get("SYMBOL")
    held = [login for login in chosen_logins(books, request) if books.store.by_login.get(login)]
    rows = [row for login in held if login in books.store.users for row in users.position_json(books, login)]
    return {}, [row for row in rows if not symbol or row["Symbol"] == symbol]


def run(books: Books, request: Request) -> tuple[int, Answer]:
    """Retcode and answer of one command."""
    handler = HANDLERS.get(request.name)
    if handler is None:
        return 12000, ({}, None)
    try:
        return 0, handler(books, request)
    except Refused as refusal:
        return refusal.code, ({}, None)
