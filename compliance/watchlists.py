"""Loading a list: the whole file or nothing. A broken file is refused and noted; the version before it stays in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.choices import VersionState
from compliance.matching import sounds
from compliance.matching import text as spelling
from compliance.models import EntryName, ListEntry, ListVersion, WatchlistSource
from compliance.sources import SOURCES, BrokenFile, KnownSource, ParsedEntry
from compliance.sources.base import hash_of
from crm.db.locking import lock
from crm.errors import DomainError
from crm.events import WatchlistLoaded, publish
from crm.models import Actor
from crm.security import audit
from crm.security.policies import require_permission

# A list that lost more than this share of its entries is a broken download until somebody says otherwise.
SHRINK_MAX = 0.3
BATCH = 2000
# The largest list we know has some 20,000 entries and 60,000 names.
ENTRIES_MAX, NAMES_MAX = 200_000, 1_000_000
ID_CHARS_MAX = 120


class ImportRefused(DomainError):
    """The file was not taken; the list in force is the one before it."""

    code = "import_refused"


def import_watchlist(*, source: str, path: Path, actor: Actor, may_shrink: bool = False) -> ListVersion:
    """Load a file as the new version of a list.

    Who: `compliance.import_watchlist`. Raises: NotAllowed, ImportRefused (unknown list, broken file, suspiciously small).
    """
    require_permission(actor, "compliance.import_watchlist")
    known = SOURCES.get(source)
    if known is None:
        raise ImportRefused(
            _("There is no list “%(code)s”. Available lists: %(known)s") % {"code": source, "known": ", ".join(SOURCES)}
        )
    row = ensure_source(known)
    try:
        entries, sha256 = _read(known, path)
        current = ListVersion.objects.filter(source=row, state=VersionState.CURRENT).first()
        if current is not None and current.sha256 == sha256:
            return current  # the same file again
        if current is not None and not may_shrink and len(entries) < current.entry_count * (1 - SHRINK_MAX):
            raise BrokenFile(
                f"{path.name} has {len(entries)} entries where the list in force has {current.entry_count}: "
                "the download may be incomplete. If the list really is shorter, allow it (--may-shrink)."
            )
        version = _take_over(row, known, path, entries, sha256, actor)
        _refresh_statistics()
        return version
    except BrokenFile as error:
        _note_refusal(row, path, str(error), actor)
        raise ImportRefused(str(error)) from error


def _refresh_statistics() -> None:
    """Ten thousand names came at once: without fresh statistics the next screening reads them all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT keelson_analyze('compliance_listentry'), keelson_analyze('compliance_entryname')")


def ensure_source(known: KnownSource) -> WatchlistSource:
    """Find or create the row of a list that Keelson knows."""
    fields = {"name": known.name, "publisher": known.publisher, "licence": known.licence, "url": known.url}
    return WatchlistSource.objects.get_or_create(code=known.code, defaults=fields)[0]


