"""SMS and WhatsApp messages as the exchange lives them: sent, carried and delivered at their pace, with a callback about each step.

What a number does is its plan: `deliver`, `undelivered`, `fail`, `silent` (sent and never reported further). Without one the last
digit decides: 9 can't be reached, all others get it; WhatsApp numbers read it too.
"""

from __future__ import annotations

import base64
import secrets
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.phone.exchange import Exchange

WHATSAPP = "whatsapp:"
FILE_BYTES_MAX = 16 * 2**20
# A picture of one pixel.
PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
STEPS = {
    "deliver": ["queued", "sent", "delivered"],
    "undelivered": ["queued", "sent", "undelivered"],
    "fail": ["queued", "failed"],
    "silent": ["queued", "sent"],
}
STOPS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}


@dataclass
class Text:
    """One message, as the API shows it."""

    sid: str
    to: str
    from_: str
    body: str
    direction: str
    callback: str = ""
    media_url: str = ""
    status: str = "accepted"
    error: int | None = None
    made: float = field(default_factory=time.time)
    changed: float = field(default_factory=time.time)

    def as_json(self, account: str) -> dict[str, Any]:
        return {
            "sid": self.sid,
            "account_sid": account,
            "to": self.to,
            "from": self.from_,
            "body": self.body,
            "status": self.status,
            "direction": self.direction,
            "error_code": self.error,
            "error_message": None,
            "num_segments": str(max(1, -(-len(self.body) // 153))) if len(self.body) > 160 else "1",
            "num_media": "1" if self.media_url else "0",
            "date_created": formatdate(self.made, usegmt=False),
            "date_sent": formatdate(self.made, usegmt=False),
            "date_updated": formatdate(self.changed, usegmt=False),
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{self.sid}.json",
        }


class Texts:
    """All messages of the exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.rows: dict[str, Text] = {}
        self.opted_out: set[tuple[str, str]] = set()
        self.media: dict[str, bytes] = {}

    def send(self, form: dict[str, str]) -> Text:
        """Take a message, and carry it in the background."""
        body = form.get("Body", "")
        if form.get("ContentSid"):
            body = f"[{form['ContentSid']}] {form.get('ContentVariables', '')}"
        text = Text(
            f"SM{secrets.token_hex(16)}", form["To"], form["From"], body, "outbound-api", form.get("StatusCallback", "")
        )
        text.media_url = form.get("MediaUrl", "")
        self.rows[text.sid] = text
        threading.Thread(target=self._carry, args=(text,), daemon=True).start()
        return text

    def _carry(self, text: Text) -> None:
        number = text.to.removeprefix(WHATSAPP)
        plan = self.exchange.plans.get(number) or ("undelivered" if number.endswith("9") else "deliver")
        steps = list(STEPS.get(plan, STEPS["deliver"]))
        if steps[-1] == "delivered" and text.to.startswith(WHATSAPP):
            steps.append("read")
        if text.media_url and not self._fetched(text.media_url):
            steps = ["queued", "failed"]
            text.error = 63019
        for step in steps:
            time.sleep(self.exchange.pace.ring / 2)
            text.status, text.changed = step, time.time()
            if step in ("undelivered", "failed"):
                text.error = text.error or 30003
            self.exchange.announce(text.callback, self._fields(text))

    def _fetched(self, url: str) -> bool:
        """Fetch the file of a message, as the real one does before it sends it; with `fetch_twice`, as it sometimes does."""
        content = [
            self.exchange.fetch(url, FILE_BYTES_MAX) for _ in range(2 if self.exchange.spend("fetch_twice") else 1)
        ]
        return 0 < len(content[-1]) <= FILE_BYTES_MAX

    def _fields(self, text: Text) -> dict[str, str]:
        fields = {
            "AccountSid": self.exchange.account,
            "ApiVersion": "2010-04-01",
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "MessageStatus": text.status,
            "SmsStatus": text.status,
            "From": text.from_,
            "To": text.to,
        }
        return fields | ({"ErrorCode": str(text.error)} if text.error else {})

    def come_in(self, *, from_: str, to: str, body: str, url: str, files: int = 0) -> Text:
        """Let somebody write to our number."""
        text = Text(f"SM{secrets.token_hex(16)}", to, from_, body, "inbound", status="received")
        self.rows[text.sid] = text
        word = body.strip().upper()
        if word in STOPS:
            self.opted_out.add((to, from_))
        elif word == "START":
            self.opted_out.discard((to, from_))
        fields = {
            "AccountSid": self.exchange.account,
            "ApiVersion": "2010-04-01",
            "MessageSid": text.sid,
            "SmsSid": text.sid,
            "SmsMessageSid": text.sid,
            "SmsStatus": "received",
            "NumMedia": str(files),
            "NumSegments": "1",
            "From": from_,
            "To": to,
            "Body": body,
        }
        for place in range(files):
            media = f"ME{secrets.token_hex(16)}"
            self.media[media] = PICTURE
            path = f"/2010-04-01/Accounts/{self.exchange.account}/Messages/{text.sid}/Media/{media}"
            fields |= {f"MediaUrl{place}": f"https://api.twilio.com{path}", f"MediaContentType{place}": "image/png"}
        threading.Thread(target=self.exchange.announce, args=(url, fields), daemon=True).start()
        return text

    def listed(self, query: dict[str, str]) -> list[Text]:
        """Find messages by number and sender, the newest first."""
        found = sorted(self.rows.values(), key=lambda text: -text.made)
        return [one for one in found if query.get("To", one.to) == one.to and query.get("From", one.from_) == one.from_]
