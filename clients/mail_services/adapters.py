"""The adapters for mail services, over django-anymail's views: signatures and events as each service means them.

Our e-mails go to the service over its API where it has an API key (`sending`), else over SMTP. Either way they carry our signed
Message-ID, which the service sends back with each report. A report counts only with that mark and for the address that the e-mail
went to. Mailgun signs a time and a token, not the content: so a token is accepted once. Mandrill signs address and content.
Postmark and Brevo sign nothing: they send the password that we gave them with the address.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import Any, ClassVar, Final

from anymail.signals import AnymailTrackingEvent, EventType
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.mail_services import brevo_inbound
from clients.mail_services.brevo_inbound import Files
from clients.messages.choices import DeliveryState
from clients.messages.delivery import Report
from clients.models import MailService, MailServiceEvent
from clients.telephony.addresses import URL_HEADER
from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, address_of
from crm.connections.protocol import Judgement, Key, Notice

MARK: Final = "keelson"
# Mailgun tries a webhook for eight hours; what is older is a replay.
SIGNED_WITHIN: Final = dt.timedelta(hours=24)
STATES: Final[dict[str, DeliveryState]] = {
    EventType.DELIVERED: DeliveryState.DELIVERED,
    EventType.OPENED: DeliveryState.OPENED,
    EventType.CLICKED: DeliveryState.CLICKED,
    EventType.BOUNCED: DeliveryState.BOUNCED,
    EventType.REJECTED: DeliveryState.BOUNCED,
    EventType.FAILED: DeliveryState.BOUNCED,
    EventType.COMPLAINED: DeliveryState.COMPLAINED,
}
# Each service's own word for a bounce after which the address stays bad.
LASTING: Final = frozenset({"failed", "hard_bounce", "HardBounce", "invalid_email"})
FORM: Final = "application/x-www-form-urlencoded"
API_KEY: Final = Key(
    "api_key",
    gettext_lazy("API key for sending"),
    gettext_lazy("Without it, our e-mails go over SMTP or the mail service of this installation."),
    is_required=False,
)
BREVO_KEY_HELP: Final = gettext_lazy(
    "Without it, our e-mails go over SMTP or the mail service of this installation, and incoming ones arrive without files."
)
PASSWORD: Final = Key(
    "password",
    gettext_lazy("Password of the webhook"),
    gettext_lazy("Choose a long one. At the service, the address is https://keelson:password@…"),
)


@dataclass(frozen=True, slots=True)
class ServiceReport:
    """What a service says of one e-mail. marks: where our signed Message-ID may be. report None: unsubscribed."""

    marks: tuple[str, ...]
    recipient: str
    report: Report | None


# What comes of a service's JSON that isn't as described; the last two of a time that no clock can tell.
UNREADABLE_REPORTS: Final = (*UNREADABLE, OverflowError, OSError)


class MailServiceAdapter:
    """What the services have in common. `_view`: anymail's, with our keys."""

    title: str
    keys: Sequence[Key]
    # Of its API: where it is, how anymail calls the key, and headers that keep our own Message-ID.
    api: ClassVar[str]
    api_path: ClassVar[str] = "/"
    api_setting: ClassVar[str] = "api_key"
    api_headers: ClassVar[Mapping[str, str]] = {}

    def __init__(self, service: MailService) -> None:
        self.service, self.credentials = service, service.credentials

    def check_connection(self) -> str:
        """Nothing is asked of the service: it is connected once a webhook of it came."""
        if self.service.last_webhook_at is not None:
            return ""
        return _("No webhook has been received yet. Have the service send a test event.")

    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        from anymail.exceptions import AnymailWebhookValidationFailure

        if not all(self.credentials.get(key.name) for key in self.keys if key.is_required):
            return Judgement(WebhookVerdict.WRONG_SIGNATURE)
        try:
            request = _request(body, headers)
            self._view(headers.get(URL_HEADER, "")).run_validators(request)
        except (AnymailWebhookValidationFailure, SuspiciousOperation, *UNREADABLE):
            return Judgement(WebhookVerdict.WRONG_SIGNATURE)
        try:
            token, signed_at = self._signed(request)
            kind = self._kind(request)[:60]
        except UNREADABLE_REPORTS:
            return Judgement(WebhookVerdict.MALFORMED)
        if signed_at is not None and abs(now - signed_at) > SIGNED_WITHIN:
            return Judgement(WebhookVerdict.TOO_OLD)
        notice = Notice(kind, correlation_id=headers.get("content-type", "")[:80])
        return Judgement(WebhookVerdict.ACCEPTED, token[:80], signed_at, self.algorithm, notice)

    @property
    def address(self) -> str:
        """Where its API answers, with the path, as a person entered it or without."""
        address = address_of(self.service, self.api, settings.SANDBOX_MAIL_API_URL)
        return address.removesuffix(self.api_path.rstrip("/")) + self.api_path

    def fetch_files(self, event: MailServiceEvent, *, is_last: bool) -> Files:
        """Fetch what a webhook only links to, before it is read. Raises: ServiceTemporary, ServiceUnknown."""
        return {}

    def read(self, body: bytes, content_type: str, files: Files | None = None) -> list[ServiceReport | bytes]:
        """Read an accepted webhook: reports, and e-mails as their raw bytes. Raises: one of UNREADABLE_REPORTS."""
        request = _request(body, {"content-type": content_type})
        raw = self._raw_mails(request, files or {})
        if raw:
            return list(raw)
        events: list[AnymailTrackingEvent] = self._view("").parse_events(request)
        return [_report(event) for event in events if event.event_type in (*STATES, EventType.UNSUBSCRIBED)]

    algorithm: ClassVar[str] = ""

    def _view(self, url: str) -> Any:
        raise NotImplementedError

    def _kind(self, request: WSGIRequest) -> str:
        raise NotImplementedError

    def _raw_mails(self, request: WSGIRequest, files: Files) -> Sequence[bytes]:
        raise NotImplementedError

    def _signed(self, request: WSGIRequest) -> tuple[str, dt.datetime | None]:
        """Return what a message is known by, where that isn't its content, and when it was signed."""
        return "", None

    def headers_for(self, mark: str) -> dict[str, str]:
        """Write the header with which the service sends our mark back."""
        raise NotImplementedError


