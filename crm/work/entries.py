"""What was said and done about an item: append-only entries, with text and files sealed under the client's key.

Where an item is about a member of staff and no client, its text is sealed under the instance's lasting key, and it takes no files.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import CrmAction
from crm.choices import WorkAct, WorkPriority
from crm.db.locking import lock
from crm.errors import DomainError
from crm.file_columns import folder_path
from crm.models import User, WorkEntry, WorkItem
from crm.security import audit, crypto, sealed_files
from crm.security.policies import require
from crm.work.kinds import kind_of

FOLDER = "work"
TEXT_MAX, NAME_MAX, SHOWN_MAX = 4000, 120, 100


def add_entry(
    item: WorkItem, act: WorkAct, actor: User, *, text: str = "", other: User | None = None, **file: Any
) -> WorkEntry:
    """Write one entry in the caller's transaction."""
    sealed = _sealed(item, text) if text else None
    return WorkEntry.objects.create(
        item=item,
        client_id=item.client_id,
        act=act,
        at=timezone.now(),
        actor=actor,
        other=other,
        text_sealed=sealed,
        **file,
    )


def _sealed(item: WorkItem, text: str) -> bytes:
    if item.client_id is None:
        return crypto.encrypt_lasting(crypto.lasting_key("work-entry"), text.encode(), bound_to=str(item.pk))
    return crypto.encrypt_for_client(item.client_id, text.encode())


@transaction.atomic
def comment(
    *, item_id: int, actor: User, text: str = "", file: BinaryIO | File[Any] | None = None, name: str = ""
) -> WorkItem:
    """Add a comment, a file, or both; neither is ever changed. `name`: what the file is called.

    Who: whoever `may_work` on it, before and after the decision. Raises: NotAllowed, DomainError, StorageFull.
    """
    item = lock(WorkItem, item_id)
    kind = kind_of(item)
    require(kind.may_work(actor, kind.subject(item)))
    text = text.strip()
    if not text and file is None:
        raise DomainError(_("Enter a comment or choose a file."))
    if len(text) > TEXT_MAX:
        raise DomainError(_("Enter at most %(count)s characters.") % {"count": TEXT_MAX})
    if text:
        entry = add_entry(item, WorkAct.COMMENT, actor, text=text)
        _record(CrmAction.WORK_COMMENTED, item, actor, {"entry": entry.pk})
    if file is not None:
        _attach(item, actor, file, name)
    return item


def _attach(item: WorkItem, actor: User, file: BinaryIO | File[Any], name: str) -> None:
    if item.client_id is None:
        raise DomainError(_("Files can't be added to this. Write what matters as a comment."))
    token = secrets.token_hex(16)
    key = f"{token[:2]}/{token}"
    owner = sealed_files.of_client(item.client_id)
    if not file.read(1):
        raise DomainError(_("This file is empty. Choose another one."))
    file.seek(0)
    written = sealed_files.write(folder_path(FOLDER) / key, cast("BinaryIO", file), owner=owner)
    name = Path(name.replace("\\", "/")).name[-NAME_MAX:] or "file"
    size, digest = written.size_bytes, written.sha256
    entry = add_entry(item, WorkAct.FILE, actor, text=name, file_key=key, size_bytes=size, sha256=digest)
    _record(CrmAction.WORK_FILE_ATTACHED, item, actor, {"entry": entry.pk, "sha256": digest, "size_bytes": size})


def _record(action: CrmAction, item: WorkItem, actor: User, after: dict[str, Any]) -> None:
    audit.record(actor=actor, action=action, target=item, client_id=item.client_id, brand_id=item.brand_id, after=after)


@dataclass(frozen=True)
class ShownEntry:
    """An entry as its reader sees it; `text` is empty after the client's erasure."""

    entry: WorkEntry
    text: str

    @property
    def priority_label(self) -> str:
        return str(WorkPriority(int(self.text)).label) if self.text.isdecimal() else ""


def entries_of(item: WorkItem) -> list[ShownEntry]:
    """List an item's history, oldest first, at most the last `SHOWN_MAX`; the caller may see the item."""
    rows = list(item.entries.select_related("actor", "other").order_by("-pk")[:SHOWN_MAX])[::-1]
    return [ShownEntry(row, text_of(row)) for row in rows]


def text_of(entry: WorkEntry) -> str:
    """Decrypt what an entry says; empty where it says nothing, or after the client's erasure."""
    if entry.text_sealed is None:
        return ""
    if entry.client_id is None:
        key = crypto.lasting_key("work-entry")
        return crypto.decrypt_lasting(key, entry.text_sealed, bound_to=str(entry.item_id)).decode()
    try:
        return crypto.decrypt_for_client(entry.client_id, entry.text_sealed).decode()
    except crypto.KeyDestroyed:
        return ""


def content_of(entry: WorkEntry) -> Iterator[bytes]:
    """Stream an attached file, which only items about a client have.

    Raises: sealed_files.FileMissing, FileDamaged, crypto.KeyDestroyed.
    """
    assert entry.client_id is not None
    yield from sealed_files.stream(folder_path(FOLDER) / entry.file_key, owner=sealed_files.of_client(entry.client_id))
