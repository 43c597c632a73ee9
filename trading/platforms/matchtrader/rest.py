"""REST of Broker API v2: what goes over the wire, and errors told apart.

- `Authorization: Bearer <key>` stands in a header, never in an address;
- nothing is retried by itself but a read, once, when a kept connection turned out to be dead; a write never;
- an error of the platform is `{status, title, detail, path, timestamp}`. What answers 401 or 403 without that form may be a
  proxy: then nobody knows whether a write was passed on.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import threading
import time
import weakref
from collections.abc import Mapping, Sequence
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from trading.platforms.circuit_breaker import Gate
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, PlatformError, ReadTimedOut
from trading.platforms.matchtrader.options import Config
from trading.platforms.parsing import read_json
from trading.platforms.web import Address, AnswerLost, NotSent, Reply, WebConnection

REFUSED: Final = frozenset({401, 403})
NO_SUCH_PATH: Final = "there is nothing at this path: look at the server's paths"
Query = Sequence[tuple[str, str]]

_clients: weakref.WeakSet[RestClient] = weakref.WeakSet()


def encode(value: Any) -> str:
    """Write JSON whose Decimals are numbers with all their digits."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class RestClient:
    """Thread-safe; strictly one request after another over one kept connection."""

    def __init__(self, config: Config, gate: Gate | None = None) -> None:
        self.config, self.gate = config, gate or Gate()
        self._lock = threading.RLock()
        address = Address(config.host, config.port, config.is_tls, config.certificate)
        self._web = WebConnection(address, connect_seconds=config.connect_seconds)
        self.clock_ahead_msc: int | None = None  # the server's `Date` less our clock; None: it told none yet
        _clients.add(self)

    def read(self, command: str, *, query: Query = (), body: Any = None, **names: str) -> Any:
        """Ask; a body makes it a POST. Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy."""
        method = "GET" if body is None else "POST"
        with self._lock, self.gate.passing():
            try:
                return self._ask(command, method, query, body, names, is_write=False)
            except ReadTimedOut as problem:
                if not (isinstance(problem.__cause__, AnswerLost) and problem.__cause__.was_kept):
                    raise
                return self._ask(command, method, query, body, names, is_write=False)

    def write(self, command: str, body: Any, *, method: str = "POST", **names: str) -> Any:
        """Change something; sent once. Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy."""
        with self._lock, self.gate.passing():
            # On a connection that died unnoticed its outcome would be unknown; and nothing that an earlier answer left behind can
            # be read as this one's.
            self._web.close()
            return self._ask(command, method, (), body, names, is_write=True)

    def now_msc(self) -> int:
        """Read the server's clock from its last answer's `Date`, in milliseconds; ours until there was one."""
        return time.time_ns() // 1_000_000 + (self.clock_ahead_msc or 0)

    def close(self) -> None:
        with self._lock:
            self._web.close()

    def renew_after_fork(self) -> None:
        self._lock = threading.RLock()
        self.gate.renew_after_fork()

    def _ask(
        self, command: str, method: str, query: Query, body: Any, names: Mapping[str, str], *, is_write: bool
    ) -> Any:
        path = self.config.paths[command].format(**{name: quote(value, safe="") for name, value in names.items()})
        headers = {"Authorization": f"Bearer {self.config.key}", "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"], data = "application/json", encode(body).encode()
        try:
            reply = self._web.exchange(
                method,
                f"{path}?{urlencode(query)}" if query else path,
                headers=headers,
                body=data,
                wait=self.config.write_seconds if is_write else self.config.read_seconds,
            )
        except NotSent as problem:
            raise NotStarted(str(problem), command=command) from problem
        except AnswerLost as problem:
            raise (OutcomeUnknown if is_write else ReadTimedOut)(str(problem), command=command) from problem
        if not reply.headers:  # the head was cut off behind its first line
            self._web.close()
            raise (OutcomeUnknown if is_write else ReadTimedOut)("the answer ended in its head", command=command)
        self._note_clock(reply.headers.get("date", ""))
        return self._value(command, reply, is_write=is_write)

    def _value(self, command: str, reply: Reply, *, is_write: bool) -> Any:
        if reply.status not in (200, 201, 204):
            raise error_for(reply.status, reply.content, command=command, is_write=is_write)
        if not reply.content:
            return None
        try:
            return read_json(reply.content)
        except ValueError as problem:
            self._web.close()
            raise (OutcomeUnknown if is_write else ReadTimedOut)("the answer is no JSON", command=command) from problem

    def _note_clock(self, date: str) -> None:
        """Note how far the server's clock is ahead. `Date` is cut to whole seconds: a difference of about that is none."""
        with contextlib.suppress(TypeError, ValueError):
            ahead = int(parsedate_to_datetime(date).timestamp() * 1000) + 500 - time.time_ns() // 1_000_000
            self.clock_ahead_msc = ahead if abs(ahead) > 1500 else 0


def error_for(status: int, content: bytes, *, command: str, is_write: bool) -> PlatformError:
    """Translate an answer that is not a success into the kind of error that tells what may be done next."""
    reason = _platform_words(content)
    message = f"{reason or 'no words of the platform'} (HTTP {status})"
    if status == 429:
        return PlatformBusy("too many requests (HTTP 429)", command=command, code=status)
    if status in REFUSED and reason is None:
        kind = OutcomeUnknown if is_write else NotStarted
        return kind(f"HTTP {status} that is not the platform's own answer", command=command)
    if status == 401:
        return NotStarted(f"the API key is not accepted: {message}", command=command, code=status)
    if status == 404 and reason is None:
        return FinalError(NO_SUCH_PATH, command=command, code=status)
    if 400 <= status < 500 and status != http.client.REQUEST_TIMEOUT:
        return FinalError(message, command=command, code=status)
    # 5xx: the platform, or a gateway in front of it, may have lost the answer of something that is done.
    return (OutcomeUnknown if is_write else ReadTimedOut)(message, command=command, code=status if reason else None)


def is_missing(problem: FinalError) -> bool:
    """Tell whether the platform itself says that there is no such thing; not: this path is wrong."""
    return problem.code == 404 and problem.message != NO_SUCH_PATH


def _platform_words(content: bytes) -> str | None:
    """Read title and detail of the platform's own error; None when the body has not that form."""
    try:
        row = read_json(content)
    except ValueError:
        return None
    if not isinstance(row, dict) or "title" not in row or "timestamp" not in row:
        return None
    return ": ".join(str(row[name]) for name in ("title", "detail") if row.get(name))[:200]


def _in_child() -> None:
    for client in list(_clients):
        client.renew_after_fork()


os.register_at_fork(after_in_child=_in_child)
