"""Further databases of each test process: one in which the cast has been hired already, one that holds the demo, and one for
each world that many tests begin with.

Three quarters of the tests begin with the same people, and making them takes as long as many a test does. So they are made once
and committed, and each test with a cast that is rolled back anyway starts from there, with objects of its own. A test that
commits makes its cast anew: what it wrote is deleted afterwards, to the last row.

A fixture that builds on the cast, and many tests ask for, is made once likewise: `network = kept(make_network)`. Its objects
come out of the same box as the cast's, so that `network.account.client` is `cast.client`. What it makes must bear being pickled.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from pytest_django.plugin import blocking_manager_key

from tests import database, demo_template
from tests.cast import Cast, make_cast

# Each table counts from a number of its own: a client's id is nobody else's, and no house number either.
OWN_NUMBERS = """
SELECT setval(seqrelid, 1000 + 37 * row_number() OVER (ORDER BY seqrelid)) FROM pg_sequence
WHERE pg_sequence_last_value(seqrelid) IS NULL AND seqmax > 1000000
"""
COMMITTING = {"transactional_db", "live_server"}
_wrappers: dict[str, BaseDatabaseWrapper] = {}
_pickled: dict[str, bytes] = {}  # by database: the cast, and what was made of it there
_worlds: dict[str, Callable[[Cast], Any]] = {}  # by the name of the fixture


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[Any], request: Any) -> None:
    """The database is chosen when it is there and no test has begun with it."""
    if fixturedef.argname == "_django_db_helper":
        with request.config.stash[blocking_manager_key].unblock():
            _choose(_wanted_by(request.node))


def pytest_fixture_post_finalizer(fixturedef: pytest.FixtureDef[Any], request: Any) -> None:
    """Between tests it is the empty one: what is set up for a whole class begins there."""
    if fixturedef.argname == "_django_db_helper" and _wrappers:
        with request.config.stash[blocking_manager_key].unblock():
            _leave(has_committed=_commits(request.node))


@pytest.fixture
def cast_and_world(db: None) -> tuple[Cast, Any]:
    """Of the test's database; None for a world that isn't there."""
    box = _pickled.get(_now())
    return pickle.loads(box) if box else (make_cast(), None)


@pytest.fixture
def cast(cast_and_world: tuple[Cast, Any]) -> Cast:
    return cast_and_world[0]


def kept(make: Callable[[Cast], Any]) -> Any:
    """The fixture `network` for `make_network`, which makes something of the cast: once for all tests that roll back."""
    name = make.__name__.removeprefix("make_")
    _worlds[name] = make

    def world(cast_and_world: tuple[Cast, Any]) -> Any:
        cast, world = cast_and_world
        return make(cast) if world is None else world

    world.__doc__ = make.__doc__
    return pytest.fixture(name=name)(world)


@pytest.fixture
def demo_world(db: None) -> None:
    """The demo of `tests/demo_template.py` lies in the database, its files in PRIVATE_DIR."""
    assert _now() == database.with_demo(_bare())


@contextmanager
def of_demo() -> Iterator[None]:
    """The same for a fixture of a whole module, which ends its transaction itself."""
    _choose(database.with_demo(_bare()))
    try:
        yield
    finally:
        _leave(has_committed=False)


def _now() -> str:
    return str(settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"])


def _bare() -> str:
    return str(settings.DATABASES[DEFAULT_DB_ALIAS]["TEST"]["NAME"])


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(set(getattr(item, "fixturenames", ())) & COMMITTING) or bool(marker and (marker.args or marker.kwargs))


def _wanted_by(item: pytest.Item) -> str:
    names = set(getattr(item, "fixturenames", ()))
    if "demo_world" in names:
        return database.with_demo(_bare())
    if _commits(item):
        return _bare()
    world = next((name for name in _worlds if name in names and _is_kept(item, name)), "")
    return database.with_cast(_bare(), world) if world or "cast" in names else _bare()


def _is_kept(item: Any, name: str) -> bool:
    """Another folder's tests may have a fixture of the same name."""
    fixtures = item._fixtureinfo.name2fixturedefs.get(name, ())
    return bool(fixtures) and fixtures[-1].func.__module__ == __name__


def _choose(name: str) -> None:
    bare = _bare()
    if not _wrappers:
        _wrappers[bare] = connections[DEFAULT_DB_ALIAS]
    is_new = name not in _wrappers
    if is_new:
        _clone(name)
        _wrappers[name] = type(_wrappers[bare])(
            {**settings.DATABASES[DEFAULT_DB_ALIAS], "NAME": name}, DEFAULT_DB_ALIAS
        )
    settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = name
    os.environ["DATABASE_URL"] = database.database_url_of(name)
    connections[DEFAULT_DB_ALIAS] = _wrappers[name]
    if is_new and name.startswith(database.with_cast(bare)):
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute(OWN_NUMBERS)
        cast = make_cast()
        make = _worlds.get(name.removeprefix(database.with_cast(bare)).removeprefix("_"))
        _pickled[name] = pickle.dumps((cast, make(cast) if make else None))
        database.flush_redis()  # what making it asked workers for


def _clone(name: str) -> None:
    if name == database.with_demo(_bare()):
        template = demo_template.ensure_template()
        demo_template.put_files(template)
    else:
        template = database.ensure_template()
    database.clone_database(template, name)


def _leave(*, has_committed: bool) -> None:
    """Back to the empty one. What was committed among the demo is not picked out of it: the next test clones it again."""
    if has_committed and _now() == database.with_demo(_bare()):
        _wrappers.pop(_now()).close()
    _choose(_bare())
