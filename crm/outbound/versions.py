"""The version of an event's schema that a receiver was built for: an event of a newer one is written in the older form."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from crm.events.bus import EVENT_TYPES

Data = dict[str, Any]
# (event, version) → writes data of that version in the form of the one before.
OLDER_FORMS: Final[dict[tuple[str, int], Callable[[Data], Data]]] = {}


def present_versions(events: Iterable[str]) -> dict[str, int]:
    """Return the present version of each event: what a receiver that is set up now is built for."""
    return {name: EVENT_TYPES[name].version for name in events if name in EVENT_TYPES}


def in_version(name: str, data: Data, *, version: int, wanted: int) -> tuple[Data, int]:
    """Write an event's data as `wanted` has it; returns it with its version, as near to that one as there is a form for."""
    while version > wanted and (name, version) in OLDER_FORMS:
        data, version = OLDER_FORMS[name, version](dict(data)), version - 1
    return data, version
