"""What Keelson needs of a phone exchange, whichever it is: the protocol of the adapters and their values.

A call has a first leg (who is rung first: the agent for an outgoing call, the caller of an incoming one) and further legs that the
exchange joins to it. Placing a call twice would ring people twice: so what may have arrived is looked up before anything else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from clients.telephony.choices import LegEnd
from crm.connections.protocol import Adapter


class Step(StrEnum):
    """What a report says of a leg."""

    STARTED = "started"
    RINGING = "ringing"
    ANSWERED = "answered"
    HELD = "held"
    RESUMED = "resumed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class LegReport:
    """One report about one leg. leg_id: the exchange's id; parent_id: of the first leg, where this is a further one.

    seconds: how long the leg was connected, where the exchange counts it. address: who was rung.
    """

    leg_id: str
    step: Step
    at: dt.datetime
    parent_id: str = ""
    end: LegEnd | None = None
    seconds: int | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class RecordingReport:
    """A recording that the exchange has finished. leg_id: the leg that was recorded."""

    leg_id: str
    recording_id: str
    seconds: int
    is_voicemail: bool = False


Report = LegReport | RecordingReport


@dataclass(frozen=True, slots=True)
class CallOrder:
    """An outgoing call: the agent's phone is rung first, then the number. reference: ours, part of where reports are sent."""

    reference: str
    agent_address: str
    number: str
    is_recorded: bool


@dataclass(frozen=True, slots=True)
class IncomingCall:
    """Somebody who rings one of our numbers."""

    leg_id: str
    number: str
    dialled: str


@dataclass(frozen=True, slots=True)
class Routing:
    """Where an incoming call goes: to the first of these addresses that answers, else to a voicemail."""

    reference: str
    addresses: tuple[str, ...]
    is_recorded: bool


class PhoneAdapter(Adapter, Protocol):
    """One exchange.

    is_steered: it does with each leg what we ask at that moment, so its events are listened to (`listening`, `steering`);
    the others follow instructions that they get with the call.
    """

    is_steered: bool

    def place(self, order: CallOrder) -> str:
        """Place a call and return the exchange's id of its first leg. Never repeated.

        Raises: ServiceRefused, ServiceTemporary (nothing was done), ServiceUnknown (it may be ringing).
        """
        ...

    def find(self, order: CallOrder, *, since: dt.datetime, known: Sequence[str]) -> Sequence[str]:
        """Look for the first legs of calls that may be this order's, without those that are known as other calls'."""
        ...

    def look_up(self, leg_id: str, *, legs: Sequence[str] = ()) -> Sequence[Report] | None:
        """Read a call with its legs and recordings as they are now; None where the exchange has no such call.

        legs: those that were reported before, for an exchange that forgets a call with its end.
        """
        ...

    def hang_up(self, leg_id: str) -> None:
        """End a call with all its legs."""
        ...

    def read(self, body: bytes) -> Report | None:
        """Read an accepted webhook; None for one that says nothing of a call's course."""
        ...

    def incoming(self, body: bytes) -> IncomingCall | None:
        """Read an accepted webhook as a new incoming call that waits for an answer; None where it isn't one."""
        ...

    def answer(self, routing: Routing) -> tuple[str, str]:
        """Write the answer to an incoming call's webhook: its content type and body."""
        ...

    def recording(self, recording_id: str, *, bytes_max: int) -> AbstractContextManager[Iterator[bytes]]:
        """Open a recording's audio. Raises: as calls do; ServiceRefused where it isn't audio or is too large."""
        ...
