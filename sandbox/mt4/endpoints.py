"""What each call of the bridge does: users, groups, symbols, margins. Trades are in `endpoints_trades`.

Names, parameters and shapes are those of the public client (PyPI mywebapi-sdk 0.3.3), which tests drive this server with.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from sandbox.engine.books import Books
from sandbox.engine.contracts import GROUPS, SYMBOLS, Group, Symbol
from sandbox.engine.http import Request, Response
from sandbox.engine.store import User
from sandbox.mt4 import names
from sandbox.mt4.accounts import Accounts
from sandbox.mt4.envelope import Problem, answer, page
from sandbox.mt4.records import Records
from sandbox.mt4.sync import Sync
from sandbox.mt4.times import Times

BUILD, VERSION = 1420, 400
BALANCE, CHANGE, USERS, TRADES, REPORTS = (
    "balance operations",
    "change accounts",
    "see accounts",
    "see trades",
    "reports",
)
RIGHTS: Final = (BALANCE, CHANGE, USERS, TRADES, REPORTS)


@dataclass
class Server:
    """What the calls work on."""

    books: Books
    records: Records
    accounts: Accounts
    times: Times
    sync: Sync
    rights: set[str]
    comment_max: int | None = None  # bytes to which the next comment is cut


@dataclass(frozen=True)
class Call:
    """One call: its request and what stands in its path after the name."""

    request: Request
    arguments: list[str]

    @property
    def query(self) -> dict[str, str]:
        return self.request.query

    def number(self) -> int:
        return int(self.arguments[0])

    def numbers(self, name: str) -> list[int]:
        return list(dict.fromkeys(int(value) for value in self.request.many(name)))

    def is_on(self, name: str, otherwise: bool = False) -> bool:
        return self.query.get(name, str(otherwise)).lower() == "true"

    def body(self) -> dict[str, Any]:
        body = self.request.json()
        if not isinstance(body, dict):
            raise Problem("Validation", "The body must be a JSON object.")
        return body


Work = Callable[[Server, Call], Response]


@dataclass(frozen=True)
class Endpoint:
    """`kind`: which deadline it has. `right`: what the bridge's manager needs for it."""

    name: str
    kind: str
    right: str
    work: Work


ENDPOINTS: dict[tuple[str, str, int], Endpoint] = {}
"""By method, name, and how much of the path follows the name."""


def endpoint(
    name: str, *, method: str = "GET", arguments: int = 0, kind: str = "read", right: str = ""
) -> Callable[[Work], Work]:
    """Register the handler of a call with its kind and the right that it needs."""

    def register(work: Work) -> Work:
        ENDPOINTS[method, name, arguments] = Endpoint(name, kind, right, work)
        return work

    return register


def user_of(server: Server, login: int) -> User:
    """Find an account. Raises Problem."""
    user = server.accounts.user(login)
    if user is None:
        raise Problem("NotFound", f"There is no account {login}.")
    return user


# -- the server


@endpoint("ServerTime")
def server_time(server: Server, _call: Call) -> Response:
    """Answer the server's clock."""
    return answer(server.times.text(server.books.clock.now_msc()))


@endpoint("ManagerCommon")
@endpoint("CfgRequestCommon")
def common(server: Server, _call: Call) -> Response:
    """Answer the server's common settings."""
    hours = int(server.books.clock.offset().total_seconds()) // 3600
    return answer(
        {
            "name": "Keelson-Sandbox",
            "owner": "Keelson Sandbox Markets Ltd",
            "build": BUILD,
            "version": VERSION,
            "timeZone": hours,
        }
    )


# -- accounts


@endpoint("UserRecordNew", method="POST", kind="change", right=CHANGE)
def user_new(server: Server, call: Call) -> Response:
    """Add an account."""
    return answer(server.accounts.show(server.accounts.add(call.body())))


@endpoint("UserRecord", method="PATCH", arguments=1, kind="change", right=CHANGE)
@endpoint("UserRecordUpdate", method="POST", arguments=1, kind="change", right=CHANGE)
def user_patch(server: Server, call: Call) -> Response:
    """Change fields of an account."""
    user = user_of(server, call.number())
    return answer(server.accounts.show(server.accounts.patch(user, call.body())))


@endpoint("UserRecordGet", arguments=1, right=USERS)
@endpoint("UserRecordRequest", arguments=1, right=USERS)
def user_get(server: Server, call: Call) -> Response:
    """Answer an account."""
    return answer(server.accounts.show(user_of(server, call.number())))


@endpoint("UserRecordsRequest", right=USERS)
def user_records(server: Server, call: Call) -> Response:
    """Logins that are not there are left out without a word."""
    users = (server.accounts.user(login) for login in call.numbers("logins"))
    return answer([server.accounts.show(user) for user in users if user])


@endpoint("UsersRequest", right=USERS)
def users(server: Server, call: Call) -> Response:
    """List accounts page by page."""
    rows, paging = page(server.accounts.all(), lambda user: user.login, call.query)
    return answer([server.accounts.show(user) for user in rows], paging)


