"""Decide which key of another system's events holds which of our fields: by its name, and by what its values look like."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from monitoring.history import mapping
from monitoring.history.moments import clock, moment

# Endings and beginnings that say how a thing is referred to, not what it is: `operator_id`, `crm_user`, `event_name`.
_ENDINGS = re.compile(r"_(ids?|name|type|code|key|no|nr|number|num|uuid|guid|ref|login|email|label|hash|value|text)$")
_BEGINNINGS = re.compile(r"^(crm|src|source|the|sales|acting|internal|x|meta|data|payload|details|attributes|props)_")
VALUES_LOOKED_AT = 400
# A key is our field only if so many of its values can be read as one.
READABLE = 0.5


def stem(key: str) -> str:
    """Strip a key of what doesn't tell: `crm_operator_id` → `operator`."""
    while (shorter := _BEGINNINGS.sub("", _ENDINGS.sub("", key))) != key:
        key = shorter
    return key


def fields_of(sample: list[dict[str, Any]], stated: dict[str, str]) -> dict[str, str]:
    """Choose a key for each field: what was stated; else the known name whose values fit best; else, of those that no file can do
    without, a key whose values look like it."""
    values: dict[str, list[Any]] = {}
    for event in sample:
        for key, value in event.items():
            if value is not None and value != "":
                values.setdefault(key, []).append(value)
    values = {key: _spread(entries) for key, entries in values.items()}
    often = Counter({key: sum(event.get(key) not in (None, "") for event in sample) for key in values})
    chosen = dict(stated)
    for field, names in mapping.FIELDS.items():
        if field in chosen:
            continue
        free = {key: entries for key, entries in values.items() if key not in chosen.values()}
        key = _by_name(field, names, free, often) or _by_values(field, free, often, len(sample))
        if key:
            chosen[field] = key
    if "clock" not in chosen and "ts" in chosen and _share(values.get(chosen["ts"], []), _is_date_only) > READABLE:
        free = {key: entries for key, entries in values.items() if key not in chosen.values()}
        written = [key for key, entries in free.items() if _share(entries, _is_clock) > READABLE]
        if written:
            chosen["clock"] = written[0]
    return chosen


def _spread(values: list[Any]) -> list[Any]:
    """Take values from all over a sample."""
    return values[:: max(1, len(values) // VALUES_LOOKED_AT)]


def _by_name(field: str, names: tuple[str, ...], free: Mapping[str, list[Any]], often: Counter[str]) -> str:
    """Return the key with a known name, or one that differs in what doesn't tell; where values decide, the one they fit best."""
    fits = FITS.get(field)
    known = [name for name in names if name in free]
    stems = {stem(name): n for n, name in reversed(list(enumerate(names)))}
    known += sorted((key for key in free if key not in names and stem(key) in stems), key=lambda key: stems[stem(key)])
    if fits is None:
        return known[0] if known else ""
    scored = [(_share(free[key], fits), often[key] > 0.2 * max(often.values()), -n, key) for n, key in enumerate(known)]
    best = max(
        ((round(share, 1), is_common, n, key) for share, is_common, n, key in scored), default=(0.0, False, 0, "")
    )
    return best[3] if best[0] >= READABLE else ""


def _by_values(field: str, free: Mapping[str, list[Any]], often: Counter[str], events: int) -> str:
    """Guess a field that no file can do without: a time, a kind, and who: the key that most events have and that has few values."""
    common = [key for key in free if often[key] >= 0.7 * events]
    if field in ("ts", "kind"):
        best = max(((_share(free[key], FITS[field]), key) for key in common), default=(0.0, ""))
        return best[1] if best[0] >= 0.7 else ""
    if field == "agent":
        kinds = {key: len({str(value) for value in free[key]}) for key in common}
        people = [
            key
            for key in common
            if 2 <= kinds[key] <= len(free[key]) / 3 and not _share(free[key], _is_kind) > READABLE
        ]
        people = [
            key
            for key in people
            if not any(known in key for known in ("ip", "device", "country", "client", "customer"))
        ]
        return max(people, key=lambda key: kinds[key], default="")
    return ""


def _share(values: list[Any], fits: Callable[[Any], bool]) -> float:
    return sum(map(fits, values)) / len(values) if values else 0.0


def _is_kind(value: Any) -> bool:
    return isinstance(value, str) and bool(mapping.kind_of(value))


def _is_time(value: Any) -> bool:
    found = moment(value)
    # Of 1990 to 2100: a record's number isn't a time.
    return found is not None and 726_468 <= found[0] <= 766_644


def _is_date_only(value: Any) -> bool:
    return isinstance(value, str) and len(value.strip()) <= 10 and _is_time(value)


def _is_clock(value: Any) -> bool:
    return clock(value) is not None


def _is_who(value: Any) -> bool:
    return not isinstance(value, float | bool) and not (isinstance(value, str) and ("://" in value or len(value) > 80))


FITS: dict[str, Callable[[Any], bool]] = {"ts": _is_time, "kind": _is_kind, "agent": _is_who}
