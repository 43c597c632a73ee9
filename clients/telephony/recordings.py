"""Recordings: fetched from the exchange within bounds, kept encrypted, played in pieces, deleted when their time is over."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clients.audit_codes import ClientsAction
from clients.brand_policies import RECORDINGS_KEPT_DAYS
from clients.models import PhoneCall, PhoneRecording
from clients.telephony.adapters import adapter_of
from clients.telephony.choices import RecordingState
from clients.telephony.protocol import RecordingReport
from crm.connections.fetching import claim_due, note_failure
from crm.connections.http import watched
from crm.connections.protocol import ServiceRefused
from crm.db.locking import lock, lock_or_none
from crm.errors import DomainError, OutsideWorldError
from crm.models import Brand
from crm.queue.enqueue import enqueue_soon_on_commit
from crm.security import audit, sealed_files

FOLDER: Final = "recordings"
# What wraps the key of a recording of which no client is known.
PURPOSE: Final = "phone-recording"
CONTENT_TYPE: Final = "audio/wav"
# An hour and more of a telephone's sound: 8,000 samples a second of two bytes.
BYTES_MAX: Final = 64 * 2**20
TASK: Final = "clients.keep_recordings"
BATCH: Final = 20
DELETED_AT_A_TIME: Final = 500


def path_of(key: str) -> Path:
    """Return where a recording's file is. A key is made here, and never a path."""
    return Path(settings.PRIVATE_DIR) / FOLDER / key[:2] / key


def owner_of(client_id: int | None) -> sealed_files.Owner:
    """Return whose key wraps a recording's: erasing the client makes it unreadable."""
    return sealed_files.of_client(client_id) if client_id is not None else sealed_files.of_instance(PURPOSE)


def note_recording(call: PhoneCall, report: RecordingReport) -> bool:
    """Have a recording fetched that the exchange has; False where it is known. The caller holds the call's lock."""
    values = {"seconds": report.seconds, "is_voicemail": report.is_voicemail, "due_at": timezone.now()}
    _row, is_new = PhoneRecording.objects.get_or_create(
        phone_call=call, recording_id=report.recording_id, defaults=values
    )
    if is_new:
        enqueue_soon_on_commit(TASK)
    return is_new


def keep_due(*, limit: int = BATCH) -> int:
    """Fetch the recordings that are due, the oldest first; returns how many were kept."""
    due = PhoneRecording.objects.filter(state=RecordingState.WAITING, due_at__lte=timezone.now())
    ids = list(due.order_by("due_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(keep(pk) for pk in ids)


def keep(recording_id: int) -> bool:
    """Fetch one recording and keep it; False where it isn't due, or the exchange didn't give it."""
    waiting = PhoneRecording.objects.filter(state=RecordingState.WAITING)
    row = claim_due(waiting, recording_id, "phone_call__exchange")
    if row is None:
        return False
    call = row.phone_call
    key = secrets.token_hex(16)
    try:
        with (
            watched(call.exchange),
            adapter_of(call.exchange).recording(row.recording_id, bytes_max=BYTES_MAX) as pieces,
        ):
            written = sealed_files.write(path_of(key), _wav(pieces), owner=owner_of(call.client_id))
    except ServiceRefused as error:
        _fail(recording_id, error.message, for_good=True)
        return False
    except (OutsideWorldError, DomainError) as error:
        _fail(recording_id, error.message)
        return False
    with transaction.atomic():
        row = lock(PhoneRecording, recording_id)
        row.move_to(RecordingState.KEPT)
        row.store_key, row.size_bytes, row.sha256 = key, written.size_bytes, written.sha256
        row.sealed_for_id, row.kept_at, row.due_at, row.problem = call.client_id, timezone.now(), None, ""
        row.save()
    return True


def _wav(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a WAV file on, in pieces of one size. Raises: ServiceRefused for anything else."""
    held = bytearray()
    is_checked = False
    for piece in pieces:
        held += piece
        if not is_checked and len(held) >= 12:
            if held[:4] != b"RIFF" or held[8:12] != b"WAVE":
                raise ServiceRefused(_("The recording isn't a sound file that we know."))
            is_checked = True
        while len(held) > sealed_files.CHUNK_BYTES:
            yield bytes(held[: sealed_files.CHUNK_BYTES])
            del held[: sealed_files.CHUNK_BYTES]
    if not is_checked:
        raise ServiceRefused(_("The recording isn't a sound file that we know."))
    yield bytes(held)


def _fail(recording_id: int, problem: str, *, for_good: bool = False) -> None:
    note_failure(PhoneRecording, recording_id, problem, failed=RecordingState.FAILED, for_good=for_good)


def stream(row: PhoneRecording, *, first: int, last: int) -> Iterator[bytes]:
    """Decrypt the bytes of a recording from `first` to `last`, both included. Raises: as `sealed_files.stream`."""
    place = 0
    for chunk in sealed_files.stream(path_of(row.store_key), owner=owner_of(row.sealed_for_id)):
        begin, end = max(first - place, 0), min(last + 1 - place, len(chunk))
        if begin < end:
            yield chunk[begin:end]
        place += len(chunk)
        if place > last:
            return


def delete_expired() -> int:
    """Delete the recordings that each brand has kept for as long as its policy says; returns how many."""
    return sum(_delete_of(brand) for brand in Brand.objects.order_by("pk"))


def _delete_of(brand: Brand) -> int:
    before = timezone.now() - dt.timedelta(days=RECORDINGS_KEPT_DAYS.of(brand))
    rows = PhoneRecording.objects.filter(
        state=RecordingState.KEPT, kept_at__lt=before, phone_call__exchange__brand=brand
    )
    ids = list(rows.order_by("kept_at").values_list("pk", flat=True)[:DELETED_AT_A_TIME])
    return sum(_delete(pk, brand.pk) for pk in ids)


@transaction.atomic
def _delete(recording_id: int, brand_id: int) -> bool:
    row = lock_or_none(PhoneRecording.objects.filter(state=RecordingState.KEPT), recording_id, "phone_call")
    if row is None:
        return False
    path = path_of(row.store_key)
    row.move_to(RecordingState.DELETED)
    row.store_key = ""
    row.save(update_fields=["state", "store_key"])
    audit.record(
        actor=None,
        action=ClientsAction.RECORDING_DELETED,
        target=row,
        client_id=row.phone_call.client_id,
        brand_id=brand_id,
        after={"kept_at": row.kept_at},
    )
    transaction.on_commit(lambda: path.unlink(missing_ok=True))
    return True
