"""The bridge in front of the trade server: tokens, rights, deadlines, idempotency keys, and faults of its own."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sandbox.engine.books import Refused
from sandbox.engine.faults import Fault
from sandbox.engine.http import HttpListener, Request, Response, as_json
from sandbox.mt4 import auth, endpoints
from sandbox.mt4.endpoints import ENDPOINTS, Endpoint, Server
from sandbox.mt4.envelope import DEADLINES, Problem, busy, refused, timed_out

PREFIX, PLATFORMS = "/api/v2/MT4/", "/api/TradePlatforms"
KEY_MAX = 255
KEPT_SECONDS, KEPT_UNKNOWN_SECONDS = 60.0, 3600.0
OWN_FAULTS = {
    "outcome_unknown": "does the command, answers OutcomeUnknown (X-Request-Outcome: unknown)",
    "unknown_before": "does nothing, answers OutcomeUnknown (X-Request-Outcome: unknown)",
    "unknown_later": "answers OutcomeUnknown and does the command `value` seconds later",
    "in_progress": "does nothing, answers OutcomeUnknown (X-Request-Outcome: in-progress)",
    "timeout": "does nothing, answers Timeout (X-Request-Outcome: timeout)",
    "not_started": "does nothing, answers Busy (X-Request-Outcome: not-started)",
    "no_connect": "does nothing, answers NoConnect: the bridge has lost its trade server",
    "internal": "does the command, answers Internal",
    "token_revoked": "does nothing and takes all tokens back: HTTP 401",
    "proxy_401": "does the command; a proxy in front answers HTTP 401 with a page of its own",
    "proxy_403": "does the command; a proxy in front answers HTTP 403 with a page of its own",
    "forbidden": "does nothing, answers Forbidden",
    "not_served": "does nothing, answers HTTP 404 as a bridge without this call",
    "sync_lost": "forgets the sync session before the command",
}
REFUSING: dict[str, Callable[[], Problem]] = {
    "unknown_before": lambda: timed_out(is_read=False),
    "in_progress": lambda: Problem(
        "OutcomeUnknown", "A request with this key is still running.", outcome="in-progress"
    ),
    "timeout": lambda: timed_out(is_read=True),
    "not_started": busy,
    "no_connect": lambda: Problem("NoConnect", "The bridge is not connected to the trade server."),
    "forbidden": lambda: Problem("Forbidden", "This client may not do that."),
}
SCHEMA = """
CREATE TABLE IF NOT EXISTS mt4_keys (key TEXT PRIMARY KEY, digest TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL,
  kept_until REAL NOT NULL);
