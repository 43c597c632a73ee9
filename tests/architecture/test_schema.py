"""The database is what the models and the files of SQL say, made by few migrations."""

from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
MIGRATIONS_MAX = 20
MIGRATIONS = sorted(path for app in settings.KEELSON_APPS for path in (ROOT / app / "migrations").glob("0*.py"))
SQL = sorted(path for app in settings.KEELSON_APPS for path in (ROOT / app).rglob("*.sql"))
# Of the tables, columns, constraints, indexes, triggers and stored choices of all models, and of the files of SQL.
SCHEMA_DIGEST = "4f3c46d1f5d7fbbe"
