"""`manage.py import_watchlist SOURCE FILE`: loads a new version of a sanctions list, or refuses it whole."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.sources import SOURCES
from compliance.watchlists import ImportRefused, import_watchlist


class Command(BaseCommand):
    help = "Import a file as the new version of a watchlist. A damaged file is rejected and the old version stays in force."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", choices=sorted(SOURCES))
        parser.add_argument(
            "file", type=Path, help="For OFAC, the primary file; alt and add must be in the same folder"
        )
        parser.add_argument("--may-shrink", action="store_true", help="Accept a file with many fewer entries")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = import_watchlist(
                source=options["source"], path=options["file"], actor=None, may_shrink=options["may_shrink"]
            )
        except ImportRefused as error:
            self.stderr.write(self.style.ERROR(f"Import rejected, the version in force is unchanged: {error.message}"))
            sys.exit(1)
        self.stdout.write(
            self.style.SUCCESS(
                f"{version.source}: {version.entry_count} entries, {version.name_count} names "
                f"({version.added} added, {version.changed} changed, {version.removed} removed)"
            )
        )