class MailgunAdapter(MailServiceAdapter):
    title, algorithm = "Mailgun", "HMAC-SHA256"
    keys = (Key("signing_key", gettext_lazy("Webhook signing key"), gettext_lazy("Settings → API security")), API_KEY)
    api, api_path = "https://api.mailgun.net", "/v3/"

    def _view(self, url: str) -> Any:
        from anymail.webhooks.mailgun import MailgunTrackingWebhookView

        return MailgunTrackingWebhookView(webhook_signing_key=self.credentials["signing_key"])

    def _kind(self, request: WSGIRequest) -> str:
        return "inbound" if _is_form(request) else str(_json(request)["event-data"]["event"])

    def _signed(self, request: WSGIRequest) -> tuple[str, dt.datetime | None]:
        block = request.POST if _is_form(request) else _json(request)["signature"]
        return str(block["token"]), dt.datetime.fromtimestamp(int(block["timestamp"]), dt.UTC)

    def _raw_mails(self, request: WSGIRequest, files: Files) -> Sequence[bytes]:
        return [request.POST["body-mime"].encode()] if _is_form(request) else []

    def headers_for(self, mark: str) -> dict[str, str]:
        return {"X-Mailgun-Variables": json.dumps({MARK: mark})}


class MandrillAdapter(MailServiceAdapter):
    title, algorithm = "Mandrill (Mailchimp Transactional)", "HMAC-SHA1"
    keys = (Key("webhook_key", gettext_lazy("Webhook key"), gettext_lazy("Settings → Webhooks")), API_KEY)
    api, api_path = "https://mandrillapp.com", "/api/1.0/"

    def _view(self, url: str) -> Any:
        from anymail.webhooks.mandrill import MandrillCombinedWebhookView

        return MandrillCombinedWebhookView(webhook_key=self.credentials["webhook_key"], webhook_url=url)

    def _events(self, request: WSGIRequest) -> list[dict[str, Any]]:
        rows = json.loads(request.POST["mandrill_events"])
        return [row for row in rows if isinstance(row, dict)]

    def _kind(self, request: WSGIRequest) -> str:
        return str(next((row.get("event", "") for row in self._events(request)), ""))

    def _raw_mails(self, request: WSGIRequest, files: Files) -> Sequence[bytes]:
        return [row["msg"]["raw_msg"].encode() for row in self._events(request) if row.get("event") == "inbound"]

    def headers_for(self, mark: str) -> dict[str, str]:
        return {"X-MC-Metadata": json.dumps({MARK: mark})}


