"""The adapter for Twilio, over its own SDK: calls and recordings by REST, TwiML, and signed callbacks.

An outgoing call rings the agent (the first leg); once they answer, TwiML dials the client (`<Dial><Number>`, the second leg). Each
leg's callbacks go to an address that holds our reference, so they find their call even where the answer to placing it was lost.
Twilio signs a callback's whole address and its parameters, and puts no time into the signature: a replay only repeats what is
known. Its statuses: https://www.twilio.com/docs/voice/api/call-resource#call-status-values; callbacks:
https://www.twilio.com/docs/voice/twiml/number#attributes-status-callback-event; signatures:
https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import parse_qsl

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import PhoneExchange
from clients.telephony.addresses import URL_HEADER, events_url, reference_in
from clients.telephony.audio import basic, open_audio
from clients.telephony.choices import LegEnd
from clients.telephony.protocol import CallOrder, IncomingCall, LegReport, RecordingReport, Report, Routing, Step
from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, Line, address_of, unreadable
from crm.connections.protocol import Judgement, Key, Notice, ServiceRefused
from crm.outside.outbound import Bounds

if TYPE_CHECKING:
    from twilio.twiml.voice_response import Dial

T = TypeVar("T")
API: Final = "https://api.twilio.com"
ANSWER: Final = Bounds(bytes_max=2**20, seconds=20, timeout=httpx.Timeout(10, connect=3))
ACCOUNT_STATUSES: Final = (401, 403)
RING_SECONDS: Final = 30
LEGS_MAX, CALLS_MAX = 20, 50
EVENTS: Final = "initiated ringing answered completed"
ID_SHAPE: Final = re.compile(r"(CA|RE)[0-9a-f]{32}")
STEPS: Final[dict[str, Step]] = {
    "queued": Step.STARTED,
    "initiated": Step.STARTED,
    "ringing": Step.RINGING,
    "in-progress": Step.ANSWERED,
}
ENDINGS: Final[dict[str, LegEnd]] = {
    "completed": LegEnd.COMPLETED,
    "busy": LegEnd.BUSY,
    "no-answer": LegEnd.NO_ANSWER,
    "canceled": LegEnd.CANCELLED,
    "failed": LegEnd.FAILED,
}
HOLDS: Final = {"participant-hold": Step.HELD, "participant-unhold": Step.RESUMED}


class TwilioAdapter:
    """Twilio, or the sandbox exchange that speaks its protocol."""

    title = "Twilio"
    is_steered = False
    keys: Sequence[Key] = (
        Key("account_sid", gettext_lazy("Account SID"), gettext_lazy("Console → Account info")),
        Key("auth_token", gettext_lazy("Auth token"), gettext_lazy("Signs the callbacks too")),
    )

    def __init__(self, exchange: PhoneExchange) -> None:
        from clients.telephony.twilio_sdk import client_over

        self.exchange = exchange
        keys = exchange.credentials
        self.account, self.token = keys.get("account_sid", ""), keys.get("auth_token", "")
        line = Line(exchange, ANSWER, explain=lambda answer: answer["message"], account=ACCOUNT_STATUSES)
        self.address = address_of(exchange, API, settings.SANDBOX_PHONE_URL)
        self.client = client_over(line, self.address, api=API, account=self.account, token=self.token)

    def check_connection(self) -> str:
        account = self._read(lambda: self.client.api.v2010.accounts(self.account).fetch())
        return "" if account.status == "active" else _("The account is %(status)s.") % {"status": account.status}

    # ── placing and looking up ──
    def place(self, order: CallOrder) -> str:
        from twilio.twiml.voice_response import VoiceResponse

        url = events_url(self.exchange, order.reference)
        twiml = VoiceResponse()
        twiml.append(self._dial([order.number], url, is_recorded=order.is_recorded))
        call = self._read(
            lambda: self.client.calls.create(
                to=order.agent_address,
                from_=self.exchange.caller_number,
                twiml=str(twiml),
                timeout=RING_SECONDS,
                status_callback=url,
                status_callback_event=EVENTS.split(),
            )
        )
        return self._id(call.sid)

    def _dial(self, numbers: Sequence[str], url: str, *, is_recorded: bool, **more: Any) -> Dial:
        from twilio.twiml.voice_response import Dial

        recorded = {"record": "record-from-answer", "recording_status_callback": url} if is_recorded else {}
        dial = Dial(caller_id=self.exchange.caller_number, timeout=RING_SECONDS, **recorded, **more)
        for number in numbers:
            add = dial.sip if number.startswith("sip:") else dial.number
            add(number, status_callback=url, status_callback_event=EVENTS)
        return dial

    def find(self, order: CallOrder, *, since: dt.datetime, known: Sequence[str]) -> Sequence[str]:
        calls = self._read(
            lambda: self.client.calls.list(to=order.agent_address, start_time_after=since, limit=CALLS_MAX)
        )
        mine = [
            call
            for call in calls
            if call.direction == "outbound-api" and call.date_created >= since and call.sid not in known
        ]
        return [self._id(call.sid) for call in mine]

    def look_up(self, leg_id: str, *, legs: Sequence[str] = ()) -> Sequence[Report] | None:
        try:
            first = self._read(lambda: self.client.calls(leg_id).fetch())
        except ServiceRefused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise
        further = self._read(lambda: self.client.calls.list(parent_call_sid=leg_id, limit=LEGS_MAX))
        recordings = self._read(lambda: self.client.recordings.list(call_sid=leg_id, limit=LEGS_MAX))
        reports: list[Report] = [*self._seen(first, ""), *(one for leg in further for one in self._seen(leg, leg_id))]
        reports += [
            RecordingReport(leg_id, self._id(one.sid), _whole(one.duration), one.source == "RecordVerb")
            for one in recordings
            if one.status == "completed"
        ]
        return reports

    def _seen(self, call: Any, parent_id: str) -> list[Report]:
        """Say of a leg what a callback would have said."""
        leg_id, now = self._id(call.sid), timezone.now()
        if call.status not in ENDINGS:
            return [
                LegReport(
                    leg_id, STEPS.get(call.status, Step.STARTED), call.start_time or now, parent_id, address=call.to
                )
            ]
        ended_at, seconds = call.end_time or now, _whole(call.duration)
        end = ENDINGS[call.status]
        rows: list[Report] = [LegReport(leg_id, Step.ENDED, ended_at, parent_id, end, seconds)]
        if end == LegEnd.COMPLETED:
            answered_at = ended_at - dt.timedelta(seconds=seconds)
            rows.insert(0, LegReport(leg_id, Step.ANSWERED, answered_at, parent_id, address=call.to))
        return rows

    def hang_up(self, leg_id: str) -> None:
        self._read(lambda: self.client.calls(leg_id).update(status="completed"))

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
        leg_id = fields.get("CallSid", "")
        if fields.get("AccountSid") != self.account or not ID_SHAPE.fullmatch(leg_id):
            return Judgement(WebhookVerdict.MALFORMED)
        kind = fields.get("StatusCallbackEvent") or (fields.get("RecordingStatus") and "recording")
        event = kind or fields.get("CallStatus", "")
        reference = reference_in(headers[URL_HEADER])
        notice = Notice(event[:60], leg_id, reference, fields.get("ParentCallSid", "")[:80])
        return Judgement(WebhookVerdict.ACCEPTED, algorithm="HMAC-SHA1", notice=notice)

    def read(self, body: bytes) -> Report | None:
        fields = _fields(body)
        leg_id, parent_id = fields["CallSid"], fields.get("ParentCallSid", "")
        if "RecordingSid" in fields:
            if fields.get("RecordingStatus", "completed") != "completed":
                return None
            is_voicemail = fields.get("RecordingSource") == "RecordVerb"
            return RecordingReport(
                leg_id, self._id(fields["RecordingSid"]), _whole(fields.get("RecordingDuration")), is_voicemail
            )
        at = _moment(fields.get("Timestamp", ""))
        if fields.get("StatusCallbackEvent") in HOLDS:
            return LegReport(leg_id, HOLDS[fields["StatusCallbackEvent"]], at, parent_id)
        status = fields.get("CallStatus", "")
        if status in ENDINGS:
            seconds = _whole(fields["CallDuration"]) if "CallDuration" in fields else None
            return LegReport(leg_id, Step.ENDED, at, parent_id, ENDINGS[status], seconds, fields.get("To", ""))
        return (
            LegReport(leg_id, STEPS[status], at, parent_id, address=fields.get("To", "")) if status in STEPS else None
        )

    def incoming(self, body: bytes) -> IncomingCall | None:
        fields = _fields(body)
        if fields.get("Direction") != "inbound" or fields.get("CallStatus") != "ringing" or "CallbackSource" in fields:
            return None
        return IncomingCall(fields["CallSid"], fields.get("From", ""), fields.get("To", ""))

    def answer(self, routing: Routing) -> tuple[str, str]:
        from twilio.twiml.voice_response import VoiceResponse

        url = events_url(self.exchange, routing.reference)
        twiml = VoiceResponse()
        if routing.addresses:
            # The caller hears ringing until somebody answers, and is not billed for it.
            twiml.append(self._dial(routing.addresses, url, is_recorded=routing.is_recorded, answer_on_bridge=True))
        twiml.record(max_length=180, play_beep=True, recording_status_callback=url)
        return "text/xml", str(twiml)

    # ── recordings ──
    def recording(self, recording_id: str, *, bytes_max: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a recording as WAV."""
        url = f"{self.address}/2010-04-01/Accounts/{self.account}/Recordings/{self._id(recording_id)}.wav"
        headers = basic(self.account, self.token)
        return open_audio(self.exchange, url, headers=headers, bytes_max=bytes_max)

    def _id(self, value: Any) -> str:
        if not isinstance(value, str) or not ID_SHAPE.fullmatch(value):
            raise unreadable(self.exchange)
        return value

    def _read(self, ask: Callable[[], T]) -> T:
        from twilio.base.exceptions import TwilioException

        try:
            return ask()
        except (*UNREADABLE, TwilioException) as error:
            raise unreadable(self.exchange) from error


def _fields(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))


def _whole(value: Any) -> int:
    """Read a count of seconds, of at most a day; what is none counts as nothing."""
    text = str(value or "")
    return min(int(text), 86_400) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _moment(text: str) -> dt.datetime:
    """Read a callback's time, RFC 2822 in UTC; the time of its arrival where it has none or one of the future."""
    now = timezone.now()
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return now
    return min(at if at.tzinfo else at.replace(tzinfo=dt.UTC), now)
