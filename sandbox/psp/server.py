"""A small threaded HTTP server: requests in, JSON, HTML or CSV out, and the faults that concern the connection
itself.
"""

import json
import logging
import re
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sandbox.psp.characters import CHARACTERS, Character
from sandbox.psp.faults import Faults, UnknownFaultError
from sandbox.psp.payments import ApiError, Pace
from sandbox.psp.store import Store

log = logging.getLogger("sandbox.psp")
BODY_BYTES_MAX = 64 * 1024 * 1024
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self' *; base-uri 'none'; "
    "frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Request:
    """One request, with everything a handler may need."""

    store: Store
    pace: Pace
    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]
    base_url: str
    parts: dict[str, str] = field(default_factory=dict)

    @property
    def character(self) -> Character:
        character = CHARACTERS.get(self.parts["psp"])
        if character is None:
            raise ApiError(
                404, "unknown_psp", f"No PSP called {self.parts['psp']}. There are: {', '.join(CHARACTERS)}."
            )
        return character

    @property
    def json(self) -> dict[str, Any]:
        try:
            value = json.loads(self.body or b"{}")
        except ValueError:
            raise ApiError(400, "invalid_json", "The body is not JSON.") from None
        if not isinstance(value, dict):
            raise ApiError(400, "invalid_json", "The body must be a JSON object.")
        return value

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1].strip() for name, values in parse_qs(self.body.decode("utf-8", "replace")).items()}


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


def as_json(value: Any, status: int = 200) -> Response:
    """Answer with JSON."""
    return Response(status, json.dumps(value, sort_keys=True).encode())


def as_html(text: str, status: int = 200) -> Response:
    """Answer with a page, under the pages' content security policy."""
    return Response(status, text.encode(), "text/html; charset=utf-8", (("Content-Security-Policy", PAGE_POLICY),))


def redirect(url: str) -> Response:
    """Send the browser on to a URL."""
    return Response(303, headers=(("Location", url),))


Handler = Callable[[Request], Response]


class Router:
    """`(GET|POST, /path/{part})` → handler; `{psp:stripe}` takes that word only, and is asked before the general ones."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._pinned = 0

    def route(self, method: str, path: str) -> Callable[[Handler], Handler]:
        pattern = re.compile(
            re.sub(r"\{(\w+)(?::([^}]+))?\}", lambda part: f"(?P<{part[1]}>{part[2] or '[^/]+'})", path)
        )

        def register(handler: Handler) -> Handler:
            is_pinned = "{psp:" in path
            self._routes.insert(self._pinned if is_pinned else len(self._routes), (method, pattern, handler))
            self._pinned += is_pinned
            return handler

        return register

    def find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        other_method = False
        for route_method, pattern, handler in self._routes:
            if match := pattern.fullmatch(path):
                if route_method == method:
                    return handler, match.groupdict()
                other_method = True
        raise ApiError(405 if other_method else 404, "no_such_page", f"Nothing answers {method} {path}.")


router = Router()


class RequestHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "PspServer"

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self, method: str) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            self._send(as_json({"error": {"code": "too_large", "message": "The body is too large."}}, 413))
            return
        body, url = self.rfile.read(length), urlsplit(self.path)
        psp = url.path.split("/")[1]
        faults, concerns_money = Faults(self.server.store), psp in CHARACTERS
        if concerns_money and faults.spend(psp, "reset"):
            self._cut()
            return
        if concerns_money and faults.spend(psp, "outage"):
            self._send(as_json({"error": {"code": "outage", "message": "The PSP is down."}}, 503))
            return
        response = self._handle(method, url.path, url.query, body)
        if concerns_money and "/pay/" not in url.path and method == "POST":
            if (seconds := faults.spend(psp, "late_answer")) is not None:
                time.sleep(float(seconds))
            if faults.spend(psp, "lose_answer"):
                self._cut()
                return
        self._send(response)

    def _handle(self, method: str, path: str, query: str, body: bytes) -> Response:
        try:
            handler, parts = router.find(method, path)
            request = Request(
                self.server.store,
                self.server.pace,
                method,
                path,
                {k: v[-1] for k, v in parse_qs(query).items()},
                body,
                {name.lower(): value for name, value in self.headers.items()},
                self.server.public_url or f"http://{self.headers.get('Host', 'localhost')}",
                parts,
            )
            return handler(request)
        except ApiError as error:
            return as_json({"error": {"code": error.code, "message": error.message}}, error.status)
        except UnknownFaultError as error:
            return as_json({"error": {"code": "unknown_fault", "message": str(error)}}, 400)
        except Exception:
            log.exception("%s %s failed", method, path)
            return as_json({"error": {"code": "internal", "message": "The sandbox stumbled; see its log."}}, 500)

    def _cut(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, response: Response) -> None:
        try:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            self.send_header("Cache-Control", "no-store")
            for name, value in response.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(response.body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the caller hung up while we were late


class PspServer(ThreadingHTTPServer):
    """The server with its store; one thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], store: Store, pace: Pace, public_url: str = "") -> None:
        self.store, self.pace, self.public_url = store, pace, public_url.rstrip("/")
        super().__init__(address, RequestHandler)
