"""A mail service in miniature, over HTTP: it takes e-mails as Brevo, Mailgun, Mandrill and Postmark do, and reports as they do.

| address | service | key |
|---|---|---|
| `POST /v3/smtp/email` | Brevo | header `api-key` |
| `POST /v3/<domain>/messages` | Mailgun | basic, `api:` and the key |
| `POST /api/1.0/messages/send.json` | Mandrill | `key` in the body |
| `GET /v3/inbound/attachments/<token>` | Brevo: a file of `Account.files` | header `api-key` |
| `POST /email` | Postmark | header `X-Postmark-Server-Token` |

What becomes of an e-mail is in its address: `bounce…` bounces, `spam…` is marked as spam, `refused…` isn't taken; every other one
is delivered and opened. Faults: `outage` (hangs up after it took the e-mail), `down` (503), `huge` (an answer of many bytes).
`Account.webhook_url` gets the reports, signed with `Account.secret`; they are in `Account.reports`, too.
"""

import base64
import hashlib
import hmac
import json
import secrets
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

API_KEY, SECRET = "keelson-sandbox-mail-api", "keelson-sandbox-mail-webhook"
BODY_BYTES_MAX = 60 * 2**20
# What becomes of an e-mail, in each service's words.
WORDS = {
    "brevo": {"delivered": "delivered", "opened": "opened", "bounced": "hard_bounce", "complained": "spam"},
    "mailgun": {"delivered": "delivered", "opened": "opened", "bounced": "failed", "complained": "complained"},
    "mandrill": {"delivered": "delivered", "opened": "open", "bounced": "hard_bounce", "complained": "spam"},
    "postmark": {"delivered": "Delivery", "opened": "Open", "bounced": "Bounce", "complained": "SpamComplaint"},
}


@dataclass
class Taken:
    """One e-mail as a service took it. `raw`: what was posted, as its API calls the fields."""

    service: str
    recipient: str
    subject: str
    metadata: dict[str, str]
    raw: dict[str, Any]


@dataclass
class Account:
    """What the service was given, what it reported, and what goes wrong."""

    key: str = API_KEY
    secret: str = SECRET
    webhook_url: str = ""
    is_posting: bool = True
    mails: list[Taken] = field(default_factory=list)
    reports: list[tuple[bytes, dict[str, str]]] = field(default_factory=list)
    faults: set[str] = field(default_factory=set)
    files: dict[str, bytes] = field(default_factory=dict)  # of e-mails that came in, by their tokens

    def take(self, mail: Taken) -> str:
        """Keep an e-mail and report what becomes of it; returns its id at the service."""
        self.mails.append(mail)
        local = mail.recipient.partition("@")[0]
        fates = {"bounce": ["bounced"], "spam": ["delivered", "complained"]}
        fate = next((fates[word] for word in fates if local.startswith(word)), ["delivered", "opened"])
        for event in fate:
            self._report(*REPORTS[mail.service](self, mail, WORDS[mail.service][event]))
        return f"<{secrets.token_hex(8)}@sandbox.example>"

    def _report(self, body: bytes, headers: dict[str, str]) -> None:
        self.reports.append((body, headers))
        if self.webhook_url and self.is_posting:
            threading.Thread(target=self._post, args=(body, headers), daemon=True).start()

    def _post(self, body: bytes, headers: dict[str, str]) -> None:
        time.sleep(0.5)  # the sender first notes that the e-mail went out
        request = urllib.request.Request(self.webhook_url, data=body, headers=headers)  # noqa: S310 (the operator's own URL)
        try:
            urllib.request.urlopen(request, timeout=10).close()  # noqa: S310
        except OSError as error:
            print(f"The webhook wasn't taken: {error}", flush=True)


def _basic(account: Account) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"keelson:{account.secret}".encode()).decode()}


