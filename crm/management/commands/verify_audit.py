"""`manage.py verify_audit`: proves the audit log, or names the first rows that were tampered with."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.security import audit


class Command(BaseCommand):
    help = "Prove that no sealed audit row was changed, added or deleted; exits 1 and names the rows otherwise."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client", type=int, help="Check the chain of seals and only this client's rows")
        parser.add_argument("--head", default="", help="A head noted earlier; it must still be in the chain")
        parser.add_argument("--seal", action="store_true", help="Seal finished rows first")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["seal"]:
            while audit.seal_pending():
                pass
        verdict = audit.verify(client_id=options["client"], head=options["head"])
        for problem in verdict.problems:
            self.stderr.write(self.style.ERROR(problem))
        self.stdout.write(
            f"{verdict.rows} rows in {verdict.seals} seals, {verdict.unsealed} not sealed yet; head {verdict.head or '-'}"
        )
        if not verdict.holds:
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS("The audit log holds."))
