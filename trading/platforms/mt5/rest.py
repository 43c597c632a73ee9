"""The HTTPS form of the MT5 Web API: one TLS connection is one session. See `commands` for the rules of both forms.

- the log-in belongs to the connection: it is made again on every new one, and 403 means "not logged in (any more)";
- a write that is answered with 403 is not sent again here, also not over a new log-in: whoever sent it looks it up first;
- HTTP/1.1 with keep-alive; nothing is retried by the HTTP layer, and redirects are not followed;
- what changes something goes by POST, never by GET: proxies may replay a GET. Passwords travel in the JSON body only, so
  that no access log on the way holds one;
- a cookie that a deployment sets is sent back.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import secrets
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final
from urllib.parse import quote, urlencode

from crm.outside import destinations
from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.mt5 import crypt, retcodes, wire
from trading.platforms.mt5.commands import IDLE_SECONDS_MAX, Lost, Mt5Commands, Mt5Config
from trading.platforms.parsing import read_json
from trading.platforms.web import NotSent, TimedSocket, tls_context

RECEIVE_BYTES: Final = 256 * 1024
COOKIE_CHARS_MAX: Final = 16 * 1024
PATHS: Final[dict[str, str]] = {
    "AUTH_START": "/auth/start",
    "AUTH_ANSWER": "/auth/answer",
    "TEST_ACCESS": "/test/access",
    "TIME_SERVER": "/time/server",
    "TIME_GET": "/time/get",
    "USER_ADD": "/user/add",
    "USER_UPDATE": "/user/update",
    "USER_GET": "/user/get",
    "USER_DELETE": "/user/delete",
    "USER_GET_BATCH": "/user/get_batch",
    "USER_LOGINS": "/user/logins",
    "USER_ARCHIVE_GET": "/user/archive/get",
    "USER_TOTAL": "/user/total",
    "USER_PASS_CHECK": "/user/check_password",
    "USER_PASS_CHANGE": "/user/change_password",
    "USER_ACCOUNT_GET": "/user/account/get",
    "USER_ACCOUNT_GET_BATCH": "/user/account/get_batch",
    "TRADE_BALANCE": "/trade/balance",
    "DEAL_GET": "/deal/get",
    "DEAL_GET_TOTAL": "/deal/get_total",
    "DEAL_GET_PAGE": "/deal/get_page",
    "DEAL_GET_BATCH": "/deal/get_batch",
    "POSITION_GET": "/position/get",
    "POSITION_GET_TOTAL": "/position/get_total",
    "POSITION_GET_PAGE": "/position/get_page",
    "POSITION_GET_BATCH": "/position/get_batch",
    "GROUP_TOTAL": "/group/total",
    "GROUP_NEXT": "/group/next",
    "GROUP_GET": "/group/get",
    "SYMBOL_TOTAL": "/symbol/total",
    "SYMBOL_NEXT": "/symbol/next",
    "SYMBOL_GET": "/symbol/get",
    "TICK_LAST": "/tick/last",
}
# Secrets, by the name that they have in the JSON body.
IN_BODY: Final = {"PASS_MAIN": "PassMain", "PASS_INVESTOR": "PassInvestor", "PASSWORD": "Password"}
HTTP_BUSY: Final = frozenset({429})
HTTP_LOGGED_OUT: Final = frozenset({401, 403})


@dataclass(frozen=True, slots=True)
class RestAnswer(wire.Answer):
    """An answer whose JSON is parsed already; its scalar fields are parameters as in the raw form."""

    data: Any = None

    def json(self) -> Any:
        return self.data


@dataclass(slots=True)
class _Session:
    """An authenticated connection with what dies with it."""

    http: http.client.HTTPSConnection
    sock: TimedSocket
    cookies: dict[str, str] = field(default_factory=dict)
    used_at: float = 0.0
    version_access: str = ""
    version_trade: str = ""


class _LoggedOut(Exception):
    """HTTP 401 or 403. `told`: the platform's own code in the body; without one it may be a proxy's answer."""

    def __init__(self, told: int | None) -> None:
        super().__init__("the session is over")
        self.told = told

    def of_write(self, command: str) -> PlatformError:
        """Decide what a lost session means for a write: only the platform's own refusal proves that nothing was done."""
        if self.told is not None:
            return NotStarted("the session had ended (HTTP 403)", command=command, code=self.told)
        return OutcomeUnknown("HTTP 403 that is not the platform's own answer", command=command)


