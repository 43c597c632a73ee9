"""What every adapter of an outside service shares: its keys, how a call fails, and the verdict on a webhook.

An error says whether something may have been done over there: only then may the same be asked again, or must it be looked up.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.functional import Promise

from crm.connections.choices import WebhookVerdict
from crm.errors import OutsideWorldError


class ServiceRefused(OutsideWorldError):
    """The service understood and refused: nothing was done there. Trying the same again brings the same answer."""

    code = "service_refused"

    def __init__(self, message: str, *, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class ServiceTemporary(OutsideWorldError):
    """Nothing was done, and it may be tried again later: not reached, the account isn't in order, or asked to slow down.

    wait_seconds: as it asks. is_answer: the service itself said so, and nothing is wrong with it.
    """

    code = "service_temporary"

    def __init__(self, message: str, *, wait_seconds: int = 0, is_answer: bool = False) -> None:
        super().__init__(message)
        self.wait_seconds, self.is_answer = wait_seconds, is_answer


class ServiceUnknown(OutsideWorldError):
    """The request went out and no usable answer came: it may or may not be done."""

    code = "service_unknown"


@dataclass(frozen=True, slots=True)
class Key:
    """One credential of an account; all are secret. is_required: nothing works without it."""

    name: str
    label: str | Promise
    help_text: str | Promise = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook points at: it isn't believed but looked up. subject_id: the service's id; reference: ours, as it knows it."""

    event_type: str
    subject_id: str = ""
    reference: str = ""
    correlation_id: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a webhook's raw bytes; notice: only where its signature holds and it can be read.

    message_id: the service's; a message without one is known by its bytes.
    """

    verdict: WebhookVerdict
    message_id: str = ""
    signed_at: dt.datetime | None = None
    algorithm: str = ""
    notice: Notice | None = None


class Adapter(Protocol):
    """One service. Calls raise the errors of this module and nothing else."""

    title: str
    keys: Sequence[Key]

    def check_connection(self) -> str:
        """Ask for something harmless with our keys, about nobody; an empty answer is good, else what is wrong."""
        ...

    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Check a webhook's signature on its raw bytes, then read what it points at. Header names are lower case."""
        ...
