"""The calls: GetUserTransactions, CreateUser, and a money call of this server's own making."""

from __future__ import annotations

import hmac
import ssl
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from email.utils import formatdate
from typing import Any

from sandbox.engine.books import BALANCE, COMMENT_MAX, RIGHTS_DEFAULT, Books, Refused
from sandbox.engine.contracts import GROUPS
from sandbox.engine.faults import Fault, Faults
from sandbox.engine.gateway import Gateway
from sandbox.engine.http import HttpListener, Request, Response, as_json
from sandbox.engine.store import User, hash_password
from sandbox.sirix.names import ENGINE_GROUPS, GROUP_NAMES
from sandbox.sirix.rows import Account, page_of

OWN_FAULTS = {
    "unauthorized": "does nothing, says that the token is not taken",
    "proxy_403": "does the command, answers 403 as a proxy in front would",
    "null_user": "does the command, answers without user data",
}
PAGE_SIZE = 500
PASSWORD_MIN = 6
WORDS = {
    3: "Invalid request",
    8: "Group not found",
    13: "User not found",
    3006: "The password is too weak",
    4005: "Invalid amount",
    10019: "Not enough money",
}
DENIED = "Authorization has been denied for this request."
MONEY = "CREATEMONETARYTRANSACTION"


class SirixListener(HttpListener):
    """The faults that only this platform has."""

    site: SirixServer

    def _do(self, command: str, work: Callable[[], Response], faults: Mapping[str, Fault]) -> Response:
        if "unauthorized" in faults:
            return self.site.denied()
        self.site.comment_max = int(faults["cut_comment"].value) if "cut_comment" in faults else COMMENT_MAX
        response = super()._do(command, work, faults)
        if "proxy_403" in faults:
            return Response(403, b"<html>403 Forbidden</html>", "text/html")
        if "null_user" in faults:
            return self.site.reply({"UserData": None})
        return response


class SirixServer(Gateway):
    """One server: the gateway of the engine and the site of its listener in one."""

    name = "Sirix"
    refusals = WORDS

    def __init__(self, books: Books, token: str, context: ssl.SSLContext | None = None) -> None:
        super().__init__(books, Faults(OWN_FAULTS))
        self.token, self.comment_max = token, COMMENT_MAX
        self.listener = SirixListener(self, self, context)
        self.calls: dict[tuple[str, str], Callable[[dict[str, Any]], Response]] = {
            ("POST", "/api/UserStatus/GetUserTransactions"): self.get_user_transactions,
            ("POST", "/api/UserActions/CreateUser"): self.create_user,
            ("POST", "/api/UserActions/CreateMonetaryTransaction"): self.create_monetary_transaction,
        }

    async def start(self, host: str, ports: Mapping[str, int | None]) -> dict[str, int]:
        return {"sirix_port": await self.listener.start(host, ports["sirix_port"] or 0)}

    async def stop(self) -> None:
        await self.listener.stop()
        await super().stop()

    # -- the site

    def find(self, request: Request) -> tuple[str, Callable[[], Response]]:
        call = self.calls.get((request.method, request.path))
        name = request.path.rpartition("/")[2].upper() or "ROOT"

        def work() -> Response:
            scheme, _space, token = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not hmac.compare_digest(token.encode(), self.token.encode()):
                return self.denied()
            if call is None:
                return self.reply({"Message": "No HTTP resource was found that matches the request URI."}, 404)
            try:
                body = request.json()
                if not isinstance(body, dict):
                    raise ValueError
                return call(body)
            except (ValueError, KeyError, TypeError, InvalidOperation):
                raise Refused(3) from None

        return name, work

    def reply(self, value: Any, status: int = 200) -> Response:
        """With the server's clock, as every web server tells it."""
        return as_json(value, status, Date=formatdate(self.books.clock.utc(), usegmt=True))

    def denied(self) -> Response:
        return self.reply({"Message": DENIED}, 401)

    def refusal(self, command: str, code: int) -> Response:
        message = WORDS.get(code, f"Error {code}")
        if command == MONEY:
            return self.reply({"Result": {"Code": message.title().replace(" ", "")}, "Message": message}, 400)
        return self.reply({"Message": message}, 404 if code == 13 else 400)

    def too_frequent(self, command: str) -> Response:
        return self.reply({"Message": "Too many requests"}, 429)

    # -- the calls

    def get_user_transactions(self, body: dict[str, Any]) -> Response:
        """{UserID, GetOpenPositions, GetPendingPositions, GetClosePositions, GetMonetaryTransactions, Page, PageSize}"""
        account = Account(self.books, self._login(body))
        page, size = int(body.get("Page") or 1), int(body.get("PageSize") or PAGE_SIZE)
        if page < 1 or not 1 <= size <= PAGE_SIZE:
            raise Refused(3)
        answer: dict[str, Any] = {"UserData": account.user_data()}
        if body.get("GetOpenPositions"):
            answer["OpenPositions"] = account.open_positions()
        if body.get("GetPendingPositions"):
            answer["PendingOrders"] = account.pending_orders()
        if body.get("GetClosePositions"):
            answer["ClosedPositions"] = page_of(account.closed, page, size)
        if body.get("GetMonetaryTransactions"):
            answer["MonetaryTransactions"] = page_of(account.money, page, size)
        return self.reply(answer)

    def create_user(self, body: dict[str, Any]) -> Response:
        """{GroupName, UserDetails{FullName, Email}, Passwords{Password}}: the server chooses the user's number."""
        store, group = self.books.store, GROUPS.get(ENGINE_GROUPS.get(str(body.get("GroupName")), ""))
        if group is None:
            raise Refused(8)
        details, password = body["UserDetails"], str(body["Passwords"]["Password"])
        if len(password) < PASSWORD_MIN:
            raise Refused(3006)
        name, now = str(details["FullName"]).strip(), self.books.clock.now()
        if not name:
            raise Refused(3)
        with store.transaction():
            login = store.next_ticket("login")
            while login in store.users:
                login = store.next_ticket("login")
            hashed = hash_password(login, password)
            fields = {"Name": name, **{key: str(details.get(key) or "") for key in ("Email", "Phone", "Country")}}
            store.save_user(
                User(
                    login,
                    group.name,
                    group.leverage,
                    RIGHTS_DEFAULT,
                    Decimal(0),
                    Decimal(0),
                    hashed,
                    hashed,
                    now,
                    now,
                    fields,
                )
            )
        return self.reply({"User": {"UserID": str(login)}})

    def create_monetary_transaction(self, body: dict[str, Any]) -> Response:
        """{UserID, Type: Deposit|Withdrawal, Amount, Comment}; a withdrawal's amount is positive, too."""
        login, amount = self._login(body), Decimal(str(body["Amount"]))
        sign = {"Deposit": 1, "Withdrawal": -1}[str(body["Type"])]
        if amount <= 0:
            raise Refused(4005)
        comment = str(body.get("Comment") or "")
        ticket = self.books.balance_operation(login, BALANCE, sign * amount, comment, True, self.comment_max)
        return self.reply({"Result": {"Code": "Success", "RequestId": f"{ticket:08x}"}})

    def _login(self, body: dict[str, Any]) -> int:
        """Find the user that the request names. Raises Refused."""
        text = str(body["UserID"])
        user = self.books.user(int(text) if text.isdecimal() else 0)
        if user.group not in GROUP_NAMES:
            raise Refused(13)
        return user.login
