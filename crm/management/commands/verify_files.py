"""Compare stored files with the rows that name them."""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.files.file_check import verify_files


class Command(BaseCommand):
    help = (
        "Check that every row that names a stored file has it, whole and readable; exits 1 and names what is missing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--deep", action="store_true", help="decrypt every file whole and compare its digest")
        parser.add_argument("--json", action="store_true", help="print the verdict as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        started = time.monotonic()
        quiet = options["json"] or options["verbosity"] == 0
        verdict = verify_files(
            lambda name: None if quiet else self.stdout.write(f"checking {name} …"), deep=options["deep"]
        )
        seconds = time.monotonic() - started
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(verdict), "holds": verdict.holds, "seconds": round(seconds, 3)}))
        else:
            self._print(verdict, seconds)
        if not verdict.holds:
            sys.exit(1)

    def _print(self, verdict: Any, seconds: float) -> None:
        for problem in verdict.problems:
            self.stderr.write(self.style.ERROR(problem))
        self.stdout.write(
            f"{verdict.files} files, {verdict.missing} missing, {verdict.damaged} damaged, "
            f"{verdict.erased} of erased clients, in {seconds:.1f} s"
        )
        orphans = {folder: count for folder, count in verdict.orphans.items() if count}
        if orphans:
            named = ", ".join(f"{count} in {folder}" for folder, count in orphans.items())
            self.stdout.write(f"Files without a row: {named}. `manage.py sweep_orphans` lists them.")
        if verdict.is_database_older:
            self.stdout.write(
                self.style.WARNING(
                    "The files are newer than this database: an older backup was restored. "
                    "Nothing is deleted until `manage.py sweep_orphans --delete`."
                )
            )
        if verdict.holds:
            self.stdout.write(self.style.SUCCESS("Every row has its file."))
