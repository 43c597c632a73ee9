"""What the lists say of entries, as the matcher compares it: many at a time, without a model of each name and number."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.lists.numbers import listed_number
from compliance.matching.evidence import BirthRange, Details, ListedAddress, ListedNumber
from compliance.matching.score import ListedName
from compliance.models.watchlists import EntryMark, EntryName, ListEntry


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry: its names in the list's order, dates of birth, countries, gender, numbers and addresses."""

    names: Sequence[ListedName]
    births: Sequence[BirthRange]
    countries: Sequence[str]
    gender: str
    details: Details


def listed_of(entries: Iterable[ListEntry], *, with_numbers: bool = True) -> dict[int, Listed]:
    """Describe entries by their ids, in their order. with_numbers: False where who is compared has none."""
    by_id = {entry.pk: entry for entry in entries}
    names: dict[int, list[ListedName]] = defaultdict(list)
    rows = EntryName.objects.filter(entry__in=by_id).order_by("pk")
    for entry_id, text, is_weak in rows.values_list("entry_id", "text", "is_weak"):
        names[entry_id].append(ListedName(text, is_weak))
    numbers: dict[int, list[ListedNumber]] = defaultdict(list)
    if with_numbers:
        for mark in EntryMark.objects.filter(entry__in=by_id).order_by("pk"):
            numbers[mark.entry_id].append(listed_number(mark))
    return {
        pk: Listed(
            names[pk],
            [
                BirthRange(dt.date.fromisoformat(b["first"]), dt.date.fromisoformat(b["last"]), b["exact"])
                for b in entry.births
            ],
            entry.countries,
            entry.gender,
            Details(tuple(numbers[pk]), tuple(ListedAddress(**address) for address in entry.addresses)),
        )
        for pk, entry in by_id.items()
    }