@endpoint("UsersSnapshot", kind="history", right=USERS)
def users_snapshot(server: Server, call: Call) -> Response:
    """List all accounts at once."""
    limit = int(call.query.get("limit") or 100_000)
    return answer([server.accounts.show(user) for user in server.accounts.all()[:limit]])


@endpoint("AdmUsersRequestSafe", arguments=1, kind="history", right=USERS)
def users_of_group(server: Server, call: Call) -> Response:
    """List the accounts of some groups."""
    groups = {name.strip() for name in call.arguments[0].split(",")}
    members = [user for user in server.accounts.all() if names.wire_group(user.group) in groups]
    return answer([server.accounts.show(user) for user in members])


@endpoint("UsersGroupOp", method="POST", kind="maintenance", right=CHANGE)
def users_group_op(server: Server, call: Call) -> Response:
    """Apply a command to many accounts."""
    body = call.body()
    command, accounts = str(body.get("command", "")).lower(), server.accounts
    changes: dict[str, Any] = {
        "setgroup": {"group": body.get("newGroup")},
        "leverage": {"leverage": body.get("leverage")},
        "delete": {},
        "enable": {},
        "disable": {},
    }
    logins = [int(login) for login in body.get("logins") or []]
    if command not in changes or not logins:
        raise Problem(
            "Validation", "command is one of Delete, Enable, Disable, Leverage, SetGroup; logins is not empty"
        )
    for user in [user_of(server, login) for login in logins]:
        change = changes[command]
        if command in ("enable", "disable"):
            flags = accounts.show(user)["enableFlags"]
            change = {"enableFlags": flags | 1 if command == "enable" else flags & ~1}
        if command == "delete":
            accounts.delete(user)
        else:
            accounts.patch(user, change)
    return answer(True)


@endpoint("UserPasswordSet", method="POST", arguments=1, kind="change", right=CHANGE)
def password_set(server: Server, call: Call) -> Response:
    """Set an account's password."""
    user = user_of(server, call.number())
    server.accounts.set_password(user, call.request.json(), investor=call.is_on("changeInvestor"))
    return answer(True)


@endpoint("UserPasswordCheck", method="POST", arguments=1, kind="change", right=USERS)
def password_check(server: Server, call: Call) -> Response:
    """Of the main password only. A wrong one is an answer, not an error."""
    return answer(server.accounts.is_password(user_of(server, call.number()), call.request.json()))


@endpoint("AdmBalanceCheck", arguments=1, right=REPORTS)
def balance_check(server: Server, call: Call) -> Response:
    """Answer by how much an account differs from its rows."""
    user = user_of(server, call.number())
    return answer({"login": user.login, "diff": server.accounts.off_by(user)})


@endpoint("AdmBalanceCheck", right=REPORTS)
def balance_checks(server: Server, call: Call) -> Response:
    """Only accounts that differ."""
    users = [user for user in map(server.accounts.user, call.numbers("logins")) if user]
    rows = [{"login": user.login, "diff": server.accounts.off_by(user)} for user in users]
    return answer([row for row in rows if row["diff"]])


@endpoint("AdmBalanceFix", method="POST", kind="trade", right=BALANCE)
def balance_fix(server: Server, call: Call) -> Response:
    """Set accounts to what their rows add up to."""
    for login in call.numbers("logins"):
        server.accounts.fix_balance(user_of(server, login))
    return answer(True)


# -- margins


@endpoint("MarginLevelGet", arguments=1, right=USERS)
@endpoint("MarginLevelRequest", arguments=1, right=USERS)
def margin_level(server: Server, call: Call) -> Response:
    """Answer an account's margin; NotFound without open trades."""
    user = user_of(server, call.number())
    if not server.books.store.positions_of(user.login):
        raise Problem("NotFound", "The account has no open trades.")
    return answer(server.accounts.margin(user))


@endpoint("MarginsGet", right=USERS)
def margins(server: Server, _call: Call) -> Response:
    """Accounts with open trades: the others are in no margin list."""
    logins = sorted(login for login, tickets in server.books.store.by_login.items() if tickets)
    users = (server.accounts.user(login) for login in logins)
    return answer([server.accounts.margin(user) for user in users if user])


# -- groups


def _group(wire: str, group: Group) -> dict[str, Any]:
    return {
        "group": wire,
        "enable": 1,
        "timeout": 60,
        "otpMode": "Disabled",
        "company": group.company,
        "signature": "",
        "supportPage": "",
        "supportEmail": "",
        "copies": 0,
        "reports": 1,
        "defaultLeverage": group.leverage,
        "defaultDeposit": 10000,
        "maxSecurities": 4096,
        "secMarginsTotal": 0,
        "currency": group.currency,
        "credit": 0,
        "marginCall": int(group.margin_call),
        "marginMode": "UseAll",
        "marginStopout": int(group.stop_out),
        "interestRate": 0,
        "useSwap": int(not group.swap_free),
        "newsMode": "Topics",
        "groupRights": "Trailing, Advisor",
        "checkIEPrices": 0,
        "maxPositions": 0,
        "closeReopen": 0,
        "hedgeProhibited": 0,
        "closeFIFO": 0,
        "hedgeLargeLeg": 1,
        "marginControllingType": "Percent",
        "archivePeriod": 90,
        "archiveMaxBalance": 0,
        "stopoutSkipHedged": 0,
        "archivePendingPeriod": 90,
    }


