"""How clients find entries: the keys of their names and the marks of their numbers, written with a list's version.

Another version of the matcher may make other keys: `refresh` writes them again, before everybody is screened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db import connection, transaction

from compliance.lists.numbers import marks_of
from compliance.matching import VERSION, sounds
from compliance.matching import text as spelling
from compliance.matching.east_asian import reading_keys
from compliance.matching.heard import heard_keys
from compliance.models import EntryMark, EntryName, ListEntry, WatchlistSource
from compliance.sources.base import Address, Identifier, ParsedEntry, unique
from crm.db.bulk import copy_rows
from crm.db.locking import lock

BATCH: Final = 1_000
KEY_CHARS_MAX: Final = 60
NAME_COLUMNS: Final = ["entry_id", "text", "kind", "is_weak", "normalised", "pair_keys"]
MARK_COLUMNS: Final = ["entry_id", "kind", "mark", "listed_kind", "value", "country"]
NEW_KEYS: Final = """
UPDATE compliance_entryname n SET normalised = k.normalised, pair_keys = string_to_array(k.keys, ' ')
FROM unnest(%s::bigint[], %s::text[], %s::text[]) k(id, normalised, keys) WHERE n.id = k.id
"""


def keys_of(name: str, *, is_listed: bool = False) -> tuple[str, list[str]]:
    """Make the keys of a name: its words for the search by spelling, its consonants in pairs for the one by sound."""
    keys = sounds.pair_keys(name) + heard_keys(name, is_listed=is_listed) + reading_keys(name)
    return " ".join(spelling.words(name))[:400], [key[:KEY_CHARS_MAX] for key in keys]


def write(pairs: list[tuple[int, ParsedEntry]]) -> None:
    """Write names and marks of entries by COPY; those that they had are deleted before."""
    copy_rows(
        "compliance_entryname",
        NAME_COLUMNS,
        (
            [pk, name.text, name.kind, name.is_weak, *keys_of(name.text, is_listed=True)]
            for pk, entry in pairs
            for name in entry.names
        ),
    )
    _write_marks((pk, entry.identifiers, entry.countries, entry.addresses) for pk, entry in pairs)


def refresh() -> int:
    """Make the keys of lists again that another version of the matcher made. Returns how many lists."""
    stale = list(WatchlistSource.objects.exclude(keyed_by=VERSION).order_by("pk").values_list("pk", flat=True))
    for pk in stale:
        after: int | None = 0
        while after is not None:
            after = _refresh_batch(pk, after)
    return len(stale)


@transaction.atomic
def _refresh_batch(source_id: int, after: int) -> int | None:
    """Make the keys of a list's next entries again under its lock, which an import needs too. Returns the last one; None: done."""
    source = lock(WatchlistSource, source_id)
    if source.keyed_by == VERSION:
        return None  # another worker was first
    entries = list(ListEntry.objects.filter(source=source, pk__gt=after).order_by("pk").defer("remarks")[:BATCH])
    if not entries:
        source.keyed_by = VERSION
        source.save(update_fields=["keyed_by"])
        return None
    ids = [entry.pk for entry in entries]
    names = list(EntryName.objects.filter(entry__in=ids).values_list("pk", "text"))
    keys = [keys_of(text, is_listed=True) for _pk, text in names]
    columns: list[Any] = [[pk for pk, _t in names], [key for key, _p in keys], [" ".join(pairs) for _k, pairs in keys]]
    with connection.cursor() as cursor:
        cursor.execute(NEW_KEYS, columns)
    EntryMark.objects.filter(entry__in=ids).delete()
    _write_marks(
        (
            entry.pk,
            [Identifier(**number) for number in entry.identifiers],
            entry.countries,
            [Address(**address) for address in entry.addresses],
        )
        for entry in entries
    )
    return ids[-1]


def _write_marks(rows: Iterable[tuple[int, list[Identifier], list[str], list[Address]]]) -> None:
    def marks() -> Iterator[list[Any]]:
        for pk, numbers, countries, addresses in rows:
            issuers = unique([*countries, *(address.country for address in addresses)])
            for mark in marks_of(numbers, issuers):
                yield [pk, mark.kind, mark.mark, mark.listed_kind, mark.value, mark.country]

    copy_rows("compliance_entrymark", MARK_COLUMNS, list(marks()))
