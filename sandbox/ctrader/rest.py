"""WebServices over HTTPS: token in the address, XML unless JSON is asked for, positions in CSV two days at a time."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import time
from collections.abc import Callable
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from typing import Any, Protocol
from xml.sax.saxutils import escape

from sandbox.ctrader import names, traders, view
from sandbox.ctrader.state import Reference, State
from sandbox.ctrader.traders import CODES, Denied
from sandbox.engine.books import BUY
from sandbox.engine.contracts import GROUPS, SYMBOLS
from sandbox.engine.deals import IN
from sandbox.engine.faults import Fault, Faults
from sandbox.engine.http import Request, Response, as_json
from sandbox.engine.store import User

CLOSED_HEAD = (
    "login,positionId,dealId,openTimestamp,closeTimestamp,entryPrice,closePrice,direction,volume,symbol,commission,swap,pnl,"
    "depositConversionRate,usdConversionRate,bookType,stake,spreadBetting"
)
OPEN_HEAD = (
    "login,positionId,openTimestamp,entryPrice,direction,volume,symbol,commission,swap,bookType,stake,spreadBetting,"
    "usedMargin"
)
WINDOW = dt.timedelta(days=2)
TYPES = {"DEPOSIT": 0, "WITHDRAW": 1, "DEPOSIT_NONWITHDRAWABLE_BONUS": 19, "WITHDRAW_NONWITHDRAWABLE_BONUS": 20}
ACCESS = ("FULL_ACCESS", "CLOSE_ONLY", "NO_TRADING", "NO_LOGIN")
# method, path → the command's name as counts and faults know it.
ROUTES = (
    ("POST", r"/v2/webserv/managers/token", "TOKEN"),
    ("POST", r"/v2/webserv/traders/?", "TRADER_ADD"),
    ("GET", r"/v2/webserv/traders/?", "TRADERS"),
    ("GET", r"/v2/webserv/traders/(\d+)", "TRADER_GET"),
    ("PATCH", r"/v2/webserv/traders/(\d+)", "TRADER_PATCH"),
    ("POST", r"/v2/webserv/traders/(\d+)/changebalance", "CHANGEBALANCE"),
    ("GET", r"/v2/webserv/openPositions", "OPEN_POSITIONS"),
    ("GET", r"/v2/webserv/closedPositions", "CLOSED_POSITIONS"),
    ("GET", r"/v2/webserv/tradergroups", "GROUPS"),
    ("GET", r"/v2/webserv/symbols", "SYMBOLS"),
    ("POST", r"/cid/ctid/create", "CTID_CREATE"),
    ("POST", r"/cid/ctid/link", "CTID_LINK"),
)
OWN_FAULTS = ("session_ends", "proxy_401", "maintenance")


class Owner(Protocol):
    """The server as its REST side sees it."""

    state: State
    faults: Faults
    login: int
    password_hash: str
    broker: str
    environment: str
    token_seconds: float

    def may(self, command: str) -> bool: ...


class WebServices:
    """The `Site` of `sandbox.engine.http`."""

    def __init__(self, owner: Owner) -> None:
        self.owner, self.state, self.books = owner, owner.state, owner.state.books
        self.tokens: dict[str, float] = {}

    # -- which request it is ------------------------------------------------------------------------------------------

    def find(self, request: Request) -> tuple[str, Callable[[], Response]]:
        for method, pattern, command in ROUTES:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                faults = take_own(self.owner.faults, command, OWN_FAULTS)
                login = int(match[1]) if match.groups() else 0
                return command, partial(self._answer, command, request, login, faults)
        return "unknown", lambda: Response(404, b"<html>Not Found</html>", "text/html")

    def _answer(self, command: str, request: Request, login: int, faults: dict[str, Fault]) -> Response:
        if "session_ends" in faults:
            self.tokens.clear()
        try:
            self._check(command, request, faults)
            response = getattr(self, f"_{command.lower()}")(request, login)
        except Denied as denied:
            return self._dated(_denial(denied.status, denied.code, denied.description))
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            return self._dated(_denial(400, "INVALID_REQUEST", repr(problem)))
        if "proxy_401" in faults:
            return Response(401, b"<html><title>401 Authorization Required</title></html>", "text/html")
        return self._dated(response)

    def _check(self, command: str, request: Request, faults: dict[str, Fault]) -> None:
        if "maintenance" in faults:
            raise Denied("SERVER_IS_UNDER_MAINTENANCE", status=503)
        if command == "TOKEN":
            return
        token = request.query.get("token", "")
        if self.tokens.get(token, 0) < time.monotonic():
            raise Denied("CH_ACCESS_TOKEN_INVALID", "the token is missing or over", status=401)
        if not self.owner.may(command):
            raise Denied("NOT_ENOUGH_RIGHTS", status=403)

    def _dated(self, response: Response) -> Response:
        at = dt.datetime.fromtimestamp(self.books.clock.utc(), dt.UTC)
        return Response(
            response.status,
            response.body,
            response.content_type,
            {**response.headers, "Date": format_datetime(at, usegmt=True)},
        )

    def refusal(self, command: str, code: int) -> Response:
        return _denial(400, CODES.get(code, "UNKNOWN_ERROR"))

    def too_frequent(self, command: str) -> Response:
        return _denial(429, "REQUEST_FREQUENCY_EXCEEDED")

    # -- requests -----------------------------------------------------------------------------------------------------

    def _token(self, request: Request, _login: int) -> Response:
        body = request.json()
        is_right = body["login"] == self.owner.login and body["hashedPassword"] == self.owner.password_hash
        if not is_right:
            raise Denied("AUTHENTICATION_FAILED", status=401)
        token = secrets.token_hex(16)
        self.tokens[token] = time.monotonic() + self.owner.token_seconds
        return _value(request, {"webservToken": token}, "token", 201)

    def _trader_add(self, request: Request, _login: int) -> Response:
        values = request.json()
        if values.get("brokerName") != self.owner.broker:
            raise Denied("CH_BROKER_NOT_FOUND")
        user = traders.create(self.state, values)
        shown = self._trader(user)
        keys = (
            "login",
            "balance",
            "bonus",
            "equity",
            "freeMargin",
            "cashEquity",
            "usedMargin",
            "moneyDigits",
            "registrationTimestamp",
            "lastUpdateTimestamp",
            "swapFree",
        )
        return _value(request, {key: shown[key] for key in keys}, "trader", 201)

    def _traders(self, request: Request, _login: int) -> Response:
        """By time of registration, all in one answer."""
        first, last = (_instant(request.query[name]) for name in ("from", "to"))
        group = int(request.query["groupId"]) if "groupId" in request.query else None
        traders = [
            self._trader(user)
            for _login, user in sorted(self.books.store.users.items())
            if first <= dt.datetime.fromtimestamp(user.registration, dt.UTC) <= last
            and group in (None, names.GROUP_IDS[user.group])
        ]
        return _value(request, {"trader": traders}, "traders")

    def _trader_get(self, request: Request, login: int) -> Response:
        return _value(request, self._trader(traders.user_of(self.state, login)), "trader")

    def _trader_patch(self, request: Request, login: int) -> Response:
        values, user = request.json(), traders.user_of(self.state, login)
        if "groupName" in values and values["groupName"] not in names.GROUP_NAMES:
            raise Denied("TRADER_GROUP_NOT_FOUND")
        traders.change(
            self.state,
            user,
            group=names.GROUP_NAMES.get(values.get("groupName", ""), ""),
            leverage_cents=values.get("leverageInCents"),
            hashed=values.get("hashedPassword", ""),
            access=traders.access_number(values["accessRights"]) if "accessRights" in values else None,
        )
        return Response(204)

    def _changebalance(self, request: Request, login: int) -> Response:
        values, user = request.json(), traders.user_of(self.state, login)
        if values.get("login") != login or values.get("type") not in TYPES:
            raise Denied("INVALID_REQUEST", "login or type")
        reference = Reference(*(str(values.get(name) or "") for name in ("externalId", "source", "externalNote")))
        ticket = traders.change_balance(
            self.state,
            user,
            TYPES[values["type"]],
            Decimal(values["preciseAmount"]),
            str(values.get("comment") or ""),
            reference,
        )
        return _value(request, {"balanceHistoryId": ticket}, "balanceHistory")

    def _groups(self, request: Request, _login: int) -> Response:
        rows = [
            {"id": names.GROUP_IDS[name], "name": names.wire_group(name), "description": group.company}
            for name, group in GROUPS.items()
        ]
        return _value(request, {"traderGroup": rows}, "traderGroups")

    def _symbols(self, request: Request, _login: int) -> Response:
        rows = [
            {
                "id": names.SYMBOL_IDS[name],
                "name": name,
                "description": symbol.description,
                "assetClass": names.asset_class(symbol)[0],
                "category": names.asset_class(symbol)[0],
                "quotesEnabled": True,
                "showInCtrader": True,
            }
            for name, symbol in SYMBOLS.items()
        ]
        return _value(request, {"symbol": rows}, "symbols")

    def _ctid_create(self, request: Request, _login: int) -> Response:
        values = request.json()
        if values.get("brokerName") != self.owner.broker:
            raise Denied("CH_BROKER_NOT_FOUND")
        if "@" not in str(values.get("email")):
            raise Denied("INVALID_REQUEST", "email")
        user_id, is_new = self.state.person(str(values["email"]))
        if not is_new:
            return _value(request, {"userId": user_id}, "ctid")
        return _value(
            request,
            {
                "userId": user_id,
                "nickname": f"ctid{user_id}",
                "email": values["email"],
                "status": "CTID_NEW",
                "preferredLanguage": values.get("preferredLanguage") or "en",
                "utcCreateTimestamp": int(self.books.clock.utc() * 1000),
            },
            "ctid",
        )

    def _ctid_link(self, request: Request, _login: int) -> Response:
        values = request.json()
        user = self.books.store.users.get(values["traderLogin"])
        if values.get("brokerName") != self.owner.broker or values.get("environmentName") != self.owner.environment:
            raise Denied("CH_BROKER_NOT_FOUND")
        if user is None:
            raise Denied("CH_TRADER_ACCOUNT_NOT_FOUND")
        if not self.state.knows_person(values["userId"]) or not self.state.password_is(
            user, values["traderPasswordHash"]
        ):
            raise Denied("CH_TRADER_ACCOUNT_CANNOT_BE_LINKED")
        if not self.state.link(user.login, values["userId"]):
            raise Denied("CH_CTID_TRADER_ACCOUNT_ALREADY_EXISTS")
        return _value(request, {"ctidTraderAccountId": 70_000_000 + user.login}, "link")

    # -- positions in CSV ---------------------------------------------------------------------------------------------

    def _closed_positions(self, request: Request, _login: int) -> Response:
        """One row per closing deal."""
        first, last = (_instant(request.query[name]) for name in ("from", "to"))
        if last - first > WINDOW or last < first:
            raise Denied("INVALID_REQUEST", "the difference between from and to must be two days or less")
        login = int(request.query["login"]) if request.query.get("login") else None
        lines = [CLOSED_HEAD]
        begin, end = (int(at.timestamp() * 1000) for at in (first, last))
        for _owner, row in self.books.store.deals_between(begin, end, login):
            if view.is_trade(row) and int(row["Entry"]) != IN:
                lines.append(self._closed(row))
        return Response(200, "\n".join(lines).encode(), "text/csv; charset=utf-8")

    def _closed(self, row: dict[str, Any]) -> str:
        symbol, market = SYMBOLS[row["Symbol"]], self.books.market
        taken, _waiting = self.state.commissions(int(row["Login"]), row["PositionID"])
        query = "SELECT min(time_msc) FROM deals WHERE json_extract(data, '$.PositionID') = ?"
        (opened,) = self.books.store.db.execute(query, (row["PositionID"],)).fetchone()
        volume = names.hundredths(int(row["VolumeClosedExt"]), symbol)
        side = "SELL" if row["Action"] == str(BUY) else "BUY"  # of the position
        return ",".join(
            map(
                str,
                (
                    row["Login"],
                    row["PositionID"],
                    row["Deal"],
                    _text(opened),
                    _text(int(row["TimeMsc"])),
                    row["PricePosition"],
                    row["Price"],
                    side,
                    f"{Decimal(volume) / 100:.2f}",
                    row["Symbol"],
                    taken[int(row["Deal"])],
                    row["Storage"],
                    row["Profit"],
                    row["RateProfit"],
                    f"{market.in_dollars(symbol.profit):.5f}",
                    "BOOK_B",
                    "0.00",
                    "false",
                ),
            )
        )

    def _open_positions(self, request: Request, _login: int) -> Response:
        login = int(request.query["login"]) if request.query.get("login") else None
        lines = [OPEN_HEAD]
        for held in self.books.store.positions.values():
            if login in (None, held.login):
                symbol, shown = SYMBOLS[held.symbol], view.position(self.state, held)
                _taken, waiting = self.state.commissions(held.login, str(held.ticket))
                volume = names.hundredths(held.volume_ext, symbol)
                margin = Decimal(shown.usedMargin).scaleb(-shown.moneyDigits)
                lines.append(
                    ",".join(
                        map(
                            str,
                            (
                                held.login,
                                held.ticket,
                                _text(held.time_msc),
                                held.price_open,
                                "BUY" if held.action == BUY else "SELL",
                                f"{Decimal(volume) / 100:.2f}",
                                held.symbol,
                                waiting,
                                held.storage,
                                "BOOK_B",
                                "0.00",
                                "false",
                                margin,
                            ),
                        )
                    )
                )
        return Response(200, "\n".join(lines).encode(), "text/csv; charset=utf-8")

    # -- a trader -----------------------------------------------------------------------------------------------------

    def _trader(self, user: User) -> dict[str, Any]:
        account, group = self.books.account(user.login), GROUPS[user.group]
        bonus, (first, last) = self.state.bonus(user.login), view.person_of(user)

        def whole(amount: Decimal) -> int:
            return self.state.smallest(amount, user)

        return {
            "login": user.login,
            "groupName": names.wire_group(user.group),
            "depositCurrency": group.currency,
            "accessRights": ACCESS[view.access_of(user)],
            "accountType": "HEDGED" if group.margin_mode else "NETTED",
            "balance": whole(self.state.balance(user)),
            "bonus": whole(bonus),
            "equity": whole(account.equity),
            "nonWithdrawableBonus": whole(user.credit - bonus),
            "freeMargin": whole(account.free),
            "usedMargin": whole(account.margin),
            "cashEquity": whole(account.equity - user.credit),
            "moneyDigits": group.digits,
            "leverageInCents": user.leverage * 100,
            "name": first,
            "lastName": last,
            "description": user.fields.get("Comment", ""),
            "brokerName": self.owner.broker,
            "swapFree": group.swap_free,
            "contactDetails": {"email": user.fields.get("Email", ""), "phone": user.fields.get("Phone", "")},
            "registrationTimestamp": view.registered_msc(user),
            "lastUpdateTimestamp": user.last_access * 1000,
            "totalMarginCalculationType": "MAX",
            "isLimitedRisk": False,
            "introducingBroker": False,
        }


def take_own(faults: Faults, command: str, kinds: tuple[str, ...]) -> dict[str, Fault]:
    """Faults of some kinds that hit this command; each is used up by one."""
    hit: dict[str, Fault] = {}
    for fault in list(faults.armed):
        if fault.kind in kinds and fault.command in ("*", command) and fault.kind not in hit:
            hit[fault.kind] = fault
            fault.hits += 1
            fault.times -= 1
            if fault.times <= 0:
                faults.armed.remove(fault)
    return hit


def _denial(status: int, code: str, description: str = "") -> Response:
    return as_json({"error": {"errorCode": code, "description": description}}, status)


def _value(request: Request, value: dict[str, Any], name: str, status: int = 200) -> Response:
    """JSON when it is asked for, else XML."""
    if "json" in request.headers.get("accept", ""):
        return as_json(value, status)
    text = f'<?xml version="1.0" encoding="UTF-8"?>{_xml(name, value)}'
    return Response(status, text.encode(), "application/xml; charset=utf-8")


def _xml(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_xml(name, item) for item in value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(_xml(key, item) for key, item in value.items())}</{name}>"
    return f"<{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</{name}>"


def _instant(text: str) -> dt.datetime:
    return dt.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f").replace(tzinfo=dt.UTC)


def _text(milliseconds: int) -> str:
    at = dt.datetime.fromtimestamp(milliseconds // 1000, dt.UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds % 1000:03d}"
