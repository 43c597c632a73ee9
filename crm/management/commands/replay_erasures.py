"""`manage.py replay_erasures`: after a restore, destroys the keys of clients who were erased since the backup was made."""

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.privacy import erasures


class Command(BaseCommand):
    help = "Destroy again the keys that a restored backup brought back, by the register of erasures."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="files",
            action="append",
            type=Path,
            metavar="FILE",
            help="A copy of the register, beside the one at KEELSON_ERASURE_REGISTER; may be given more than once",
        )
        parser.add_argument("--check", action="store_true", help="Only count; exit 1 when erased clients have a key")

    def handle(self, *args: Any, **options: Any) -> None:
        own = Path(settings.ERASURE_REGISTER)
        paths = [*(options["files"] or []), *([own] if own.exists() else [])]
        if not paths:
            self.stdout.write(f"No register at {own}: no erasures on this instance, or name a copy with --from.")
            return
        try:
            replayed = erasures.replay(paths, change=not options["check"])
        except (OSError, erasures.RegisterDamaged) as error:
            raise CommandError(f"{error} Nothing was destroyed.") from error
        done = "to destroy again" if options["check"] else "destroyed again"
        self.stdout.write(
            f"{replayed.destroyed} keys {done}, {replayed.erased_already} erased already, "
            f"{replayed.not_in_the_database} not in this database, {replayed.of_another_key} ids that belong to a newer client."
        )
        if options["check"] and replayed.destroyed:
            sys.exit(1)
