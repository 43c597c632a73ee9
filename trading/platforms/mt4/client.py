"""The wire to a manager bridge (CPlugin WebAPI v2, as its public client uses it): tokens, envelope, deadlines, headers.

Rules that protect money, beside those of `platforms.web`:
- a write is sent once, with an `Idempotency-Key`; when its answer is lost the caller gets `OutcomeUnknown`;
- every request carries its deadline to the bridge (`X-Request-Timeout`), and we wait longer than that: the bridge may take twenty
  seconds more to reach its trade server, and its late answer still shows whether something was done;
- the token is kept in memory, renewed before it ends, and shown nowhere. HTTP 401 from the bridge itself (it says `Bearer`)
  did nothing: a read is asked again with a new token, a write was not started. From anybody else it proves nothing.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.mt4.codes import BRIDGE, error_for
from trading.platforms.parsing import read_json
from trading.platforms.web import Address, AnswerLost, NotSent, Reply, WebConnection

DISCOVERY: Final = "/.well-known/openid-configuration"
PAGE_ROWS: Final = 1000
RENEW_EARLY_SECONDS: Final = 60.0
KEY_CHARS_MAX: Final = 255
NOT_LOGGED_IN, FORBIDDEN, TOO_MANY = 401, 403, 429

_clients: weakref.WeakSet[Mt4Client] = weakref.WeakSet()


class Work(StrEnum):
    """Kinds of requests, each with a deadline of its own on the bridge."""

    TRADE = "trade"
    READ = "read"
    CHANGE = "change"
    HISTORY = "history"
    MAINTENANCE = "maintenance"


DEADLINES: Final = {Work.TRADE: 5.0, Work.READ: 10.0, Work.CHANGE: 15.0, Work.HISTORY: 30.0, Work.MAINTENANCE: 60.0}
MARGIN_SECONDS: Final = 20.0  # which the bridge may take for its own way to its server
WAITS: Final = {work: seconds + MARGIN_SECONDS for work, seconds in DEADLINES.items()}


@dataclass(frozen=True, slots=True)
class Mt4Config:
    """How to reach one trade server behind one bridge. `authority`: address of the log-in server, when it is another.

    `deadlines`: the deadline that the bridge gets for each kind of request; `waits`: how long we wait for its answer.
    """

    address: Address
    client_id: str
    client_secret: str = field(repr=False)
    trade_platform: str
    authority: str = ""
    scope: str = ""
    path_prefix: str = "/api"
    connect_seconds: float = 5.0
    deadlines: Mapping[Work, float] = field(default_factory=lambda: DEADLINES)
    waits: Mapping[Work, float] = field(default_factory=lambda: WAITS)


@dataclass(slots=True)
class _Token:
    value: str = field(repr=False)
    renew_at: float


@dataclass(frozen=True, slots=True)
class _Command:
    """One request to the bridge. `work`: which deadline it has; `key`: our own name for a change, made up where it is empty.

    `is_once`: the bridge gives the answer out once, so a lost one is not asked for again.
    """

    method: str
    name: str
    arguments: Iterable[object] = ()
    query: Iterable[tuple[str, object]] = ()
    work: Work = Work.READ
    body: object = None
    key: str = ""
    is_write: bool = False
    is_once: bool = False

    def target(self, config: Mt4Config) -> str:
        path = "/".join(quote(str(part), safe="") for part in (self.name, *self.arguments))
        target = f"{config.path_prefix}/v2/MT4/{config.trade_platform}/{path}"
        parameters = urlencode([(name, str(value)) for name, value in self.query])
        return f"{target}?{parameters}" if parameters else target

    def headers(self, config: Mt4Config) -> dict[str, str]:
        headers = {"X-Request-Timeout": f"{config.deadlines[self.work]:g}"}
        if self.is_write:
            headers["Idempotency-Key"] = self.key[:KEY_CHARS_MAX] or uuid.uuid4().hex
        if self.body is not None:
            headers["Content-Type"] = "application/json"
        return headers


class Mt4Client:
    """Speaks to one bridge as one client. Thread-safe, strictly sequential."""

    def __init__(self, config: Mt4Config, gate: Gate | None = None) -> None:
        self.config, self.gate = config, gate or Gate()
        self._lock = threading.RLock()
        self._web = WebConnection(config.address, connect_seconds=config.connect_seconds)
        self._token: _Token | None = None
        _clients.add(self)

    def read(
        self,
        name: str,
        *arguments: object,
        query: Iterable[tuple[str, object]] = (),
        work: Work = Work.READ,
        is_once: bool = False,
    ) -> Any:
        """Read the data of an answer. Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy.

        `is_once`: a lost answer is not asked for again, since the bridge gives it out once: a piece of a session.
        """
        return self._send(_Command("GET", name, arguments, query, work, is_once=is_once))[0]

    def pages(self, name: str, *, query: Iterable[tuple[str, object]] = ()) -> Iterator[Any]:
        """Yield all rows of a paged list. Raises as `read`."""
        cursor, query = "", list(query)
        while True:
            more: list[tuple[str, object]] = [("limit", PAGE_ROWS), *([("cursor", cursor)] if cursor else [])]
            rows, meta = self._send(_Command("GET", name, query=[*query, *more]))
            yield from _list(rows, name)
            paging = (meta or {}).get("paging") or {}
            following = str(paging.get("nextCursor") or "")
            if not paging.get("hasMore") or not following or following == cursor:
                return
            cursor = following

    def write(
        self,
        name: str,
        *arguments: object,
        body: object = None,
        query: Iterable[tuple[str, object]] = (),
        work: Work = Work.CHANGE,
        method: str = "POST",
        key: str = "",
        changes: bool = True,
    ) -> Any:
        """Change something. Sent once, whatever happens. Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy.

        `key`: our own name for this change, else one is made up. `changes=False`: a question that goes by POST.
        """
        return self._send(_Command(method, name, arguments, query, work, body, key, is_write=changes))[0]

    def close(self) -> None:
        with self._lock:
            self._web.close()

    # -- one command

    def _send(self, command: _Command) -> tuple[Any, Any]:
        """Send a command and return data and meta of its answer, one command of this client after the other."""
        target, headers = command.target(self.config), command.headers(self.config)
        body = None if command.body is None else _encode(command.body).encode()
        with self._lock, self.gate.passing():
            reply = self._exchange(command, target, headers, body)
            return self._judge(reply, name=command.name, is_write=command.is_write)

    def _exchange(self, command: _Command, target: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        """Ask a read once more over a new connection, or with a new token; never a write: it may have been done."""
        wait = self.config.waits[command.work]
        for is_again in (False, True):
            token = self._bearer()
            if command.is_write:
                self._web.close()  # nothing that an earlier answer left behind can be read as this one's
            try:
                reply = self._web.exchange(
                    command.method,
                    target,
                    headers={**headers, "Authorization": f"Bearer {token}", "Accept": "application/json"},
                    body=body,
                    wait=wait,
                )
            except NotSent as problem:
                raise NotStarted(str(problem), command=command.name) from problem
            except AnswerLost as problem:
                if command.is_write:
                    raise OutcomeUnknown(str(problem), command=command.name) from problem
                if is_again or command.is_once or not problem.was_kept:
                    raise ReadTimedOut(str(problem), command=command.name) from problem
                continue
            if reply.status != NOT_LOGGED_IN or command.is_write or is_again:
                break
            self._token = None
        return reply

    def _judge(self, reply: Reply, *, name: str, is_write: bool) -> tuple[Any, Any]:
        """Take data and meta out of an answer, or raise what it reports as wrong."""
        unknown: type[PlatformError] = OutcomeUnknown if is_write else ReadTimedOut
        if reply.status == NOT_LOGGED_IN:
            self._token = None
            if "bearer" in reply.headers.get("www-authenticate", "").lower():
                raise NotStarted("the bridge took our token back", command=name, code=NOT_LOGGED_IN)
            raise unknown("HTTP 401 that is not the bridge's own answer", command=name, code=NOT_LOGGED_IN)
        envelope = _envelope(reply.content)
        if envelope is None:
            if reply.status == TOO_MANY:
                raise PlatformBusy("too many requests (HTTP 429)", command=name, code=TOO_MANY)
            if reply.status in (FORBIDDEN, 404) and not is_write:
                question = f"HTTP {reply.status}: is this the bridge's address, and may this client use it?"
                raise FinalError(question, command=name, code=reply.status)
            raise unknown(f"HTTP {reply.status} instead of an answer", command=name, code=reply.status)
        error = envelope.get("error")
        if not isinstance(error, Mapping) or error.get("code") in (None, "Ok"):
            return envelope.get("data"), envelope.get("meta")
        raise error_for(
            str(error["code"]),
            error.get("managerCode"),
            str(error.get("message") or "")[:200],
            reply.headers.get("x-request-outcome", "").strip().lower(),
            command=name,
            is_write=is_write,
        )

    # -- tokens

    def _bearer(self) -> str:
        """Renew the token when it ends soon. Raises: NotStarted, FinalError for an unknown client."""
        if self._token is None or time.monotonic() >= self._token.renew_at:
            self._token = self._log_in()
        return self._token.value

    def _log_in(self) -> _Token:
        """Get a token by client credentials at the address in the discovery document (OpenID Connect Discovery, RFC 6749)."""
        config = self.config
        base = urlsplit(config.authority) if config.authority else None
        address = config.address if base is None else _address_of(base.scheme, base.hostname, base.port, config.address)
        _keep_secret(config.address, address)
        document = self._plain(address, "GET", (base.path.rstrip("/") if base else "") + DISCOVERY, None)
        endpoint = urlsplit(str(document.get("token_endpoint") or ""))
        there = _address_of(endpoint.scheme, endpoint.hostname, endpoint.port, address)
        _keep_secret(address, there)
        form = {
            "grant_type": "client_credentials",
            "client_id": config.client_id,
            "client_secret": config.client_secret,
        }
        if config.scope:
            form["scope"] = config.scope
        answer = self._plain(there, "POST", endpoint.path or "/", urlencode(form).encode())
        token, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise NotStarted("the log-in server gave no token", command="LOGIN")
        lasts = float(seconds) if isinstance(seconds, int | Decimal) and seconds > 0 else 3600.0
        return _Token(token, time.monotonic() + lasts - min(RENEW_EARLY_SECONDS, lasts / 5))

    def _plain(self, address: Address, method: str, target: str, body: bytes | None) -> dict[str, Any]:
        """Send one request of the log-in: nothing was started when it fails. Secrets travel in the body only."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        same = address == self.config.address
        web = self._web if same else WebConnection(address, connect_seconds=self.config.connect_seconds)
        try:
            reply = web.exchange(method, target, headers=headers, body=body, wait=self.config.connect_seconds * 2)
        except (NotSent, AnswerLost) as problem:
            raise NotStarted(f"the log-in failed: {problem}", command="LOGIN") from problem
        finally:
            if not same:
                web.close()
        document = _object(reply.content)
        if reply.status in (400, 401) and document is not None:
            reason = str(document.get("error_description") or document.get("error") or "refused")[:120]
            raise NotStarted(f"the log-in was refused: {reason}", command="LOGIN", code=reply.status)
        if reply.status != 200 or document is None:
            raise NotStarted(f"HTTP {reply.status} to the log-in", command="LOGIN", code=reply.status)
        return document

    def renew_after_fork(self) -> None:
        self._lock = threading.RLock()
        self.gate.renew_after_fork()


