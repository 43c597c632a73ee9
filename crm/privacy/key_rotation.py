"""Exchanging the field key: everything that an older one wrapped is wrapped again under today's.

A value says which key wrapped it, so what is left to do is read from the values themselves: a run that was killed is simply
run again. Rows go in batches of their own transactions, each locked while it is changed; files get a new header beside the
old one, which takes its place in one step. Contents are never decrypted: only keys and short secrets are.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction

from crm.accounts.adapters import SECRETS
from crm.audit_codes import AuditCode, CrmAction
from crm.db.locking import lock_or_none
from crm.security import audit, crypto, keys, sealed_files
from crm.security.sealed_columns import COLUMNS, FILE_PURPOSES, SealedColumn

BATCH_ROWS = 1_000
NAMED_MAX = 20
# The shortest sealed value: nonce and tag. What is shorter was emptied.
SEALED_BYTES_MIN = 28
FORGOTTEN_SECONDS = 3600


@dataclass
class Store:
    """What a run found in one place."""

    name: str
    rewrapped: int = 0
    left: int = 0
    unreadable: list[str] = field(default_factory=list)
    unreadable_count: int = 0

    def cannot_read(self, what: object) -> None:
        self.unreadable_count += 1
        if len(self.unreadable) < NAMED_MAX:
            self.unreadable.append(str(what))


def rotate(*, batch_rows: int = BATCH_ROWS) -> list[Store]:
    """Wrap everything again that today's field key did not wrap. Safe to kill, to repeat, and to run beside the pages."""
    key = keys.field_key()
    _note(CrmAction.FIELD_KEY_ROTATION_STARTED, {})
    stores = [_rotate_column(column, batch_rows) for column in COLUMNS]
    stores += [_rotate_factors(batch_rows), _rotate_files()]
    counts = {store.name: store.rewrapped for store in stores if store.rewrapped}
    unreadable = {store.name: store.unreadable_count for store in stores if store.unreadable_count}
    _note(CrmAction.FIELD_KEY_ROTATED, {"rewrapped": counts, "unreadable": unreadable})
    assert key == keys.field_key()
    return stores


def left() -> list[Store]:
    """Count what each place still holds under other keys than today's. Changes nothing."""
    stores = []
    for column in COLUMNS:
        table, _pk, name, condition = _sql(column)
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM {table} WHERE {name} IS NOT NULL AND {condition}",  # noqa: S608 — our own names
                [keys.field_key().prefix],
            )
            stores.append(Store(str(column), left=cursor.fetchone()[0]))
    factors = Store("mfa.Authenticator.data")
    for _factor, data in _factors():
        factors.left += any(not _is_current(bytes.fromhex(text)) for text in _secrets_of(data))
    files = Store("files")
    for path in _files():
        files.left += _file_purpose(path, files) is not None
    return [*stores, factors, files]


def _note(action: AuditCode, evidence: dict[str, Any]) -> None:
    with transaction.atomic():
        key_id = keys.field_key().key_id.hex()
        audit.record(actor=None, action=action, target=("crm.fieldkey", key_id), evidence={"key": key_id, **evidence})


def _is_current(sealed: bytes) -> bool:
    return sealed.startswith(keys.field_key().prefix)


def _sql(column: SealedColumn) -> tuple[str, str, str, str]:
    """Table, primary key, column, and the condition for a value that an older key wrapped (one parameter: today's prefix)."""
    meta = apps.get_model(column.model)._meta
    quote = connection.ops.quote_name
    name = quote(column.column)
    older = (
        f"({column.where}) AND octet_length({name}) >= {SEALED_BYTES_MIN}"
        f" AND substring({name} FOR {keys.PREFIX_BYTES}) <> %s"
    )
    assert meta.pk is not None
    return quote(meta.db_table), quote(meta.pk.column), name, older


def _rotate_column(column: SealedColumn, batch_rows: int) -> Store:
    store = Store(str(column))
    table, pk, name, older = _sql(column)
    after: int | str | None = None
    while True:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {pk}, {name} FROM {table} WHERE {older}"  # noqa: S608 — our own names
                + (f" AND {pk} > %s" if after is not None else "")
                + f" ORDER BY {pk} LIMIT {int(batch_rows)} FOR UPDATE",
                [keys.field_key().prefix, *([after] if after is not None else [])],
            )
            rows = cursor.fetchall()
            if not rows:
                return store
            changed = list(_rewrapped(column, rows, store))
            cursor.executemany(f"UPDATE {table} SET {name} = %s WHERE {pk} = %s", changed)  # noqa: S608
        store.rewrapped += len(changed)
        after = rows[-1][0]


