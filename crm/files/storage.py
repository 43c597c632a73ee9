"""Room on the disk that holds documents and results: administrators hear of it before it runs out."""

from __future__ import annotations

import shutil
from pathlib import Path

import psycopg
from django.conf import settings
from django.utils import timezone

from crm.i18n.localized_text import phrase, value_phrase
from crm.notices.kinds import CrmNotice
from crm.notices.notify import notify, people_with
from crm.security.sealed_files import NO_ROOM

# Below either of them administrators are notified, once a day.
FREE_BYTES_MIN = 2 * 1024**3
FREE_PART_MIN = 0.05


def is_full(error: BaseException | None) -> bool:
    """Check whether an error, or its cause, is a disk without room: ours, or the database's."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            return True
        if isinstance(error, psycopg.errors.DiskFull):
            return True
        error = error.__cause__ or error.__context__
    return False


def notify_when_short() -> bool:
    """Notify the administrators when little room is left. Returns whether that is so."""
    folder = Path(settings.PRIVATE_DIR)
    while not folder.exists():
        folder = folder.parent
    disk = shutil.disk_usage(folder)
    if disk.free >= min(FREE_BYTES_MIN, disk.total * FREE_PART_MIN):
        return False
    notify(
        people_with("crm.manage_events"),
        kind=CrmNotice.STORAGE_SHORT,
        title=phrase("Only %(free)s of storage left for documents and results")
        % {"free": value_phrase("size", disk.free)},
        body=(
            phrase(
                "When storage is full, uploads, exports and statements are rejected. Free up space on "
                "the disk of %(folder)s."
            )
            % {"folder": settings.PRIVATE_DIR}
        ),
        dedupe_key=f"crm.storage_short:{timezone.now():%Y-%m-%d}",
    )
    return True