def _groups() -> list[dict[str, Any]]:
    return [_group(wire, GROUPS[name]) for wire, name in sorted(names.ENGINE_GROUPS.items())]


@endpoint("GroupsGet")
def groups_get(_server: Server, _call: Call) -> Response:
    """List all groups."""
    return answer(_groups())


@endpoint("GroupsRequest")
def groups_request(_server: Server, call: Call) -> Response:
    """List groups page by page."""
    rows, paging = page(_groups(), lambda row: row["group"], call.query)
    return answer(rows, paging)


@endpoint("GroupRecordGet", arguments=1)
def group_get(_server: Server, call: Call) -> Response:
    """Answer a group."""
    name = names.ENGINE_GROUPS.get(call.arguments[0])
    if name is None:
        raise Problem("NotFound", "There is no such group.")
    return answer(_group(call.arguments[0], GROUPS[name]))


@endpoint("EnsureGroupNameExist", arguments=1)
def group_exists(_server: Server, call: Call) -> Response:
    """Tell whether there is a group of this name."""
    return answer(call.arguments[0] in names.ENGINE_GROUPS)


# -- symbols


FOLDERS = tuple(dict.fromkeys(symbol.path.split("\\")[0] for symbol in SYMBOLS.values()))


def _symbol(symbol: Symbol) -> dict[str, Any]:
    return {
        "symbol": names.WIRE_SYMBOLS[symbol.name],
        "description": symbol.description,
        "source": "",
        "currency": symbol.profit,
        "type": FOLDERS.index(symbol.path.split("\\")[0]),
        "digits": symbol.digits,
        "tradeMode": "Full",
        "realtime": 1,
        "profitCalculationMode": "Forex" if symbol.calc_mode == 0 else "CFD",
        "spread": 0,
        "symbolExecMode": "Market",
        "swapEnable": 1,
        "swapType": "Points",
        "swapLong": symbol.swap_long,
        "swapShort": symbol.swap_short,
        "swapRollover3Days": 3,
        "contractSize": symbol.contract_size,
        "tickValue": 0,
        "tickSize": symbol.point,
        "stopsLevel": 0,
        "gtcMode": "Gtc",
        "marginCalculationMode": "Forex" if symbol.calc_mode == 0 else "CFD",
        "point": symbol.point,
        "marginCurrency": symbol.margin,
        "instantMaxVolume": 0,
    }


@endpoint("CfgRequestSymbol")
def symbols(_server: Server, _call: Call) -> Response:
    """List all symbols."""
    return answer([_symbol(symbol) for symbol in SYMBOLS.values()])


@endpoint("CfgRequestSymbol", arguments=1)
def symbol_config(_server: Server, call: Call) -> Response:
    """Answer a symbol's settings."""
    return answer(_symbol(_known(call.arguments[0])))


@endpoint("SymbolsGroupsGet")
def symbol_groups(_server: Server, _call: Call) -> Response:
    """List the folders of symbols."""
    return answer([{"name": folder, "description": folder} for folder in FOLDERS])


def _known(wire: str) -> Symbol:
    name = names.ENGINE_SYMBOLS.get(wire)
    if name is None:
        raise Problem("NotFound", "There is no such symbol.")
    return SYMBOLS[name]


def _tick(server: Server, symbol: Symbol) -> dict[str, Any]:
    bid, ask = server.books.market.quote(symbol)
    at = server.times.text(server.books.clock.now_msc())
    return {"symbol": names.WIRE_SYMBOLS[symbol.name], "time": at, "bid": bid, "ask": ask}


@endpoint("TickInfoLast")
def ticks(server: Server, _call: Call) -> Response:
    """List the last price of every symbol."""
    return answer([_tick(server, symbol) for symbol in SYMBOLS.values()])


@endpoint("TickInfoLast", arguments=1)
def tick(server: Server, call: Call) -> Response:
    """Answer the last price of a symbol."""
    return answer(_tick(server, _known(call.arguments[0])))


@endpoint("SymbolInfoGet")
def symbol_info(server: Server, call: Call) -> Response:
    """Answer a symbol with its price and the day's range."""
    symbol = _known(call.query.get("symbol", ""))
    shown = _tick(server, symbol)
    _first, low, high = server.books.market.today[symbol.name]
    rounded = server.books.market.rounded
    return answer(
        {
            "symbol": shown["symbol"],
            "digits": symbol.digits,
            "type": 0,
            "point": symbol.point,
            "spread": int((shown["ask"] - shown["bid"]) / symbol.point),
            "direction": "Up",
            "bid": shown["bid"],
            "ask": shown["ask"],
            "high": rounded(symbol.name, high),
            "low": rounded(symbol.name, low),
            "lastTime": shown["time"],
        }
    )