def _json_report(account: Account, event: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    return json.dumps(event).encode(), {"Content-Type": "application/json", **_basic(account)}


def _brevo_report(account: Account, mail: Taken, word: str) -> tuple[bytes, dict[str, str]]:
    custom = {"X-Mailin-custom": json.dumps(mail.metadata)}
    return _json_report(
        account, {"event": word, "email": mail.recipient, "ts_epoch": int(time.time() * 1000), **custom}
    )


def brevo_incoming(
    account: Account, headers: dict[str, Any], text: str, files: dict[str, bytes]
) -> tuple[bytes, dict[str, str]]:
    """Hand an e-mail over that came in, as Brevo does: in parts, its files to be fetched by their tokens."""
    parts = []
    for name, content in files.items():
        token = secrets.token_urlsafe(16)
        account.files[token] = content
        size = {"ContentType": "text/plain", "ContentLength": len(content), "ContentID": None}
        parts.append({"Name": name, "DownloadToken": token, **size})
    item = {
        "Uuid": [secrets.token_hex(16)],
        "Headers": headers,
        "RawTextBody": text,
        "RawHtmlBody": None,
        "Attachments": parts,
    }
    return _json_report(account, {"items": [item]})


def _postmark_report(account: Account, mail: Taken, word: str) -> tuple[bytes, dict[str, str]]:
    address = "Email" if word in ("Bounce", "SpamComplaint") else "Recipient"
    event = {"RecordType": word, address: mail.recipient, "Metadata": mail.metadata}
    return _json_report(account, {**event, **({"Type": "HardBounce"} if word == "Bounce" else {})})


def _mailgun_report(account: Account, mail: Taken, word: str) -> tuple[bytes, dict[str, str]]:
    stamp, token = str(int(time.time())), secrets.token_hex(25)
    signature = hmac.new(account.secret.encode(), f"{stamp}{token}".encode(), hashlib.sha256).hexdigest()
    event = {"event": word, "timestamp": time.time(), "recipient": mail.recipient, "user-variables": mail.metadata}
    if word == "failed":
        event |= {"severity": "permanent", "reason": "bounce"}
    body = {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": event}
    return json.dumps(body).encode(), {"Content-Type": "application/json"}


def _mandrill_report(account: Account, mail: Taken, word: str) -> tuple[bytes, dict[str, str]]:
    sent = {"email": mail.recipient, "metadata": mail.metadata, "_id": secrets.token_hex(8)}
    text = json.dumps([{"event": word, "ts": int(time.time()), "msg": sent}])
    signed = f"{account.webhook_url}mandrill_events{text}".encode()
    signature = base64.b64encode(hmac.new(account.secret.encode(), signed, hashlib.sha1).digest()).decode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "X-Mandrill-Signature": signature}
    return urlencode({"mandrill_events": text}, quote_via=quote).encode(), kind


REPORTS: dict[str, Callable[[Account, Taken, str], tuple[bytes, dict[str, str]]]] = {
    "brevo": _brevo_report,
    "mailgun": _mailgun_report,
    "mandrill": _mandrill_report,
    "postmark": _postmark_report,
}


class MailServiceServer(ThreadingHTTPServer):
    """The service's API."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], account: Account) -> None:
        self.account = account
        super().__init__(address, MailServiceHandler)


class MailServiceHandler(BaseHTTPRequestHandler):
    server: MailServiceServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_BYTES_MAX:
            self._answer(413, {"message": "too large"})
            return
        body, faults = self.rfile.read(length), self.server.account.faults
        if "down" in faults:
            self._answer(503, {"message": "down for maintenance"})
        elif "huge" in faults:
            self._answer(200, {"message": "x" * 2**20})
        else:
            self._route(urlsplit(self.path).path, body)

    def do_GET(self) -> None:
        token = urlsplit(self.path).path.removeprefix("/v3/inbound/attachments/")
        if "down" in self.server.account.faults:
            self._answer(503, {"message": "down for maintenance"})
        elif self.headers.get("api-key") != self.server.account.key:
            self._answer(401, {"code": "unauthorized", "message": "Key not found"})
        elif token not in self.server.account.files:
            self._answer(404, {"code": "document_not_found", "message": "Attachment not found"})
        else:
            self._send(200, self.server.account.files[token], "application/octet-stream")

    def _route(self, path: str, body: bytes) -> None:
        if path == "/email":
            self._postmark(json.loads(body))
        elif path == "/v3/smtp/email":
            self._brevo(json.loads(body))
        elif path == "/api/1.0/messages/send.json":
            self._mandrill(json.loads(body))
        elif path.startswith("/v3/") and path.endswith("/messages"):
            self._mailgun(_form(self.headers.get("Content-Type", ""), body))
        else:
            self._answer(404, {"message": "not found"})

    def _postmark(self, sent: dict[str, Any]) -> None:
        if self.headers.get("X-Postmark-Server-Token") != self.server.account.key:
            self._answer(401, {"ErrorCode": 10, "Message": "The Server Token you provided was invalid."})
        elif sent["To"].startswith("refused"):
            said = f"Found inactive addresses: {sent['To']}. Inactive recipients are ones that have generated a hard bounce"
            if sent["To"].startswith("refused-oddly"):
                said = "No."
            self._answer(422, {"ErrorCode": 406, "Message": said})
        else:
            self._take("postmark", sent["To"], sent["Subject"], sent.get("Metadata", {}), sent)
            self._answer(200, {"To": sent["To"], "MessageID": secrets.token_hex(8), "ErrorCode": 0, "Message": "OK"})

    def _brevo(self, sent: dict[str, Any]) -> None:
        if self.headers.get("api-key") != self.server.account.key:
            self._answer(401, {"code": "unauthorized", "message": "Key not found"})
        elif sent["to"][0]["email"].startswith("refused"):
            self._answer(400, {"code": "invalid_parameter", "message": "email is not valid in to"})
        else:
            custom = json.loads(sent.get("headers", {}).get("X-Mailin-custom", "{}"))
            remote_id = self._take("brevo", sent["to"][0]["email"], sent["subject"], custom, sent)
            self._answer(201, {"messageId": remote_id})

    def _mandrill(self, sent: dict[str, Any]) -> None:
        message = sent["message"]
        address = message["to"][0]["email"]
        if sent["key"] != self.server.account.key:
            self._answer(401, {"status": "error", "code": -1, "name": "Invalid_Key", "message": "Invalid API key"})
        elif address.startswith("refused"):
            self._answer(200, [{"email": address, "status": "rejected", "reject_reason": "hard-bounce"}])
        else:
            self._take("mandrill", address, message["subject"], message.get("metadata", {}), message)
            self._answer(200, [{"email": address, "status": "sent", "_id": secrets.token_hex(8)}])

    def _mailgun(self, sent: dict[str, Any]) -> None:
        expected = "Basic " + base64.b64encode(f"api:{self.server.account.key}".encode()).decode()
        if self.headers.get("Authorization") != expected:
            self._answer(401, {"message": "Invalid private key"})
        elif sent["to"].startswith("refused"):
            self._answer(400, {"message": "to parameter is not a valid address. please check documentation"})
        else:
            metadata = {name[2:]: value for name, value in sent.items() if name.startswith("v:")}
            remote_id = self._take("mailgun", sent["to"], sent["subject"], metadata, sent)
            self._answer(200, {"id": remote_id, "message": "Queued. Thank you."})

    def _take(self, service: str, to: str, subject: str, metadata: dict[str, str], raw: dict[str, Any]) -> str:
        remote_id = self.server.account.take(Taken(service, to, subject, metadata, raw))
        if "outage" in self.server.account.faults:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
        return remote_id

    def _answer(self, status: int, said: Any) -> None:
        self._send(status, json.dumps(said).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: addresses are in the requests."""


def _form(content_type: str, body: bytes) -> dict[str, Any]:
    """Read a form: fields by name, files in a list under `attachment`."""
    if not content_type.startswith("multipart/"):
        return {name: values[-1] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
    whole: Any = BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body)
    fields: dict[str, Any] = {}
    for part in whole.get_payload():
        name, content = part.get_param("name", header="content-disposition"), part.get_payload(decode=True)
        if part.get_filename():
            fields.setdefault(str(name), []).append((part.get_filename(), content))
        else:
            fields[str(name)] = content.decode()
    return fields
