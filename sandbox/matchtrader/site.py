"""REST: paths, the key, pages, errors of the platform's form, and the limit of requests in a minute."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from email.utils import formatdate
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sandbox.engine.books import BALANCE, CORRECTION, CREDIT, Refused
from sandbox.engine.contracts import SYMBOLS
from sandbox.engine.http import REASONS, Request, Response, as_json
from sandbox.matchtrader.accounts import BAD, STALE, TAKEN, UNKNOWN
from sandbox.matchtrader.names import ACCESS_RIGHTS, FULL, OFFERED, TYPES
from sandbox.matchtrader.views import moment, msc_of

if TYPE_CHECKING:
    from sandbox.matchtrader.server import MatchTraderServer

COMMENT_UNITS: Final = 255
LISTED_TYPES: Final = frozenset(TYPES) - {"OTHER"}  # which the streams have, and the list of ledgers has not
PAGE_DEFAULT, PAGE_MAX = 20, 1000
# The books' codes as HTTP statuses; every other is a bad request. A stale version is said to be rejected, without a number.
STATUSES: Final = {UNKNOWN: 404, TAKEN: 409, STALE: 409, 3008: 409}
WORDS: Final = {
    BAD: "A field is missing or can't be",
    8: "There is no such group",
    UNKNOWN: "There is no such account",
    TAKEN: "It is there already",
    STALE: "The version is not the account's",
    3006: "The password is too weak",
    3008: "The account has open positions",
    3010: "The group has another currency",
    4005: "The amount is too large",
    10014: "Invalid volume",
    10017: "Trading is disabled",
    10018: "The market is closed",
    10019: "Not enough money",
}
Names = Mapping[str, str]
Handler = Callable[["Site", Request, Names], Response]
ROUTES: list[tuple[str, str, re.Pattern[str], Handler]] = []


def route(name: str, method: str, path: str) -> Callable[[Handler], Handler]:
    """Register the handler of a method and path; `{name}` in the path becomes an argument."""
    pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + r"\Z")

    def register(handler: Handler) -> Handler:
        ROUTES.append((name, method, pattern, handler))
        return handler

    return register


class Site:
    """What each request does."""

    def __init__(self, server: MatchTraderServer) -> None:
        self.server, self.books = server, server.books
        self.accounts, self.views = server.accounts, server.views
        self._path = ""

    # -- as the engine's listener asks

    def find(self, request: Request) -> tuple[str, Callable[[], Response]]:
        self._path = request.path
        if request.headers.get("authorization", "") != f"Bearer {self.server.key}":
            return "UNAUTHORIZED", lambda: self._dated(self.problem(401, "The key is not known"))
        for name, method, pattern, handler in ROUTES:
            match = pattern.match(request.path)
            if match and method == request.method:
                return name, partial(self._work, name, handler, request, match.groupdict())
        return "UNKNOWN", lambda: Response(404, b"<html>Not Found</html>", "text/html")

    def _work(self, name: str, handler: Handler, request: Request, names: Names) -> Response:
        return self._dated(self._do(name, handler, request, names))

    def _do(self, name: str, handler: Handler, request: Request, names: Names) -> Response:
        faults = self.server.switches.last
        if "wrong_path" in faults:
            return Response(404, b"<html>Not Found</html>", "text/html")
        if "version_raced" in faults:
            self.accounts.race(names["login"])
        if "limit_now" in faults:
            self.server.use_up(faults["limit_now"].value or 1)
            return self.too_frequent(name)
        if "cut_comment" in faults:
            request = replace(
                request, headers={**request.headers, "x-comment-units": str(int(faults["cut_comment"].value))}
            )
        try:
            response = handler(self, request, names)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Refused(BAD) from None
        if "proxy_403" in faults:
            return Response(403, b"<html>Forbidden</html>", "text/html")
        return response

    def refusal(self, command: str, code: int) -> Response:
        """Codes from 400 to 599 are HTTP statuses themselves, for the faults."""
        status = code if 400 <= code < 600 and code not in WORDS else STATUSES.get(code, 400)
        return self._dated(self.problem(status, WORDS.get(code, "Refused")))

    def too_frequent(self, command: str) -> Response:
        return self._dated(self.problem(429, "More than the limit of requests in a minute"))

    def problem(self, status: int, detail: str) -> Response:
        body = {
            "status": str(status),
            "title": REASONS.get(status, "Error"),
            "detail": detail,
            "path": self._path,
            "timestamp": moment(self.books.clock.now_msc()),
        }
        return as_json(body, status)

    def _dated(self, response: Response) -> Response:
        return replace(response, headers={**response.headers, "Date": formatdate(self.books.clock.utc(), usegmt=True)})

    # -- what requests have in common

    @staticmethod
    def chosen(body: Any, server: MatchTraderServer) -> list[int]:
        """Find the accounts of `logins` or `groups`; one of them must be there.

        Without a filter only those with full rights.
        """
        logins, groups = body.get("logins") or [], body.get("groups") or []
        if not logins and not groups:
            raise Refused(BAD)
        rights = body.get("accessRightsFilter") or [FULL]
        if set(rights) - set(ACCESS_RIGHTS):
            raise Refused(BAD)
        names, logins_asked = set(groups), {str(login) for login in logins}
        return [
            user.login
            for user in server.accounts.listed(words=rights)
            if str(user.login) in logins_asked or (names and server.views.account_group(user) in names)
        ]

    @staticmethod
    def window(body: Any, *, is_needed: bool) -> tuple[int, int]:
        if is_needed and not (body.get("from") and body.get("to")):
            raise Refused(BAD)
        return msc_of(body["from"]) if body.get("from") else 0, msc_of(body["to"]) if body.get("to") else 2**62


# -- people and accounts


@route("USER_BY_EMAIL", "GET", "/v1/user-accounts/email/{email}")
def user_by_email(site: Site, _request: Request, names: Names) -> Response:
    """Answer the user account of an e-mail address."""
    return _person(site.accounts.person(email=names["email"]))


@route("USER", "GET", "/v1/user-accounts/{user}")
def user(site: Site, _request: Request, names: Names) -> Response:
    """Answer a user account."""
    return _person(site.accounts.person(key=names["user"]))


@route("USERS", "POST", "/v1/user-accounts")
def new_user(site: Site, request: Request, _names: Names) -> Response:
    """Add a user account."""
    return _person(site.accounts.add_person(request.json()))


def _person(person: dict[str, Any] | None) -> Response:
    if person is None:
        raise Refused(UNKNOWN)
    return as_json({name: value for name, value in person.items() if name != "password"})


@route("PASSWORD", "POST", "/v1/user-accounts/{user}/change-password")
def password(site: Site, request: Request, names: Names) -> Response:
    """Set a user account's password."""
    site.accounts.set_password(names["user"], str(request.json()["newPassword"]))
    return Response(204)


