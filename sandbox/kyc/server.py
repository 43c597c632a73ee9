"""The provider over HTTP: the signed API, the page of a link, and the switchboard.

| switch (`POST /_control/faults {"name", "value", "times"}`) | does |
|---|---|
| `webhook_drop` | true: the next webhook is never sent |
| `webhook_duplicate` | n: sent n times more |
| `webhook_hold` | true: sent with the next one, after it |
| `webhook_forge`, `webhook_algorithm` | signed with another secret · with another of the documented algorithms |
| `clock_skew` | seconds by which this server's clock differs: beyond a minute every signature is refused |
| `rate_limit` | seconds: 429 with that Retry-After |
| `outage`, `reset`, `lose_answer` | 503 · cut before anything is done · done, then cut |
"""

import base64
import hashlib
import hmac
import json
import logging
import re
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.kyc.pages import RESULTS, form_page, message_page, read_form
from sandbox.kyc.reviews import STEP_OF, Reviewer, moment
from sandbox.kyc.store import Store, new_id

log = logging.getLogger("sandbox.kyc")
BODY_BYTES_MAX = 64 * 1024 * 1024
CLOCK_SECONDS_MAX = 60
APP_TOKEN = "sbx:keelson-sandbox"  # noqa: S105 — the sandbox's, known to everybody
SECRET_KEY = "keelson-sandbox-secret"  # noqa: S105
WEBHOOK_SECRET = "keelson-sandbox-webhook"  # noqa: S105


class ApiError(Exception):
    """An answer that refuses, in the provider's form."""

    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status, self.description = status, description


class KycServer(ThreadingHTTPServer):
    """The server with its store and reviewer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, address: tuple[str, int], store: Store, reviewer: Reviewer, *, public_url: str, seconds: float
    ) -> None:
        self.store, self.reviewer, self.review_seconds = store, reviewer, seconds
        super().__init__(address, Handler)
        self.public_url = public_url.rstrip("/") or f"http://{address[0]}:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: KycServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, BODY_BYTES_MAX))
        path = self.path
        try:
            if path.startswith("/resources/"):
                self._api(path, body)
            elif path.startswith("/websdk/p/"):
                self._page(path.rsplit("/", 1)[1], body)
            elif path.startswith("/_control/"):
                self._send(200, control(self.server, self.command, path, json.loads(body or b"{}")))
            else:
                raise ApiError(404, "Not found")
        except ApiError as error:
            answer = {"description": error.description, "code": error.status, "correlationId": new_id()}
            self._send(error.status, answer)

    def _api(self, path: str, body: bytes) -> None:
        store = self.server.store
        if store.spend("reset"):
            self._cut()
            return
        if store.spend("outage"):
            raise ApiError(503, "Service unavailable")
        if (wait := store.spend("rate_limit")) is not None:
            self._send(429, {"description": "Too many requests", "code": 429}, retry_after=int(wait))
            return
        self._require_signature(path, body)
        answer = api(self.server, self.command, path, body)
        if self.command != "GET" and store.spend("lose_answer"):
            self._cut()
        elif isinstance(answer, bytes):
            self._send(200, answer, content_type="image/jpeg")
        else:
            self._send(200, answer)

    def _require_signature(self, path: str, body: bytes) -> None:
        stamp = self.headers.get("X-App-Access-Ts", "")
        if self.headers.get("X-App-Token") != APP_TOKEN:
            raise ApiError(401, "Invalid app token")
        now = time.time() + float(self.server.store.spend("clock_skew") or 0)
        if not stamp.isdigit() or abs(now - int(stamp)) > CLOCK_SECONDS_MAX:
            raise ApiError(401, "Invalid request timestamp")
        signed = f"{stamp}{self.command}{path}".encode() + body
        expected = hmac.new(SECRET_KEY.encode(), signed, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, self.headers.get("X-App-Access-Sig", "")):
            raise ApiError(401, "Request signature mismatch")

    def _page(self, token: str, body: bytes) -> None:
        rows = self.server.store.run("SELECT external_id, return_url, expires_at FROM links WHERE token = ?", token)
        applicant = self.server.store.by_external_id(rows[0][0]) if rows and rows[0][2] > time.time() else None
        if applicant is None:
            self._send(410, message_page("This link has expired.").encode(), content_type="text/html; charset=utf-8")
        elif self.command == "GET":
            name = " ".join(applicant["fixedInfo"].get(key, "") for key in ("firstName", "lastName"))
            self._send(200, form_page(name).encode(), content_type="text/html; charset=utf-8")
        else:
            fields, files = read_form(self.headers.get("Content-Type", ""), body)
            _take_pictures(self.server.store, applicant, fields.get("type", "PASSPORT"), files)
            result = RESULTS.get(fields.get("outcome", "green"), RESULTS["green"])
            self.server.reviewer.submit(applicant, result, seconds=self.server.review_seconds)
            self._send(303, b"", location=rows[0][1])

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(
        self,
        status: int,
        answer: Any,
        *,
        content_type: str = "application/json",
        location: str = "",
        retry_after: int | None = None,
    ) -> None:
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        if location:
            self.send_header("Location", location)
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(content)


def _take_pictures(store: Store, applicant: dict[str, Any], kind: str, files: dict[str, bytes]) -> None:
    places = {
        "front": (kind, "FRONT_SIDE"),
        "back": (kind, "BACK_SIDE"),
        "selfie": ("SELFIE", None),
        "bill": ("UTILITY_BILL", None),
    }
    for name, content in files.items():
        add_picture(store, applicant, *places[name], content)


def add_picture(store: Store, applicant: dict[str, Any], kind: str, side: str | None, content: bytes) -> str:
    """Keep a picture of an applicant's document."""
    definition = {"country": "DEU", "idDocType": kind, **({"idDocSubType": side} if side else {})}
    file_type = "pdf" if content.startswith(b"%PDF") else "jpeg"
    body = {
        "addedDate": moment(),
        "fileMetadata": {"fileName": f"{kind.lower()}.{file_type}", "fileType": file_type, "fileSize": len(content)},
        "idDocDef": definition,
        "source": "fileupload",
        "deactivated": False,
    }
    return store.add_picture(applicant["id"], body, content)


