"""What Keelson needs of an outside screening vendor, whichever it is: the protocol of the adapters, their values and errors.

Asking changes nothing at a vendor, but it costs, and it sends a person's data to somebody else. So an error says whether the
question may have arrived: then it is not sent again before the vendor was seen to answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from django.utils.functional import Promise

from compliance.vendors.choices import NoticeVerdict
from crm.errors import OutsideWorldError


class VendorRefused(OutsideWorldError):
    """The vendor understood and refused the question: the same one again brings the same answer."""

    code = "vendor_refused"


class VendorTemporary(OutsideWorldError):
    """Nothing was answered, and it may be asked again later: not reached, a key refused, or asked to slow down.

    wait_seconds: as it asks. is_answer: the vendor itself said so, and nothing is wrong with it.
    """

    code = "vendor_temporary"

    def __init__(self, message: str, *, wait_seconds: int = 0, is_answer: bool = False) -> None:
        super().__init__(message)
        self.wait_seconds, self.is_answer = wait_seconds, is_answer


class VendorUnknown(OutsideWorldError):
    """The question went out and no usable answer came."""

    code = "vendor_unknown"


@dataclass(frozen=True, slots=True)
class Key:
    """One credential of an account at a vendor."""

    name: str
    label: str | Promise
    help_text: str | Promise = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is asked about, and all that a vendor learns of them. schema: Person, Company, or LegalEntity where it isn't known."""

    reference: str
    schema: str
    names: tuple[str, ...]
    birth_date: dt.date | None = None
    countries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody in the vendor's data, in the words of FollowTheMoney. id: the vendor's key, the same in every answer."""

    id: str
    schema: str
    caption: str
    properties: Mapping[str, Sequence[str]]
    datasets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Moved:
    """The entity is part of another one now."""

    to: str


@dataclass(frozen=True, slots=True)
class Feature:
    """What one of the vendor's comparisons found. score: 0 to 1, as the vendor counts it."""

    name: str
    score: float
    detail: str = ""
    client: str = ""
    listed: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Result:
    """A possible match: the entity, the vendor's score of 0 to 1, and why."""

    entity: Entity
    score: float
    features: tuple[Feature, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor says of one subject. refused: why it couldn't be asked, in the vendor's words; empty when it could."""

    results: tuple[Result, ...] = ()
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What a webhook points at; it is not believed but asked about."""

    event_type: str
    entity_id: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a webhook's raw bytes; notice: only where its signature holds and it can be read."""

    verdict: NoticeVerdict
    message_id: str = ""
    signed_at: dt.datetime | None = None
    notice: Notice | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """What an adapter would send: as it is audited, before it goes out."""

    sha256: str
    fields: tuple[str, ...] = field(default_factory=tuple)


class ScreeningAdapter(Protocol):
    """One vendor. Calls raise the errors of this module and nothing else."""

    title: str
    keys: Sequence[Key]
    batch_max: int

    def sent(self, subjects: Sequence[Subject]) -> Sent:
        """Describe what `match` would send about these subjects, without sending it."""
        ...

    def match(self, subjects: Sequence[Subject]) -> Mapping[str, Answer]:
        """Ask who these subjects may be; returns the answers by reference. One without an answer is left out.

        Raises: VendorRefused (the whole question), VendorTemporary, VendorUnknown.
        """
        ...

    def entity(self, entity_id: str) -> Entity | Moved | None:
        """Look an entity up as it is now; None where the vendor doesn't list it any more."""
        ...

    def judge(self, body: bytes, headers: Mapping[str, str], *, now: dt.datetime) -> Judgement:
        """Check a webhook's signature and age on its raw bytes, then read what it points at. Header names are lower case."""
        ...

    def check_connection(self) -> str:
        """Ask for something harmless with our keys, about nobody; an empty answer is good, else what is wrong."""
        ...
