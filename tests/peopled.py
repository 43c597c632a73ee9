"""A second database of each test process, in which the cast has been hired already.

Three quarters of the tests begin with the same people, and making them takes as long as many a test does. So they are made once
and committed, and each test with a cast that is rolled back anyway starts from there, with objects of its own. A test that
commits makes its cast anew: what it wrote is deleted afterwards, to the last row.
"""

from __future__ import annotations

import os
import pickle
from typing import Any

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django.plugin import blocking_manager_key

from tests import database
from tests.cast import Cast, make_cast

# Each table counts from a number of its own: a client's id is nobody else's, and no house number either.
OWN_NUMBERS = """
SELECT setval(seqrelid, 1000 + 37 * row_number() OVER (ORDER BY seqrelid)) FROM pg_sequence
WHERE pg_sequence_last_value(seqrelid) IS NULL AND seqmax > 1000000
"""
COMMITTING = {"transactional_db", "live_server"}
_wrappers: dict[str, BaseDatabaseWrapper] = {}
_pickled: list[bytes] = []


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: Any) -> None:
    """The database is chosen when it is there and no test has begun with it."""
    if fixturedef.argname == "_django_db_helper":
        with request.config.stash[blocking_manager_key].unblock():
            _choose(with_cast=_starts_with_cast(request.node))


def pytest_fixture_post_finalizer(fixturedef: pytest.FixtureDef[Any]) -> None:
    """Between tests it is the empty one: what is set up for a whole class begins there."""
    if fixturedef.argname == "_django_db_helper" and _wrappers:
        _choose(with_cast=False)


@pytest.fixture
def cast(db: None) -> Cast:
    is_there = settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] == database.with_cast(_bare())
    return pickle.loads(_pickled[0]) if is_there else make_cast()


def _bare() -> str:
    return str(settings.DATABASES[DEFAULT_DB_ALIAS]["TEST"]["NAME"])


def _starts_with_cast(item: pytest.Item) -> bool:
    names = set(getattr(item, "fixturenames", ()))
    marker = item.get_closest_marker("django_db")
    commits = bool(names & COMMITTING) or bool(marker and (marker.args or marker.kwargs))
    return "cast" in names and not commits


def _choose(*, with_cast: bool) -> None:
    bare = _bare()
    name = database.with_cast(bare) if with_cast else bare
    if not _wrappers:
        _wrappers[bare] = connections[DEFAULT_DB_ALIAS]
    is_new = name not in _wrappers
    if is_new:
        database.clone_database(database.ensure_template(), name)
        values = {**settings.DATABASES[DEFAULT_DB_ALIAS], "NAME": name}
        _wrappers[name] = type(_wrappers[bare])(values, DEFAULT_DB_ALIAS)
    settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = name
    os.environ["DATABASE_URL"] = database.database_url_of(name)
    connections[DEFAULT_DB_ALIAS] = _wrappers[name]
    if is_new:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(OWN_NUMBERS)
        _pickled.append(pickle.dumps(make_cast()))