class PostmarkAdapter(MailServiceAdapter):
    title, algorithm = "Postmark", "Password"
    keys = (PASSWORD, API_KEY)
    api, api_setting = "https://api.postmarkapp.com", "server_token"
    api_headers = {"X-PM-KeepID": "true"}

    def _view(self, url: str) -> Any:
        from anymail.webhooks.postmark import PostmarkTrackingWebhookView

        return PostmarkTrackingWebhookView(webhook_secret=f"keelson:{self.credentials['password']}")

    def _kind(self, request: WSGIRequest) -> str:
        return str(_json(request).get("RecordType", "inbound"))

    def _raw_mails(self, request: WSGIRequest, files: Files) -> Sequence[bytes]:
        event = _json(request)
        return [] if "RecordType" in event else [event["RawEmail"].encode()]

    def headers_for(self, mark: str) -> dict[str, str]:
        return {f"X-PM-Metadata-{MARK}": mark}


class BrevoAdapter(MailServiceAdapter):
    """Brevo hands e-mails that come in over in parts, with links to their files: `brevo_inbound` puts them together."""

    title, algorithm = "Brevo", "Password"
    keys = (PASSWORD, replace(API_KEY, help_text=BREVO_KEY_HELP))
    api, api_path = "https://api.brevo.com", "/v3/"

    def _view(self, url: str) -> Any:
        from anymail.webhooks.brevo import BrevoTrackingWebhookView

        return BrevoTrackingWebhookView(webhook_secret=f"keelson:{self.credentials['password']}")

    def _kind(self, request: WSGIRequest) -> str:
        event = _json(request)
        return "inbound" if "items" in event else str(event["event"])

    def fetch_files(self, event: MailServiceEvent, *, is_last: bool) -> Files:
        try:
            said = _json(_request(event.body, {"content-type": event.correlation_id}))
            return brevo_inbound.fetch_files(self.service, said, address=self.address, is_last=is_last)
        except UNREADABLE:  # a report, or what nobody can read
            return {}

    def _raw_mails(self, request: WSGIRequest, files: Files) -> Sequence[bytes]:
        event = _json(request)
        return brevo_inbound.raw_mails(event, files) if "items" in event else []

    def headers_for(self, mark: str) -> dict[str, str]:
        return {"X-Mailin-custom": json.dumps({MARK: mark})}


ADAPTERS: Final[dict[str, type[MailServiceAdapter]]] = {
    "mailgun": MailgunAdapter,
    "mandrill": MandrillAdapter,
    "postmark": PostmarkAdapter,
    "brevo": BrevoAdapter,
}


def adapter_of(service: MailService) -> MailServiceAdapter:
    """Make the adapter that reads a service's webhooks with its keys."""
    return ADAPTERS[service.adapter](service)


def _request(body: bytes, headers: Mapping[str, str]) -> WSGIRequest:
    """Make the request that anymail reads, from what was stored."""
    content_type = headers.get("content-type", FORM)
    fixed = {"REQUEST_METHOD": "POST", "SERVER_NAME": "webhook", "SERVER_PORT": "443", "wsgi.url_scheme": "https"}
    own = {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in headers.items()
        if name in ("authorization", "x-mandrill-signature")
    }
    length = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    return WSGIRequest({**fixed, **own, **length, "wsgi.input": BytesIO(body)})


def _is_form(request: WSGIRequest) -> bool:
    return request.content_type != "application/json"


def _json(request: WSGIRequest) -> dict[str, Any]:
    read = json.loads(request.body)
    if not isinstance(read, dict):
        raise ValueError("no object")
    return read


def _report(event: AnymailTrackingEvent) -> ServiceReport:
    marks = tuple(str(one) for one in ((event.metadata or {}).get(MARK, ""), event.message_id or "") if one)
    recipient = str(event.recipient or "").lower()
    if event.event_type == EventType.UNSUBSCRIBED:
        return ServiceReport(marks, recipient, None)
    now = timezone.now()
    raw = event.esp_event.get("event-data", event.esp_event)
    is_lasting = event.event_type == EventType.BOUNCED and (raw.get("Type") or raw.get("event")) in LASTING
    detail = str(event.mta_response or event.description or "")[:300]
    at = min(event.timestamp, now) if event.timestamp is not None and timezone.is_aware(event.timestamp) else now
    return ServiceReport(marks, recipient, Report(STATES[event.event_type], at, detail, is_lasting))


def basic_auth(password: str) -> str:
    """Write the header that Postmark and Brevo send with the password of the webhook."""
    return "Basic " + base64.b64encode(f"keelson:{password}".encode()).decode()
