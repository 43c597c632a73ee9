"""Which entries of the lists are one person or firm: OFAC, the UN and the EU list many of the same people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from compliance.choices import EntryKind
from compliance.matching.score import ListedName, Person, score
from compliance.models import EntryName, Hit, ListEntry

# A name of both, but for differences of spelling. Less would join brothers, and two reviews cost less than a wrong decision.
NAME_MIN: Final = 0.9
# Of each entry's strong names so many are compared; matches of a client beyond so many are reviewed each by itself.
NAMES_MAX: Final = 12
MATCHES_MAX: Final = 40


def leader_for(hit: Hit, leaders: Sequence[Hit]) -> Hit | None:
    """Find the match whose listed person this one is, too; None when it is nobody's. The entries' names are prefetched.

    The same entry comes first. No chain of half likenesses joins two people, as only leaders are compared with.
    """
    same = (leader for leader in leaders if leader.entry_id == hit.entry_id)
    near = (leader for leader in leaders[:MATCHES_MAX] if is_one_person(leader.entry, hit.entry))
    return next(same, None) or next(near, None)


def is_one_person(one: ListEntry, other: ListEntry) -> bool:
    """Tell whether two entries are one person or firm: a strong name in common, births and gender that don't contradict.

    A list names one person once, so two of its entries are two people. Where either side has no birth, as firms have none, a
    country has to be the same.
    """
    if one.pk == other.pk:
        return True
    if (
        one.source_id == other.source_id
        or one.kind != other.kind
        or (one.gender and other.gender and one.gender != other.gender)
    ):
        return False
    person = Person(
        tuple(name.text for name in _strong(one)), None, tuple(one.countries), is_firm=one.kind == EntryKind.ENTITY
    )
    found = score(person, [ListedName(name.text) for name in _strong(other)], countries=other.countries)
    if found.name_score < NAME_MIN:
        return False
    if one.births and other.births:
        return any(_overlap(mine, theirs) for mine in one.births for theirs in other.births)
    return found.country == "same"


def _strong(entry: ListEntry) -> list[EntryName]:
    return [name for name in entry.names.all() if not name.is_weak][:NAMES_MAX]


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, last = (dt.date.fromisoformat(one[end]) for end in ("first", "last"))
    return first <= dt.date.fromisoformat(other["last"]) and dt.date.fromisoformat(other["first"]) <= last
