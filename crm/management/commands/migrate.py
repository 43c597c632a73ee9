"""Django's `migrate`, which takes neighbouring operations of a migration together: the database gets the same, an empty one
in a quarter of the time, most of which went into rendering models again between one operation and the next.
"""

from __future__ import annotations

import functools
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.apps import apps
from django.core.management.commands import migrate
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.migration import Migration

from crm.db.change_numbers import continue_numbering
from crm.db.migration_operations import together

# Models that were rendered are garbage in circles: the usual thresholds look for it all the time.
OBJECTS_BETWEEN_COLLECTIONS = 200_000


class Executor(MigrationExecutor):
    def apply_migration(self, state: Any, migration: Migration, fake: bool = False, fake_initial: bool = False) -> Any:
        if not fake_initial:  # which looks for tables that operations would create
            migration.operations = together(migration.operations)  # type: ignore[misc]
        return super().apply_migration(state, migration, fake=fake, fake_initial=fake_initial)


@contextmanager
def _swappable_models_read_once() -> Iterator[None]:
    """Read once which models are swappable.

    Django forgets it with every model it renders, and reads it off all models again for each relation: a sixth of the
    seconds that an empty database takes.
    """
    apps.get_swappable_settings_name = functools.cache(apps.get_swappable_settings_name)  # type: ignore[method-assign]
    try:
        yield
    finally:
        del apps.get_swappable_settings_name


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        thresholds = gc.get_threshold()
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *thresholds[1:])
        migrate.MigrationExecutor = Executor  # type: ignore[attr-defined]
        try:
            with _swappable_models_read_once():
                super().handle(*args, **options)
            continue_numbering()
        finally:
            migrate.MigrationExecutor = MigrationExecutor  # type: ignore[attr-defined]
            gc.set_threshold(*thresholds)
