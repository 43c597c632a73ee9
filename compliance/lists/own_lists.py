"""Lists of the brokerage's own: a CSV is uploaded, its columns are mapped, a dry run shows the result, then it is imported."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from compliance.models import ListEntry, ListVersion, OwnListUpload, WatchlistSource
from compliance.sources import BrokenFile, ParsedEntry, own
from compliance.watchlists import import_watchlist, read_list
from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, User
from crm.security.policies import require_permission

BYTES_MAX = 5 * 1024 * 1024
KEPT_FOR = dt.timedelta(days=1)
SHOWN = 8
NAME_CHARS_MIN = 3


@dataclass
class DryRun:
    """What an import would do: counts against the list in force, the first entries, or the error that would refuse it."""

    entries: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    sample: list[ParsedEntry] = field(default_factory=list)
    error: str = ""


@transaction.atomic
def upload_own_list(*, actor: User, file_name: str, content: bytes) -> OwnListUpload:
    """Keep a CSV for a day, until its columns are mapped.

    Who: `compliance.import_watchlist`. Raises: NotAllowed, DomainError for what is no CSV or too large.
    """
    require_permission(actor, "compliance.import_watchlist")
    if not 0 < len(content) <= BYTES_MAX:
        raise DomainError(_("Choose a CSV file of up to %(size)d MB.") % {"size": BYTES_MAX // 2**20})
    name = Path(file_name).name.replace("\0", "")[:120] or "list.csv"
    row = OwnListUpload(made_by=actor, made_at=timezone.now(), file_name=name, content=content)
    try:
        with _file(row) as path:
            row.headings = own.headings_of(path)
    except BrokenFile as error:
        raise DomainError(str(error)) from error
    row.save()
    return row


def try_own_list(upload: OwnListUpload, columns: Mapping[str, str], source: WatchlistSource | None) -> DryRun:
    """Read the file with these columns and compare it with the list in force; nothing is written."""
    code, name = (source.code, source.name) if source else ("own", upload.file_name)
    try:
        _require_name(columns)
        with _file(upload) as path:
            read = read_list(own.source_of(code, name, columns), path)
    except (BrokenFile, DomainError) as error:
        return DryRun(error=str(error))
    rows = ListEntry.objects.filter(source=source, is_listed=True) if source else ListEntry.objects.none()
    before = dict(rows.values_list("external_id", "content_hash"))
    new = {entry.external_id: entry.content_hash() for entry in read.entries}
    return DryRun(
        entries=len(new),
        added=len(new.keys() - before.keys()),
        changed=sum(new[key] != before[key] for key in new.keys() & before.keys()),
        removed=len(before.keys() - new.keys()),
        sample=read.entries[:SHOWN],
    )


def import_own_list(
    *,
    upload_id: int,
    actor: Actor,
    columns: Mapping[str, str],
    list_name: str = "",
    source_id: int = 0,
    may_shrink: bool = False,
) -> ListVersion:
    """Import an uploaded CSV as a new list, or as the next version of one, and keep which column is what.

    Who: `compliance.import_watchlist`. Raises: NotAllowed, DomainError, ImportRefused.
    """
    require_permission(actor, "compliance.import_watchlist")
    upload = OwnListUpload.objects.filter(pk=upload_id, made_by=actor).first()
    if upload is None:
        raise DomainError(_("This upload has expired. Choose the file again."))
    _require_name(columns)
    source = _source(source_id, list_name, dict(columns))
    with _file(upload) as path:
        version = import_watchlist(source=source.code, path=path, actor=actor, may_shrink=may_shrink)
    upload.delete()
    return version


@transaction.atomic
def _source(source_id: int, list_name: str, columns: dict[str, str]) -> WatchlistSource:
    if source_id:
        row = lock(WatchlistSource.objects.exclude(columns={}), source_id)
        row.columns = columns
        row.save(update_fields=["columns"])
        return row
    name = " ".join(list_name.split())[:120]
    code = f"own-{slugify(name)}"[:30]
    if len(name) < NAME_CHARS_MIN or code == "own-":
        raise DomainError(_("Enter a name for the list."))
    if WatchlistSource.objects.filter(code=code).exists():
        raise DomainError(_("There is a list of this name already. Choose it above to import its next version."))
    return WatchlistSource.objects.create(
        code=code, name=name, publisher="The brokerage", licence="Internal", columns=columns
    )


def _require_name(columns: Mapping[str, str]) -> None:
    if not columns.get("name") and not columns.get("last_name"):
        raise DomainError(_("Choose the column with the name."))


@contextmanager
def _file(upload: OwnListUpload) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="keelson-own-") as folder:
        path = Path(folder) / (
            upload.file_name if upload.file_name.endswith((".csv", ".txt")) else f"{upload.file_name}.csv"
        )
        path.write_bytes(bytes(upload.content))
        yield path


def forget_uploads() -> int:
    """Delete uploads that were never imported."""
    return OwnListUpload.objects.filter(made_at__lt=timezone.now() - KEPT_FOR).delete()[0]
