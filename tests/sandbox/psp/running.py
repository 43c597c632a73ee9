"""A running sandbox PSP for tests, and a place that catches its webhooks."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from sandbox.psp import api, control, hosted, rates, webhooks  # noqa: F401 (importing them registers their pages)
from sandbox.psp.characters import CHARACTERS
from sandbox.psp.dialects import bankwire, btcpay, paypal, praxis  # noqa: F401 (importing them registers their APIs)
from sandbox.psp.payments import Pace
from sandbox.psp.server import PspServer
from sandbox.psp.store import Store
from sandbox.psp.transfers import TIMERS
from sandbox.psp.webhooks import Dispatcher

webhooks.POLL_SECONDS = 0.02  # a test waits for every webhook


def wait_until(condition: Callable[[], Any], seconds_max: float = 40) -> Any:
    """The condition's first true answer; the test fails when there is none in time."""
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    raise AssertionError("It did not happen in time.")


@dataclass
class Catcher:
    """What arrived at the webhook address; `status` is what it answers."""

    url: str = ""
    status: int = 200
    answer: bytes = b"[accepted]"  # what Adyen wants to read; nobody else looks
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


@contextmanager
def webhook_catcher() -> Iterator[Catcher]:
    catcher = Catcher()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            catcher.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(catcher.status)
            self.send_header("Content-Length", str(len(catcher.answer)))
            self.end_headers()
            self.wfile.write(catcher.answer)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    catcher.url = f"http://127.0.0.1:{server.server_address[1]}/{{psp}}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield catcher
    server.shutdown()
    server.server_close()


@dataclass
class RunningPsp:
    """The sandbox as a test sees it: an HTTP client per PSP, and the switchboard."""

    url: str
    store: Store

    def call(self, psp: str, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {CHARACTERS[psp].api_key}"}
        return httpx.request(method, f"{self.url}/{psp}/v1{path}", json=body, headers=headers, timeout=10)

    def control(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.post(f"{self.url}/_control/{path}", json=body or {}, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def fault(self, name: str, value: Any = True, *, psp: str = "*", times: int | None = None) -> None:
        self.control("faults", {"psp": psp, "name": name, "value": value, "times": times})

    def play(self, psp: str, reference: str, what: str = "pay", **body: Any) -> dict[str, Any]:
        return self.control(f"{psp}/payments/{reference}/{what}", body)

    def deliveries(self) -> list[dict[str, Any]]:
        return httpx.get(f"{self.url}/_control/state", timeout=10).json()["deliveries"]


@contextmanager
def running_psp(state: Path, webhook_url: str = "", pace: float = 0.02) -> Iterator[RunningPsp]:
    store = Store(state)
    server = PspServer(("127.0.0.1", 0), store, Pace(pace))
    dispatcher = Dispatcher(store, webhook_url, TIMERS)
    dispatcher.start()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield RunningPsp(f"http://127.0.0.1:{server.server_address[1]}", store)
    server.shutdown()
    server.server_close()
    dispatcher.stop()
    store.close()
