"""Loading a list: the whole file or nothing. A broken file is refused and noted; the version before it stays in force."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from compliance.audit_codes import ComplianceAction
from compliance.choices import VersionState
from compliance.lists import keying
from compliance.matching import VERSION
from compliance.models import EntryMark, EntryName, ListEntry, ListVersion, WatchlistSource
from compliance.sources import SOURCES, BrokenFile, KnownSource, LeftOut, ParsedEntry, own
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
READ_SECONDS_MAX = 900


@dataclass
class ReadList:
    """A file that was read whole: its entries, what of it is none, and its hash."""

    entries: list[ParsedEntry]
    sha256: str
    left_out: Counter[str] = field(default_factory=Counter)


class ImportRefused(DomainError):
    """The file was not taken; the list in force is the one before it."""

    code = "import_refused"


def import_watchlist(
    *,
    source: str,
    path: Path,
    actor: Actor,
    may_shrink: bool = False,
    is_scheduled: bool = False,
    may_shrink_to: str = "",
) -> ListVersion:
    """Load a file as the new version of a list. A shrunken one of a schedule waits until somebody confirms it.

    may_shrink_to: the hash of the one file that may be so much shorter.

    Who: `compliance.import_watchlist`. Raises: NotAllowed, ImportRefused (unknown list, broken file, suspiciously small).
    """
    require_permission(actor, "compliance.import_watchlist")
    known = known_source(source)
    if known is None:
        raise ImportRefused(
            _("There is no list “%(code)s”. Available lists: %(known)s") % {"code": source, "known": ", ".join(SOURCES)}
        )
    row = ensure_source(known)
    current = ListVersion.objects.filter(source=row, state=VersionState.CURRENT).first()
    try:
        read = read_list(known, path)
        if current is not None and current.sha256 == read.sha256:
            return current  # the same file again
        shrunk = _shrunk(current, read, path)
        if shrunk and not may_shrink and read.sha256 != may_shrink_to:
            _keep_aside(row, path, shrunk, actor, VersionState.WAITING if is_scheduled else VersionState.REFUSED, read)
            raise ImportRefused(shrunk)
        version = _take_over(row, known, path, read, actor)
        _refresh_statistics()
        return version
    except BrokenFile as error:
        _keep_aside(row, path, str(error), actor, VersionState.REFUSED)
        raise ImportRefused(str(error)) from error


def known_source(code: str) -> KnownSource | None:
    """Find a published list, or one of the brokerage's own with its mapped columns."""
    if code in SOURCES:
        return SOURCES[code]
    row = WatchlistSource.objects.filter(code=code).exclude(columns={}).first()
    return own.source_of(row.code, row.name, row.columns) if row else None


def _shrunk(current: ListVersion | None, read: ReadList, path: Path) -> str:
    if current is None or len(read.entries) >= current.entry_count * (1 - SHRINK_MAX):
        return ""
    return (
        f"{path.name} has {len(read.entries)} entries where the list in force has {current.entry_count}: "
        "the download may be incomplete. If the list really is shorter, allow it (--may-shrink)."
    )


