"""Puts a test's database back as it was cloned, without cloning it again: what a transactional test wrote is deleted.

Cloning copies a thousand files; deleting the rows of the dozen tables that a test wrote to is twenty times as quick. Only
rows are put back. A database whose tables, functions or grants were changed, whose rows of the migrations were changed, or
that holds too many rows is left as it is and said to be so: clone it again.
"""

import psycopg
from psycopg import sql

# Deleted rows stay in their files until a vacuum: more of them than this, and copying is quicker.
LARGEST_TABLE_BYTES = 8 * 2**20

WATCH = """
CREATE SCHEMA keelson_test;
CREATE TABLE keelson_test.ddl (command text);
CREATE TABLE keelson_test.kept (name text, oid oid, rows numeric);
CREATE TABLE keelson_test.sequences (oid oid, last bigint);

CREATE FUNCTION keelson_test.note_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE schema_name IS DISTINCT FROM 'pg_temp') THEN
    INSERT INTO keelson_test.ddl VALUES (tg_tag);
  END IF;
END $$;
CREATE FUNCTION keelson_test.note_drop() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
  IF EXISTS (SELECT FROM pg_event_trigger_dropped_objects() WHERE NOT is_temporary) THEN
    INSERT INTO keelson_test.ddl VALUES (tg_tag);
  END IF;
END $$;

-- One number for all rows of a table, whatever their order.
CREATE FUNCTION keelson_test.rows_of(name text) RETURNS numeric LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE answer numeric;
BEGIN
  EXECUTE format('SELECT sum(hashtextextended(t::text, 0)::numeric) FROM %s t', name) INTO answer;
  RETURN answer;
END $$;

CREATE FUNCTION keelson_test.reset(largest bigint) RETURNS text LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE kept record; changed text;
BEGIN
  SELECT command INTO changed FROM keelson_test.ddl LIMIT 1;
  IF changed IS NOT NULL THEN RETURN changed; END IF;
  FOR kept IN SELECT * FROM keelson_test.kept WHERE pg_relation_size(oid) > 0 LOOP
    IF kept.rows IS NOT NULL THEN
      IF keelson_test.rows_of(kept.name) IS DISTINCT FROM kept.rows THEN RETURN kept.name; END IF;
    ELSIF pg_relation_size(kept.oid) > largest THEN
      RETURN kept.name;
    ELSE
      EXECUTE 'DELETE FROM ' || kept.name;
    END IF;
  END LOOP;
  PERFORM CASE WHEN last IS NULL THEN setval(oid, seqstart, false) ELSE setval(oid, last) END
  FROM keelson_test.sequences JOIN pg_sequence ON seqrelid = oid
  WHERE pg_sequence_last_value(oid) IS DISTINCT FROM last;
  RETURN NULL;
END $$;

INSERT INTO keelson_test.kept
SELECT name, c.oid, keelson_test.rows_of(name)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, format('%I.%I', nspname, relname) name
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'keelson_test');
INSERT INTO keelson_test.sequences SELECT seqrelid, pg_sequence_last_value(seqrelid) FROM pg_sequence;

CREATE EVENT TRIGGER keelson_test_ddl ON ddl_command_end EXECUTE FUNCTION keelson_test.note_ddl();
CREATE EVENT TRIGGER keelson_test_drop ON sql_drop EXECUTE FUNCTION keelson_test.note_drop();
ALTER EVENT TRIGGER keelson_test_ddl ENABLE ALWAYS;
ALTER EVENT TRIGGER keelson_test_drop ENABLE ALWAYS;
TRUNCATE keelson_test.ddl;
"""
END_SESSIONS = """
SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def watch(url: str) -> bool:
    """Notes what a fresh clone holds. False where the server does not let us (an event trigger wants a superuser)."""
    try:
        with psycopg.connect(url) as connection:
            connection.execute(WATCH)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def put_back(url: str) -> str | None:
    """Ends everybody's session and deletes what was written. Returns None, or what only a new clone puts right."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(END_SESSIONS)
        with connection.transaction():
            # Without the triggers that keep an append-only table, and without those that check references.
            connection.execute("SET LOCAL session_replication_role = replica")
            row = connection.execute(sql.SQL("SELECT keelson_test.reset({})").format(LARGEST_TABLE_BYTES)).fetchone()
            assert row is not None
            if row[0] is not None:
                raise psycopg.Rollback
    return row[0]
