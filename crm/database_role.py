"""The database role that running processes log in as: it reads and writes rows, and can't touch what is append-only.

Migrations run as the owner of the tables. Pages, workers and beat run as `keelson_app`, which has no right to UPDATE,
DELETE or TRUNCATE an append-only table, nor to write a table that a function of the owner writes (the ledger's): so that
not even a hole in our own code, or a query slipped into it, rewrites a posting or an audit row. The triggers refuse the
same to everyone; this is the second lock. The embedded server has the role; on a server of your own it is made by
`migrate` when the owner may make roles, and used when `KEELSON_APP_DATABASE_URL` names it (docs/operations.md).
"""

from __future__ import annotations

import os
from urllib.parse import unquote, urlsplit

from django.db import connection

APP_ROLE = "keelson_app"
# table → rights it loses beside those that every append-only table loses; told by the apps that own them.
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
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO keelson_app;
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

# The trigger library asks this function first, whether a session set `pgtrigger.ignore`, which any session may. Nobody here
# does: a guard that whoever it guards against can switch off is none, and the question cost more than the triggers.
NO_TRIGGER_IS_IGNORED = """
CREATE OR REPLACE FUNCTION public._pgtrigger_should_ignore(trigger_name name) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS 'SELECT false'
"""


def written_by_function(table: str, rights: str, *, lockable_by: str = "") -> None:
    """An app tells that only a function of the owner does this to its table: 'INSERT', 'INSERT, UPDATE' …

    lockable_by: the column through which its rows can still be locked.
    """
    WRITTEN_BY_FUNCTION[table] = rights
    if lockable_by:
        LOCKABLE_BY[table] = lockable_by


def grant_app_role() -> bool:
    """Make the role where that is possible and give it exactly its rights; run after every migrate. False without a role."""
    with connection.cursor() as cursor:
        cursor.execute(MAKE_ROLE)
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [APP_ROLE])
        if cursor.fetchone() is None:
            return False
        cursor.execute(GRANTS)
        cursor.execute(TAKE_BACK)
        for table, rights in WRITTEN_BY_FUNCTION.items():
            cursor.execute(f'REVOKE {rights} ON "{table}" FROM {APP_ROLE}')
        for table, column in LOCKABLE_BY.items():
            cursor.execute(f'GRANT UPDATE ("{column}") ON "{table}" TO {APP_ROLE}')
        password = urlsplit(os.environ.get("KEELSON_APP_DATABASE_URL", "")).password
        if password:
            cursor.execute(f"ALTER ROLE {APP_ROLE} PASSWORD %s", [unquote(password)])
    return True


def triggers_always_hold() -> None:
    """No session can set triggers aside; run after every migrate, which may have installed the library's own function."""
    with connection.cursor() as cursor:
        cursor.execute(NO_TRIGGER_IS_IGNORED)
