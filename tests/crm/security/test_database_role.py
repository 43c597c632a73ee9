"""The role of the running processes: it works, and it can't touch what is append-only."""

import psycopg
import pytest
from django.core.management import CommandError
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from crm.checks import processes_have_their_own_role
from crm.security import database_role
from crm.security.database_role import APP_ROLE, grant_app_role
from tests.app_role import app_role
from tests.wallet.factories import fund, house
from wallet.choices.ledger import JournalKind
from wallet.ledger import posting
from wallet.ledger.posting import Entry, Line

pytestmark = pytest.mark.django_db


@pytest.fixture
def as_app():
    with app_role() as cursor:
        yield cursor


@pytest.mark.parametrize(
    "table", ["wallet_posting", "wallet_journal", "wallet_ledgerseal", "crm_auditevent", "crm_auditseal"]
)
@pytest.mark.parametrize("verb", ["UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_is_append_only_can_not_be_touched(as_app, table, verb):
    statement = verb.format(table).replace(
        "SET id = id", "SET amount_minor = 1" if table == "wallet_posting" else "SET id = id"
    )
    with pytest.raises(Exception, match=r"permission denied|must be owner") as caught, transaction.atomic():
        as_app.execute(statement)
    assert isinstance(caught.value.__cause__, psycopg.errors.InsufficientPrivilege)


@pytest.mark.parametrize("table", ["wallet_posting", "wallet_journal"])
def test_postings_are_not_even_added_but_by_the_ledgers_functions(as_app, table):
    with pytest.raises(Exception, match="permission denied"), transaction.atomic():
        as_app.execute("SELECT set_config('keelson.ledger', 'posting', true)")
        as_app.execute(f"INSERT INTO {table} SELECT * FROM {table} LIMIT 0")


def test_counters_are_locked_but_not_written(as_app, cast):
    wallet = posting.wallet_of(cast.client, "EUR")
    with transaction.atomic():
        as_app.execute("SELECT * FROM wallet_balance WHERE account_id = %s FOR UPDATE", [wallet.pk])
    for statement in ("UPDATE wallet_balance SET credits_posted = credits_posted + 1", "DELETE FROM wallet_balance"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            as_app.execute("SELECT set_config('keelson.ledger', 'posting', true)")
            as_app.execute(statement)


def test_the_triggers_can_not_be_switched_off(as_app):
    for statement in (
        "ALTER TABLE wallet_posting DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "ALTER TABLE wallet_posting OWNER TO keelson_app",
        "CREATE OR REPLACE FUNCTION ledger_post_pair() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ):
        with pytest.raises(Exception, match=r"permission denied|must be owner"), transaction.atomic():
            as_app.execute(statement)


def test_no_session_sets_a_trigger_aside(cast):
    fund(cast.client, 1_000)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname LIKE 'pgtrigger%'")
        names = [name for (name,) in cursor.fetchall()]
        cursor.execute("SELECT set_config('pgtrigger.ignore', %s, true)", ["{" + ",".join(names) + "}"])
        for statement in ("UPDATE wallet_posting SET amount_minor = 1", "DELETE FROM wallet_balance"):
            with pytest.raises(Exception, match=r"append-only|never deleted"), transaction.atomic():
                cursor.execute(statement)


def test_money_moves_through_the_ledger(cast, as_app):
    wallet, suspense = fund(cast.client, 1_000), house(cast.brand)
    lines = (Line(wallet, -300), Line(suspense, 300))
    entry = Entry(key="app:1", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines)
    assert posting.post(entry).is_new
    held = posting.reserve(Entry(key="app:2", kind=JournalKind.ADJUSTMENT, brand_id=cast.brand.pk, lines=lines))
    assert held.is_new
    assert posting.balance(wallet) == 700


def test_partitions_are_made_and_statistics_refreshed(as_app):
    as_app.execute("SELECT keelson_make_month('crm_accessevent', '2031-05-01')")
    as_app.execute("SELECT count(*) FROM crm_accessevent WHERE at >= '2031-05-01'")
    as_app.execute("SELECT keelson_analyze('wallet_match')")
    with pytest.raises(Exception, match="no partitioned table"), transaction.atomic():
        as_app.execute("SELECT keelson_make_month('wallet_posting', '2031-05-01')")


def test_no_function_needs_a_superuser_to_be_made_or_restored():
    """PostgreSQL 15 and later let only superusers make a function with a setting of our own in its head."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.proname, s FROM pg_proc p, unnest(p.proconfig) s"
            " WHERE p.pronamespace = 'public'::regnamespace AND split_part(s, '=', 1) LIKE '%.%'"
        )
        assert cursor.fetchall() == []


PASSWORD = "correct-horse-battery"
# Nobody listens there, so nobody can log in there yet.
APP_URL = f"postgresql://{APP_ROLE}:{PASSWORD}@127.0.0.1:1/keelson"


@pytest.fixture
def as_plain_role():
    """The session of a role that owns nothing and may create no roles; roles come back with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE keelson_test_plain")
        cursor.execute("GRANT SELECT ON django_migrations TO keelson_test_plain")
        cursor.execute("SET ROLE keelson_test_plain")
        yield cursor
        cursor.execute("RESET ROLE")


def test_the_server_is_sent_a_verifier_and_never_the_password(monkeypatch):
    """A statement may end up in the server's log."""
    monkeypatch.setenv("KEELSON_APP_DATABASE_URL", APP_URL)
    with CaptureQueriesContext(connection) as queries:
        assert grant_app_role()
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolpassword, rolcanlogin FROM pg_authid WHERE rolname = %s", [APP_ROLE])
        verifier, can_login = cursor.fetchone()
    assert verifier.startswith("SCRAM-SHA-256$") and can_login
    assert PASSWORD not in str(queries.captured_queries) and verifier in str(queries.captured_queries)


def test_an_owner_who_may_not_set_the_password_gets_words_and_sends_nothing(monkeypatch, as_plain_role):
    monkeypatch.setenv("KEELSON_APP_DATABASE_URL", APP_URL)
    with (
        CaptureQueriesContext(connection) as queries,
        pytest.raises(CommandError, match=r"administrator.*\\password keelson_app") as caught,
    ):
        database_role._set_password(APP_URL)
    assert PASSWORD not in str(caught.value) and "ALTER ROLE" not in str(queries.captured_queries)


def test_a_role_that_is_missing_and_may_not_be_made_is_named(monkeypatch):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {APP_ROLE} RENAME TO keelson_test_gone")
        cursor.execute("CREATE ROLE keelson_test_plain")
        cursor.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO keelson_test_plain")
        cursor.execute("SET ROLE keelson_test_plain")
        assert not grant_app_role()
        assert any("deploy/roles.sql" in words for words in database_role.faults())
        monkeypatch.setenv("KEELSON_APP_DATABASE_URL", APP_URL)
        with pytest.raises(CommandError, match=r"keelson_app is missing.*deploy/roles\.sql"):
            grant_app_role()
        cursor.execute("RESET ROLE")


def faults():
    return list(database_role.faults())


def test_the_deploy_check_tells_what_is_wrong_with_the_role(monkeypatch):
    monkeypatch.delenv("KEELSON_APP_DATABASE_URL", raising=False)
    grant_app_role()
    assert [words for words in faults() if "as the owner of the tables" in words] == faults()
    monkeypatch.setenv("KEELSON_APP_DATABASE_URL", APP_URL)
    [words] = faults()
    assert "can't log in" in words and PASSWORD not in words
    monkeypatch.setenv("KEELSON_APP_DATABASE_URL", APP_URL.replace(APP_ROLE, "keelson"))
    assert faults() == ["KEELSON_APP_DATABASE_URL logs in as keelson, not as keelson_app."]
    with connection.cursor() as cursor:
        cursor.execute(f"GRANT DELETE ON wallet_posting TO {APP_ROLE}")
    assert any("exactly its rights" in words for words in faults())
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER ROLE {APP_ROLE} SUPERUSER NOLOGIN")
    assert {"superuser", "may not log in"} == {
        part for part in ("superuser", "may not log in") if any(part in words for words in faults())
    }


def test_the_deploy_check_asks_a_server_of_ones_own_only(monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    assert processes_have_their_own_role(None) == []
    monkeypatch.setenv("DATABASE_URL", "postgresql://keelson@db/keelson")
    assert {error.id for error in processes_have_their_own_role(None)} == {"keelson.E021"}
