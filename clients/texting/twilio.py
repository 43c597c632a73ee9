"""The adapter for Twilio's Messages API, over its own SDK: SMS and WhatsApp, signed callbacks about each message.

Twilio knows a message by its own id alone, so our reference is in the address that its reports go to: a report finds its message
even where the answer to sending it was lost. A message whose answer was lost is looked for by number, sender, time and text.
Statuses: https://www.twilio.com/docs/messaging/api/message-resource#message-status-values; incoming messages:
https://www.twilio.com/docs/messaging/guides/webhook-request; templates: https://www.twilio.com/docs/content
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qsl, urlsplit

import httpx
from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import TextService
from clients.telephony.addresses import URL_HEADER, public, reference_in
from clients.telephony.audio import basic
from clients.telephony.twilio import ACCOUNT_STATUSES, ANSWER, API
from clients.texting.choices import TextChannel, TextState
from clients.texting.downloading import download
from clients.texting.protocol import IncomingText, StatusReport, TextOrder
from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, Line, address_of, unreadable
from crm.connections.protocol import Judgement, Key, Notice, ServiceRefused

T = TypeVar("T")
# The address of a file names its id. Only that is read: we ask our own address of the API, wherever this one points.
MEDIA_PATH: Final = re.compile(
    r"/2010-04-01/Accounts/AC[0-9a-f]{32}/Messages/((?:SM|MM)[0-9a-f]{32})/Media/(ME[0-9a-f]{32})"
)
MEDIA_SHAPE: Final = re.compile(r"ME[0-9a-f]{32}")
MEDIA_MAX: Final = 10
ID_SHAPE: Final = re.compile(r"(SM|MM)[0-9a-f]{32}")
LISTED_MAX: Final = 50
WHATSAPP: Final = "whatsapp:"
OPTED_OUT: Final = "21610"
STATES: Final[dict[str, TextState]] = {
    "accepted": TextState.SENT,
    "scheduled": TextState.SENT,
    "queued": TextState.SENT,
    "sending": TextState.SENT,
    "sent": TextState.SENT,
    "delivered": TextState.DELIVERED,
    "read": TextState.READ,
    "undelivered": TextState.UNDELIVERED,
    "failed": TextState.FAILED,
    "canceled": TextState.FAILED,
}


class TwilioTexts:
    """Twilio, or the sandbox exchange that speaks its protocol."""

    title = "Twilio"
    keys: Sequence[Key] = (
        Key("account_sid", gettext_lazy("Account SID"), gettext_lazy("Console → Account info")),
        Key("auth_token", gettext_lazy("Auth token"), gettext_lazy("Signs the callbacks too")),
    )

    def __init__(self, service: TextService) -> None:
        from clients.telephony.twilio_sdk import client_over

        self.service = service
        keys = service.credentials
        self.account, self.token = keys.get("account_sid", ""), keys.get("auth_token", "")
        line = Line(service, ANSWER, explain=_explained, account=ACCOUNT_STATUSES)
        address = address_of(service, API, settings.SANDBOX_PHONE_URL)
        self.client = client_over(line, address, api=API, account=self.account, token=self.token)

    def check_connection(self) -> str:
        account = self._read(lambda: self.client.api.v2010.accounts(self.account).fetch())
        return "" if account.status == "active" else _("The account is %(status)s.") % {"status": account.status}

    # ── sending and looking up ──
    def send(self, order: TextOrder) -> str:
        reports_go_to = reverse(
            "text_message_webhook", kwargs={"code": self.service.code, "reference": order.reference}
        )
        what: dict[str, Any] = {"body": order.text} if order.text else {}
        if order.file_url:
            what["media_url"] = [order.file_url]
        if order.template:
            what = {"content_sid": order.template, "content_variables": json.dumps(dict(order.values))}
        message = self._read(
            lambda: self.client.messages.create(
                to=_address(order.channel, order.number),
                from_=_address(order.channel, self.service.number_of(order.channel)),
                status_callback=public(reports_go_to),
                **what,
            )
        )
        return self._id(message.sid)

    def find(self, order: TextOrder, *, since: dt.datetime, known: Sequence[str]) -> Sequence[str]:
        listed = self._read(
            lambda: self.client.messages.list(
                to=_address(order.channel, order.number),
                from_=_address(order.channel, self.service.number_of(order.channel)),
                date_sent_after=since,
                limit=LISTED_MAX,
            )
        )
        return [
            self._id(one.sid)
            for one in listed
            if str(one.direction).startswith("outbound")
            and one.date_created >= since
            and one.sid not in known
            and (order.template or one.body == order.text)
            and (one.num_media or "0") == ("1" if order.file_url else "0")
        ]

    def look_up(self, remote_id: str) -> StatusReport | None:
        try:
            message = self._read(lambda: self.client.messages(remote_id).fetch())
        except ServiceRefused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise
        at = message.date_updated or timezone.now()
        return _report(self._id(message.sid), message.status, at, message.error_code, message.num_segments)

    def is_opted_out(self, refusal: str) -> bool:
        return f"({OPTED_OUT})" in refusal

    def media(self, remote_id: str, media_id: str, *, bytes_max: int) -> bytes:
        if not MEDIA_SHAPE.fullmatch(media_id):
            raise unreadable(self.service)
        address = address_of(self.service, API, settings.SANDBOX_PHONE_URL)
        url = f"{address}/2010-04-01/Accounts/{self.account}/Messages/{self._id(remote_id)}/Media/{media_id}"
        return download(self.service, url, headers=basic(self.account, self.token), bytes_max=bytes_max)

    # ── callbacks ──
    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        from twilio.request_validator import RequestValidator

        signature = headers.get("x-twilio-signature", "")
        if not signature:
            return Judgement(WebhookVerdict.NO_SIGNATURE)
        try:
            fields = _fields(body)
            is_ours = RequestValidator(self.token).validate(headers[URL_HEADER], fields, signature)
        except UNREADABLE:
            return Judgement(WebhookVerdict.WRONG_SIGNATURE)
        if not is_ours or not self.token:
            return Judgement(WebhookVerdict.WRONG_SIGNATURE)
        remote_id = fields.get("MessageSid", "")
        if fields.get("AccountSid") != self.account or not ID_SHAPE.fullmatch(remote_id):
            return Judgement(WebhookVerdict.MALFORMED)
        event = fields.get("MessageStatus") or fields.get("SmsStatus") or "received"
        notice = Notice(event[:60], remote_id, reference_in(headers[URL_HEADER]))
        return Judgement(WebhookVerdict.ACCEPTED, algorithm="HMAC-SHA1", notice=notice)

    def read(self, body: bytes) -> StatusReport | IncomingText | None:
        fields, now = _fields(body), timezone.now()
        if "MessageStatus" in fields:
            return _report(fields["MessageSid"], fields["MessageStatus"], now, fields.get("ErrorCode"), None)
        if fields.get("SmsStatus", "received") != "received" or "From" not in fields:
            return None
        channel, number = _channel_of(fields["From"])
        files = fields.get("NumMedia", "0")
        return IncomingText(
            fields["MessageSid"],
            channel,
            number,
            fields.get("Body", "").replace("\x00", ""),
            now,
            files=min(int(files[:4]), 99) if files.isascii() and files.isdigit() else 0,
            media=_media_of(fields),
        )

    def answer(self) -> tuple[str, str]:
        return "text/xml", '<?xml version="1.0" encoding="UTF-8"?><Response/>'

    def _id(self, value: Any) -> str:
        if not isinstance(value, str) or not ID_SHAPE.fullmatch(value):
            raise unreadable(self.service)
        return value

    def _read(self, ask: Callable[[], T]) -> T:
        from twilio.base.exceptions import TwilioException

        try:
            return ask()
        except (*UNREADABLE, TwilioException) as error:
            raise unreadable(self.service) from error


def _explained(answer: Any) -> str:
    return f"{answer['message']} ({answer['code']})"


def _report(remote_id: str, status: str, at: dt.datetime, problem: Any, segments: Any) -> StatusReport | None:
    state = STATES.get(status)
    if state is None:
        return None
    code = str(problem or "")[:20]
    count = int(segments) if str(segments or "").isdigit() and int(segments) else None
    explained = _("The carrier's error %(code)s") % {"code": code} if code and code != "0" else ""
    return StatusReport(remote_id, state, at, explained, is_opt_out=code == OPTED_OUT, segments=count)


def _address(channel: str, number: str) -> str:
    return f"{WHATSAPP}{number}" if channel == TextChannel.WHATSAPP else number


def _channel_of(address: str) -> tuple[TextChannel, str]:
    if address.startswith(WHATSAPP):
        return TextChannel.WHATSAPP, address.removeprefix(WHATSAPP)
    return TextChannel.SMS, address


def _media_of(fields: Mapping[str, str]) -> tuple[str, ...]:
    """Read the ids of the files of a message from the addresses that the service names."""
    paths = [urlsplit(fields.get(f"MediaUrl{place}", "")).path for place in range(MEDIA_MAX)]
    found = [MEDIA_PATH.fullmatch(path) for path in paths]
    return tuple(match[2] for match in found if match is not None and match[1] == fields["MessageSid"])


def _fields(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
