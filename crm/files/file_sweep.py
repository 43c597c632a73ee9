"""Delete files that no row names: what a process left that was killed between writing a file and its row.

After an older database is restored, files written since then look just the same, and may be somebody's only copy. So the newest
seal of the audit log is noted beside the files. While the database doesn't know that seal, or when there are more orphans than
crashes leave, nothing is deleted before a person has decided (`manage.py sweep_orphans --delete`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crm.audit_codes import CrmAction
from crm.file_columns import FileColumn, by_folder, folder_path, unnamed
from crm.i18n.localized_text import phrase
from crm.models import AuditSeal
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, people_with
from crm.security import audit

ORPHAN_AGE_SECONDS = 24 * 3600
# What killed processes leave in a day. More than that is no accident of a process.
ORPHANS_MAX = 50
PARTIAL = ".partial"


@dataclass
class Sweep:
    """removed: per folder. refused: why nothing was deleted, if so."""

    removed: dict[str, int] = field(default_factory=dict)
    refused: str = ""

    @property
    def total(self) -> int:
        return sum(self.removed.values())


# --- which database the files belong to ---


def _mark() -> Path:
    return Path(settings.PRIVATE_DIR) / "newest-seal"


def note_newest_seal(*, is_confirmed: bool = False) -> bool:
    """Note the newest seal beside the files; False when the database is older than they are and nobody confirmed it."""
    if not is_confirmed and is_older_than_files():
        return False
    newest = AuditSeal.objects.order_by("-id").first()
    if newest is None:
        return True
    mark = _mark()
    mark.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = mark.with_name(f"{mark.name}.{os.getpid()}{PARTIAL}")
    draft.write_text(bytes(newest.seal_hash).hex())
    draft.replace(mark)
    return True


def is_older_than_files() -> bool:
    """Check whether the database lacks the seal that was the newest when files were last written: a backup was restored."""
    try:
        noted = bytes.fromhex(_mark().read_text())
    except (FileNotFoundError, ValueError):
        return False
    return not AuditSeal.objects.filter(seal_hash=noted).exists()


# --- orphans ---


def orphans_in(folder: str, columns: list[FileColumn], *, older_than_seconds: float) -> Iterator[str]:
    """Yield the places below a folder that no row names."""
    yield from unnamed(columns, (place for place in _places(folder, older_than_seconds) if not place.endswith(PARTIAL)))


def _places(folder: str, older_than_seconds: float) -> Iterator[str]:
    root, limit = folder_path(folder), time.time() - older_than_seconds
    for parent, _folders, names in os.walk(root):
        for name in names:
            path = Path(parent, name)
            try:
                if path.stat().st_mtime <= limit:
                    yield str(path.relative_to(root))
            except FileNotFoundError:
                continue  # deleted meanwhile


def sweep_orphans(*, older_than_seconds: float = ORPHAN_AGE_SECONDS, is_confirmed: bool = False) -> Sweep:
    """Delete the orphans of all folders, or none of them and notify administrators. Run by beat.

    is_confirmed: a person has decided that they may go.
    """
    drop_partial(older_than_seconds)
    orphans: dict[str, list[str]] = {}
    for folder, columns in by_folder().items():
        orphans[folder] = list(orphans_in(folder, columns, older_than_seconds=older_than_seconds))
    count = sum(map(len, orphans.values()))
    refused = "" if is_confirmed or not count else _why_not(count)
    if refused:
        _notify_administrators(count)
        return Sweep(refused=refused)
    if is_confirmed:
        note_newest_seal(is_confirmed=True)
    return Sweep(removed=_remove(orphans))


def drop_partial(older_than_seconds: float) -> None:
    """Delete files that were never whole: whoever wrote them was killed."""
    for folder in by_folder():
        for place in _places(folder, older_than_seconds):
            if place.endswith(PARTIAL):
                (folder_path(folder) / place).unlink(missing_ok=True)


def _why_not(count: int) -> str:
    if is_older_than_files():
        return "the files are newer than the database: an older backup was restored"
    if count > ORPHANS_MAX:
        return f"{count} files have no row, more than {ORPHANS_MAX}: rows were lost, or files came from elsewhere"
    return ""


def _remove(orphans: dict[str, list[str]]) -> dict[str, int]:
    removed = {folder: len(places) for folder, places in orphans.items() if places}
    if removed:
        with transaction.atomic():
            audit.record(actor=None, action=CrmAction.ORPHANS_DELETED, target=("crm.files", "private"), after=removed)
    for folder, places in orphans.items():
        for place in places:
            (folder_path(folder) / place).unlink(missing_ok=True)
    return removed


def _notify_administrators(count: int) -> None:
    notify(
        people_with("crm.manage_events"),
        kind=CrmNotice.ORPHANS_KEPT,
        title=phrase("%(count)s stored files aren't linked to any record; none were deleted") % {"count": count},
        body=phrase(
            "An older database may have been restored. Run manage.py verify_files, then manage.py "
            "sweep_orphans, which lists them and deletes them only on request."
        ),
        dedupe_key=f"crm.orphans_kept:{timezone.now():%Y-%m-%d}",
    )
