"""A server that can't carry Keelson is refused in words, before anything is changed on it."""

import os
import subprocess
import sys

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from crm.checks import (
    EXTENSIONS,
    mail_leaves_the_house,
    not_allowed,
    of_another_version,
    private_addresses_are_named,
    proxies_in_front_are_counted,
    redis_is_ones_own,
    server_is_fit,
    unfit,
)
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


@pytest.mark.parametrize(
    ("tables", "extend", "extensions", "told"),
    [
        (False, True, EXTENSIONS, "keelson may not make tables in the schema public of books"),
        (True, False, ["plpgsql", "pg_trgm"], "keelson may not create the extensions btree_gist in books"),
    ],
)
def test_which_right_the_owner_lacks_is_said_with_what_to_do(tables, extend, extensions, told):
    [error] = not_allowed("keelson", "books", tables, extend, extensions)
    assert error.msg == told
    assert "As an administrator" in error.hint


def test_extensions_that_are_there_need_no_right():
    assert not_allowed("keelson", "books", True, False, EXTENSIONS) == []


def test_the_role_of_running_processes_is_no_owner_and_told_so():
    [info] = not_allowed("keelson_app", "books", False, False, EXTENSIONS)
    assert "can't migrate" in info.msg and not info.is_serious()


@pytest.mark.parametrize(
    ("count", "address", "fits"),
    [
        (0, "https://crm.example.com", False),
        (1, "https://crm.example.com", True),
        (2, "https://crm.example.com", True),
        (0, "http://localhost:8000", True),
        (-1, "http://localhost:8000", False),
    ],
)
def test_the_deploy_check_wants_the_proxies_counted(settings, count, address, fits):
    settings.TRUSTED_PROXIES, settings.BASE_URL = count, address
    assert (proxies_in_front_are_counted(None) == []) is fits


@pytest.mark.django_db(transaction=True)
def test_migrate_refuses_a_database_in_another_encoding_and_changes_nothing_there():
    name = "keelson_latin1"
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        environment = {**os.environ, "DATABASE_URL": database_url_of(name)}
        done = subprocess.run(
            [sys.executable, "manage.py", "migrate"],
            env=environment,
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "the database's encoding is LATIN1, Keelson needs UTF8" in done.stderr
        with psycopg.connect(database_url_of(name)) as there:
            assert there.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def test_a_database_of_another_version_is_refused_with_what_to_do():
    assert of_another_version([("wallet", "0001_initial"), ("crm", "0002_sql")]) == []
    [error] = of_another_version([("crm", "0001_initial"), ("crm", "0002_access_log"), ("wallet", "0069_old")])
    assert error.msg == (
        "another version of Keelson wrote this database: wallet.0069_old is unknown here, as are 1 more"
    )
    assert "delete `var/`" in error.hint


@pytest.mark.django_db
def test_migrate_refuses_a_database_of_another_version():
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('wallet', '0069_old', now())")
    with pytest.raises(SystemCheckError, match="0069_old is unknown here"):
        call_command("migrate", verbosity=0, skip_checks=False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sql", "version"),
    [
        ("DROP FUNCTION keelson_schema_version()", "version 1"),
        (
            "CREATE OR REPLACE FUNCTION keelson_schema_version() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 9999'",
            "version 9999",
        ),
    ],
)
def test_migrate_refuses_a_database_whose_tables_are_of_another_version(sql, version):
    """Its migrations have the same names: nothing else tells it apart."""
    call_command("migrate", verbosity=0, skip_checks=False)
    with connection.cursor() as cursor:
        cursor.execute(sql)
    with pytest.raises(SystemCheckError, match=f"keelson.E025.*its tables are {version},"):
        call_command("migrate", verbosity=0, skip_checks=False)


@pytest.mark.parametrize(("is_embedded", "found"), [(True, ["keelson.W002"]), (False, [])])
def test_the_deployment_check_warns_of_the_embedded_redis(settings, is_embedded, found):
    settings.REDIS_IS_EMBEDDED = is_embedded
    assert [warning.id for warning in redis_is_ones_own(None)] == found


@pytest.mark.parametrize(
    ("named", "found"),
    [
        (["*"], ["keelson.W003"]),
        (["0.0.0.0/0"], ["keelson.W003"]),
        (["bridge.lan", "::/0"], ["keelson.W003"]),
        (["bridge.lan", "10.0.7.0/24"], []),
        ([], []),
    ],
)
def test_the_deployment_check_warns_where_every_private_address_is_allowed(settings, named, found):
    settings.OUTGOING_PRIVATE = named
    assert [warning.id for warning in private_addresses_are_named(None)] == found


def test_a_deployment_says_where_its_mail_goes(settings):
    settings.EMAIL_IS_CHOSEN = False
    assert [error.id for error in mail_leaves_the_house(None)] == ["keelson.E007"]
    settings.EMAIL_IS_CHOSEN = True
    assert mail_leaves_the_house(None) == []
