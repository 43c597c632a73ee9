"""`manage.py rebuild_facts`: recomputes every client fact, and the identifiers, from their source tables."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clients.facts import differences, rebuild, recomputed
from clients.identifiers import sources


class Command(BaseCommand):
    help = "Recompute the facts on client records; with --check only compare, name what differs and exit 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = 0
        for fact in recomputed():
            if not options["check"]:
                self.stdout.write(f"{fact.name}: {rebuild(fact)} corrected")
                continue
            for client_id, stored, computed in differences(fact):
                wrong += 1
                self.stderr.write(f"client {client_id}: {fact.name} is {stored}, its source gives {computed}")
        for name in sorted(sources.SOURCES):
            if not options["check"]:
                self.stdout.write(f"identifiers of {name}: {sources.rebuild(name)} kept")
                continue
            for kind, client_id in sources.missing(name):
                wrong += 1
                self.stderr.write(f"client {client_id}: an identifier ({kind}) of {name} is missing")
        if wrong:
            sys.exit(1)
        if options["check"]:
            self.stdout.write(self.style.SUCCESS(f"{len(recomputed())} facts agree with their sources."))
