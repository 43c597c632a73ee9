"""What Keelson needs of a service for text messages, whichever it is: the protocol of the adapters and their values.

A message that is sent twice is read twice, and paid twice: so what may have arrived is looked up before anything else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from clients.texting.choices import TextChannel, TextState
from crm.connections.protocol import Adapter


@dataclass(frozen=True, slots=True)
class TextOrder:
    """A message to send. reference: ours, part of where its reports are sent. number: in E.164.

    template: the service's id of an approved WhatsApp template, with its values; else `text` is sent as it is.
    file_url: where the service fetches the file that goes with it, for some minutes.
    """

    reference: str
    channel: TextChannel
    number: str
    text: str
    template: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    file_url: str = ""


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What the service says of one of our messages. is_opt_out: the number doesn't want any."""

    remote_id: str
    state: TextState
    at: dt.datetime
    problem: str = ""
    is_opt_out: bool = False
    segments: int | None = None


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A message that somebody sent to one of our numbers. files: how many came with it; media: the service's ids of them."""

    remote_id: str
    channel: TextChannel
    number: str
    text: str
    at: dt.datetime
    files: int = 0
    media: tuple[str, ...] = ()


class TextAdapter(Adapter, Protocol):
    """One service."""

    def send(self, order: TextOrder) -> str:
        """Send a message and return the service's id of it. Never repeated.

        Raises: ServiceRefused, ServiceTemporary (nothing was done), ServiceUnknown (it may be on its way).
        """
        ...

    def find(self, order: TextOrder, *, since: dt.datetime, known: Sequence[str]) -> Sequence[str]:
        """Look for messages that may be this order's, without those that are known as other messages'."""
        ...

    def look_up(self, remote_id: str) -> StatusReport | None:
        """Read where a message is now; None where the service has no such message."""
        ...

    def media(self, remote_id: str, media_id: str, *, bytes_max: int) -> bytes:
        """Fetch a file that came with a message. Raises: ServiceRefused, ServiceTemporary, ServiceUnknown."""
        ...

    def is_opted_out(self, refusal: str) -> bool:
        """Check whether a refusal says that the number has opted out."""
        ...

    def read(self, body: bytes) -> StatusReport | IncomingText | None:
        """Read an accepted webhook; None for one that says nothing new."""
        ...

    def answer(self) -> tuple[str, str]:
        """Write the answer to a webhook that was taken: its content type and body."""
        ...
