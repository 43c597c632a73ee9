"""The exchange over HTTP: Twilio's API for calls, recordings and messages, Asterisk's (`ari`), and the switchboard.

All of it is gone when it stops.

| switch (`POST /_control/faults {"name", "value", "times"}`) | does |
|---|---|
| `outage`, `reset`, `lose_answer` | 503 · cut before anything is read · done, then cut |
| `rate_limit`, `slow` | seconds: 429 with that Retry-After · seconds before an answer |
| `garbage`, `huge` | no JSON · more bytes than anybody takes |
| `drop`, `duplicate`, `late` | the next callback is never sent · sent n times more · so many seconds later |
| `forge`, `hold` | signed with another token · held until `POST /_control/release {"order"}` |
| `cut_socket`, `no_socket` | Asterisk's connection for events is cut at the next one · isn't opened |
| `wrong_type`, `endless` | of a recording or a message's file: an HTML page · bytes without an end |
| `elsewhere` | a message's file is redirected to this address |
| `fetch_twice` | the file of our message is fetched twice |
"""

import base64
import json
import logging
import socket
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.phone import ari
from sandbox.phone.exchange import Exchange, Pace
from sandbox.phone.sound import tone

log = logging.getLogger("sandbox.phone")
ACCOUNT, TOKEN = "AC" + "5a" * 16, "keelson-sandbox-phone"
BODY_BYTES_MAX = 256 * 1024
PREFIX = f"/2010-04-01/Accounts/{ACCOUNT}"


