"""The adapter for Asterisk's REST interface (ARI): calls by HTTP, events over a WebSocket that `listening` keeps open.

Asterisk does nothing with a call on its own here: we place each leg and join them in a bridge (`steering`). Every channel, bridge
and recording has a name that we choose from the call's reference, so that asking twice makes nothing twice and a lost answer is
looked up by name. Asterisk forgets a channel with its end: what happened then is known from its events alone.

Held to the description in Asterisk's repository (rest-api/api-docs, 23.4.1; tests/data/asterisk_ari.json).
Causes: https://docs.asterisk.org/Configuration/Miscellaneous/Hangup-Cause-Mappings/ (Q.850).
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import quote, urlencode

import httpx
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.models import PhoneExchange
from clients.telephony.audio import basic, open_audio
from clients.telephony.choices import LegEnd
from clients.telephony.protocol import CallOrder, IncomingCall, LegReport, RecordingReport, Report, Routing, Step
from crm.connections.choices import WebhookVerdict
from crm.connections.http import UNREADABLE, Line, address_of, read_json, unreadable
from crm.connections.protocol import Judgement, Key, Notice, ServiceTemporary
from crm.outside.outbound import Bounds

ANSWER: Final = Bounds(bytes_max=2**20, seconds=10, timeout=httpx.Timeout(5, connect=3))
RING_SECONDS: Final = 30
VOICEMAIL_SECONDS_MAX: Final = 180
# Under this name `listening` says that an event came over our own connection; no header's name begins with a colon.
SOCKET_HEADER: Final = ":socket"
OUR_LEG: Final = re.compile(r"([0-9a-f]{32})-([1-9][0-9]?)")
OUR_RECORDING: Final = re.compile(r"keelson-([0-9a-f]{32})(-voicemail)?")
UP: Final = "Up"
NOT_FOUND, CONFLICT = 404, 409
STEPS: Final[dict[str, Step]] = {
    "ChannelHold": Step.HELD,
    "ChannelUnhold": Step.RESUMED,
    "ChannelCreated": Step.STARTED,
}
STATES: Final[dict[str, Step]] = {UP: Step.ANSWERED, "Ringing": Step.RINGING}
RECORDING_ENDS: Final = ("RecordingFinished", "RecordingFailed")
HEARD: Final = frozenset({*STEPS, *RECORDING_ENDS, "ChannelStateChange", "StasisStart", "ChannelDestroyed"})
BUSY_CAUSES: Final = (17, 21)  # user busy; call rejected
NO_ANSWER_CAUSES: Final = (0, 16, 18, 19, 26, 127)


def leg_name(reference: str, number: int) -> str:
    """Name a channel of ours: 1 is the agent of an outgoing call, 2 and more are who was rung after."""
    return f"{reference}-{number}"


def recording_name(reference: str, *, is_voicemail: bool = False) -> str:
    """Name a call's recording, or the caller's message."""
    return f"keelson-{reference}{'-voicemail' if is_voicemail else ''}"


class AsteriskAdapter:
    """One Asterisk with a Stasis application of ours."""

    title = "Asterisk"
    is_steered = True
    keys: Sequence[Key] = (
        Key("username", gettext_lazy("ARI user"), gettext_lazy("ari.conf; it must not be read-only")),
        Key("password", gettext_lazy("ARI password")),
        Key("application", gettext_lazy("Stasis application"), gettext_lazy("As in the dialplan: Stasis(keelson)")),
        Key("trunk", gettext_lazy("Trunk"), gettext_lazy("The PJSIP endpoint that numbers are called over")),
    )

    def __init__(self, exchange: PhoneExchange) -> None:
        self.exchange = exchange
        keys = exchange.credentials
        self.username, self.password = keys.get("username", ""), keys.get("password", "")
        self.application, self.trunk = keys.get("application", ""), keys.get("trunk", "")
        self.address = f"{address_of(exchange, '', settings.SANDBOX_PHONE_URL)}/ari"
        self.headers = basic(self.username, self.password)
        self.line = Line(exchange, ANSWER, explain=lambda answer: answer["message"], account=(401, 403))

    def ask(self, method: str, path: str, *, accepts: Collection[int] = (), **query: Any) -> httpx.Response:
        """Send one request. Raises: as `Line.send`."""
        url = f"{self.address}{path}" + (f"?{urlencode(query)}" if query else "")
        return self.line.send(method, url, headers=self.headers, accepts=accepts)

    def check_connection(self) -> str:
        self._read(self.ask("GET", "/asterisk/info", only="system"))["system"]["version"]
        return "" if self.is_heard() else _("Asterisk responds, but its events aren't being received yet.")

    def is_heard(self) -> bool:
        """Check whether somebody listens to our application: without, Asterisk ends every call of ours."""
        return self.channel_ids() is not None

    def channel_ids(self) -> Sequence[str] | None:
        """List the channels of our application; None where nobody listens to it."""
        answer = self.ask("GET", f"/applications/{quote(self.application, safe='')}", accepts=(NOT_FOUND,))
        if answer.status_code == NOT_FOUND:
            return None
        found = self._read(answer)["channel_ids"]
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            raise unreadable(self.exchange)
        return found

    # ── legs ──
    def endpoint(self, address: str) -> str:
        """Name whom to dial: a SIP address is an endpoint of that name, a number goes over the trunk."""
        if address.startswith("sip:"):
            return f"PJSIP/{address[4:].partition('@')[0]}"
        return f"PJSIP/{address}@{self.trunk}"

    def dial(self, name: str, address: str, *, caller_id: str, originator: str = "") -> None:
        """Ring somebody under a name of ours; one that rings already isn't rung again."""
        more = {"originator": originator} if originator else {}
        self.ask(
            "POST",
            "/channels",
            accepts=(CONFLICT,),
            endpoint=self.endpoint(address),
            app=self.application,
            appArgs=f"{name},{address}",
            callerId=caller_id,
            timeout=RING_SECONDS,
            channelId=name,
            **more,
        )

    def place(self, order: CallOrder) -> str:
        if not self.is_heard():
            raise ServiceTemporary(_("%(service)s isn't connected to us yet.") % {"service": self.exchange})
        name = leg_name(order.reference, 1)
        self.dial(name, order.agent_address, caller_id=self.exchange.caller_number)
        return name

    def state_of(self, leg_id: str) -> str | None:
        """Read a channel's state; None where it has ended, or never was."""
        answer = self.ask("GET", f"/channels/{quote(leg_id, safe='')}", accepts=(NOT_FOUND,))
        return None if answer.status_code == NOT_FOUND else str(self._read(answer)["state"])

    def find(self, order: CallOrder, *, since: dt.datetime, known: Sequence[str]) -> Sequence[str]:
        name = leg_name(order.reference, 1)
        return [] if self.state_of(name) is None else [name]

    def look_up(self, leg_id: str, *, legs: Sequence[str] = ()) -> Sequence[Report] | None:
        now, reports = timezone.now(), list[Report]()
        names = dict.fromkeys([leg_id, *legs, *self._later_legs(leg_id)])
        states = {name: self.state_of(name) for name in names}
        if not legs and not any(states.values()):
            return None
        for name, state in states.items():
            step = Step.ENDED if state is None else STATES.get(state, Step.STARTED)
            reports.append(LegReport(name, step, now, "" if name == leg_id else leg_id))
        reference = next((match[1] for name in names if (match := OUR_LEG.fullmatch(name))), "")
        return [*reports, *self._stored(reference, leg_id)] if reference else reports

    def _later_legs(self, leg_id: str) -> Sequence[str]:
        """Name the client's leg of an outgoing call where it is there now: its first event may be lost."""
        match = OUR_LEG.fullmatch(leg_id)
        name = leg_name(match[1], 2) if match else ""
        return [name] if name and self.state_of(name) is not None else []

    def _stored(self, reference: str, leg_id: str) -> Iterator[Report]:
        for is_voicemail in (False, True):
            name = recording_name(reference, is_voicemail=is_voicemail)
            answer = self.ask("GET", f"/recordings/stored/{name}", accepts=(NOT_FOUND,))
            if answer.status_code != NOT_FOUND:
                yield RecordingReport(leg_id, name, 0, is_voicemail)

    def hang_up(self, leg_id: str) -> None:
        self.ask("DELETE", f"/channels/{quote(leg_id, safe='')}", accepts=(NOT_FOUND,))

    # ── what steering does with legs; each may be asked twice ──
    def indicate_ringing(self, leg_id: str) -> None:
        self.ask("POST", f"/channels/{quote(leg_id, safe='')}/ring", accepts=(NOT_FOUND, CONFLICT))

    def pick_up(self, leg_id: str) -> None:
        self.ask("POST", f"/channels/{quote(leg_id, safe='')}/answer", accepts=(NOT_FOUND, CONFLICT))

    def connect(self, reference: str, legs: Sequence[str], *, is_recorded: bool) -> None:
        """Let legs hear each other, and record them where the call is recorded."""
        self.ask("POST", f"/bridges/{reference}", accepts=(CONFLICT,), type="mixing", name=reference)
        for leg_id in legs:
            # 400: it has just ended. 422: not ours yet; its StasisStart follows, and then this is asked again.
            accepts = (400, NOT_FOUND, CONFLICT, 422)
            self.ask("POST", f"/bridges/{reference}/addChannel", accepts=accepts, channel=leg_id)
        if is_recorded:
            self._record(f"/bridges/{reference}", recording_name(reference))

    def has_bridge(self, reference: str) -> bool:
        return self.ask("GET", f"/bridges/{reference}", accepts=(NOT_FOUND,)).status_code != NOT_FOUND

    def drop_bridge(self, reference: str) -> None:
        self.ask("DELETE", f"/bridges/{reference}", accepts=(NOT_FOUND,))

    def take_voicemail(self, leg_id: str, reference: str) -> bool:
        """Record the caller's message; False where that is over."""
        name = recording_name(reference, is_voicemail=True)
        path = f"/channels/{quote(leg_id, safe='')}"
        is_new = self._record(path, name, beep="true", maxDurationSeconds=VOICEMAIL_SECONDS_MAX)
        live = self.ask("GET", f"/recordings/live/{name}", accepts=(NOT_FOUND,))
        return is_new or live.status_code != NOT_FOUND

    def _record(self, path: str, name: str, **more: Any) -> bool:
        answer = self.ask(
            "POST", f"{path}/record", accepts=(NOT_FOUND, CONFLICT), name=name, format="wav", ifExists="fail", **more
        )
        return answer.is_success

    # ── events ──
    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Believe what came over the connection that we opened with our keys. Asterisk sends no webhooks: those are refused."""
        if SOCKET_HEADER not in headers:
            return Judgement(WebhookVerdict.NO_SIGNATURE)
        try:
            event = json.loads(body)
            kind, leg_id, reference = str(event["type"])[:60], *_subject(event)
        except UNREADABLE:
            return Judgement(WebhookVerdict.MALFORMED)
        if event.get("application") != self.application or not 0 < len(leg_id) <= 80:
            return Judgement(WebhookVerdict.MALFORMED)
        return Judgement(WebhookVerdict.ACCEPTED, algorithm="WebSocket", notice=Notice(kind, leg_id, reference))

    def read(self, body: bytes) -> Report | None:
        event = json.loads(body)
        kind, at = event["type"], _moment(event["timestamp"])
        leg_id, reference = _subject(event)
        if kind in RECORDING_ENDS:
            name = event["recording"]["name"]
            if kind != "RecordingFinished" or not OUR_RECORDING.fullmatch(name):
                return None
            seconds = event["recording"].get("duration", 0)
            return RecordingReport(leg_id, name, min(max(int(seconds), 0), 86_400), name.endswith("-voicemail"))
        parent_id = leg_name(reference, 1) if reference and leg_id != leg_name(reference, 1) else ""
        state = event["channel"]["state"]
        if kind == "ChannelDestroyed":
            return LegReport(leg_id, Step.ENDED, at, parent_id, _end_of(int(event["cause"]), state))
        if kind in STEPS:
            return LegReport(leg_id, STEPS[kind], at, parent_id)
        if kind == "StasisStart":
            address = str(event["args"][1]) if len(event["args"]) > 1 else ""  # as `dial` gave it along
            return LegReport(leg_id, STATES.get(state, Step.STARTED), at, parent_id, address=address)
        step = STATES.get(state) if kind == "ChannelStateChange" else None
        return LegReport(leg_id, step, at, parent_id) if step else None

    def incoming(self, body: bytes) -> IncomingCall | None:
        event = json.loads(body)
        channel = event.get("channel", {})
        if event["type"] != "StasisStart" or event["args"] or OUR_LEG.fullmatch(channel["id"]):
            return None
        return IncomingCall(channel["id"], channel["caller"]["number"], channel["dialplan"]["exten"])

    def caller(self, leg_id: str) -> IncomingCall | None:
        """Read a caller's channel, whose event was lost; None where they are gone."""
        answer = self.ask("GET", f"/channels/{quote(leg_id, safe='')}", accepts=(NOT_FOUND,))
        if answer.status_code == NOT_FOUND:
            return None
        channel = self._read(answer)
        return IncomingCall(channel["id"], channel["caller"]["number"], channel["dialplan"]["exten"])

    def answer(self, routing: Routing) -> tuple[str, str]:
        """Write nothing: an incoming call is steered."""
        return "text/plain", ""

    def recording(self, recording_id: str, *, bytes_max: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a recording as WAV."""
        if not OUR_RECORDING.fullmatch(recording_id):
            raise unreadable(self.exchange)
        url = f"{self.address}/recordings/stored/{recording_id}/file"
        return open_audio(self.exchange, url, headers=self.headers, bytes_max=bytes_max)

    def _read(self, response: httpx.Response) -> Any:
        answer = read_json(self.exchange, response)
        if not isinstance(answer, dict):
            raise unreadable(self.exchange)
        return answer


def _subject(event: Mapping[str, Any]) -> tuple[str, str]:
    """Say whose leg an event is about, and the reference of its call where the name is ours."""
    if event["type"] in RECORDING_ENDS:
        match = OUR_RECORDING.fullmatch(event["recording"]["name"])
        if match:
            return leg_name(match[1], 1), match[1]
        return str(event["recording"]["target_uri"]).partition(":")[2], ""
    leg_id = str(event["channel"]["id"])
    match = OUR_LEG.fullmatch(leg_id)
    return leg_id, match[1] if match else ""


def _end_of(cause: int, state: str) -> LegEnd:
    if state == UP:
        return LegEnd.COMPLETED
    if cause in BUSY_CAUSES:
        return LegEnd.BUSY
    return LegEnd.NO_ANSWER if cause in NO_ANSWER_CAUSES else LegEnd.FAILED


def _moment(text: str) -> dt.datetime:
    """Read an event's time; the time of its arrival where it has none or one of the future."""
    now = timezone.now()
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        return now
    return min(at if at.tzinfo else at.replace(tzinfo=dt.UTC), now)
