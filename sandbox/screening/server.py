"""The vendor over HTTP: matching, entities, its webhooks, and the switchboard. What it learned is gone when it stops.

It remembers the queries it was asked under their keys, and tells our webhook address what concerns them: an entity that changed or
was delisted, and a new one that one of them matches.

| switch (`POST /_control/faults {"name", "value", "times"}`) | does |
|---|---|
| `outage`, `reset`, `lose_answer` | 503 · cut before anything is read · read, then cut |
| `rate_limit` | seconds: 429 with that Retry-After |
| `slow` | seconds before an answer |
| `garbage`, `huge`, `leave_out` | no JSON · more bytes than anybody takes · the answer lacks the first query |
| `empty_catalog` | the catalog has no dataset |
| `webhook_drop`, `webhook_duplicate` | the next webhook is never sent · sent n times more |
| `webhook_forge`, `webhook_age` | signed with another secret · so many seconds ago |
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
import socket
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from sandbox.screening.entities import first_entities, is_same_kind, scored

log = logging.getLogger("sandbox.screening")
BODY_BYTES_MAX, BATCH_MAX = 8 * 1024 * 1024, 100
DATASETS = ("default", "sanctions", "peps")
API_KEY = "keelson-sandbox-screening"
WEBHOOK_SECRET = "whsec_" + base64.b64encode(b"keelson-sandbox-screening-webhook").decode()


class ApiError(Exception):
    """An answer that refuses, in the API's form."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


