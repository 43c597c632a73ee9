"""Requests to a Sirix server: JSON over one kept connection, a bearer token in a header, errors told apart.

No public description says how the platform refuses. What is done here holds for any web service: a JSON object is its own
answer, anything else may be a proxy's. 401 and 403 of its own started nothing; 429 asks for patience; 4xx of its own is a
refusal; whatever else a write is answered with leaves its outcome unknown.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, Final

from trading.platforms.circuit_breaker import Gate, Turn
from trading.platforms.errors import FinalError, NotStarted, OutcomeUnknown, PlatformBusy, ReadTimedOut
from trading.platforms.parsing import read_json
from trading.platforms.sirix.options import Config
from trading.platforms.web import AnswerLost, NotSent, Reply, WebConnection

"""A write goes over a connection that was used so shortly ago, else over a new one: on a dead one nobody would know."""
NOT_FOUND: Final = 404


class SirixClient:
    """Thread-safe; one request after another. The token stands in no error, no log line and no address."""

    def __init__(self, config: Config, gate: Gate | None = None, turn: Turn | None = None) -> None:
        """`turn`: counts the pause over all processes and purposes of a server; without it each client keeps its own."""
        self.config, self.gate, self.turn = config, gate or Gate(), turn
        self._lock = threading.RLock()
        self._web = WebConnection(config.address)
        self._read_at = 0.0
        self.ahead_seconds: float | None = None  # the server's clock by its answers' `Date`, less ours

    def read(self, command: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask. Repeated once, when a kept connection turned out to be dead.

        Raises: FinalError, NotStarted, ReadTimedOut, PlatformBusy.
        """
        with self._lock:
            self._pause()
            with self.gate.passing():
                try:
                    try:
                        reply = self._exchange(path, body, self.config.read_seconds)
                    except AnswerLost as lost:
                        if not lost.was_kept:
                            raise
                        reply = self._exchange(path, body, self.config.read_seconds)
                except NotSent as problem:
                    raise NotStarted(str(problem), command=command) from problem
                except AnswerLost as problem:
                    raise ReadTimedOut(str(problem), command=command) from problem
                return self._judge(command, reply, is_write=False)

    def write(self, command: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change something. Sent once. Raises: FinalError, NotStarted, OutcomeUnknown, PlatformBusy."""
        with self._lock, self.gate.passing():
            self._web.close()  # nothing that an earlier answer left behind can be read as this one's
            try:
                reply = self._exchange(path, body, self.config.write_seconds)
            except NotSent as problem:
                raise NotStarted(str(problem), command=command) from problem
            except AnswerLost as problem:
                raise OutcomeUnknown(str(problem), command=command) from problem
            return self._judge(command, reply, is_write=True)

    def close(self) -> None:
        self._web.close()

    def _pause(self) -> None:
        """Wait, so that reads of accounts keep the distance that the server is used to, whoever asks.

        Raises: PlatformBusy when so many wait that the turn is too far away; nothing was sent then.
        """
        pause = self.config.pause_seconds
        if not pause:
            return
        longest = self.config.read_seconds
        wait = self.turn(1 / pause, 1, longest) if self.turn else None
        if wait is None:
            wait = self._read_at + pause - time.monotonic()
        if wait > longest:
            raise PlatformBusy(f"{wait:.0f} s of readings of this server are waiting already", command="LIMIT")
        if wait > 0:
            time.sleep(wait)
        self._read_at = time.monotonic()

    def _exchange(self, path: str, body: Mapping[str, Any], wait: float) -> Reply:
        headers = {
            "Authorization": f"Bearer {self.config.token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        reply = self._web.exchange("POST", path, headers=headers, body=encode(body).encode(), wait=wait)
        if date := reply.headers.get("date"):
            try:
                self.ahead_seconds = parsedate_to_datetime(date).timestamp() - time.time()
            except ValueError:
                self.ahead_seconds = None
        return reply

    def _judge(self, command: str, reply: Reply, *, is_write: bool) -> dict[str, Any]:
        status, answer = reply.status, decode(reply.content)
        silent = OutcomeUnknown if is_write else ReadTimedOut
        if status == 429:
            raise PlatformBusy("too many requests (HTTP 429)", command=command, code=status)
        if answer is None:
            raise silent(f"HTTP {status} without an answer of the platform", command=command)
        if 200 <= status < 300:
            return answer
        message = str(answer.get("Message") or answer.get("message") or f"HTTP {status}")[:200]
        if status in (401, 403):
            raise NotStarted(f"the token was not taken: {message}", command=command, code=status)
        if 400 <= status < 500 and status != 408:
            raise FinalError(message, command=command, code=status)
        raise silent(f"HTTP {status}: {message}", command=command)


def encode(value: Any) -> str:
    """Write JSON whose Decimals are numbers with all their digits."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{encode(item)}" for key, item in value.items()) + "}"
    return json.dumps(value)


def decode(content: bytes) -> dict[str, Any] | None:
    """Parse a JSON object with exact numbers; None for anything else."""
    try:
        value = read_json(content)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