# ── the API ────────────────────────────────────────────────────────────────────────────────────────────────────────────
Route = Callable[[KycServer, dict[str, str], dict[str, Any]], Any]
ROUTES: list[tuple[str, re.Pattern[str], Route]] = []


def route(method: str, pattern: re.Pattern[str]) -> Callable[[Route], Route]:
    """Register what answers a path."""

    def register(handler: Route) -> Route:
        ROUTES.append((method, pattern, handler))
        return handler

    return register


def api(server: KycServer, method: str, path: str, body: bytes) -> Any:
    """Answer a signed request."""
    parts = urlsplit(path)
    try:
        given = json.loads(body) if body else {}
    except ValueError:
        raise ApiError(400, "Malformed JSON") from None
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    for route_method, pattern, handler in ROUTES:
        if route_method == method and (match := pattern.fullmatch(parts.path)):
            return handler(server, {**query, **{k: unquote(v) for k, v in match.groupdict().items()}}, given)
    raise ApiError(404, "Not found")


@route("POST", re.compile(r"/resources/applicants"))
def create_applicant(server: KycServer, given: dict[str, str], body: dict[str, Any]) -> Any:
    """Create an applicant; an external id that is taken is 409."""
    external_id = str(body.get("externalUserId") or "")
    if not external_id or not given.get("levelName"):
        raise ApiError(400, "externalUserId and levelName are required")
    known = server.store.by_external_id(external_id)
    if known is not None:
        raise ApiError(409, f"Applicant with external user id '{external_id}' already exists: {known['id']}")
    applicant = {
        "id": new_id(),
        "createdAt": moment(),
        "inspectionId": new_id(),
        "externalUserId": external_id,
        "fixedInfo": body.get("fixedInfo") or {},
        "info": {},
        "deleted": False,
        "review": {"levelName": given["levelName"], "reviewStatus": "init", "createDate": moment()},
    }
    server.store.save(applicant)
    server.reviewer.announce(applicant, "applicantCreated")
    return applicant


@route("GET", re.compile(r"/resources/applicants/-/byExternalUserId/(?P<id>[^/]+)"))
def exists(server: KycServer, given: dict[str, str], _body: dict[str, Any]) -> Any:
    """Say whether an applicant exists."""
    found = server.store.by_external_id(given["id"])
    return {"exists": found is not None, **({"applicant": found} if found else {})}


@route("GET", re.compile(r"/resources/applicants/(?P<id>[^/]+)/one"))
def applicant_data(server: KycServer, given: dict[str, str], _body: dict[str, Any]) -> Any:
    """Return an applicant by id, or by `-;externalUserId=…`."""
    applicant = _applicant(server, given["id"])
    if applicant["review"]["reviewStatus"] != "init":
        applicant = {**applicant, "info": {**applicant["fixedInfo"], **applicant["info"]}}
    return applicant


