"""WebServices: cTrader's REST interface, as public connectors use it.

- the manager's token goes in every address: no address is ever logged, shown or put into an error;
- it is good for 1800 s, taken anew 600 s before, and dropped when the server answers 401;
- a read that met 401 is asked once more under a new token. A change is not: the platform's own error code says that nothing
  began, a 401 without one may be a proxy's and leaves the outcome unknown;
- answers are XML unless JSON is asked for; numbers keep every digit.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlencode

from trading.platforms.circuit_breaker import Gate
from trading.platforms.ctrader import codes
from trading.platforms.ctrader.config import CtraderConfig
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.parsing import read_json
from trading.platforms.web import AnswerLost, NotSent, Reply, WebConnection

BASE: Final = "/v2/webserv"
TOKEN_SECONDS: Final = 1800
REFRESH_BEFORE_SECONDS: Final = 600
TOKEN: Final = "TOKEN"  # noqa: S105 - the name of a request
OK: Final = frozenset({200, 201, 204})

_clients: weakref.WeakSet[CtraderRest] = weakref.WeakSet()


class CtraderRest:
    """One manager's connection. Thread-safe, one request at a time."""

    def __init__(self, config: CtraderConfig, gate: Gate) -> None:
        self.config, self.gate = config, gate
        self._web = WebConnection(config.rest, connect_seconds=config.connect_seconds)
        self._token, self._token_until = "", 0.0
        self._lock = threading.RLock()
        self.clock_seconds = 0.0
        """What the server's clock said with its last answer; 0 where it does not say."""
        _clients.add(self)

    def close(self) -> None:
        with self._lock:
            self._web.close()
            self._token = ""

    def renew_after_fork(self) -> None:
        self._lock = threading.RLock()
        self.gate.renew_after_fork()

    def read(self, command: str, path: str, query: Mapping[str, object] | None = None) -> Any:
        """Ask a read and parse its JSON. Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy."""
        return _json(command, self._call(command, "GET", path, query or {}, None, is_write=False), is_write=False)

    def read_text(self, command: str, path: str, query: Mapping[str, object]) -> str:
        """Ask a read whose answer is a list in CSV. Raises as `read`."""
        reply = self._call(command, "GET", path, query, None, is_write=False)
        return reply.content.decode("utf-8", "replace")

    def write(self, command: str, method: str, path: str, body: Mapping[str, object]) -> Any:
        """Send a change once, whatever happens. Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy."""
        return _json(command, self._call(command, method, path, {}, body, is_write=True), is_write=True)

    # -- one request --------------------------------------------------------------------------------------------------

    def _call(
        self,
        command: str,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None,
        *,
        is_write: bool,
    ) -> Reply:
        with self._lock, self.gate.passing():
            reply = self._send(command, method, path, query, body, is_write=is_write)
            if reply.status == 401 and not is_write:
                self._token = ""
                reply = self._send(command, method, path, query, body, is_write=False)
            if reply.status in OK:
                return reply
            if reply.status == 401:
                self._token = ""
            raise refusal(command, reply, is_write=is_write)

    def _send(
        self,
        command: str,
        method: str,
        path: str,
        query: Mapping[str, object],
        body: Mapping[str, object] | None,
        *,
        is_write: bool,
    ) -> Reply:
        config = self.config
        target = f"{path}?{urlencode({**query, 'token': self._ready_token()})}"
        wait = config.write_seconds if is_write else config.read_seconds
        if is_write:
            self._web.close()  # nothing that an earlier answer left behind can be read as this one's
        try:
            return self._exchange(method, target, body, wait)
        except NotSent as problem:
            raise NotStarted(str(problem), command=command) from None
        except AnswerLost as problem:
            if is_write:
                raise OutcomeUnknown(str(problem), command=command) from None
            if not problem.was_kept:
                raise ReadTimedOut(str(problem), command=command) from None
        try:  # the kept connection was dead: a read may go over a new one
            return self._exchange(method, target, body, wait)
        except NotSent as problem:
            raise NotStarted(str(problem), command=command) from None
        except AnswerLost as problem:
            raise ReadTimedOut(str(problem), command=command) from None

    def _exchange(self, method: str, target: str, body: Mapping[str, object] | None, wait: float) -> Reply:
        headers = {"Accept": "application/json"}
        data = None
        if body is not None:
            data = dump(body).encode()
            headers["Content-Type"] = "application/json; charset=utf-8"
        reply = self._web.exchange(method, target, headers=headers, body=data, wait=wait)
        if "date" in reply.headers:
            try:
                self.clock_seconds = parsedate_to_datetime(reply.headers["date"]).timestamp()
            except ValueError:
                self.clock_seconds = 0.0
        return reply

    def _ready_token(self) -> str:
        """Renew the manager's token in time. Raises: NotStarted, PlatformBusy: nothing was asked for yet."""
        if self._token and time.monotonic() < self._token_until:
            return self._token
        body = {"login": self.config.login, "hashedPassword": self.config.password_hash}
        asked_at = time.monotonic()
        try:
            reply = self._exchange("POST", f"{BASE}/managers/token", body, self.config.connect_seconds)
        except (NotSent, AnswerLost) as problem:
            raise NotStarted(str(problem), command=TOKEN) from None
        if reply.status not in OK:
            refused = refusal(TOKEN, reply, is_write=False)
            if isinstance(refused, PlatformBusy):
                raise refused
            raise NotStarted(f"the log-in failed: {refused.message}", command=TOKEN, code=refused.code)
        try:
            self._token = str(read_json(reply.content)["webservToken"])
        except (ValueError, KeyError, TypeError):
            raise NotStarted(
                "the log-in's answer can't be read: is this the WebServices port?", command=TOKEN
            ) from None
        self._token_until = asked_at + TOKEN_SECONDS - REFRESH_BEFORE_SECONDS
        return self._token


