"""The database is what the models and the files of SQL say, made by few migrations."""

import hashlib
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

ROOT = Path(settings.BASE_DIR)
MIGRATIONS_MAX = 20
MIGRATIONS = sorted(path for app in settings.KEELSON_APPS for path in (ROOT / app / "migrations").glob("0*.py"))
SQL = sorted(path for app in settings.KEELSON_APPS for path in (ROOT / app).rglob("*.sql"))
# Of the tables, columns, constraints, indexes, triggers and stored choices of all models, and of the files of SQL.
SCHEMA_DIGEST = "2bcf697f597a91e1"
FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION (\w+)")


def test_few_migrations_make_the_database():
    """Nothing is released: a change of the tables goes into the app's first migration, or follows until it is folded in."""
    assert len(MIGRATIONS) <= MIGRATIONS_MAX


def test_each_sql_file_says_what_it_guards_and_is_run_by_a_migration():
    written = {app: "".join(p.read_text() for p in MIGRATIONS if p.parts[-3] == app) for app in settings.KEELSON_APPS}
    for path in SQL:
        assert path.read_text().startswith("-- Guards "), path
        assert path.parent == ROOT / path.parts[-3] / "sql", path
        assert f'"{path.stem}"' in written[path.parts[-3]], f"no migration runs {path}"


def test_functions_are_written_in_sql_files_once():
    names = [name for path in SQL for name in FUNCTION.findall(path.read_text())]
    assert len(names) == len(set(names)) > 10
    assert not [path.name for path in MIGRATIONS if FUNCTION.search(path.read_text())]


@pytest.mark.django_db
def test_the_database_has_the_functions_of_the_files_and_no_others():
    """Beside those of triggers, which the models declare, and of extensions."""
    with connection.cursor() as cursor:
        cursor.execute(
            r"SELECT proname::text FROM pg_proc p WHERE pronamespace = 'public'::regnamespace"
            r" AND proname NOT LIKE '%%pgtrigger\_%%'"
            r" AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        there = [row[0] for row in cursor.fetchall()]
    assert sorted(there) == sorted({name for path in SQL for name in FUNCTION.findall(path.read_text())})


def schema_lines() -> list[str]:
    lines = [path.read_text() for path in SQL if path.stem != "schema_version"]
    with connection.schema_editor(collect_sql=True) as editor:
        for model in apps.get_models(include_auto_created=True):
            meta = model._meta
            if not meta.managed or meta.app_label not in settings.KEELSON_APPS:
                continue
            for field in meta.local_fields:
                stored = sorted(str(value) for value, _label in field.flatchoices)
                kind = (field.db_type(connection), field.null, field.unique, field.db_index)
                lines.append(f"{meta.db_table}.{field.column} {kind} {stored}")
            lines += [str(one.create_sql(model, editor)) for one in (*meta.constraints, *meta.indexes)]
            lines += [f"{meta.db_table} {one.name} {one.compile(model).hash}" for one in getattr(meta, "triggers", ())]
    return sorted(lines)


@pytest.mark.django_db
def test_a_change_of_the_tables_is_told_from_the_database_of_before():
    """A database made by migrations of the same names and other contents is refused by its version (keelson.E025).

    The tables changed? Write the new digest down. Was the change folded into a migration that is there already? Then also
    raise the number in `crm/sql/schema_version.sql`.
    """
    digest = hashlib.sha256("\n".join(schema_lines()).encode()).hexdigest()[:16]
    assert digest == SCHEMA_DIGEST


@pytest.mark.django_db
def test_the_database_holds_every_constraint_and_index_of_the_models():
    """By name. Altering a field once dropped a unique index over it, and nobody saw."""
    wanted = set()
    for model in apps.get_models(include_auto_created=True):
        meta = model._meta
        if meta.managed and meta.app_label in settings.KEELSON_APPS:
            for thing in (*meta.constraints, *meta.indexes):
                wanted.add((meta.db_table, thing.name))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, conname::text FROM pg_constraint"
            " WHERE connamespace = 'public'::regnamespace AND conrelid <> 0"
            " UNION SELECT tablename::text, indexname::text FROM pg_indexes WHERE schemaname = 'public'"
        )
        there = set(cursor.fetchall())
        cursor.execute("SELECT conname::text FROM pg_constraint WHERE NOT convalidated")
        assert cursor.fetchall() == []
    assert len(wanted) > 500
    assert sorted(wanted - there) == []
