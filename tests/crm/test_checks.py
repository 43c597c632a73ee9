"""A server that can't carry Keelson is refused in words, before anything is changed on it."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from crm.checks import EXTENSIONS, server_is_fit, unfit
from tests.database import database_url_of


@pytest.mark.django_db
def test_the_server_at_hand_is_fit():
    assert server_is_fit(None, databases=["default"]) == []
    call_command("check", database=["default"])


@pytest.mark.parametrize(
    ("version", "encoding", "available", "told"),
    [
        (14, "UTF8", EXTENSIONS, "this is PostgreSQL 14, Keelson needs 15 or newer"),
        (17, "SQL_ASCII", EXTENSIONS, "the database's encoding is SQL_ASCII, Keelson needs UTF8"),
        (17, "UTF8", ["plpgsql", "pg_trgm"], "the server lacks the extensions btree_gist"),
    ],
)
def test_what_a_server_lacks_is_said_with_what_to_do(version, encoding, available, told):
    [error] = unfit(version, encoding, available)
    assert error.msg == told
    assert error.hint


@pytest.mark.django_db(transaction=True)
def test_migrate_refuses_a_database_in_another_encoding_and_changes_nothing_there():
    name = "keelson_latin1"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        environment = {**os.environ, "DATABASE_URL": database_url_of(name)}
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate"], env=environment, cwd=settings.BASE_DIR,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert "the database's encoding is LATIN1, Keelson needs UTF8" in done.stderr
        with psycopg.connect(database_url_of(name)) as there:
            assert there.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")