@route("NEW_ACCOUNT", "POST", "/v1/user-accounts/{user}/trading-accounts")
def new_account(site: Site, request: Request, names: Names) -> Response:
    """Add a trading account."""
    made = site.accounts.add(names["user"], request.json())
    return as_json(site.views.account(made))


@route("ACCOUNTS", "GET", "/v1/trading-accounts")
def accounts(site: Site, request: Request, _names: Names) -> Response:
    """Pages are counted from 0. Without a filter only accounts with full rights are listed."""
    page, size = int(request.query.get("page") or 0), int(request.query.get("size") or PAGE_DEFAULT)
    if page < 0 or not 1 <= size <= PAGE_MAX:
        raise Refused(BAD)
    rights = [word for many in request.many("accessRightsFilter") for word in many.split(",")] or [FULL]
    listed = list(site.accounts.listed(request.query.get("group", ""), rights))
    content = [site.views.account(user) for user in listed[page * size : (page + 1) * size]]
    return as_json(
        {"content": content, "totalPages": -(-len(listed) // size), "totalElements": len(listed), "size": size}
    )


@route("ACCOUNT", "GET", "/v1/trading-accounts/{login}")
def account(site: Site, _request: Request, names: Names) -> Response:
    """Answer a trading account."""
    return as_json(site.views.account(site.accounts.find(names["login"])))


@route("ACCOUNT_PATCH", "PATCH", "/v1/trading-accounts/{login}")
def change_account(site: Site, request: Request, names: Names) -> Response:
    """Change a trading account under its version."""
    site.accounts.change(names["login"], request.json())
    return Response(204)


# -- money


def _book(site: Site, request: Request, names: Names, sign: int, *, is_credit: bool = False) -> Response:
    body = request.json()
    amount, more = Decimal(str(body["amount"])), str(body.get("additionalType") or "NONE")
    if amount <= 0:
        raise Refused(BAD)
    kind = CREDIT if is_credit else CORRECTION if more == "CORRECTION" else BALANCE
    units = int(request.headers.get("x-comment-units") or COMMENT_UNITS)
    login = site.accounts.find(names["login"]).login
    site.books.balance_operation(login, kind, sign * amount, str(body.get("comment") or ""), False, units)
    return Response(204)


@route("DEPOSIT", "POST", "/v1/trading-accounts/{login}/deposit")
def deposit(site: Site, request: Request, names: Names) -> Response:
    """Book a deposit."""
    return _book(site, request, names, 1)


@route("WITHDRAW", "POST", "/v1/trading-accounts/{login}/withdraw")
def withdraw(site: Site, request: Request, names: Names) -> Response:
    """Book a withdrawal."""
    return _book(site, request, names, -1)


@route("CREDIT_IN", "POST", "/v1/trading-accounts/{login}/credit-in")
def credit_in(site: Site, request: Request, names: Names) -> Response:
    """Book credit in."""
    return _book(site, request, names, 1, is_credit=True)


@route("CREDIT_OUT", "POST", "/v1/trading-accounts/{login}/credit-out")
def credit_out(site: Site, request: Request, names: Names) -> Response:
    """Book credit out."""
    return _book(site, request, names, -1, is_credit=True)


# -- what happened and what is open


@route("LEDGERS", "POST", "/v1/trading-accounts/trading-data/ledgers")
def ledgers(site: Site, request: Request, _names: Names) -> Response:
    """List the ledger entries of accounts or groups in a window."""
    body = request.json()
    first, last = site.window(body, is_needed=False)
    types = set(body.get("types") or ())
    if not types or types - LISTED_TYPES:
        raise Refused(BAD)
    entries = site.views.ledgers(site.chosen(body, site.server), first, last, types)
    group_of = site.views.account_group
    return as_json(
        [
            {"login": str(login), "group": group_of(site.books.user(login)), "operations": rows}
            for login, rows in entries.items()
        ]
    )


@route("OPEN_POSITIONS", "POST", "/v1/trading-accounts/trading-data/open-positions")
def open_positions(site: Site, request: Request, _names: Names) -> Response:
    """List the open positions of accounts or groups."""
    answer = []
    for login in site.chosen(request.json(), site.server):
        if positions := site.views.open_positions(login):
            group = site.views.account_group(site.books.user(login))
            answer.append({"login": str(login), "group": group, "positions": positions})
    return as_json(answer)


@route("CLOSED_POSITIONS", "POST", "/v1/trading-accounts/trading-data/closed-positions")
def closed_positions(site: Site, request: Request, _names: Names) -> Response:
    """List what accounts or groups closed in a window."""
    body = request.json()
    first, last = site.window(body, is_needed=True)
    rows = site.views.closed_positions(site.chosen(body, site.server), first, last)
    return as_json({"closedPositions": list(rows)})


# -- groups and symbols


@route("GROUPS", "POST", "/v1/groups")
def groups(site: Site, request: Request, _names: Names) -> Response:
    """Answer those of the names that there are."""
    names = request.json()["names"]
    if not isinstance(names, list) or not names:
        raise Refused(BAD)
    return as_json([site.views.group(name) for name in names if name in OFFERED])


@route("GROUP_NAMES", "GET", "/v1/group-names")
def group_names(site: Site, _request: Request, _names: Names) -> Response:
    """List the names of all groups."""
    return as_json(sorted(OFFERED))


@route("SYMBOLS", "GET", "/v1/symbols")
def symbols(site: Site, request: Request, _names: Names) -> Response:
    """List the symbols of a group."""
    group = OFFERED.get(request.query.get("group", ""))
    if group is None:
        raise Refused(8)
    chosen = set(filter(None, request.query.get("symbols", "").split(",")))
    return as_json(
        [site.views.symbol(symbol, group) for name, symbol in SYMBOLS.items() if not chosen or name in chosen]
    )