def _read(known: KnownSource, path: Path) -> tuple[list[ParsedEntry], str]:
    """Read all entries before the first row is written."""
    if not path.is_file():
        raise BrokenFile(f"{path} is not a file")
    entries: dict[str, ParsedEntry] = {}
    names = 0
    try:
        for entry in known.format.parse(path):
            if entry.external_id in entries:
                raise BrokenFile(f"{path.name} has duplicate entry {entry.external_id}")
            _require_storable(entry, path)
            entries[entry.external_id] = entry
            names += len(entry.names)
            if len(entries) > ENTRIES_MAX or names > NAMES_MAX:
                raise BrokenFile(
                    f"{path.name} has more than {ENTRIES_MAX} entries or {NAMES_MAX} names, which no supported list has"
                )
    except (ValueError, ArithmeticError, LookupError, RecursionError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error
    if not entries:
        raise BrokenFile(f"{path.name} has no entries")
    return list(entries.values()), hash_of(known.format.files(path))


def _require_storable(entry: ParsedEntry, path: Path) -> None:
    """Refuse text with a NUL, and a key too long to store. Raises BrokenFile."""
    where = f"{path.name}, entry {entry.external_id[:60]}".replace("\0", " ")
    if not entry.external_id or len(entry.external_id) > ID_CHARS_MAX:
        raise BrokenFile(f"{where}: its ID is empty or longer than {ID_CHARS_MAX} characters")
    texts = [entry.external_id, entry.remarks, *entry.programs, *entry.countries, *(name.text for name in entry.names)]
    if any("\0" in text for text in texts):
        raise BrokenFile(f"{where}: it has a character that can't be kept (NUL)")
    if any(len(code) != 2 for code in entry.countries):
        raise BrokenFile(f"{where}: country codes are two characters long")


@transaction.atomic
def _note_refusal(row: WatchlistSource, path: Path, error: str, actor: Actor) -> None:
    version = ListVersion.objects.create(
        source=row,
        state=VersionState.REFUSED,
        file_name=path.name[:160],
        sha256="",
        imported_at=timezone.now(),
        imported_by=actor,
        error=error[:4000],
    )
    audit.record(
        actor=actor,
        action=ComplianceAction.WATCHLIST_REFUSED,
        target=version,
        after={"source": row.code, "file": path.name},
        reason=error[:1000],
    )


@transaction.atomic
def _take_over(
    row: WatchlistSource, known: KnownSource, path: Path, entries: list[ParsedEntry], sha256: str, actor: Actor
) -> ListVersion:
    row = lock(WatchlistSource, row.pk)  # one import of a list at a time
    ListVersion.objects.filter(source=row, state=VersionState.CURRENT).update(state=VersionState.SUPERSEDED)
    version = ListVersion.objects.create(
        source=row,
        state=VersionState.CURRENT,
        file_name=path.name[:160],
        sha256=sha256,
        imported_at=timezone.now(),
        imported_by=actor,
        dated_on=known.format.date_of(path),
        entry_count=len(entries),
        name_count=sum(len(entry.names) for entry in entries),
    )
    before = {
        external_id: (pk, content_hash, is_listed)
        for external_id, pk, content_hash, is_listed in ListEntry.objects.filter(source=row).values_list(
            "external_id", "pk", "content_hash", "is_listed"
        )
    }
    hashed = [(entry, entry.content_hash()) for entry in entries]
    new = [pair for pair in hashed if pair[0].external_id not in before]
    changed = [pair for pair in hashed if pair[0].external_id in before and before[pair[0].external_id][1] != pair[1]]
    present = {entry.external_id for entry in entries}
    gone = [pk for external_id, (pk, _hash, is_listed) in before.items() if external_id not in present and is_listed]
    _insert(version, new)
    _rewrite(version, changed, before)
    ListEntry.objects.filter(pk__in=gone).update(is_listed=False, changed_in=version)
    back = [pk for external_id, (pk, _hash, _listed) in before.items() if external_id in present]
    ListEntry.objects.filter(pk__in=back, is_listed=False).update(changed_in=version)
    ListEntry.objects.filter(pk__in=back).update(last_version=version, is_listed=True)
    version.added, version.changed, version.removed = len(new), len(changed), len(gone)
    version.save(update_fields=["added", "changed", "removed"])
    audit.record(
        actor=actor,
        action=ComplianceAction.WATCHLIST_IMPORTED,
        target=version,
        after={
            "source": row.code,
            "entries": len(entries),
            "added": len(new),
            "changed": len(changed),
            "removed": len(gone),
        },
        evidence={"sha256": sha256, "file": path.name},
    )
    publish(
        WatchlistLoaded(
            version_id=version.pk,
            source=row.code,
            entries=version.entry_count,
            added=version.added,
            changed=version.changed,
            removed=version.removed,
        ),
        actor=actor,
    )
    return version


def _fields(entry: ParsedEntry, content_hash: str) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "primary_name": entry.primary_name[:300],
        "gender": entry.gender[:1],
        "births": [
            {"first": b.first.isoformat(), "last": b.last.isoformat(), "exact": b.is_exact} for b in entry.births
        ],
        "countries": entry.countries,
        "programs": [program[:120] for program in entry.programs],
        "listed_on": entry.listed_on,
        "remarks": entry.remarks,
        "content_hash": content_hash,
    }


def _insert(version: ListVersion, pairs: list[tuple[ParsedEntry, str]]) -> None:
    """Insert new entries by COPY: a large list takes seconds."""
    if not pairs:
        return
    fixed = {
        "source_id": version.source_id,
        "first_version_id": version.pk,
        "last_version_id": version.pk,
        "changed_in_id": version.pk,
        "is_listed": True,
    }
    columns = ["external_id", *fixed, *_fields(*pairs[0])]
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY compliance_listentry ({', '.join(columns)}) FROM STDIN") as copy,
    ):
        for entry, content_hash in pairs:
            values = {**fixed, **_fields(entry, content_hash), "external_id": entry.external_id}
            values["births"] = orjson.dumps(values["births"]).decode()
            copy.write_row([values[column] for column in columns])
    ids = dict(ListEntry.objects.filter(source=version.source, first_version=version).values_list("external_id", "pk"))
    _insert_names([(ids[entry.external_id], entry) for entry, _hash in pairs])


def _rewrite(
    version: ListVersion, pairs: list[tuple[ParsedEntry, str]], before: dict[str, tuple[int, str, bool]]
) -> None:
    rows = [
        ListEntry(
            pk=before[entry.external_id][0],
            source=version.source,
            external_id=entry.external_id,
            last_version=version,
            changed_in=version,
            **_fields(entry, content_hash),
        )
        for entry, content_hash in pairs
    ]
    if not rows:
        return
    ListEntry.objects.bulk_update(rows, ["changed_in", *_fields(pairs[0][0], "")], batch_size=BATCH)
    EntryName.objects.filter(entry_id__in=[row.pk for row in rows]).delete()
    _insert_names([(row.pk, entry) for row, (entry, _hash) in zip(rows, pairs, strict=True)])


def _insert_names(pairs: list[tuple[int, ParsedEntry]]) -> None:
    columns = "entry_id, text, kind, is_weak, normalised, pair_keys"
    with connection.cursor() as cursor, cursor.copy(f"COPY compliance_entryname ({columns}) FROM STDIN") as copy:
        for pk, entry in pairs:
            for name in entry.names:
                normalised = " ".join(spelling.words(name.text))[:400]
                keys = [key[:60] for key in sounds.pair_keys(name.text)]
                copy.write_row([pk, name.text, name.kind, name.is_weak, normalised, keys])