class Mt5RestClient(Mt5Commands):
    """Speaks to one access server over HTTPS."""

    def __init__(self, config: Mt5Config, gate: Gate | None = None) -> None:
        super().__init__(config, gate)
        self._session: _Session | None = None

    @property
    def idle_seconds(self) -> float | None:
        return None if self._session is None else time.monotonic() - self._session.used_at

    def connect(self) -> tuple[str, str]:
        with self._lock, self.gate.passing():
            session = self._ready_session()
            return session.version_access, session.version_trade

    def close(self) -> None:
        with self._lock:
            self._forget()

    def _forget(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with contextlib.suppress(OSError):
                session.http.close()

    # -- one command --------------------------------------------------------------------------------------------------

    def _command(self, name: str, parameters: Mapping[str, object], *, is_write: bool, wait: float) -> wire.Answer:
        """Send a command; a read that meets an ended session (403) logs in and asks once more, a write never does."""
        try:
            return self._ask(name, parameters, is_write=is_write, wait=wait)
        except _LoggedOut as problem:
            if is_write:
                raise problem.of_write(name) from problem
        try:
            return self._ask(name, parameters, is_write=False, wait=wait)
        except _LoggedOut as problem:
            raise NotStarted("the server ends the session immediately (HTTP 403)", command=name) from problem

    def _ask(self, name: str, parameters: Mapping[str, object], *, is_write: bool, wait: float) -> wire.Answer:
        session = self._ready_session()
        try:
            status, content = self._exchange(session, *self._request(name, parameters, is_write), wait)
            if status in HTTP_LOGGED_OUT:
                self.close()
                raise _LoggedOut(_platform_code(content))
            answer = self._read(name, status, content, is_write=is_write)
        except (TimeoutError, OSError, http.client.HTTPException, wire.WireError, Lost) as problem:
            self.close()
            kind = OutcomeUnknown if is_write else ReadTimedOut
            why = (
                f"no answer within {wait:g} s"
                if isinstance(problem, TimeoutError)
                else (f"the connection was lost before the answer came ({problem!r})")
            )
            if isinstance(problem, http.client.HTTPException):
                problem = Lost(str(problem))
            raise kind(why, command=name) from problem
        session.used_at = time.monotonic()
        code = answer.retcode
        if code not in retcodes.SUCCESS:
            raise retcodes.error_for(code, text=answer.retcode_text, command=name, is_write=is_write)
        return answer

    def _request(self, name: str, parameters: Mapping[str, object], is_write: bool) -> tuple[str, str, bytes]:
        """Build method, path with query, and body. A command that is not in the table is a broker's own: FOO_BAR → /foo/bar."""
        path = self._path(name)
        query = {key.lower(): str(value) for key, value in parameters.items() if key not in IN_BODY}
        hidden = {IN_BODY[key]: str(value) for key, value in parameters.items() if key in IN_BODY}
        if hidden and "login" in query:
            hidden["Login"] = query["login"]
        if hidden and "type" in query:
            hidden["Type"] = query["type"].lower()
        body = json.dumps(hidden, ensure_ascii=False).encode() if hidden else b""
        target = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        return ("POST" if is_write or hidden else "GET"), target, body

    def _path(self, name: str) -> str:
        """Build `/api/trade/balance`; servers of older builds have no prefix and flat names: `/trade_balance`."""
        if not self.config.path_prefix:
            return "/" + name.lower()
        return self.config.path_prefix + (PATHS.get(name) or "/" + name.lower().replace("_", "/", 1))

    @staticmethod
    def _exchange(session: _Session, method: str, target: str, body: bytes, wait: float) -> tuple[int, bytes]:
        """Send one request and read its whole answer within `wait` seconds. Raises: OSError, HTTPException, Lost."""
        connection = session.http
        session.sock.deadline = time.monotonic() + wait
        session.sock.settimeout(wait)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            "Connection": "keep-alive",
        }
        if session.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in session.cookies.items())
        connection.request(method, target, body=body if method == "POST" else None, headers=headers)
        response = connection.getresponse()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            name, _equals, value = cookie.partition(";")[0].partition("=")
            session.cookies[name.strip()] = value.strip()
        if sum(len(name) + len(value) for name, value in session.cookies.items()) > COOKIE_CHARS_MAX:
            raise Lost("the server sets more cookies than a session needs")
        content = bytearray()
        while True:
            part = response.read1(RECEIVE_BYTES)
            if not part:
                break
            content += part
            if len(content) > wire.MESSAGE_BYTES_MAX:
                raise Lost("the answer is larger than anything this client accepts")
        if response.length:
            raise Lost("the answer ended too early")
        response.close()  # read to its end: the connection is free for the next request
        if response.will_close:
            session.used_at = -IDLE_SECONDS_MAX  # the server ends it: the next command opens another
        return response.status, bytes(content)

    def _read(self, name: str, status: int, content: bytes, *, is_write: bool) -> wire.Answer:
        """Translate HTTP status and JSON into an answer of the protocol. Raises: the five errors, WireError."""
        if status in HTTP_BUSY:
            raise PlatformBusy("too many requests (HTTP 429)", command=name, code=retcodes.TOO_FREQUENT)
        if status == 200:
            return parse(name, content)
        if 400 <= status < 500 and status != http.client.REQUEST_TIMEOUT:
            raise FinalError(f"the server does not know this request (HTTP {status})", command=name, code=status)
        # A gateway in front of the server may have passed the command on before it lost the answer.
        raise (OutcomeUnknown if is_write else ReadTimedOut)(f"HTTP {status} instead of an answer", command=name)

    # -- connection ---------------------------------------------------------------------------------------------------

    def _ready_session(self) -> _Session:
        """Check the open session, or open a new one. Raises: NotStarted."""
        session = self._session
        if session is not None and (
            time.monotonic() - session.used_at > IDLE_SECONDS_MAX or not _is_quiet(session.sock.sock)
        ):
            self.close()
            session = None
        if session is None:
            session = self._session = self._open()
        return session

    def _open(self) -> _Session:
        config = self.config
        try:
            context = tls_context(config.certificate, config.certificate_file)
        except NotSent as problem:
            raise NotStarted(str(problem), command="CONNECT") from None
        connection = http.client.HTTPSConnection(
            config.host, config.port, timeout=config.connect_seconds, context=context
        )
        connection._create_connection = destinations.connect  # type: ignore[attr-defined]
        connection.auto_open = 0  # a lost connection stays lost: a new one would have no session
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as problem:
            message = f"the certificate of {config.host} is not believed ({problem.verify_message})"
            raise NotStarted(message, command="CONNECT") from problem
        except OSError as problem:
            message = f"can't reach {config.host}:{config.port} ({problem})"
            raise NotStarted(message, command="CONNECT") from problem
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock = connection.sock = TimedSocket(connection.sock)
        session = _Session(connection, sock, used_at=time.monotonic())
        try:
            self._authenticate(session)
        except (
            TimeoutError,
            OSError,
            http.client.HTTPException,
            wire.WireError,
            Lost,
            ValueError,
            KeyError,
        ) as problem:
            connection.close()
            raise NotStarted(f"the log-in failed ({problem or 'no answer'})", command="AUTH") from problem
        except PlatformError:
            connection.close()
            raise
        return session

    def _authenticate(self, session: _Session) -> None:
        """Log in: both sides prove that they know the password; neither sends it."""
        config, secret = self.config, crypt.password_hash(self.config.password)
        start = self._step(
            session,
            "AUTH_START",
            {"version": config.version, "agent": config.agent, "login": config.login, "type": "manager"},
        )
        challenge = secrets.token_hex(16)
        proof = crypt.answer_to(secret, start.parameters["SRV_RAND"])
        answer = self._step(session, "AUTH_ANSWER", {"srv_rand_answer": proof, "cli_rand": challenge})
        if not crypt.is_same(answer.parameters.get("CLI_RAND_ANSWER", ""), crypt.answer_to(secret, challenge)):
            raise Lost("the server could not prove that it knows the password")
        session.version_access = answer.parameters.get("VERSION_ACCESS", "")
        session.version_trade = answer.parameters.get("VERSION_TRADE", "")

    def _step(self, session: _Session, name: str, query: Mapping[str, object]) -> wire.Answer:
        """Send one request of the log-in. A refusal is HTTP 403 whose body holds the code. Raises: NotStarted."""
        target = f"{self._path(name)}?{urlencode(query)}"
        status, content = self._exchange(session, "GET", target, b"", self.config.connect_seconds)
        if status != 200 and status not in HTTP_LOGGED_OUT:
            raise NotStarted(f"HTTP {status} to the log-in: is this the Web API's port?", command="AUTH", code=status)
        try:
            answer = parse("AUTH", content)
            code = answer.retcode
        except wire.WireError:
            if status == 200:
                raise
            raise NotStarted("the log-in was refused (HTTP 403)", command="AUTH", code=status) from None
        if code not in retcodes.SUCCESS or status != 200:
            raise NotStarted(retcodes.MESSAGES.get(code) or answer.retcode_text, command="AUTH", code=code)
        return answer