def _refresh_statistics() -> None:
    """Ten thousand names came at once: without fresh statistics the next screening reads them all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT keelson_analyze('compliance_listentry'), keelson_analyze('compliance_entryname'), "
            "keelson_analyze('compliance_entrymark')"
        )


def ensure_source(known: KnownSource) -> WatchlistSource:
    """Find or create the row of a list that Keelson knows."""
    fields = {"name": known.name, "publisher": known.publisher, "licence": known.licence, "url": known.url}
    return WatchlistSource.objects.get_or_create(code=known.code, defaults=fields)[0]


def read_list(known: KnownSource, path: Path) -> ReadList:
    """Read a whole file without writing a row. Raises: BrokenFile."""
    if not path.is_file() and not (path.is_dir() and known.format.files(path) not in ([], [path])):
        raise BrokenFile(f"{path} is not a file")
    entries: dict[str, ParsedEntry] = {}
    left_out: Counter[str] = Counter()
    names, ends_at = 0, time.monotonic() + READ_SECONDS_MAX
    try:
        for entry in known.format.parse(path):
            if time.monotonic() > ends_at:
                raise BrokenFile(f"{path.name} takes longer than {READ_SECONDS_MAX // 60} minutes to read")
            if isinstance(entry, LeftOut):
                left_out[entry.reason] += 1
                continue
            if entry.external_id in entries:
                raise BrokenFile(f"{path.name} has duplicate entry {entry.external_id}")
            _require_storable(entry, path)
            entries[entry.external_id] = entry
            names += len(entry.names)
            if len(entries) > ENTRIES_MAX or names > NAMES_MAX:
                raise BrokenFile(
                    f"{path.name} has more than {ENTRIES_MAX} entries or {NAMES_MAX} names, which no supported list has"
                )
    except (ValueError, ArithmeticError, LookupError, RecursionError, TypeError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error
    if not entries:
        raise BrokenFile(f"{path.name} has no entries")
    return ReadList(list(entries.values()), hash_of(known.format.files(path)), left_out)


def _require_storable(entry: ParsedEntry, path: Path) -> None:
    """Refuse text with a NUL, and a key too long to store. Raises BrokenFile."""
    where = f"{path.name}, entry {entry.external_id[:60]}".replace("\0", " ")
    if not entry.external_id or len(entry.external_id) > ID_CHARS_MAX:
        raise BrokenFile(f"{where}: its ID is empty or longer than {ID_CHARS_MAX} characters")
    texts = [entry.external_id, entry.remarks, *entry.programs, *entry.countries, *(name.text for name in entry.names)]
    texts += [text for number in entry.identifiers for text in (number.value, number.country)]
    texts += [text for address in entry.addresses for text in (address.text, address.country)]
    if any("\0" in text for text in texts):
        raise BrokenFile(f"{where}: it has a character that can't be kept (NUL)")
    if any(len(code) != 2 for code in entry.countries):
        raise BrokenFile(f"{where}: country codes are two characters long")


@transaction.atomic
def _keep_aside(
    row: WatchlistSource, path: Path, error: str, actor: Actor, state: VersionState, read: ReadList | None = None
) -> None:
    """Note a file that isn't taken: refused, or waiting for somebody to confirm that the list is so much shorter."""
    row = lock(WatchlistSource, row.pk)
    same = {"source": row, "state": state, "sha256": read.sha256 if read else ""}
    if state == VersionState.WAITING:
        if ListVersion.objects.filter(**same).exists():
            return  # it waits already
        ListVersion.objects.filter(source=row, state=VersionState.WAITING).update(state=VersionState.REFUSED)
    version = ListVersion.objects.create(
        **same,
        file_name=path.name[:160],
        entry_count=len(read.entries) if read else 0,
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
def _take_over(row: WatchlistSource, known: KnownSource, path: Path, read: ReadList, actor: Actor) -> ListVersion:
    entries, sha256 = read.entries, read.sha256
    row = lock(WatchlistSource, row.pk)  # one import of a list at a time
    replaced = ListVersion.objects.filter(source=row, state__in=[VersionState.CURRENT, VersionState.WAITING])
    replaced.update(state=VersionState.SUPERSEDED)
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
        left_out=dict(read.left_out.most_common(50)),
    )
    before = known_entries(ListEntry.objects.filter(source=row))
    present = {entry.external_id for entry in entries}
    gone = [known.pk for external_id, known in before.items() if external_id not in present and known.is_listed]
    if not before:
        WatchlistSource.objects.filter(pk=row.pk).update(keyed_by=VERSION)
    write_entries(version, entries, before, gone)
    audit.record(
        actor=actor,
        action=ComplianceAction.WATCHLIST_IMPORTED,
        target=version,
        after={
            "source": row.code,
            "entries": len(entries),
            "added": version.added,
            "changed": version.changed,
            "removed": version.removed,
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


class KnownEntry(NamedTuple):
    """An entry as it is stored."""

    pk: int
    content_hash: str
    is_listed: bool


def known_entries(rows: QuerySet[ListEntry]) -> dict[str, KnownEntry]:
    """Read stored entries by their publisher's key."""
    found = rows.values_list("external_id", "pk", "content_hash", "is_listed")
    return {external_id: KnownEntry(pk, digest, is_listed) for external_id, pk, digest, is_listed in found}


def write_entries(
    version: ListVersion, entries: Sequence[ParsedEntry], before: Mapping[str, KnownEntry], gone: Sequence[int]
) -> None:
    """Write a version's entries over those of before, and count what it added, changed and removed. Holds the source's lock."""
    hashed = [(entry, entry.content_hash()) for entry in entries]
    new = [pair for pair in hashed if pair[0].external_id not in before]
    changed = [pair for pair in hashed if (known := before.get(pair[0].external_id)) and known.content_hash != pair[1]]
    _insert(version, new)
    _rewrite(version, changed, before)
    ListEntry.objects.filter(pk__in=gone).update(is_listed=False, changed_in=version)
    back = [known.pk for entry in entries if (known := before.get(entry.external_id))]
    ListEntry.objects.filter(pk__in=back, is_listed=False).update(changed_in=version)
    ListEntry.objects.filter(pk__in=back).update(last_version=version, is_listed=True)
    version.added, version.changed, version.removed = len(new), len(changed), len(gone)
    version.save(update_fields=["added", "changed", "removed"])


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
        "identifiers": [asdict(number) for number in entry.identifiers],
        "addresses": [asdict(address) for address in entry.addresses],
        "topics": entry.topics,
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
            for name in ("births", "identifiers", "addresses"):
                values[name] = orjson.dumps(values[name]).decode()
            copy.write_row([values[column] for column in columns])
    ids = dict(ListEntry.objects.filter(source=version.source, first_version=version).values_list("external_id", "pk"))
    keying.write([(ids[entry.external_id], entry) for entry, _hash in pairs])


def _rewrite(version: ListVersion, pairs: list[tuple[ParsedEntry, str]], before: Mapping[str, KnownEntry]) -> None:
    rows = [
        ListEntry(
            pk=before[entry.external_id].pk,
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
    EntryMark.objects.filter(entry_id__in=[row.pk for row in rows]).delete()
    keying.write([(row.pk, entry) for row, (entry, _hash) in zip(rows, pairs, strict=True)])
