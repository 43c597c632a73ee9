"""The session of a running process: the role that owns nothing (crm.security.database_role)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.db.backends.utils import CursorWrapper

from crm.security.database_role import APP_ROLE, grant_app_role


@contextmanager
def app_role() -> Iterator[CursorWrapper]:
    assert grant_app_role()
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {APP_ROLE}")
        yield cursor
        cursor.execute("RESET ROLE")