def _is_quiet(sock: ssl.SSLSocket | socket.socket | None) -> bool:
    """Tell whether an idle connection is still open and the server sent nothing that nobody asked for."""
    if sock is None:
        return False
    try:
        sock.setblocking(False)
        return bool(sock.recv(1)) and False
    except (ssl.SSLWantReadError, BlockingIOError, InterruptedError):
        return True
    except OSError:
        return False


def _platform_code(content: bytes) -> int | None:
    """Read the retcode of a refusal's body; None when the body is not the platform's."""
    try:
        code = parse("", content).retcode
    except wire.WireError:
        return None
    return code if code not in retcodes.SUCCESS else None


def parse(name: str, content: bytes) -> RestAnswer:
    """Parse `{"retcode": "0 Done", …, "answer": {…}}`. Numbers keep every digit. Raises: WireError."""
    try:
        document = read_json(content)
    except ValueError as problem:
        raise wire.WireError(f"the answer to {name} is no JSON: {problem}") from problem
    if not isinstance(document, dict):
        raise wire.WireError(f"the answer to {name} is not an object")
    data = document.get("answer")
    scalars = {**document, **data} if isinstance(data, dict) else document
    parameters = {key.upper(): str(value) for key, value in scalars.items() if isinstance(value, str | int | Decimal)}
    parameters["RETCODE"] = str(document.get("retcode", ""))
    return RestAnswer(name=name, parameters=parameters, data=data)


__all__ = ["PATHS", "Mt5RestClient", "RestAnswer", "parse"]
