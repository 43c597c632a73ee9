"""The database role that running processes log in as: it reads and writes rows, and can't touch what is append-only.

Migrations run as the owner of the tables. Pages, workers and beat run as `keelson_app`, which has no right to UPDATE,
DELETE or TRUNCATE an append-only table, nor to write a table that a function of the owner writes (the ledger's): so that
not even a hole in our own code, or a query slipped into it, rewrites a posting or an audit row. The triggers refuse the
same to everyone; this is the second lock. The embedded server has the role; on a server of your own an administrator makes
it with deploy/roles.sql, or `migrate` does when the owner may make roles. Processes use it when `KEELSON_APP_DATABASE_URL`
names it (docs/operations.md).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import psycopg
from django.core.management import CommandError
from django.db import DatabaseError, connection, transaction

APP_ROLE = "keelson_app"
# table → rights it loses beside those that every append-only table loses; registered by the apps that own them.
WRITTEN_BY_FUNCTION: dict[str, str] = {}
# table → a column that may be updated by right (never by the triggers): SELECT … FOR UPDATE asks for one.
LOCKABLE_BY: dict[str, str] = {}

MAKE_ROLE = """
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'keelson_app')
    AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
    CREATE ROLE keelson_app LOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
GRANTS = """
GRANT USAGE ON SCHEMA public TO keelson_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO keelson_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO keelson_app;
"""
# Our own only: those of an extension belong to whoever installed it, and are everybody's.
GRANT_FUNCTIONS = """
DO $$
DECLARE f regprocedure;
BEGIN
  FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND pg_has_role(p.proowner, 'USAGE')
      AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP
    EXECUTE format('GRANT EXECUTE ON ROUTINE %s TO keelson_app', f);
  END LOOP;
END $$
"""
# By the triggers that hold the same for everyone (`append_only` and its relatives).
TAKE_BACK = r"""
DO $$
DECLARE r record;
BEGIN
  FOR r IN SELECT DISTINCT tgrelid::regclass AS tab, CASE WHEN tgname LIKE '%\_no\_change\_%' THEN 'UPDATE, DELETE'
      ELSE 'DELETE' END AS rights
    FROM pg_trigger WHERE tgname LIKE 'pgtrigger\_%\_no\_change\_%' OR tgname LIKE 'pgtrigger\_%\_no\_delete\_%' LOOP
    EXECUTE format('REVOKE %s ON %s FROM keelson_app', r.rights, r.tab);
  END LOOP;
END $$
"""
# Since PostgreSQL 16 the right to make roles covers those that one made, or was given to administer.
MAY_CHANGE_ROLE = """
SELECT o.rolsuper OR (o.rolcreaterole AND (current_setting('server_version_num')::int < 160000
    OR pg_has_role('keelson_app', 'MEMBER WITH ADMIN OPTION')))
FROM pg_roles o WHERE o.rolname = current_user
"""
SAFE_ROLE = """
SELECT r.rolsuper, r.rolcanlogin, has_table_privilege(r.oid, 'django_migrations', 'SELECT'),
  has_table_privilege(r.oid, 'wallet_posting', 'INSERT, UPDATE, DELETE, TRUNCATE')
FROM pg_roles r WHERE r.rolname = 'keelson_app'
"""

# The trigger library asks this function first, whether a session set `pgtrigger.ignore`, which any session may. Nobody here
# does: a guard that whoever it guards against can switch off is none, and the question cost more than the triggers.
NO_TRIGGER_IS_IGNORED = """
CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false'
"""
MISSING = (
    f"The database role {APP_ROLE} is missing, and the owner of the tables may not create roles. "
    f"Ask an administrator to run deploy/roles.sql, then run `manage.py migrate` again."
)


def app_url() -> str:
    """Return the address that running processes log in with; "" where it is the owner's."""
    return os.environ.get("KEELSON_APP_DATABASE_URL", "")


