"""What Keelson needs of an outside KYC provider, whichever it is: the protocol of the adapters and their values.

A check lives at the provider; we look it up and keep what it found. Nothing here moves money, but an applicant must not be created
twice (the provider would see a duplicate and charge for two): so an error says whether something may have been done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from crm.connections.protocol import Adapter
from kyc.choices import Verdict


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who is to be checked, as registered with us: the provider compares the documents with it."""

    external_id: str
    level_name: str
    first_name: str
    last_name: str
    birth_date: dt.date | None
    country: str
    email: str
    phone: str
    language: str


@dataclass(frozen=True, slots=True)
class Link:
    """Where the client goes, and until when it opens. It is a login of the client at the provider: never stored or logged."""

    url: str
    expires_at: dt.datetime


class Answer(StrEnum):
    """What the provider says of an applicant now."""

    OPEN = "open"
    IN_REVIEW = "in_review"
    ON_HOLD = "on_hold"
    PASSED = "passed"
    RETRY = "retry"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step of the check says: the provider's labels, and our name of the first. name: identity, selfie, address …"""

    name: str
    verdict: Verdict
    code: str = ""
    labels: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "verdict": self.verdict.value, "code": self.code, "labels": list(self.labels)}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the provider holds: of which document of ours, and where it is fetched."""

    image_id: str
    kind: str
    side: str
    inspection_id: str = ""
    issued_on: dt.date | None = None
    expires_on: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Whom the provider saw, as it read the documents."""

    first_name: str = ""
    last_name: str = ""
    birth_date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class CheckView:
    """A check as a look-up shows it. raw: the answers as they came, for the sealed evidence."""

    applicant_id: str
    external_id: str
    answer: Answer
    attempt: int = 0
    labels: tuple[str, ...] = ()
    flaw: str = ""
    comment_for_client: str = ""
    comment_for_staff: str = ""
    reviewed_at: dt.datetime | None = None
    person: Person = field(default_factory=Person)
    steps: tuple[StepResult, ...] = ()
    pictures: tuple[Picture, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict)


class KycAdapter(Adapter, Protocol):
    """One provider."""

    algorithms: Sequence[tuple[str, str]]

    def create(self, applicant: Applicant) -> str:
        """Create an applicant and return the provider's id of it; one that is there already is found instead.

        Raises: ServiceUnknown where it may have been created: look it up by our id.
        """
        ...

    def link(self, applicant: Applicant, *, return_url: str, ttl_seconds: int) -> Link:
        """Make a link under which the client goes on at the provider; a second one does no harm."""
        ...

    def look_up(self, *, external_id: str, applicant_id: str = "") -> CheckView | None:
        """Look a check up by the provider's id, else by ours; None where the provider doesn't know it."""
        ...

    def fetch(self, picture: Picture) -> bytes:
        """Fetch a picture, bounded by our own upload limit."""
        ...

    def cancel(self, applicant_id: str) -> None:
        """End a check that isn't wanted any more. Done already, or not known: no error."""
        ...

    def delete(self, applicant_id: str) -> None:
        """Delete a client's data as far as the provider's API goes. Done already, or not known: no error."""
        ...
