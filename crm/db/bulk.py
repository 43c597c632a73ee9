"""Many rows at once: COPY from plain values or from unsaved objects. For imports, generators and benches.

Several times as fast as `bulk_create`, whose INSERT is put together in Python; constraints and triggers hold all the same.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models.expressions import DatabaseDefault
from psycopg.types.json import Jsonb


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows into a table with one COPY; returns how many. Lists become arrays, `Jsonb` wraps JSON, None is NULL."""
    names = ", ".join(f'"{name}"' for name in columns)
    count = 0
    # Errors of the copy itself are psycopg's own; callers expect Django's.
    statement = f'COPY "{table}" ({names}) FROM STDIN'
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_models(objects: Sequence[models.Model]) -> None:
    """Write unsaved objects of one model with one COPY and give them their ids. No `save`, no signals, no history."""
    if not objects:
        return
    meta = type(objects[0])._meta
    fields = [field for field in meta.concrete_fields if not field.generated]
    columns = [field.column for field in fields if field.column is not None]  # concrete: each has one
    if isinstance(meta.pk, models.AutoField | models.BigAutoField):
        assert meta.pk.column is not None
        _give_ids([record for record in objects if record.pk is None], meta.db_table, meta.pk.column)
    readers = [_reader(field) for field in fields]
    copy_rows(meta.db_table, columns, ([read(record) for read in readers] for record in objects))
    for record in objects:
        record._state.adding = False
        record._state.db = connection.alias


def copy_first_versions(objects: Sequence[models.Model], *, at: dt.datetime, by_id: int | None) -> None:
    """Write the first version of each of these rows' history, inside the database: they were written by `copy_models`."""
    if not objects:
        return
    model = type(objects[0])
    versions = model.history.model  # type: ignore[attr-defined]
    columns = ", ".join(f'"{field.column}"' for field in versions.tracked_fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{versions._meta.db_table}" ({columns}, history_date, history_type, history_user_id) '  # noqa: S608
            f'SELECT {columns}, %s, \'+\', %s FROM "{model._meta.db_table}" WHERE "{model._meta.pk.column}" = ANY(%s) ORDER BY 1',
            [at, by_id, [record.pk for record in objects]],
        )


def update_models(objects: Iterable[models.Model], fields: Sequence[str]) -> None:
    """Write these fields of rows of one model with one UPDATE. `bulk_update` puts a CASE of all rows together in Python.

    As there, nothing is called for a row: no `save`, no signals; triggers hold.
    """
    rows = list(objects)
    if not rows:
        return
    meta = rows[0]._meta
    known = {field.name: field for field in meta.concrete_fields}
    changed = [known[name] for name in fields]
    sets = ", ".join(f'"{field.column}" = v{place}' for place, field in enumerate(changed))
    types = [f"%s::{field.db_type(connection)}[]" for field in (meta.pk, *changed)]
    names = ", ".join(f"v{place}" for place in range(len(changed)))
    columns = [[row.pk for row in rows]]
    columns += [[field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows] for field in changed]
    statement = f"""UPDATE "{meta.db_table}" SET {sets} FROM unnest({", ".join(types)}) AS given (pk, {names})
      WHERE "{meta.pk.column}" = given.pk"""  # noqa: S608 - names of columns
    with connection.cursor() as cursor:
        cursor.execute(statement, columns)


def next_ids(*wanted: type[models.Model]) -> tuple[int, ...]:
    """Take the next id of each of these models, with one statement: for rows that are written after those that name them."""
    asked = ", ".join("nextval(pg_get_serial_sequence(%s, %s))" for _model in wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {asked}", [name for model in wanted for name in (model._meta.db_table, model._meta.pk.column)]
        )
        ids: tuple[int, ...] = cursor.fetchone()
    return ids


def _give_ids(objects: Sequence[models.Model], table: str, column: str) -> None:
    if not objects:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)", [table, column, len(objects)]
        )
        for record, (pk,) in zip(objects, cursor.fetchall(), strict=True):
            record.pk = pk


def _reader(field: Any) -> Callable[[models.Model], Any]:
    """Return a function that reads a field's value from an object, in a form that COPY takes."""
    name = field.attname
    if isinstance(field, models.JSONField):
        return lambda record: Jsonb(getattr(record, name))
    if isinstance(field, ArrayField):
        return lambda record: (
            None if getattr(record, name) is None else [_plain(item) for item in getattr(record, name)]
        )
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return lambda record: field.pre_save(record, True)
    return lambda record: _plain(getattr(record, name))


def _plain(value: Any) -> Any:
    if isinstance(value, DatabaseDefault):  # not set: COPY names every column, so the default is written out
        value = getattr(value, "expression").value  # noqa: B009 (the stubs don't know it)
    return value.value if isinstance(value, enum.Enum) else value


# What this transaction wrote many rows into and was next to empty when it was last counted; the application doesn't own tables.
ANALYZE_NEW = """
SELECT keelson_analyze(s.relname::text) FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE s.n_tup_ins > %s AND c.reltuples < %s AND s.schemaname = 'public'
"""


def analyze_new_tables(rows: int) -> None:
    """Let the database know of what a batch of that many rows wrote into tables that held next to nothing.

    While they are new and empty, foreign keys are checked and joins are made by plans that read them whole.
    """
    with connection.cursor() as cursor:
        cursor.execute(ANALYZE_NEW, [rows // 10, 10 * rows])
