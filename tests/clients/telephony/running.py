"""A running sandbox exchange for tests, real sockets on both sides, and a brand that calls through it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import httpx
from django.test import Client as Browser
from django.utils import timezone

from clients.models import AgentPhone, PhoneCall, PhoneExchange
from clients.telephony import exchange_work, hearing
from crm.models import Brand
from sandbox.phone.exchange import Pace
from sandbox.phone.server import ACCOUNT, TOKEN, PhoneServer
from tests.sandbox.psp.running import wait_until

KEYS = {"account_sid": ACCOUNT, "auth_token": TOKEN}
OUR_NUMBER, AGENT_NUMBER = "+442071838750", "+442071838752"
AROUND_THE_CLOCK = {"call_hour_from": 0, "call_hour_until": 24, "calls_on_sundays": True}
SENT_WITH = ("x-twilio-signature",)


@dataclass
class Callback:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


@dataclass
class RunningExchange:
    """The sandbox as a test sees it, and its callbacks, which a test lets through our door."""

    url: str
    server: PhoneServer
    received: list[Callback] = field(default_factory=list)
    delivered: int = 0
    # What our door says to a callback, where a test needs the exchange to hear it.
    answers: queue.Queue[bytes] = field(default_factory=queue.Queue)
    # Where the exchange asked us for the file of a message, and whether it got one.
    fetched: list[str] = field(default_factory=list)
    gives_files: bool = True

    def fault(self, name: str, value: Any = True, *, times: int | None = 1) -> None:
        self.server.exchange.set_fault(name, value, times)

    def plan(self, number: str, plan: str) -> None:
        self._control("plan", {"number": number, "plan": plan})

    def ring(self, from_: str) -> str:
        return str(self._control("ring", {"from": from_, "to": OUR_NUMBER})["sid"])

    def ring_in(self, from_: str) -> Any:
        """Let somebody ring, and the exchange hear what our door says; returns that answer."""
        count = len(self.received)
        self.ring(from_)
        wait_until(lambda: len(self.received) > count)
        answer = send(self.received[count])
        self.delivered = count + 1
        self.answers.put(answer.content)
        return answer

    def _control(self, what: str, body: dict[str, Any]) -> Any:
        answer = httpx.post(f"{self.url}/_control/{what}", json=body, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def is_quiet(self) -> bool:
        """Have all calls ended over there?"""
        legs = list(self.server.exchange.legs.values())
        return bool(legs) and all(leg.ended for leg in legs)

    def wait(self, condition: Any) -> Any:
        return wait_until(condition)

    def fresh(self) -> list[Callback]:
        """Wait until every call has ended, and return the callbacks that weren't handed on yet."""
        wait_until(self.is_quiet)
        wait_until(lambda: self._settled())
        fresh = self.received[self.delivered :]
        self.delivered += len(fresh)
        return fresh

    def _settled(self) -> bool:
        """Nothing has come in for a moment after the last call's end."""
        before = len(self.received)
        threading.Event().wait(0.15)
        return len(self.received) == before

    def deliver(self) -> list[int]:
        return [post(callback) for callback in self.fresh()]


def post(callback: Callback, **headers: str) -> int:
    """Hand a callback to our address as it came; returns the status."""
    return int(send(callback, **headers).status_code)


def send(callback: Callback, **headers: str) -> Any:
    """Hand a callback to our address as it came; returns the answer."""
    kept = {name: value for name, value in callback.headers.items() if name in SENT_WITH}
    kind = "application/x-www-form-urlencoded"
    return Browser().post(callback.path, callback.body, content_type=kind, headers={**kept, **headers})


@contextmanager
def running_exchange(**paces: float) -> Iterator[RunningExchange]:
    received: list[Callback] = []
    fetched: list[str] = []
    answers: queue.Queue[bytes] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            callback = Callback(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            received.append(callback)
            is_new_call = "CallbackSource" not in callback.fields and callback.fields.get("Direction") == "inbound"
            answer = answers.get(timeout=20) if is_new_call else b""
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def do_GET(self) -> None:
            """Give the file of a message that we send, as our door does; that itself is asked by the test."""
            fetched.append(self.path)
            self.send_response(200 if running.gives_files else 404)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"file")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    catcher = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    origin = f"http://127.0.0.1:{catcher.server_address[1]}"
    server = PhoneServer(
        ("127.0.0.1", 0),
        voice_url="http://localhost:8000/webhooks/phone/twilio/",
        text_url="http://localhost:8000/webhooks/text/twilio/",
        callback_origin=origin,
        pace=Pace(**{"ring": 0.02, "talk": 0.05, "wait": 0.05, **paces}),
    )
    for one in (catcher, server):
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    running = RunningExchange(url, server, received, answers=answers, fetched=fetched)
    yield running
    for one in (server, catcher):
        one.shutdown()
        one.server_close()


def make_exchange(brand: Brand, url: str, **fields: Any) -> PhoneExchange:
    """A connection that was approved long ago."""
    values = {
        "code": "twilio",
        "name": "Twilio",
        "adapter": "twilio",
        "base_url": url,
        "caller_number": OUR_NUMBER,
        "sealed_credentials": PhoneExchange.sealed(KEYS),
    }
    return PhoneExchange.objects.create(brand=brand, **{**values, **fields})


def give_phone(user: Any) -> AgentPhone:
    return AgentPhone.objects.create(user=user, address=AGENT_NUMBER)


def make_due(call: PhoneCall) -> None:
    """Let the time pass after which a call is worked on."""
    PhoneCall.objects.filter(pk=call.pk).update(due_at=timezone.now())


def work(call: PhoneCall) -> PhoneCall:
    """Do what is due for a call, and read it again."""
    make_due(call)
    exchange_work.work_on(call.pk)
    hearing.process_due()
    return PhoneCall.objects.get(pk=call.pk)