def _in_child() -> None:
    for client in list(_clients):
        client.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)


def _address_of(scheme: str, host: str | None, port: int | None, like: Address) -> Address:
    """Split a URL. The certificate that is trusted for the bridge is trusted for its log-in server, too."""
    if scheme not in ("http", "https") or not host:
        raise NotStarted("the address of the log-in server can't be read", command="LOGIN")
    is_tls = scheme == "https"
    return Address(host, port or (443 if is_tls else 80), is_tls, like.certificate, like.certificate_file)


def _keep_secret(before: Address, there: Address) -> None:
    """Refuse to send a secret on without TLS that began its way in TLS. Raises: NotStarted."""
    if before.is_tls and not there.is_tls:
        raise NotStarted("the log-in server wants our secret without TLS", command="LOGIN")


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        document = read_json(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _envelope(content: bytes) -> dict[str, Any] | None:
    """Parse `{data, error, meta}`; None for a page of a proxy in between."""
    document = _object(content)
    return document if document is not None and {"data", "error"} & document.keys() else None


def _list(data: object, command: str) -> list[Any]:
    if not isinstance(data, list):
        raise ReadTimedOut("the answer is not a list", command=command, code=BRIDGE["InvalidResponse"])
    return data


def _encode(value: object) -> str:
    """Write JSON in which a Decimal is a number with its own digits."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(k))}:{_encode(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_encode, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


__all__ = ["DEADLINES", "MARGIN_SECONDS", "Mt4Client", "Mt4Config", "Work"]
