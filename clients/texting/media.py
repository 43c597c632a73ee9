"""Pictures and files of messages: fetched from the service by a worker, checked like every file, kept under the client's key."""

from __future__ import annotations

import io
import mimetypes
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.messages import files
from clients.messages.uploaded_files import SCANNER_AWAY, CheckedFile, check_files
from clients.models import TextFile, TextMessage
from clients.texting.adapters import adapter_of
from clients.texting.choices import TextFileState
from crm.connections.fetching import claim_due, note_failure
from crm.connections.http import watched
from crm.connections.protocol import ServiceRefused
from crm.db.locking import lock
from crm.errors import DomainError, OutsideWorldError
from crm.queue.enqueue import enqueue_soon_on_commit

TASK: Final = "clients.keep_text_files"
BYTES_MAX: Final = 16 * 2**20  # what WhatsApp takes
BATCH: Final = 20


class _Fetched(io.BytesIO):
    """A fetched file as uploads are. WhatsApp gives no names: the type by the first bytes decides."""

    name: str | None = "file"


def note_files(row: TextMessage, media_ids: tuple[str, ...]) -> None:
    """Have the files of a message fetched. In the transaction that keeps the message."""
    TextFile.objects.bulk_create(
        [
            TextFile(message=row, number=number, remote_id=media_id, due_at=timezone.now())
            for number, media_id in enumerate(dict.fromkeys(media_ids), start=1)
        ]
    )
    if media_ids:
        enqueue_soon_on_commit(TASK)


def keep_due(*, limit: int = BATCH) -> int:
    """Fetch the files that are due, the oldest first; returns how many were kept."""
    due = TextFile.objects.filter(state=TextFileState.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(keep(pk) for pk in ids)


def keep(file_id: int) -> bool:
    """Fetch one file, check and keep it; False where it isn't due, the service doesn't give it, or it isn't accepted."""
    row = claim_due(TextFile.objects.filter(state=TextFileState.WAITING), file_id, "message__service")
    if row is None:
        return False
    service, bytes_max = row.message.service, min(BYTES_MAX, settings.UPLOAD_MAX_BYTES)
    try:
        with watched(service):
            content = adapter_of(service).media(row.message.remote_id, row.remote_id, bytes_max=bytes_max)
        [checked] = check_files([_Fetched(content)])
    except ServiceRefused as error:
        return _fail(file_id, error.message, for_good=True)
    except OutsideWorldError as error:
        return _fail(file_id, error.message)
    except DomainError as error:
        return _fail(file_id, error.message, for_good=error.code != SCANNER_AWAY)
    return _keep(row, checked)


def _keep(row: TextFile, checked: CheckedFile) -> bool:
    """Write the file under the message's key. Assigned to a client meanwhile: the next try writes it under theirs."""
    owner_id = row.message.sealed_for_id
    key = files.write(checked.content, owner_id)
    with transaction.atomic():
        message = lock(TextMessage, row.message_id)
        row = lock(TextFile, row.pk)
        if message.sealed_for_id != owner_id or row.state != TextFileState.WAITING:
            files.path_of(key).unlink(missing_ok=True)
            TextFile.objects.filter(pk=row.pk, state=TextFileState.WAITING).update(due_at=timezone.now())
            return False
        row.move_to(TextFileState.KEPT)
        row.name = _("File %(number)s") % {"number": row.number} + (
            mimetypes.guess_extension(checked.content_type) or ""
        )
        row.content_type, row.size_bytes, row.sha256 = checked.content_type, len(checked.content), checked.sha256
        row.sealed_for_id, row.store_key, row.due_at, row.problem = owner_id, key, None, ""
        row.save()
    return True


def give_to(message: TextMessage, client_id: int) -> None:
    """Seal the files of a message under the key of the client whom it was assigned to. The caller holds the thread's lock."""
    for row in TextFile.objects.filter(message=message).exclude(store_key=""):
        files.reseal(row, client_id)


def _fail(file_id: int, problem: str, *, for_good: bool = False) -> bool:
    note_failure(TextFile, file_id, problem, failed=TextFileState.FAILED, for_good=for_good)
    return False
