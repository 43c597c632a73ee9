"""A world that several tests of a module only look at, made once: what a test does to it is undone at its end.

    @pytest.fixture(scope="module")
    def built(django_db_setup, django_db_blocker):
        with undone(django_db_blocker):
            yield make()

    @pytest.fixture
    def world(built, django_db_blocker):
        with undone(django_db_blocker):
            yield built

Rows only: a test doesn't change the objects that it is handed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction


@contextmanager
def undone(blocker: Any) -> Iterator[None]:
    """Whatever is written within is rolled back at its end, by a savepoint where one begins within another."""
    atomic = transaction.atomic()
    atomic._from_testcase = True  # type: ignore[attr-defined]
    with blocker.unblock(), atomic:
        yield
        transaction.set_rollback(True)
