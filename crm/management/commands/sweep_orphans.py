"""List or delete stored files that no row names."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.file_columns import by_folder
from crm.files.file_sweep import ORPHAN_AGE_SECONDS, is_older_than_files, orphans_in, sweep_orphans


class Command(BaseCommand):
    help = "List stored files that no row has named for a day; with --delete, delete them, also after an older backup."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--delete", action="store_true", help="delete what is listed; this can't be undone")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["delete"]:
            swept = sweep_orphans(is_confirmed=True)
            self.stdout.write(self.style.SUCCESS(f"{swept.total} files deleted."))
            return
        count = 0
        for folder, columns in by_folder().items():
            for place in orphans_in(folder, columns, older_than_seconds=ORPHAN_AGE_SECONDS):
                count += 1
                self.stdout.write(f"{folder}/{place}")
        self.stdout.write(f"{count} files without a row.")
        if is_older_than_files():
            self.stdout.write(self.style.WARNING("They may be newer than the database: an older backup was restored."))