def dump(value: Any) -> str:
    """Write JSON whose decimals are numbers with all their digits."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(name))}:{dump(item)}" for name, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


def _json(command: str, reply: Reply, *, is_write: bool) -> Any:
    if reply.status == 204 or not reply.content.strip():
        return None
    try:
        return read_json(reply.content)
    except ValueError:
        kind = OutcomeUnknown if is_write else ReadTimedOut
        raise kind("the answer is no JSON", command=command) from None


def code_in(content: bytes) -> tuple[str, str]:
    """Read (errorCode, description) of a refusal; empty when the body is not the platform's: a proxy's page, XML, nothing."""
    text = content.decode("utf-8", "replace").strip()
    try:
        document = read_json(text)
        error = document.get("error", document)
        return str(error["errorCode"]), str(error.get("description") or "")[:200]
    except (ValueError, AttributeError, KeyError, TypeError):
        name, _colon, rest = text.partition(":")
        return (name, rest.strip()[:200]) if name in codes.CODES or name.startswith("CH_") else ("", "")


def refusal(command: str, reply: Reply, *, is_write: bool) -> PlatformError:
    """Translate a refusal into our five kinds. Without the platform's own code it may come from anything in between."""
    name, description = code_in(reply.content)
    if reply.status == 429:
        return PlatformBusy("the server asks for fewer requests (HTTP 429)", command=command, code=429)
    if name and reply.status == 401:
        return NotStarted(f"the session had ended ({name})", command=command, code=401)
    if name:
        return codes.error_for(name, command=command, is_write=is_write, description=description)
    if reply.status in (401, 403) or reply.status >= 500 or reply.status in (408, 0) or reply.status < 400:
        kind = OutcomeUnknown if is_write else ReadTimedOut
        return kind(f"HTTP {reply.status} that is not the platform's own answer", command=command)
    return FinalError(
        f"the server does not know this request (HTTP {reply.status})", command=command, code=reply.status
    )


def _in_child() -> None:
    for client in list(_clients):
        client.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)
