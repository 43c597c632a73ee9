"""What Keelson needs of an outside screening vendor, whichever it is: the protocol of the adapters and their values.

Asking changes nothing at a vendor, but it costs, and it sends a person's data to somebody else. So a question that
may have arrived is not sent again before the vendor was seen to answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from crm.connections.protocol import Adapter


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
class Sent:
    """What an adapter would send: as it is audited, before it goes out."""

    sha256: str
    fields: tuple[str, ...] = field(default_factory=tuple)


class ScreeningAdapter(Adapter, Protocol):
    """One vendor."""

    batch_max: int

    def sent(self, subjects: Sequence[Subject]) -> Sent:
        """Describe what `match` would send about these subjects, without sending it."""
        ...

    def match(self, subjects: Sequence[Subject]) -> Mapping[str, Answer]:
        """Ask who these subjects may be; returns the answers by reference. One without an answer is left out.

        Raises: ServiceRefused (the whole question), ServiceTemporary, ServiceUnknown.
        """
        ...

    def entity(self, entity_id: str) -> Entity | Moved | None:
        """Look an entity up as it is now; None where the vendor doesn't list it any more."""
        ...
