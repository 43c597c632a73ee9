"""`manage.py import_watchlist SOURCE FILE`: loads a new version of a sanctions list, or refuses it whole."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.sources import SOURCES
from compliance.watchlists import ImportRefused, import_watchlist


class Command(BaseCommand):
    help = "Load a file as the new version of a watchlist. A broken file is refused and the old version stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", choices=sorted(SOURCES))
        parser.add_argument("file", type=Path, help="For OFAC the primary file; alt and add must lie beside it")
        parser.add_argument("--may-shrink", action="store_true", help="Take a file that lost many entries")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = import_watchlist(
                source=options["source"], path=options["file"], actor=None, may_shrink=options["may_shrink"]
            )
        except ImportRefused as error:
            self.stderr.write(self.style.ERROR(f"Refused, the version in force stays: {error.message}"))
            sys.exit(1)
        self.stdout.write(
            self.style.SUCCESS(
                f"{version.source}: {version.entry_count} entries, {version.name_count} names "
                f"({version.added} new, {version.changed} changed, {version.removed} gone)"
            )
        )