class ApiError(Exception):
    """An answer that refuses, in the API's form."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class PhoneServer(ThreadingHTTPServer):
    """The server with its exchange."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        *,
        voice_url: str = "",
        text_url: str = "",
        callback_origin: str = "",
        pace: Pace | None = None,
    ) -> None:
        self.text_url = text_url
        self.exchange = Exchange(
            account=ACCOUNT, token=TOKEN, voice_url=voice_url, callback_origin=callback_origin, pace=pace or Pace()
        )
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PhoneServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, BODY_BYTES_MAX))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            if parts.path.startswith("/_control/"):
                body_read = json.loads(body or b"{}")
                what = parts.path.removeprefix("/_control/")
                self._send(200, control(self.server.exchange, what, body_read, text_url=self.server.text_url))
            elif parts.path == "/ari/events":
                self._events(query)
            elif self._has_fault():
                pass
            elif parts.path.startswith("/ari/"):
                self._ari(parts.path.removeprefix("/ari"), query)
            else:
                form = {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
                self._api(parts.path, query, form)
        except ApiError as error:
            self._send(error.status, {"code": error.code, "message": error.message, "status": error.status})

    def _is_ari_user(self) -> bool:
        expected = "Basic " + base64.b64encode(f"{ari.USER}:{ari.PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") == expected:
            return True
        self._send(401, {"message": "Authentication required"})
        return False

    def _events(self, query: dict[str, str]) -> None:
        asterisk = self.server.exchange.asterisk
        asterisk.asked.append(("GET", "/events", query))
        if not self._is_ari_user():
            return
        if query.get("app") != ari.APPLICATION or self.server.exchange.spend("no_socket"):
            self._send(400, {"message": "HTTP request is missing param: [app]"})
            return
        ari.Socket(asterisk, self).serve()

    def _ari(self, path: str, query: dict[str, str]) -> None:
        if not self._is_ari_user():
            return
        exchange = self.server.exchange
        try:
            answer = exchange.asterisk.answer(self.command, unquote(path), query)
        except ari.AriError as error:
            self._send(error.status, {"message": error.message})
            return
        if self.command == "POST" and path == "/channels" and exchange.spend("lose_answer"):
            self._cut()
        elif isinstance(answer, bytes):
            self._send_bytes(200, answer, "audio/wav")
        elif answer is None:
            self._send_bytes(204, b"", "application/json")
        else:
            self._send(200, answer)

    def _has_fault(self) -> bool:
        spend = self.server.exchange.spend
        time.sleep(float(spend("slow") or 0))
        if spend("reset"):
            self._cut()
        elif spend("outage"):
            self._send(503, {"code": 20503, "message": "Service unavailable", "status": 503})
        elif (wait := spend("rate_limit")) is not None:
            self._send(429, {"code": 20429, "message": "Too many requests", "status": 429}, {"Retry-After": str(wait)})
        elif spend("garbage"):
            self._send_bytes(200, b"<html>maintenance</html>", "text/html")
        elif spend("huge"):
            self._send_bytes(200, b'{"sid": "' + b"x" * 9_000_000 + b'"}', "application/json")
        else:
            return False
        return True

    def _api(self, path: str, query: dict[str, str], form: dict[str, str]) -> None:
        exchange = self.server.exchange
        if path.startswith("/media/"):
            self._stored(path.removeprefix("/media/"))
            return
        expected = "Basic " + base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            raise ApiError(401, 20003, "Authenticate")
        if path == f"{PREFIX}.json":
            self._send(200, {"sid": ACCOUNT, "friendly_name": "Sandbox", "status": "active", "type": "Full"})
        elif path == f"{PREFIX}/Calls.json" and self.command == "POST":
            self._originate(form)
        elif path == f"{PREFIX}/Calls.json":
            self._send(200, listed(exchange, query))
        elif path.startswith(f"{PREFIX}/Calls/"):
            self._call(path.removeprefix(f"{PREFIX}/Calls/").removesuffix(".json"), form)
        elif path == f"{PREFIX}/Messages.json" and self.command == "POST":
            self._text(form)
        elif path == f"{PREFIX}/Messages.json":
            found = exchange.texts.listed(query)[:50]
            self._send(200, page("messages", [one.as_json(ACCOUNT) for one in found]))
        elif "/Media/" in path:
            elsewhere = exchange.spend("elsewhere")
            target = elsewhere or f"/media/{path.rpartition('/')[2]}"
            self._send_bytes(307, b"", "text/plain", {"Location": str(target)})
        elif path.startswith(f"{PREFIX}/Messages/"):
            sid = path.removeprefix(f"{PREFIX}/Messages/").removesuffix(".json")
            if sid not in exchange.texts.rows:
                raise ApiError(404, 20404, f"The requested resource /Messages/{sid}.json was not found")
            self._send(200, exchange.texts.rows[sid].as_json(ACCOUNT))
        elif path.startswith(f"{PREFIX}/Recordings"):
            self._recording(path.removeprefix(f"{PREFIX}/Recordings").lstrip("/"), query)
        else:
            raise ApiError(404, 20404, "The requested resource was not found")

    def _originate(self, form: dict[str, str]) -> None:
        missing = next((name for name in ("To", "From", "Twiml") if not form.get(name)), None)
        if missing:
            raise ApiError(400, 21205, f"{missing} is required")
        if not form["To"].startswith(("+", "sip:")):
            raise ApiError(400, 21211, f"The 'To' number {form['To']} is not a valid phone number.")
        exchange = self.server.exchange
        leg = exchange.originate(
            to=form["To"], from_=form["From"], twiml=form["Twiml"], callback=form.get("StatusCallback", "")
        )
        if exchange.spend("lose_answer"):
            self._cut()
            return
        self._send(201, leg.as_json(ACCOUNT))

    def _text(self, form: dict[str, str]) -> None:
        missing = next((name for name in ("To", "From") if not form.get(name)), None)
        if missing or not (form.get("Body") or form.get("ContentSid") or form.get("MediaUrl")):
            raise ApiError(400, 21602, "Message body is required.")
        if not form["To"].removeprefix("whatsapp:").startswith("+"):
            raise ApiError(400, 21211, f"The 'To' number {form['To']} is not a valid phone number.")
        exchange = self.server.exchange
        if (form["From"], form["To"]) in exchange.texts.opted_out:
            raise ApiError(400, 21610, "Attempt to send to unsubscribed recipient")
        text = exchange.texts.send(form)
        if exchange.spend("lose_answer"):
            self._cut()
            return
        self._send(201, text.as_json(ACCOUNT))

    def _call(self, sid: str, form: dict[str, str]) -> None:
        exchange = self.server.exchange
        leg = exchange.legs.get(sid)
        if leg is None:
            raise ApiError(404, 20404, f"The requested resource /Calls/{sid}.json was not found")
        if self.command == "POST" and form.get("Status") == "completed":
            exchange.hang_up(sid)
        self._send(200, leg.as_json(ACCOUNT))

    def _recording(self, name: str, query: dict[str, str]) -> None:
        exchange = self.server.exchange
        if name == ".json":
            found = [one for one in exchange.recordings.values() if query.get("CallSid") in (None, one.call_sid)]
            self._send(200, page("recordings", [recording_json(one) for one in found]))
            return
        sid, _dot, extension = name.partition(".")
        recording = exchange.recordings.get(sid)
        if recording is None:
            raise ApiError(404, 20404, "The requested recording was not found")
        if extension == "json":
            self._send(200, recording_json(recording))
        elif exchange.spend("wrong_type"):
            self._send_bytes(200, b"<html>Sign in</html>", "text/html")
        elif exchange.spend("endless"):
            self._endless()
        else:
            self._send_bytes(200, tone(recording.seconds), "audio/x-wav")

    def _stored(self, sid: str) -> None:
        """Give a file of a message, as the host that keeps them does: who has its address needs no keys."""
        exchange = self.server.exchange
        if "Authorization" in self.headers or sid not in exchange.texts.media:
            self._send_bytes(404, b"", "text/plain")
        elif exchange.spend("wrong_type"):
            self._send_bytes(200, b"<html>Sign in</html>", "image/png")
        elif exchange.spend("endless"):
            self._endless()
        else:
            self._send_bytes(200, exchange.texts.media[sid], "image/png")

    def _endless(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "audio/x-wav")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            while True:
                self.wfile.write(b"\0" * 65_536)
        except OSError:
            log.debug("the reader stopped")

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(answer).encode(), "application/json", headers)

    def _send_bytes(self, status: int, content: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def page(name: str, rows: list[Any]) -> dict[str, Any]:
    """Wrap rows as the API's lists are."""
    return {name: rows, "page": 0, "page_size": 50, "next_page_uri": None, "uri": f"{PREFIX}/{name}.json", "start": 0}


def listed(exchange: Exchange, query: dict[str, str]) -> dict[str, Any]:
    """Find calls by who was rung and by their parent, the newest first."""
    rows = [
        leg.as_json(ACCOUNT)
        for leg in sorted(exchange.legs.values(), key=lambda leg: -leg.started)
        if query.get("To", leg.to) == leg.to and query.get("ParentCallSid", leg.parent) == leg.parent
    ]
    return page("calls", rows[:50])


def recording_json(recording: Any) -> dict[str, Any]:
    """Show a recording as the API does."""
    return {
        "sid": recording.sid,
        "account_sid": ACCOUNT,
        "call_sid": recording.call_sid,
        "duration": str(recording.seconds),
        "status": "completed",
        "channels": 1,
        "source": recording.source,
    }


def control(exchange: Exchange, what: str, body: dict[str, Any], *, text_url: str = "") -> Any:
    """Switch a fault, plan what a number does, let somebody ring or write in, release what was held, or show the state."""
    if what == "faults":
        exchange.set_fault(body["name"], body.get("value", True), body.get("times"))
    elif what == "plan":
        exchange.plans[body["number"]] = body["plan"]
    elif what == "ring" and body.get("over") == "asterisk":
        return {"sid": exchange.asterisk.ring_in(from_=body["from"], to=body["to"]).id}
    elif what == "ring":
        return {"sid": exchange.ring_in(from_=body["from"], to=body["to"]).sid}
    elif what == "text":
        files = int(body.get("files", 0))
        text = exchange.texts.come_in(from_=body["from"], to=body["to"], body=body["body"], url=text_url, files=files)
        return {"sid": text.sid}
    elif what == "release":
        return {"sent": exchange.release(body.get("order", "reversed"))}
    elif what == "state":
        return {"calls": [leg.as_json(ACCOUNT) for leg in exchange.legs.values()], "held": len(exchange.held)}
    else:
        raise ApiError(404, 20404, "Not found")
    return {"ok": 1}
