"""Each verb that locks is called while somebody else holds what it locks: it waits there, before it has written anything.

Without the lock it would go on, read what is just being changed, and decide by it.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.conf import settings
from django.db import OperationalError, connection, transaction

from crm.models import User
from tests import database
from tests.verbs.calls import WRITES, arguments, function_of
from tests.verbs.code import verbs
from tests.verbs.doors import DOORS, SYSTEM_DOORS, Door
from tests.verbs.locks import EXCEPTIONS, LOCKS

TABLES = {model._meta.db_table: model.__name__ for model in apps.get_models()}
PATIENCE = "40ms"


@dataclass(frozen=True)
class Taken:
    """A lock that a verb asked for: its name in the table, and the statement that asked."""

    name: str
    sql: str
    params: Any


def name_of(sql: str, params: Any) -> str | None:
    if "pg_advisory_xact_lock" in sql:
        said = re.search(r"hashtext\('([\w.]+)'\)", sql)
        return f"~{said[1] if said else params[0]}"
    row = re.search(r'FROM "(\w+)".*\bFOR (?:NO KEY )?UPDATE\b', sql, re.S)
    return TABLES.get(row[1]) if row and "SKIP LOCKED" not in sql else None


@contextmanager
def taking(taken: list[Taken]) -> Iterator[None]:
    """Notes the locks until the first write."""
    has_written = False

    def note(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal has_written
        has_written = has_written or bool(WRITES.match(str(sql)))
        if not has_written and (name := name_of(str(sql), params)):
            taken.append(Taken(name, str(sql), params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield


def attempt(call: Callable[[], Any]) -> tuple[list[Taken], Exception | None]:
    """The locks a call takes, and what it raises; undone."""
    point, taken = transaction.savepoint(), []
    raised: Exception | None = None
    with taking(taken):
        try:
            call()
        except Exception as error:
            raised = error
    transaction.set_rollback(False)
    transaction.savepoint_rollback(point)
    return taken, raised


@pytest.fixture(scope="module")
def somebody_else(staff: dict[str, User]) -> Iterator[psycopg.Connection]:
    """A second connection to the demo, which holds what it is told to."""
    with psycopg.connect(database.database_url_of(str(settings.DATABASES["default"]["NAME"]))) as other:
        yield other


def holds(other: psycopg.Connection, lock: Taken) -> bool:
    """Whether somebody else has it now: not where the row was made in this test and is theirs to see."""
    other.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
    try:
        found = other.execute(lock.sql, lock.params).fetchall()
    except psycopg.errors.LockNotAvailable:
        return False
    return bool(found)


def call_of(name: str, people: dict[str, User]) -> Callable[[], Any]:
    door, verb = {**SYSTEM_DOORS, **DOORS}.get(name, Door()), function_of(name)
    given = arguments(name, door.given(), door.where)
    if "actor" in inspect.signature(verb).parameters:
        given["actor"] = door.by(given) if door.by else people["insider"]
    return lambda: verb(**given)


def test_every_verb_that_locks_has_its_line():
    locking = {name for name, verb in verbs().items() if verb.is_locking}
    assert not sorted(locking - set(LOCKS) - set(EXCEPTIONS)), "no line in tests/verbs/locks.py"
    assert not sorted({*LOCKS, *EXCEPTIONS} - set(verbs())), "verbs that are gone"


@pytest.mark.parametrize("name", sorted(LOCKS))
def test_a_verb_waits_for_whoever_holds_its_locks(name: str, anew: dict[str, User], somebody_else: psycopg.Connection):
    call = call_of(name, anew)
    taken, _raised = attempt(call)
    missing = set(LOCKS[name].split()) - {one.name for one in taken}
    assert not missing, f"writes, or decides, without a lock on {missing}"
    for lock in {one.name: one for one in reversed(taken) if one.name in LOCKS[name].split()}.values():
        try:
            if not holds(somebody_else, lock):
                continue
            connection.cursor().execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            reached, raised = attempt(call)
            assert isinstance(raised, OperationalError) and "lock timeout" in str(raised), f"{lock.name}: {raised!r}"
            assert reached[-1].name == lock.name
        finally:
            somebody_else.rollback()
            connection.cursor().execute("SET LOCAL lock_timeout = 0")
