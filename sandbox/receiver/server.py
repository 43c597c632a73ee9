"""The receiver over HTTP: it takes what is posted to any path, shows it at `/`, and checks signatures where it knows the secret.

All of it is gone when it stops.

| switch (`POST /_control/faults {"path", "name", "value", "times"}`, `path` may be left out) | does |
|---|---|
| `status` | answers with that status |
| `slow` | seconds before an answer |
| `reset` | cut before an answer |
| `huge` | more bytes than anybody takes |
| `redirect` | 302 to itself |
| `retry_after` | 503 with that Retry-After |

`POST /_control/secret {"path", "secret"}`: the secret of a path. `GET /_control/received`: what was received, as JSON.
"""

import base64
import hashlib
import hmac
import html
import json
import logging
import socket
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

log = logging.getLogger("sandbox.receiver")
KEPT, BODY_BYTES_MAX, SHOWN = 20_000, 1024 * 1024, 200
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color-scheme:light dark}"
    "article{border-top:1px solid #8884;padding:.6rem 0}pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}"
    "small{opacity:.7}"
)


class ReceiverServer(ThreadingHTTPServer):
    """The server with what it received, its faults and its secrets."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int]) -> None:
        self.received: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.faults: list[dict[str, Any]] = []
        self.secrets: dict[str, str] = {}
        self.lock = threading.Lock()
        super().__init__(address, Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def switch(self, name: str, value: Any = True, *, path: str = "", times: int = 1_000_000) -> None:
        """Set a fault for a path, or for all, so many times."""
        with self.lock:
            self.faults.append({"name": name, "value": value, "path": path, "times": times})

    def calm(self) -> None:
        """End every fault."""
        with self.lock:
            self.faults.clear()

    def spend(self, path: str) -> dict[str, Any] | None:
        """Return the fault of a path that is next, and count it."""
        with self.lock:
            for fault in self.faults:
                if fault["times"] > 0 and fault["path"] in ("", path):
                    fault["times"] -= 1
                    return fault
        return None

    def bodies(self, path: str = "") -> list[dict[str, Any]]:
        """Return what was taken, in the order of arrival."""
        return [item["body"] for item in list(self.received) if item["taken"] and path in ("", item["path"])]


def is_signed(body: bytes, headers: Any, secret: str) -> bool:
    """Check a signature after Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, given) for given in headers.get("webhook-signature", "").split(" "))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ReceiverServer

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def do_GET(self) -> None:
        if urlsplit(self.path).path == "/_control/received":
            self._send(200, json.dumps(list(self.server.received)).encode())
        else:
            self._send(200, self._page().encode(), "text/html; charset=utf-8")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, BODY_BYTES_MAX))
        path = urlsplit(self.path).path
        if path.startswith("/_control/"):
            self._control(path.removeprefix("/_control/"), json.loads(body or b"{}"))
            return
        fault = self.server.spend(path)
        status = int(fault["value"]) if fault and fault["name"] == "status" else 200
        is_taken = (fault is None or fault["name"] == "slow") and 200 <= status < 300
        self._note(path, body, is_taken=is_taken)
        if fault is None or fault["name"] == "status":
            self._send(status, b'{"received": true}' if status < 300 else b'{"error": "as switched on"}')
        else:
            self._misbehave(fault["name"], fault["value"])

    def _note(self, path: str, body: bytes, *, is_taken: bool) -> None:
        secret = self.server.secrets.get(path, "")
        try:
            message: Any = json.loads(body)
        except ValueError:
            message = body.decode("utf-8", "replace")
        self.server.received.append(
            {
                "path": path,
                "at": time.time(),
                "id": self.headers.get("webhook-id"),
                "headers": {name.lower(): value for name, value in self.headers.items()},
                "raw": body.decode("utf-8", "replace"),
                "body": message,
                "taken": is_taken,
                "signed": is_signed(body, self.headers, secret) if secret else None,
            }
        )

    def _misbehave(self, name: str, value: Any) -> None:
        if name == "slow":
            time.sleep(float(value))
            self._send(200, b"{}")
        elif name == "reset":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        elif name == "huge":
            self._send(200, b"x" * (4 * 1024 * 1024))
        elif name == "redirect":
            self._send(302, b"", extra=("Location", self.path))
        elif name == "retry_after":
            self._send(503, b"{}", extra=("Retry-After", str(value)))

    def _control(self, what: str, given: dict[str, Any]) -> None:
        if what == "faults" and given:
            self.server.switch(
                given["name"], given.get("value", True), path=given.get("path", ""), times=given.get("times", 1)
            )
        elif what == "faults":
            self.server.calm()
        elif what == "secret":
            self.server.secrets[given["path"]] = given["secret"]
        self._send(200, b"{}")

    def _page(self) -> str:
        rows = []
        for item in reversed(list(self.server.received)[-SHOWN:]):
            signed = {True: "signature valid", False: "wrong signature", None: ""}[item["signed"]]
            note = " · ".join(part for part in (item["path"], item["id"] or "", signed) if part)
            text = json.dumps(item["body"], indent=2, ensure_ascii=False)
            name = item["body"].get("name", "") if isinstance(item["body"], dict) else ""
            rows.append(
                f"<article><strong>{html.escape(str(name))}</strong> <small>{html.escape(note)}"
                f"{'' if item['taken'] else ' · refused'}</small><pre>{html.escape(text)}</pre></article>"
            )
        shown = "".join(rows) or "<p>Nothing received yet.</p>"
        return (
            f"<!doctype html><html lang='en'><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
            f"<title>Webhook receiver</title><style>{STYLE}</style><h1>Webhook receiver</h1>{shown}</html>"
        )

    def _send(
        self, status: int, body: bytes, kind: str = "application/json", extra: tuple[str, str] | None = None
    ) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if extra is not None:
                self.send_header(*extra)
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the caller has gone
