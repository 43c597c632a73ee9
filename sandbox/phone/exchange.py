"""Calls as the exchange lives them: two legs that ring, are answered and end at their pace, and the callbacks about each step.

What a number does is its plan: `answer`, `busy`, `no-answer`, `failed`. Without one the last digit decides: 0 is busy, 1 doesn't
answer, 9 can't be reached, all others answer.
"""

import logging
import secrets
import threading
import time
import urllib.request
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from sandbox.phone.ari import Asterisk
from sandbox.phone.signing import sign
from sandbox.phone.texts import Texts

log = logging.getLogger("sandbox.phone")
BY_LAST_DIGIT = {"0": "busy", "1": "no-answer", "9": "failed"}


@dataclass
class Pace:
    """Seconds of each step."""

    ring: float = 2.0
    talk: float = 20.0
    wait: float = 6.0  # until a number that doesn't answer is given up


@dataclass
class Leg:
    """One leg of a call, as the API shows it."""

    sid: str
    to: str
    from_: str
    direction: str
    parent: str = ""
    status: str = "queued"
    callback: str = ""
    started: float = field(default_factory=time.time)
    answered: float | None = None
    ended: float | None = None
    sequence: int = 0
    hang_up: threading.Event = field(default_factory=threading.Event)

    @property
    def seconds(self) -> int:
        return round((self.ended or time.time()) - self.answered) if self.answered else 0

    def as_json(self, account: str) -> dict[str, Any]:
        def stamp(at: float | None) -> str | None:
            return formatdate(at, usegmt=False) if at else None

        return {
            "sid": self.sid,
            "account_sid": account,
            "to": self.to,
            "from": self.from_,
            "status": self.status,
            "direction": self.direction,
            "parent_call_sid": self.parent or None,
            "date_created": stamp(self.started),
            "date_updated": stamp(self.ended or self.answered or self.started),
            "start_time": stamp(self.answered or self.started),
            "end_time": stamp(self.ended),
            "duration": str(self.seconds) if self.ended else None,
            "api_version": "2010-04-01",
            "uri": f"/2010-04-01/Accounts/{account}/Calls/{self.sid}.json",
        }


@dataclass
class Recording:
    sid: str
    call_sid: str
    seconds: int
    source: str