@route("GET", re.compile(r"/resources/applicants/(?P<id>[^/]+)/requiredIdDocsStatus"))
def steps(server: KycServer, given: dict[str, str], _body: dict[str, Any]) -> Any:
    """Return the result per step; a FINAL one says little here, as at the provider."""
    applicant = _applicant(server, given["id"])
    review, found = applicant["review"], {}
    for picture in server.store.pictures(applicant["id"]):
        kind = picture["idDocDef"]["idDocType"]
        done = review["reviewStatus"] == "completed"
        found[STEP_OF.get(kind, "IDENTITY")] = {
            "idDocType": kind,
            "reviewResult": review["reviewResult"] if done else None,
        }
    return found


@route("GET", re.compile(r"/resources/applicants/(?P<id>[^/]+)/metadata/resources"))
def picture_list(server: KycServer, given: dict[str, str], _body: dict[str, Any]) -> Any:
    """List an applicant's pictures."""
    items = server.store.pictures(_applicant(server, given["id"])["id"])
    return {"items": items, "totalItems": len(items)}


@route("GET", re.compile(r"/resources/inspections/(?P<inspection>[^/]+)/resources/(?P<id>[^/]+)"))
def picture(server: KycServer, given: dict[str, str], _body: dict[str, Any]) -> Any:
    """Return a picture as it was sent."""
    content = server.store.content(given["id"])
    if content is None:
        raise ApiError(404, "No such image")
    return content


@route("POST", re.compile(r"/resources/sdkIntegrations/levels/-/websdkLink"))
def link(server: KycServer, _given: dict[str, str], body: dict[str, Any]) -> Any:
    """Make a link to the page of an applicant; it expires."""
    token = new_id()
    expires_at = time.time() + float(body.get("ttlInSecs") or 1800)
    return_url = str((body.get("redirect") or {}).get("successUrl") or "/")
    server.store.run("INSERT INTO links VALUES (?, ?, ?, ?)", token, str(body.get("userId")), return_url, expires_at)
    return {"url": f"{server.public_url}/websdk/p/{token}"}


@route("PATCH", re.compile(r"/resources/applicants/(?P<id>[^/]+)/presence/deactivated"))
def deactivate(server: KycServer, given: dict[str, str], _body: dict[str, Any]) -> Any:
    """Deactivate an applicant; not while it is being checked."""
    applicant = _applicant(server, given["id"])
    if applicant["review"]["reviewStatus"] in ("pending", "queued", "prechecked"):
        raise ApiError(400, "Applicant is being checked")
    applicant["deleted"] = True
    server.store.save(applicant)
    return applicant


def _applicant(server: KycServer, which: str) -> dict[str, Any]:
    _dash, has_external, external_id = which.partition("-;externalUserId=")
    found = server.store.by_external_id(external_id) if has_external else server.store.applicant(which)
    if found is None:
        raise ApiError(404, "Applicant not found")
    return found


# ── the switchboard ────────────────────────────────────────────────────────────────────────────────────────────────────
def control(server: KycServer, method: str, path: str, body: dict[str, Any]) -> Any:
    """Switch a fault, play an applicant's part, or show the state."""
    what, _slash, external_id = path.removeprefix("/_control/").partition("/")
    if what == "faults" and method == "POST":
        server.store.set_fault(body["name"], body.get("value", True), body.get("times"))
        return {"ok": 1}
    if what == "applicants" and method == "POST":
        return _play(server, _applicant(server, f"-;externalUserId={external_id}"), body)
    if what == "state":
        return {"applicants": server.store.all_applicants()}
    raise ApiError(404, "Not found")


def _play(server: KycServer, applicant: dict[str, Any], body: dict[str, Any]) -> Any:
    """Send pictures and let the review say `result` (one of the page's, or a whole one) after `seconds`."""
    applicant["info"].update(body.get("info") or {})
    for sent in body.get("pictures", ()):
        add_picture(server.store, applicant, sent["type"], sent.get("side"), base64.b64decode(sent["content"]))
    result = body.get("result", "green")
    result = RESULTS[result] if isinstance(result, str) else result
    if (seconds := float(body.get("seconds", 0))) == 0:
        server.store.save(applicant)
        server.reviewer.finish(applicant["id"], result)
    else:
        server.reviewer.submit(applicant, result, seconds=seconds)
    return server.store.applicant(applicant["id"])