class ScreeningServer(ThreadingHTTPServer):
    """The server with its entities, the queries it was asked, and its webhooks."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, webhook_url: str, webhook_secret: str = WEBHOOK_SECRET) -> None:
        self.webhook_url, self.webhook_secret = webhook_url, webhook_secret
        self.entities = {entity["id"]: entity for entity in first_entities()}
        self.moved: dict[str, str] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        self.batches: list[dict[str, Any]] = []
        self.faults: dict[str, list[Any]] = {}
        self.lock = threading.RLock()
        super().__init__(address, Handler)

    def spend(self, name: str) -> Any:
        """Return a fault's value and use one of its times up; None where it is off."""
        with self.lock:
            fault = self.faults.get(name)
            if fault is None:
                return None
            if fault[1] is not None:
                fault[1] -= 1
                if fault[1] <= 0:
                    del self.faults[name]
            return fault[0]

    def set_fault(self, name: str, value: Any = True, times: int | None = None) -> None:
        with self.lock:
            self.faults[name] = [value, times]

    # ── the API ──
    def match(self, dataset: str, query: dict[str, str], body: dict[str, Any]) -> dict[str, Any]:
        """Answer a batch of queries by their keys."""
        if dataset not in DATASETS:
            raise ApiError(404, f"No such dataset: {dataset}")
        queries = body.get("queries") or {}
        if not queries:
            raise ApiError(400, "No queries provided.")
        if len(queries) > BATCH_MAX:
            raise ApiError(400, f"Too many queries in one batch (limit: {BATCH_MAX})")
        threshold, limit = float(query.get("threshold", 0.7)), int(query.get("limit", 5))
        with self.lock:
            self.batches.append(body)
            answers = {key: self._answer(key, one, threshold, limit) for key, one in queries.items()}
        if self.spend("leave_out"):
            answers.pop(next(iter(answers)))
        return {"responses": answers, "limit": limit}

    def _answer(self, key: str, query: dict[str, Any], threshold: float, limit: int) -> dict[str, Any]:
        names = query.get("properties", {}).get("name")
        if query.get("schema") not in ("Person", "Company", "Organization", "LegalEntity") or not names:
            raise ApiError(400, f"Cannot parse example entity: {key}")
        if any("\x00" in name or name == "Spoiled Query" for name in names):
            raise ApiError(400, f"Cannot parse example entity: {key}")
        self.asked[key] = query
        results = []
        for entity in self.entities.values():
            if is_same_kind(query, entity):
                score, explained = scored(query, entity)
                if score >= threshold:
                    results.append({**entity, "score": score, "match": True, "explanations": explained})
        results.sort(key=lambda row: -row["score"])
        total = {"value": len(results), "relation": "eq"}
        return {"status": 200, "results": results[:limit], "total": total, "query": query}

    # ── what happens at the vendor ──
    def put(self, entity: dict[str, Any]) -> None:
        """Add an entity, or change one; callers that asked about a match of it get a webhook."""
        with self.lock:
            before = self.entities.get(entity["id"], {})
            whole = {"datasets": ["sbx_sanctions"], "referents": [], "target": True, **before, **entity}
            whole["caption"] = whole["properties"]["name"][0]
            self.entities[entity["id"]] = whole
            matching = [
                key
                for key, query in self.asked.items()
                if is_same_kind(query, whole) and scored(query, whole)[0] >= 0.7
            ]
        if before:
            self.announce("entity.changed", entity_id=entity["id"])
            return
        for key in matching:
            self.announce("match.new", entity_id=entity["id"], reference=key)

    def delist(self, entity_id: str) -> None:
        with self.lock:
            self.entities.pop(entity_id, None)
        self.announce("entity.delisted", entity_id=entity_id)

    def merge(self, entity_id: str, into: str) -> None:
        """Give an entity another key; its old one redirects."""
        with self.lock:
            self.entities[into] = {**self.entities.pop(entity_id), "id": into}
            self.moved[entity_id] = into

    def announce(self, event: str, **data: str) -> None:
        """Send a webhook, with the faults that are switched on."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        body = json.dumps({"type": event, "timestamp": now, "data": data}).encode()
        if not self.webhook_url or self.spend("webhook_drop"):
            return
        headers = self.signed(body)
        for _ in range(1 + int(self.spend("webhook_duplicate") or 0)):
            threading.Thread(target=self._send, args=(body, headers), daemon=True).start()

    def signed(self, body: bytes) -> dict[str, str]:
        """Sign a webhook after Standard Webhooks; the faults forge it or make it old."""
        secret = self.webhook_secret.removeprefix("whsec_")
        key = b"forged" if self.spend("webhook_forge") else base64.b64decode(secret)
        message_id = f"msg_{secrets.token_hex(10)}"
        stamp = str(int(time.time()) - int(self.spend("webhook_age") or 0))
        digest = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        }

    def _send(self, body: bytes, headers: dict[str, str]) -> None:
        for wait in (1, 5, 30, 0):
            request = urllib.request.Request(self.webhook_url, data=body, headers=headers, method="POST")  # noqa: S310
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
                    answer.read(1024)
                return
            except OSError as error:
                log.debug("webhook not taken: %s", error)
                time.sleep(wait)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ScreeningServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, BODY_BYTES_MAX))
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        try:
            given = json.loads(body or b"{}")
            if parts.path.startswith("/_control/"):
                self._send(200, control(self.server, self.command, parts.path.removeprefix("/_control/"), given))
            elif not self._has_fault():
                self._api(unquote(parts.path), query, given)
        except ApiError as error:
            self._send(error.status, {"detail": error.detail})
        except ValueError:
            self._send(422, {"detail": "Malformed JSON"})

    def _has_fault(self) -> bool:
        spend = self.server.spend
        time.sleep(float(spend("slow") or 0))
        if spend("reset"):
            self._cut()
        elif spend("outage"):
            self._send(503, {"detail": "Index not ready."})
        elif (wait := spend("rate_limit")) is not None:
            self._send(429, {"detail": "Too many requests"}, retry_after=int(wait))
        elif spend("garbage"):
            self._send_bytes(200, b"<html>maintenance</html>")
        elif spend("huge"):
            self._send_bytes(200, b'{"responses": "' + b"x" * 9_000_000 + b'"}')
        else:
            return False
        return True

    def _api(self, path: str, query: dict[str, str], body: dict[str, Any]) -> None:
        server = self.server
        if path in ("/healthz", "/readyz"):
            self._send(200, {"status": "ok"})
            return
        if self.headers.get("Authorization") != f"ApiKey {API_KEY}":
            raise ApiError(401, "Invalid API key")
        _empty, first, *rest = path.split("/", 2)
        what = (self.command, first)
        if what == ("POST", "match") and rest:
            answer = server.match(rest[0], query, body)
            if server.spend("lose_answer"):
                self._cut()
                return
            self._send(200, answer)
        elif what == ("GET", "entities") and rest:
            self._entity(rest[0])
        elif what == ("GET", "catalog"):
            names = () if server.spend("empty_catalog") else DATASETS
            self._send(200, {"datasets": [{"name": name, "title": name.title(), "version": "1"} for name in names]})
        else:
            raise ApiError(404, "Not Found")

    def _entity(self, entity_id: str) -> None:
        if entity_id in self.server.moved:
            self._send(308, {}, location=f"/entities/{self.server.moved[entity_id]}")
            return
        entity = self.server.entities.get(entity_id)
        if entity is None:
            raise ApiError(404, "No such entity!")
        self._send(200, entity)

    def _cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, status: int, answer: Any, *, retry_after: int | None = None, location: str = "") -> None:
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        self._send_bytes(
            status, json.dumps(answer).encode(), {**headers, **({"Location": location} if location else {})}
        )

    def _send_bytes(self, status: int, content: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def control(server: ScreeningServer, method: str, what: str, body: dict[str, Any]) -> Any:
    """Switch a fault, add, change, merge or delist an entity, or show the state."""
    if method == "POST" and what == "faults":
        server.set_fault(body["name"], body.get("value", True), body.get("times"))
    elif method == "POST" and what == "entities":
        server.put(body)
    elif method == "POST" and what == "delist":
        server.delist(body["id"])
    elif method == "POST" and what == "merge":
        server.merge(body["id"], body["into"])
    elif what == "state":
        return {"entities": list(server.entities.values()), "asked": server.asked, "batches": len(server.batches)}
    else:
        raise ApiError(404, "Not Found")
    return {"ok": 1}