def written_by_function(table: str, rights: str, *, lockable_by: str = "") -> None:
    """Register that only a function of the owner does this to an app's table: 'INSERT', 'INSERT, UPDATE' …

    lockable_by: the column through which its rows can still be locked.
    """
    WRITTEN_BY_FUNCTION[table] = rights
    if lockable_by:
        LOCKABLE_BY[table] = lockable_by


def grant_app_role() -> bool:
    """Make the role where that is possible and give it exactly its rights; run after every migrate. False without a role.

    Raises: CommandError when `KEELSON_APP_DATABASE_URL` names a role that is missing, or a password it does not have, and
    only an administrator can change that.
    """
    with connection.cursor() as cursor:
        cursor.execute(MAKE_ROLE)
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        if cursor.fetchone() is None:
            if app_url():
                raise CommandError(MISSING)
            return False
        cursor.execute(GRANTS)
        cursor.execute(GRANT_FUNCTIONS)
        cursor.execute(TAKE_BACK)
        for table, rights in WRITTEN_BY_FUNCTION.items():
            cursor.execute(f'REVOKE {rights} ON "{table}" FROM {APP_ROLE}')
        for table, column in LOCKABLE_BY.items():
            cursor.execute(f'GRANT UPDATE ("{column}") ON "{table}" TO {APP_ROLE}')
    if app_url():
        _set_password(app_url())
    return True


def _set_password(url: str) -> None:
    """Give the role the password of its address, unless it has it. The server sees a verifier, so its log holds no password."""
    password = unquote(urlsplit(url).password or "")
    refusal = refused_login(url)
    if not refusal or not password:
        return
    with connection.cursor() as cursor:
        cursor.execute(MAY_CHANGE_ROLE)
        may_set = bool(cursor.fetchone()[0])
        try:
            if may_set:
                verifier = cursor.connection.pgconn.encrypt_password(
                    password.encode(), APP_ROLE.encode(), b"scram-sha-256"
                )
                with transaction.atomic():
                    cursor.execute(f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD %s", [verifier.decode()])
                return
        except DatabaseError as error:
            refusal = str(error).strip()
    raise CommandError(
        f"{APP_ROLE} can't log in with KEELSON_APP_DATABASE_URL ({refusal}), and the owner of the tables may not set its "
        f"password. Ask an administrator to do so, in psql: \\password {APP_ROLE}"
    )


def refused_login(url: str) -> str:
    """Return why nobody can log in with this address; "" when it works."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        return " ".join(str(error).split()) or type(error).__name__
    return ""


def faults() -> Iterator[str]:
    """List what is wrong with the role on this server, in words, for `check --deploy`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('wallet_posting') IS NOT NULL")
        if not cursor.fetchone()[0]:
            yield "The database has no tables yet. Run `manage.py migrate`, then check again."
            return
        cursor.execute(SAFE_ROLE)
        role = cursor.fetchone()
    if role is None:
        yield MISSING
        return
    is_superuser, can_login, reads, writes_postings = role
    if is_superuser:
        yield f"{APP_ROLE} is a superuser: it must not be."
    if not can_login:
        yield f"{APP_ROLE} may not log in. As an administrator: ALTER ROLE {APP_ROLE} LOGIN"
    if not reads or (writes_postings and not is_superuser):
        yield f"{APP_ROLE} does not have exactly its rights on the tables. Run `manage.py migrate` as their owner."
    if url := app_url():
        if (user := urlsplit(url).username) != APP_ROLE:
            yield f"KEELSON_APP_DATABASE_URL logs in as {user}, not as {APP_ROLE}."
        elif refusal := refused_login(url):
            yield f"{APP_ROLE} can't log in with KEELSON_APP_DATABASE_URL: {refusal}"
    elif connection.settings_dict["USER"] != APP_ROLE:
        yield (
            f"Processes log in to the database as the owner of the tables: set KEELSON_APP_DATABASE_URL to the same "
            f"database as {APP_ROLE}."
        )


def triggers_always_hold() -> None:
    """Keep sessions from setting triggers aside; run after every migrate, which may have reinstalled the library's function."""
    with connection.cursor() as cursor:
        cursor.execute(NO_TRIGGER_IS_IGNORED)