class Exchange:
    """All calls, the plans of numbers, and the faults that are switched on."""

    def __init__(self, *, account: str, token: str, voice_url: str, callback_origin: str, pace: Pace) -> None:
        self.account, self.token, self.voice_url, self.pace = account, token, voice_url, pace
        self.callback_origin = callback_origin
        self.legs: dict[str, Leg] = {}
        self.recordings: dict[str, Recording] = {}
        self.plans: dict[str, str] = {}
        self.faults: dict[str, list[Any]] = {}
        self.held: list[Callable[[], object]] = []
        self.lock = threading.RLock()
        self.texts = Texts(self)
        self.asterisk = Asterisk(self)

    # ── faults ──
    def set_fault(self, name: str, value: Any = True, times: int | None = None) -> None:
        with self.lock:
            self.faults[name] = [value, times]

    def clear_fault(self, name: str) -> None:
        with self.lock:
            self.faults.pop(name, None)

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

    def plan_of(self, number: str) -> str:
        return self.plans.get(number) or BY_LAST_DIGIT.get(number[-1:], "answer")

    # ── calls ──
    def originate(self, *, to: str, from_: str, twiml: str, callback: str) -> Leg:
        """Ring somebody, and do what the TwiML says once they answer."""
        leg = self._new(to=to, from_=from_, direction="outbound-api", callback=callback)
        threading.Thread(target=self._outbound, args=(leg, twiml), daemon=True).start()
        return leg

    def ring_in(self, *, from_: str, to: str) -> Leg:
        """Let somebody ring our number, and do what the answer to the voice webhook says."""
        leg = self._new(to=to, from_=from_, direction="inbound", callback=self.voice_url)
        leg.status = "ringing"
        threading.Thread(target=self._inbound, args=(leg,), daemon=True).start()
        return leg

    def _new(self, *, to: str, from_: str, direction: str, callback: str = "", parent: str = "") -> Leg:
        leg = Leg(f"CA{secrets.token_hex(16)}", to, from_, direction, parent, callback=callback)
        with self.lock:
            self.legs[leg.sid] = leg
        return leg

    def _outbound(self, leg: Leg, twiml: str) -> None:
        if self._connect(leg):
            self._follow(leg, twiml)
        if leg.ended is None:
            self._end(leg, "completed")

    def _inbound(self, leg: Leg) -> None:
        twiml = self.post(self.voice_url, self._fields(leg))
        if twiml:
            self._follow(leg, twiml.decode())
        if leg.ended is None:
            self._end(leg, "completed" if leg.answered else "no-answer")

    def _connect(self, leg: Leg) -> bool:
        """Ring a leg until its plan says what becomes of it."""
        self._step(leg, "initiated")
        plan = self.plan_of(leg.to)
        if plan == "failed":
            self._end(leg, "failed")
            return False
        self._step(leg, "ringing")
        if leg.hang_up.wait(self.pace.wait if plan == "no-answer" else self.pace.ring):
            self._end(leg, "canceled")
            return False
        if plan in ("busy", "no-answer"):
            self._end(leg, plan)
            return False
        leg.answered = time.time()
        self._step(leg, "in-progress")
        return True

    def _follow(self, leg: Leg, twiml: str) -> None:
        for verb in ET.fromstring(twiml):  # noqa: S314  a sandbox that reads our own product's answer
            if verb.tag == "Dial":
                if self._dial(leg, verb):
                    return
            elif verb.tag == "Record":
                leg.answered = leg.answered or time.time()
                time.sleep(self.pace.talk)
                self._record(leg, verb.get("recordingStatusCallback", ""), source="RecordVerb")
            elif verb.tag in ("Hangup", "Reject"):
                return

    def _dial(self, parent: Leg, dial: ET.Element) -> bool:
        number = dial[0]
        child = self._new(
            to=(number.text or "").strip(),
            from_=dial.get("callerId") or parent.from_,
            direction="outbound-dial",
            callback=number.get("statusCallback", ""),
            parent=parent.sid,
        )
        if not self._connect(child):
            return False
        parent.answered = parent.answered or child.answered
        if child.hang_up.wait(self.pace.talk) or parent.hang_up.is_set():
            log.debug("hung up")
        self._end(child, "completed")
        if dial.get("record"):
            self._record(parent, dial.get("recordingStatusCallback", ""), seconds=child.seconds)
        return True

    def _record(self, leg: Leg, callback: str, *, seconds: int = 1, source: str = "DialVerb") -> None:
        recording = Recording(f"RE{secrets.token_hex(16)}", leg.sid, max(seconds, 1), source)
        self.recordings[recording.sid] = recording
        self.announce(
            callback,
            {
                "AccountSid": self.account,
                "CallSid": leg.sid,
                "RecordingSid": recording.sid,
                "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{self.account}/Recordings/{recording.sid}",
                "RecordingStatus": "completed",
                "RecordingDuration": str(recording.seconds),
                "RecordingChannels": "1",
                "RecordingSource": source,
            },
        )

    def _step(self, leg: Leg, status: str) -> None:
        leg.status = status
        self.announce(leg.callback, self._fields(leg, source="call-progress-events"))
        leg.sequence += 1

    def _end(self, leg: Leg, status: str) -> None:
        leg.ended = time.time()
        self._step(leg, status)

    def hang_up(self, sid: str) -> None:
        with self.lock:
            related = [leg for leg in self.legs.values() if sid in (leg.sid, leg.parent)]
        for leg in related:
            leg.hang_up.set()

    def _fields(self, leg: Leg, source: str = "") -> dict[str, str]:
        fields = {
            "AccountSid": self.account,
            "ApiVersion": "2010-04-01",
            "CallSid": leg.sid,
            "CallStatus": leg.status,
            "Direction": leg.direction,
            "From": leg.from_,
            "To": leg.to,
        }
        if leg.parent:
            fields["ParentCallSid"] = leg.parent
        if source:
            fields |= {
                "CallbackSource": source,
                "SequenceNumber": str(leg.sequence),
                "Timestamp": formatdate(time.time(), usegmt=False),
            }
        if leg.ended and leg.status == "completed":
            fields["CallDuration"] = str(leg.seconds)
        return fields

    # ── callbacks ──
    def announce(self, url: str, fields: dict[str, str]) -> None:
        """Send a callback with the faults that are switched on: dropped, doubled, late, forged, or held for a shuffle."""
        if not url or self.spend("drop"):
            return
        for _ in range(1 + int(self.spend("duplicate") or 0)):
            if self.faults.get("hold"):
                self.held.append(lambda: self.post(url, fields))
                continue
            wait = float(self.spend("late") or 0)
            if wait:
                threading.Timer(wait, self.post, (url, fields)).start()
            else:
                self.post(url, fields)

    def release(self, order: str = "reversed") -> int:
        """Send what was held, the last first or in the order of their making."""
        self.clear_fault("hold")
        held, self.held = self.held, []
        for send in reversed(held) if order == "reversed" else held:
            send()
        return len(held)

    def post(self, url: str, fields: dict[str, str]) -> bytes:
        token = "forged" if self.spend("forge") else self.token
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign(url, fields, token),
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
        }
        request = urllib.request.Request(self._placed(url), urlencode(fields).encode(), headers, method="POST")  # noqa: S310
        return self._asked(request, 64 * 1024)

    def fetch(self, url: str, bytes_max: int) -> bytes:
        """Fetch the file of a message from the address that came with it; nothing where that gives none."""
        return self._asked(urllib.request.Request(self._placed(url)), bytes_max + 1)  # noqa: S310

    def _placed(self, url: str) -> str:
        if not self.callback_origin:
            return url
        parts, origin = urlsplit(url), urlsplit(self.callback_origin)
        return urlunsplit(parts._replace(scheme=origin.scheme, netloc=origin.netloc))

    def _asked(self, request: urllib.request.Request, bytes_max: int) -> bytes:
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5) as answer:
                return bytes(answer.read(bytes_max))
        except OSError as error:
            log.debug("not answered: %s", error)
            return b""