def _rewrapped(column: SealedColumn, rows: list[tuple[Any, Any]], store: Store) -> Iterator[tuple[bytes, Any]]:
    for pk, sealed in rows:
        bound_to = str(pk) if column.bound_to_row else ""
        try:
            plain = crypto.decrypt(sealed, purpose=column.purpose, bound_to=bound_to)
        except (InvalidTag, keys.FieldKeyMissing):
            store.cannot_read(pk)
            continue
        yield crypto.encrypt(plain, purpose=column.purpose, bound_to=bound_to), pk


# --- second factors: allauth keeps their secrets as hex in JSON ---


def _secrets_of(data: dict[str, Any]) -> list[str]:
    return [data[name] for name in ("secret", "seed") if data.get(name)] + list(data.get("migrated_codes") or [])


def _factors(after: int = 0, batch_rows: int = BATCH_ROWS) -> Iterator[tuple[int, dict[str, Any]]]:
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, data FROM mfa_authenticator WHERE id > %s AND type <> 'webauthn' ORDER BY id LIMIT %s",
                [after, batch_rows],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        for pk, data in rows:
            yield pk, json.loads(data)
        after = rows[-1][0]


def _rotate_factors(batch_rows: int) -> Store:
    from allauth.mfa.models import Authenticator

    store = Store("mfa.Authenticator.data")
    for pk, data in _factors(batch_rows=batch_rows):
        if all(_is_current(bytes.fromhex(text)) for text in _secrets_of(data)):
            continue
        with transaction.atomic():
            row = lock_or_none(Authenticator, pk)
            if row is None:
                continue
            try:
                row.data = {name: _again(name, value) for name, value in row.data.items()}
            except (InvalidTag, keys.FieldKeyMissing):
                store.cannot_read(pk)
                continue
            row.save(update_fields=["data"])
        store.rewrapped += 1
    return store


def _again(name: str, value: Any) -> Any:
    if name == "migrated_codes":
        return [_again("seed", code) for code in value or []]
    if name not in ("secret", "seed") or not value:
        return value
    return crypto.encrypt(crypto.decrypt(bytes.fromhex(value), purpose=SECRETS), purpose=SECRETS).hex()


# --- files: a file's own key is wrapped in its header ---


def _files() -> Iterator[Path]:
    """Yield all files of the private folder, without reading a large folder into memory."""
    waiting = [Path(settings.PRIVATE_DIR)]
    while waiting:
        try:
            entries = os.scandir(waiting.pop())
        except FileNotFoundError:
            continue
        with entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.is_file(follow_symlinks=False) and not entry.name.endswith(".partial"):
                    yield Path(entry.path)
                elif (
                    entry.name.endswith(sealed_files.REWRAPPING)
                    and time.time() - entry.stat().st_mtime > FORGOTTEN_SECONDS
                ):
                    Path(entry.path).unlink(missing_ok=True)  # of a run that was killed


def _file_purpose(path: Path, store: Store) -> str | None:
    """Find the purpose under which an older field key wrapped the file's key; None when there is nothing to rotate.

    A key that no purpose opens is a client's: those are wrapped by the client's key, which is in the database. One that says
    which field key wrapped it, and that key is not there, is unreadable.
    """
    wrapped = sealed_files.wrapped_key_of(path)
    if wrapped is None or _is_current(wrapped):
        return None
    for purpose in sorted(FILE_PURPOSES):
        try:
            crypto.decrypt(wrapped, purpose=purpose)
        except InvalidTag:
            continue
        except keys.FieldKeyMissing:
            store.cannot_read(path.relative_to(settings.PRIVATE_DIR))
            return None
        return purpose
    return None


def _rotate_files() -> Store:
    store = Store("files")
    for path in _files():
        purpose = _file_purpose(path, store)
        if purpose is not None:
            store.rewrapped += sealed_files.rewrap(path, owner=sealed_files.of_instance(purpose))
    return store
