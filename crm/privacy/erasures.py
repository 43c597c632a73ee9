"""The register of erasures: who was erased, kept outside the database, so that restoring an older backup does not undo it.

Erasing a client destroys a key in the database. A backup from before still has it. Each erasure is a line of a file that is
only appended to: signed, and chained to the line before. After a restore `manage.py replay_erasures` destroys those keys
again. A line names the client's id and when their key was made: an id that a restored database gave to somebody else later
belongs to another key, and is left alone.

The database is the truth: a line follows the commit, and the clock writes what a crash left out.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from crm.audit_codes import CrmAction
from crm.db.locking import lock_all
from crm.errors import DomainError
from crm.models import SubjectKey
from crm.security import audit, keys

BATCH = 1_000
LINE_BYTES_MAX = 2_000


class RegisterDamaged(DomainError):
    """A line of the register was changed, removed or signed by somebody else."""

    code = "register_damaged"


@dataclass(frozen=True)
class Erasure:
    client_id: int
    key_made_at: dt.datetime
    destroyed_at: dt.datetime


@dataclass
class Replay:
    """What replaying a register did, or would do."""

    destroyed: int = 0
    erased_already: int = 0
    of_another_key: int = 0
    not_in_the_database: int = 0


def register_new() -> int:
    """Append every erasure that the register lacks; returns how many. One writer at a time."""
    path = settings.ERASURE_REGISTER
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as register:
        fcntl.flock(register, fcntl.LOCK_EX)
        known, previous = _known_of(register)
        destroyed = SubjectKey.objects.filter(destroyed_at__isnull=False).order_by("destroyed_at", "client_id")
        rows = destroyed.values_list("client_id", "created_at", "destroyed_at")
        added = 0
        for client_id, made, erased_at in rows.iterator():
            if (client_id, made.isoformat()) in known or erased_at is None:
                continue
            line = _line(Erasure(client_id, made, erased_at), previous)
            register.write(line)
            previous = hashlib.sha256(line).hexdigest()
            added += 1
        register.flush()
        os.fsync(register.fileno())
    return added


def _known_of(register: BinaryIO) -> tuple[set[tuple[int, str]], str]:
    """Return who is in the register, and the hash of its last line; a line that a crash cut off is dropped."""
    known: set[tuple[int, str]] = set()
    previous, end = "", 0
    for line in register:
        if not line.endswith(b"\n"):
            register.truncate(end)
            break
        end += len(line)
        previous = hashlib.sha256(line).hexdigest()
        try:
            row = json.loads(line)
            known.add((row["client_id"], row["key_made_at"]))
        except (ValueError, KeyError, TypeError):
            continue  # named by whoever verifies; what follows is chained to it all the same
    register.seek(end)
    return known, previous


def _line(erasure: Erasure, previous: str) -> bytes:
    row: dict[str, Any] = {
        "client_id": erasure.client_id,
        "key_made_at": erasure.key_made_at.isoformat(),
        "destroyed_at": erasure.destroyed_at.isoformat(),
        "previous": previous,
    }
    row["signature"] = keys.signing_key().sign(_signed(row)).hex()
    return json.dumps(row, separators=(",", ":")).encode() + b"\n"


def _signed(row: dict[str, Any]) -> bytes:
    return b"keelson-erasure|" + json.dumps(row, separators=(",", ":"), sort_keys=True).encode()


def read_register(path: Path) -> Iterator[Erasure]:
    """Read the erasures of a register, each with its signature checked. Raises: RegisterDamaged, FileNotFoundError."""
    previous = ""
    with path.open("rb") as register:
        for number, line in enumerate(iter(lambda: register.readline(LINE_BYTES_MAX), b""), 1):
            if not line.endswith(b"\n") and not register.read(1):
                return  # cut off while it was written: the clock writes it again
            yield _proved(line, previous, f"{path.name}, line {number}")
            previous = hashlib.sha256(line).hexdigest()


def _proved(line: bytes, previous: str, where: str) -> Erasure:
    try:
        row = json.loads(line)
        signature = bytes.fromhex(row.pop("signature"))
        erasure = Erasure(
            int(row["client_id"]),
            dt.datetime.fromisoformat(row["key_made_at"]),
            dt.datetime.fromisoformat(row["destroyed_at"]),
        )
        follows = row["previous"] == previous
    except (ValueError, KeyError, TypeError, AttributeError):
        raise RegisterDamaged(f"{where}: this is no line of a register of erasures.") from None
    if not keys.is_signed_by_us(signature, _signed(row)):
        raise RegisterDamaged(
            f"{where}: not signed by this instance. Check KEELSON_SEAL_KEY and KEELSON_SEAL_KEYS_OLD."
        )
    if not follows:
        raise RegisterDamaged(f"{where}: it does not follow the line before: a line is missing or was moved.")
    return erasure


def replay(paths: Sequence[Path], *, change: bool = True) -> Replay:
    """Destroy again the keys of everybody whom these registers name. Nothing is destroyed unless all of them are proved."""
    for path in paths:
        for _erasure in read_register(path):
            pass
    result = Replay()
    for path in paths:
        for batch in _batches(read_register(path)):
            _replay_batch(batch, result, change=change)
    if change:
        register_new()
    return result


def _batches(erasures: Iterable[Erasure]) -> Iterator[list[Erasure]]:
    batch: list[Erasure] = []
    for erasure in erasures:
        batch.append(erasure)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


@transaction.atomic
def _replay_batch(batch: list[Erasure], result: Replay, *, change: bool) -> None:
    rows = lock_all(SubjectKey.objects.filter(client_id__in=[erasure.client_id for erasure in batch]))
    by_client = {row.client_id: row for row in rows}
    again: list[SubjectKey] = []
    for erasure in batch:
        row = by_client.get(erasure.client_id)
        if row is None:
            result.not_in_the_database += 1
        elif row.created_at != erasure.key_made_at:
            result.of_another_key += 1
        elif row.wrapped is None:
            result.erased_already += 1
        else:
            row.wrapped, row.destroyed_at = None, erasure.destroyed_at
            again.append(row)
            result.destroyed += 1
    if change and again:
        SubjectKey.objects.bulk_update(again, ["wrapped", "destroyed_at"])
        audit.record(
            actor=None,
            action=CrmAction.ERASURES_REPLAYED,
            target=("crm.subjectkey", again[0].client_id),
            evidence={"clients": [row.client_id for row in again]},
        )


def destroy_client_key(client_id: int) -> None:
    """Erase a client: nothing under their key opens again, and the register of erasures says so after the commit."""
    SubjectKey.objects.filter(client_id=client_id, destroyed_at__isnull=True).update(
        wrapped=None, destroyed_at=timezone.now()
    )
    transaction.on_commit(register_new, robust=True)