"""


@dataclass
class Bridge:
    """Which command a request is, and what answers it (`engine.http.Site`)."""

    server: Server
    tokens: auth.Tokens
    platform_id: str
    scheme: str = "http"
    running: set[str] = field(default_factory=set)  # idempotency keys of commands that are not done yet

    def __post_init__(self) -> None:
        self.server.books.store.db.executescript(SCHEMA)

    def find(self, request: Request) -> tuple[str, Callable[[], Response]]:
        if request.path == auth.DISCOVERY:
            return "discovery", lambda: self.tokens.discover(request, self.scheme)
        if request.path == auth.TOKEN and request.method == "POST":
            return "token", lambda: self.tokens.issue(request)
        if request.path == PLATFORMS:
            return "TradePlatforms", lambda: self._platforms(request)
        tail = request.path.removeprefix(PREFIX)
        platform, _, rest = tail.partition("/")
        name, *arguments = rest.split("/") if rest else [""]
        endpoint = ENDPOINTS.get((request.method, name, len(arguments)))
        if tail == request.path or endpoint is None:
            return "unknown", lambda: Response(404)
        return endpoint.name, lambda: self._run(endpoint, platform, arguments, request)

    def refusal(self, command: str, code: int) -> Response:
        return refused(code).response()

    def too_frequent(self, command: str) -> Response:
        return busy().response()

    def revoke(self) -> Response:
        self.tokens.revoke_all()
        return self.tokens.refusal()

    # -- one command

    def _run(self, endpoint: Endpoint, platform: str, arguments: list[str], request: Request) -> Response:
        if not self.tokens.is_good(request):
            return self.tokens.refusal()
        try:
            applied = _deadline(request, endpoint)
            if platform.lower() != self.platform_id:
                raise Problem("NotFound", "There is no such trade platform.")
            if endpoint.right and endpoint.right not in self.server.rights:
                raise Problem("Forbidden", f"The manager lacks the right: {endpoint.right}.")
            response = self._once(endpoint, arguments, request)
        except Problem as problem:
            response, applied = problem.response(), _known_deadline(request, endpoint)
        return Response(
            response.status,
            response.body,
            response.content_type,
            {**response.headers, "X-Request-Timeout-Applied": f"{applied:g}"},
        )

    def _once(self, endpoint: Endpoint, arguments: list[str], request: Request) -> Response:
        """With an Idempotency-Key the same request is done once: its first answer is given again. Raises Problem."""
        key = request.headers.get("idempotency-key", "")
        if not key:
            return self._do(endpoint, arguments, request)
        if len(key) > KEY_MAX:
            raise Problem("Validation", "Idempotency-Key is longer than 255 characters.")
        digest = hashlib.sha256(f"{request.method} {request.path} {request.pairs}".encode() + request.body).hexdigest()
        db, now = self.server.books.store.db, time.time()
        db.execute("DELETE FROM mt4_keys WHERE kept_until < ?", (now,))
        row = db.execute("SELECT digest, status, body FROM mt4_keys WHERE key = ?", (key,)).fetchone()
        if row is not None:
            if row[0] != digest:
                raise Problem("Validation", "This Idempotency-Key belongs to another request.")
            return Response(row[1], row[2])
        if key in self.running:
            raise REFUSING["in_progress"]()
        response = self._do(endpoint, arguments, request)
        self._keep(key, digest, response, KEPT_SECONDS)
        return response

    def _keep(self, key: str, digest: str, response: Response, seconds: float) -> None:
        values = (key, digest, response.status, response.body, time.time() + seconds)
        self.server.books.store.db.execute("INSERT OR REPLACE INTO mt4_keys VALUES (?, ?, ?, ?, ?)", values)

    def keep_longer(self, request: Request) -> None:
        """Keep the real answer for an hour: the caller does not know the outcome."""
        key = request.headers.get("idempotency-key", "")
        until = time.time() + KEPT_UNKNOWN_SECONDS
        self.server.books.store.db.execute("UPDATE mt4_keys SET kept_until = ? WHERE key = ?", (until, key))

    def _do(self, endpoint: Endpoint, arguments: list[str], request: Request) -> Response:
        try:
            return endpoint.work(self.server, endpoints.Call(request, arguments))
        except Refused as refusal:
            raise refused(refusal.code) from None
        except (ValueError, KeyError, TypeError, ArithmeticError) as problem:
            raise Problem("Validation", f"The request can't be read: {type(problem).__name__}") from None

    def _platforms(self, request: Request) -> Response:
        """Answer the list of an older version of the interface, without an envelope."""
        if not self.tokens.is_good(request):
            return self.tokens.refusal()
        return as_json([{"id": self.platform_id, "name": "Keelson Sandbox MT4", "type": "MT4"}])


def _deadline(request: Request, endpoint: Endpoint) -> float:
    text = request.headers.get("x-request-timeout", "")
    if not text:
        return DEADLINES[endpoint.kind]
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 300:
        raise Problem("Validation", "X-Request-Timeout must be from 1 to 300 seconds.")
    return seconds


def _known_deadline(request: Request, endpoint: Endpoint) -> float:
    try:
        return _deadline(request, endpoint)
    except Problem:
        return DEADLINES[endpoint.kind]


class BridgeListener(HttpListener):
    """The listener of every sandbox server, with the faults that only a bridge has."""

    site: Bridge

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self._request = request  # between here and `_do` nothing waits
        await super()._answer(request, writer)

    def _do(self, command: str, work: Callable[[], Response], faults: Mapping[str, Fault]) -> Response:
        site, request = self.site, self._request
        if "token_revoked" in faults:
            return site.revoke()
        if "not_served" in faults:
            return Response(404)
        if "sync_lost" in faults:
            site.server.sync.forget()
        for kind, problem in REFUSING.items():
            if kind in faults:
                return problem().response()
        if "unknown_later" in faults:
            key = request.headers.get("idempotency-key", "")
            site.running.add(key)
            asyncio.get_running_loop().call_later(faults["unknown_later"].value or 1, self._later, key, work, request)
            return timed_out(is_read=False).response()
        site.server.comment_max = int(faults["cut_comment"].value) if "cut_comment" in faults else None
        response = super()._do(command, work, faults)
        site.server.comment_max = None
        return self._instead(faults, request) or self._at_the_deadline(response, faults, request)

    def _at_the_deadline(self, response: Response, faults: Mapping[str, Fault], request: Request) -> Response:
        """Answer at the request's deadline where the trade server is slower; the work is done all the same."""
        slow, applied = faults.get("slow"), float(response.headers.get("X-Request-Timeout-Applied", 0))
        if slow is None or not applied or slow.value <= applied or not isinstance(faults, dict):
            return response
        faults["slow"] = replace(slow, value=applied)
        self.site.keep_longer(request)
        late = timed_out(is_read=request.method == "GET").response()
        return replace(late, headers={**late.headers, "X-Request-Timeout-Applied": f"{applied:g}"})

    def _later(self, key: str, work: Callable[[], Response], request: Request) -> None:
        self.site.running.discard(key)
        work()
        self.site.keep_longer(request)

    def _instead(self, faults: Mapping[str, Fault], request: Request) -> Response | None:
        """Make the answer that hides what was done, as the faults demand."""
        if "outcome_unknown" in faults:
            self.site.keep_longer(request)
            return timed_out(is_read=False).response()
        if "internal" in faults:
            return Problem("Internal", "Something went wrong.").response()
        for kind, status in (("proxy_401", 401), ("proxy_403", 403)):
            if kind in faults:
                return Response(status, f"<html><title>{status}</title></html>".encode(), "text/html")
        return None
