"""`manage.py rebuild_facts`: recomputes every client fact and identifier, and completes the history of owners."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clients.facts import differences, rebuild, recomputed
from clients.identifiers import sources
from clients.ownership.check import close_gaps, gaps


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
        if not options["check"]:
            self.stdout.write(f"history of owners: {close_gaps()} completed")
            return
        for kind, pk in gaps():
            wrong += 1
            self.stderr.write(f"{kind} {pk}: the history of owners doesn't end with its present one")
        if wrong:
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(f"{len(recomputed())} facts agree with their sources."))
