"""Recomputes the whole ledger and reports the differences."""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from wallet.ledger.verification import verify


class Command(BaseCommand):
    help = "Recomputes every journal, wallet, checkpoint and seal. Exits with 1 and names the first wrong row if anything differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as JSON")
        parser.add_argument(
            "--deep", action="store_true", help="recompute every journal's hashes, even where its seal is valid"
        )
        parser.add_argument("--head", default="", help="an earlier head that must still be in the chain")

    def handle(self, *_args: Any, **options: Any) -> None:
        started = time.monotonic()
        quiet = options["json"] or options["verbosity"] == 0
        verdict = verify(
            lambda name: None if quiet else self.stdout.write(f"checking {name} …"),
            head=options["head"],
            deep=options["deep"],
        )
        seconds = time.monotonic() - started
        if options["json"]:
            self.stdout.write(json.dumps({**asdict(verdict), "holds": verdict.holds, "seconds": round(seconds, 3)}))
        else:
            self.stdout.write(
                f"{verdict.journals} journals, {verdict.postings} postings, {verdict.accounts} accounts, "
                f"{verdict.seals} seals ({verdict.unsealed} journals not sealed yet) in {seconds:.1f} s"
            )
            if verdict.head:
                self.stdout.write(f"head {verdict.head}")
            for problem in verdict.problems:
                self.stderr.write(self.style.ERROR(problem))
            if verdict.holds:
                self.stdout.write(self.style.SUCCESS("The ledger holds."))
        if not verdict.holds:
            sys.exit(1)
