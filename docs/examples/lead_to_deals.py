"""Capture a lead, wait for the webhook that says who got it, open an account for the client, read the deals.

Needs Python 3.11 and httpx. Set up once in Keelson: a token with the scopes leads:write, clients:read, clients:write,
trading:read and trading:write, and a webhook for "Lead assigned" that sends to this program.

    export KEELSON_URL=https://crm.example.com KEELSON_TOKEN=kpt_… KEELSON_WEBHOOK_SECRET=whsec_…
    python lead_to_deals.py --brand meridian --email pia@example.com --account-type 3 --listen 0.0.0.0:8000
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import queue
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

ATTEMPTS = 4
BODY_BYTES_MAX = 1024 * 1024
SKEW_SECONDS_MAX = 300


class Keelson:
    """The few calls that this program needs, each repeated where that is safe."""

    def __init__(self, url: str, token: str) -> None:
        self.http = httpx.Client(
            base_url=f"{url}/api/v1/",
            headers={"Authorization": f"Bearer {token}", "Keelson-Version": "2026-11-26"},
            timeout=30,
        )

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self._call("GET", path, params=query)

    def post(self, path: str, body: dict[str, Any], *, etag: str = "") -> httpx.Response:
        """Write once: every attempt has the same Idempotency-Key, so a lost answer does nothing twice."""
        headers = {"Idempotency-Key": str(uuid.uuid4())} | ({"If-Match": etag} if etag else {})
        return self._call("POST", path, json=body, headers=headers)

    def rows(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Read a list to its end, page by page."""
        cursor = None
        while True:
            page = self.get(path, **query, **({"cursor": cursor} if cursor else {})).json()
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def _call(self, method: str, path: str, **given: Any) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self.http.request(method, path, **given)
            except httpx.TransportError:
                if attempt == ATTEMPTS:
                    raise
                time.sleep(2**attempt)
                continue
            if answer.status_code == 429 and attempt < ATTEMPTS:
                time.sleep(float(answer.headers.get("Retry-After", 1)))
                continue
            if answer.is_error and answer.status_code != httpx.codes.PRECONDITION_FAILED:
                problem = answer.json()
                sys.exit(f"{method} {path}: {answer.status_code} {problem['code']}: {problem['detail']}")
            return answer
        raise AssertionError("unreachable")


def is_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Check a message after Standard Webhooks: its raw bytes, its id and its time."""
    try:
        seconds = int(headers["webhook-timestamp"])
        message_id, given = headers["webhook-id"], headers["webhook-signature"]
    except (KeyError, ValueError):
        return False
    if abs(time.time() - seconds) > SKEW_SECONDS_MAX:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{seconds}.".encode() + body
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(expected, signature) for signature in given.split(" "))


def listen(host: str, port: int, secret: str) -> "queue.Queue[dict[str, Any]]":
    """Take webhooks on a thread. Only messages with a valid signature get into the queue, each once."""
    messages: queue.Queue[dict[str, Any]] = queue.Queue()
    known: set[str] = set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(min(int(self.headers.get("Content-Length") or 0), BODY_BYTES_MAX))
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_valid = is_signed(secret, headers, body)
            if is_valid and headers["webhook-id"] not in known:
                known.add(headers["webhook-id"])
                messages.put(json.loads(body))
            self.send_response(204 if is_valid else 401)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return messages


def wait_for_assignment(messages: "queue.Queue[dict[str, Any]]", lead_id: int, seconds: float) -> dict[str, Any]:
    """Return what `lead.assigned` says of this lead; messages about others pass by."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            message = messages.get(timeout=left)
        except queue.Empty:
            break
        if message["name"] == "lead.assigned" and message["data"]["lead_id"] == lead_id:
            return message
    sys.exit(f"No message about lead {lead_id} within {seconds:g} seconds: look into the delivery log.")


def change_sales_status(keelson: Keelson, client_id: int, to: str) -> dict[str, Any]:
    """Change the client that was read; where somebody else has changed it since, read it again."""
    for _attempt in range(ATTEMPTS):
        client = keelson.get(f"clients/{client_id}")
        answer = keelson.post(f"clients/{client_id}/sales-status", {"sales_status": to}, etag=client.headers["ETag"])
        if answer.is_success:
            return answer.json()
    sys.exit(f"Client {client_id} keeps changing.")


def main() -> None:
    """Run the whole way and print each step."""
    parser = argparse.ArgumentParser(description="Lead to deals over Keelson's API.")
    parser.add_argument("--brand", required=True)
    parser.add_argument("--email", required=True)
    parser.add_argument("--account-type", type=int, required=True, help="id of the account type to open")
    parser.add_argument("--listen", default="127.0.0.1:8000", help="where webhooks arrive")
    parser.add_argument("--wait", type=float, default=120, help="seconds to wait for the webhook")
    options = parser.parse_args()
    host, _colon, port = options.listen.rpartition(":")
    messages = listen(host, int(port), os.environ["KEELSON_WEBHOOK_SECRET"])
    keelson = Keelson(os.environ["KEELSON_URL"].rstrip("/"), os.environ["KEELSON_TOKEN"])
    print(f"Called as {keelson.get('me').json()['name']}", flush=True)

    lead = keelson.post("leads", {"brand": options.brand, "email": options.email, "source": "website"}).json()
    print(f"Lead {lead['id']} captured, client {lead['client_id']}", flush=True)

    assigned = wait_for_assignment(messages, lead["id"], options.wait)
    print(f"Assigned to agent {assigned['data']['agent_id']}, signature valid", flush=True)

    moved = change_sales_status(keelson, lead["client_id"], "contacted")
    print(f"Client {moved['id']} is {moved['sales_status']}", flush=True)

    account = {"client_id": moved["id"], "account_type_id": options.account_type}
    opened = keelson.post("trading-accounts", account).json()
    print(f"Account {opened['id']} is {opened['state']}", flush=True)

    deals = list(keelson.rows("deals", order="oldest", limit=200, fields="id,symbol,lots,profit"))
    print(f"{len(deals)} deals: {json.dumps(deals[:3])}")


if __name__ == "__main__":
    main()
