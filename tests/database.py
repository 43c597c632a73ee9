"""The tests' database: migrated once, kept as a template, cloned for each test process.

A template is named for the migrations and the code of the apps: unchanged code starts at once, changed code re-runs
only `migrate` on a clone (permissions and roles follow the code), changed migrations build it anew. A transactional
test ends by deleting what was written (`tests/reset.py`), or, where that does not put all back, by cloning again.
"""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.test import TransactionTestCase
from django.utils import translation

from crm.queue import enqueue
from launcher import devdb
from tests import reset

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES_KEPT = 3


def uses_embedded_postgres() -> bool:
    return devdb.database_url(settings.VAR_DIR) == settings.DATABASE_URL


def uses_embedded_redis() -> bool:
    return settings.REDIS_URL.startswith(devdb.redis_url(settings.VAR_DIR).partition("?")[0])


def start_servers() -> None:
    devdb.use(settings.VAR_DIR)
    if uses_embedded_postgres():
        if folder := os.environ.get("KEELSON_TEST_POSTGRES"):
            devdb.keep_data_in(settings.VAR_DIR, Path(folder))
        devdb.ensure_postgres(settings.VAR_DIR, durable=False)
    if uses_embedded_redis():
        devdb.ensure_redis(settings.VAR_DIR)
    else:
        claim_redis(settings.REDIS_OF_ALL_TESTS or settings.REDIS_URL, settings.REDIS_URL)


CLAIMED = "keelson-tests:numbers"


def claim_redis(shared_url: str, own_url: str) -> None:
    """Take a number of somebody's Redis for tests, which flush it: only one that is empty, or that tests took before.

    Which those are is noted in a set under the number that REDIS_URL names. That number itself is never flushed.
    """
    own = redis.from_url(own_url)
    number = str(own.connection_pool.connection_kwargs.get("db") or 0)
    try:
        shared = redis.from_url(shared_url)
        if own.dbsize() and not shared.sismember(CLAIMED, number):
            raise pytest.UsageError(
                f"Redis number {number} holds keys that aren't these tests', and tests empty it. "
                "Point REDIS_URL at a server, or at a number, above which the numbers are free."
            )
        shared.sadd(CLAIMED, number)
    except redis.ResponseError as error:
        raise pytest.UsageError(
            f"Redis number {number} can't be used ({error}): each test process needs one."
        ) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    devdb.stop_when_unused(settings.VAR_DIR)


# --- template and clones ---


def digest(paths: list[Path]) -> str:
    """What the files hold, in ten letters."""
    content = hashlib.sha256()
    for path in sorted(paths):
        content.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return content.hexdigest()[:10]


def template_name() -> str:
    migrations, code = [ROOT / "requirements" / "base.txt"], []
    for app in settings.KEELSON_APPS:
        migrations += (ROOT / app / "sql").glob("*.sql")
        for path in (ROOT / app).rglob("*.py"):
            (migrations if path.parent.name == "migrations" else code).append(path)
    return f"template_{digest(migrations)}_{digest(code)}"


@contextmanager
def server() -> Iterator[psycopg.Cursor]:
    """A cursor beside the test database, for CREATE and DROP DATABASE."""
    with connection._nodb_cursor() as cursor:
        yield cursor


@contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Another database for a while; the session of the one before stays as it is, in the middle of a test too."""
    values, kept, url = (
        settings.DATABASES[DEFAULT_DB_ALIAS],
        connections[DEFAULT_DB_ALIAS],
        os.environ.get("DATABASE_URL"),
    )
    before = values["NAME"]
    connections[DEFAULT_DB_ALIAS] = type(kept)({**values, "NAME": name}, DEFAULT_DB_ALIAS)
    values["NAME"], os.environ["DATABASE_URL"] = name, database_url_of(name)
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = kept
        values["NAME"] = before
        if url is None:
            del os.environ["DATABASE_URL"]
        else:
            os.environ["DATABASE_URL"] = url


def _point_at(name: str) -> None:
    connections.close_all()
    settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] = name
    connection.settings_dict["NAME"] = name


def _templates(cursor: psycopg.Cursor) -> list[str]:
    cursor.execute(r"SELECT datname FROM pg_database WHERE datname LIKE 'template\_%\_%' ORDER BY oid DESC")
    return [row[0] for row in cursor.fetchall()]


def _build_template(name: str) -> None:
    """Migrates a draft, starting from a template of the same migrations where there is one, and gives it its name."""
    draft = f"draft_{name}"
    with server() as cursor:
        same = [other for other in _templates(cursor) if other.startswith(name.rpartition("_")[0] + "_")]
        cursor.execute(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{draft}" TEMPLATE "{same[0] if same else "template0"}"')
    _point_at(draft)
    call_command("migrate", verbosity=0, interactive=False)
    _point_at(name)
    with server() as cursor:
        cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
        for old in _templates(cursor)[TEMPLATES_KEPT:]:
            try:
                cursor.execute(f'DROP DATABASE IF EXISTS "{old}"')
            except psycopg.errors.ObjectInUse:
                continue  # another run is cloning it
            except Exception as error:
                if not isinstance(error.__cause__, psycopg.errors.ObjectInUse):
                    raise


def ensure_template() -> str:
    name = template_name()
    with (settings.VAR_DIR / "template.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with server() as cursor:
            missing = name not in _templates(cursor)
        if missing:
            _build_template(name)
    return name


def clone_database(template: str, name: str) -> None:
    with server() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        # Copying files is three times as fast as writing them to the log, where nothing is flushed to disk.
        strategy = "STRATEGY FILE_COPY" if uses_embedded_postgres() else ""
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" {strategy}')


def database_url_of(name: str) -> str:
    parts = urlsplit(settings.DATABASE_URL)
    return f"{parts.scheme}://{parts.netloc}/{name}" + (f"?{parts.query}" if parts.query else "")


def with_cast(name: str, world: str = "") -> str:
    """Beside a test database: the one in which the cast is there already, and a world of it (`tests/peopled.py`)."""
    return f"{name}_cast_{world}".removesuffix("_")


def with_demo(name: str) -> str:
    """The one in which the demo is there already (`tests/demo_template.py`)."""
    return f"{name}_demo"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker) -> Iterator[None]:
    name = settings.DATABASES[DEFAULT_DB_ALIAS]["TEST"]["NAME"]
    with django_db_blocker.unblock():
        template = ensure_template()
        clone_database(template, name)
        _point_at(name)
        watched = reset.watch(database_url_of(name))
    shutil.rmtree(settings.PRIVATE_DIR, ignore_errors=True)
    # Processes that a test starts join this database, this Redis number and these files.
    os.environ["DATABASE_URL"] = database_url_of(name)
    os.environ["REDIS_URL"] = settings.REDIS_URL
    os.environ["KEELSON_TEST_SLOT"] = str(settings.TEST_SLOT)

    def as_it_was(_self: TransactionTestCase) -> None:
        connections.close_all()
        if settings.DATABASES[DEFAULT_DB_ALIAS]["NAME"] != name:
            return  # it wrote into the demo, which is cloned anew; ending this one's sessions would end one of ours
        if not watched or reset.put_back(database_url_of(name)):
            clone_database(template, name)
            reset.watch(database_url_of(name))

    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = as_it_was
    yield
    TransactionTestCase._fixture_teardown = original
    with django_db_blocker.unblock():
        connections.close_all()
        with server() as cursor:
            cursor.execute(
                "SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)", [name, f"{name}_"]
            )
            for (one,) in cursor.fetchall():
                cursor.execute(f'DROP DATABASE IF EXISTS "{one}" WITH (FORCE)')


_redis = redis.from_url(settings.REDIS_URL)


def flush_redis() -> None:
    _redis.flushdb()


@pytest.fixture(autouse=True)
def empty_redis() -> redis.Redis:
    """Cache, queues and locks start empty in each test, and nobody's language is left behind; returns the client."""
    translation.deactivate()
    enqueue.expect_broker()
    _redis.flushdb()
    return _redis
