"""Takes in a bank's statement: a file, or fetched from the bank's address."""

import datetime as dt
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils import timezone

from crm.errors import DomainError
from wallet.bank import import_statement
from wallet.models import Psp
from wallet.psp import adapter_of


class Command(BaseCommand):
    help = "Imports a bank statement (camt.052/.053/.054, MT940, CSV) for a bank account; the same file twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="the statement; without it, it is fetched")
        parser.add_argument("--psp", required=True, help="code of the bank account")
        parser.add_argument("--days", type=int, default=3, help="when fetched: so many days back")

    def handle(self, *_args: Any, **options: Any) -> None:
        psp = Psp.objects.filter(code=options["psp"]).first()
        if psp is None:
            raise CommandError(f"There is no PSP with the code {options['psp']}.")
        try:
            name, content = self._content(psp, options)
            file = import_statement(psp_id=psp.pk, file_name=name, content=content, actor=None)
        except DomainError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}.") from error
        states = file.entries.values_list("state").annotate(Count("pk")).order_by("state")
        self.stdout.write(
            f"{file.file_name}: {file.entries_new} new entries, {file.entries_known} known before"
            + "".join(f", {count} {state}" for state, count in states)
        )

    def _content(self, psp: Psp, options: dict[str, Any]) -> tuple[str, bytes]:
        path: Path | None = options["file"]
        if path is not None:
            return path.name, path.read_bytes()
        last = timezone.now().date()
        first = last - dt.timedelta(days=options["days"])
        return f"{psp.code}-{first}-{last}.xml", adapter_of(psp).fetch_settlement(first, last)
