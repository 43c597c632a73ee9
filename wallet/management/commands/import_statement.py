"""Imports a bank's statement from a file or from the bank's address, or only reads one and reports its content."""

import argparse
import datetime as dt
import hashlib
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count
from django.utils import timezone

from crm.errors import DomainError
from wallet.bank.statement_ends import gaps_of
from wallet.bank.statements import import_statement
from wallet.models import Psp
from wallet.psp import adapter_of
from wallet.psp.settlement import EndUnknown
from wallet.statement_formats import FORMATS, Parsed, read_file
from wallet.statement_formats.json_output import Report
from wallet.statement_formats.parsed import Weight, format_amount

HELP = """Imports a bank statement for a bank account; the same file twice changes nothing.

Formats: camt.052/.053/.054 (any version), MT940, MT942, BAI2, OFX 1 and 2, CSV, XLSX (XLS, ODS), and archives of these.

With --dry-run nothing is stored and neither database nor --psp is needed: the file is read and proved, and --json prints
  {"file", "sha256", "bytes", "format", "statements": [...], "ok", "totals": {"statements", "entries"}, "problems": [...]}
where a statement is
  {"place", "id", "number", "account", "owner", "bank", "currency", "from", "to",
   "balances": {"opening", "closing", "others"}, "totals": {"entries", "booked", "credits", "debits", "net"},
   "proof": {"ok", "checks", "problems"}, "warnings", "entries": [...]}
and an entry is
  {"date", "value_date", "amount", "currency", "status", "references", "party": {"name", "account", "bic"}, "description",
   "code", "place"} and, where they apply, "details" (payments of a batch), "is_reversal", "return_reason", "original",
   "balance_after".
Amounts are strings with a point; what went out has a minus. Only entries with the status "booked" moved money.
Exit code 1: the file can't be read, or its totals don't verify (see "problems"); everything that could be parsed is still
printed. See docs/statements.md."""
PIECE_BYTES = 2**20


class Command(BaseCommand):
    help = HELP
    requires_system_checks = ()  # reading a file needs none

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file", nargs="?", type=Path, help="statement file; omit it to fetch the statement from the bank"
        )
        parser.add_argument("--psp", help="code of the bank account; required unless --dry-run")
        parser.add_argument("--days", type=int, default=3, help="number of days to fetch")
        parser.add_argument(
            "--format", default="auto", choices=("auto", *FORMATS), help="auto: detect from the content"
        )
        parser.add_argument(
            "--complete",
            action="store_true",
            help="confirm that the CSV is complete after comparing it with the bank's portal",
        )
        parser.add_argument("--dry-run", action="store_true", help="read and verify the file without storing anything")
        parser.add_argument("--json", action="store_true", help="with --dry-run: print everything as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._look(options)
            return
        if options["json"]:
            raise CommandError("--json requires --dry-run.")
        if not options["psp"]:
            raise CommandError("Name the bank account with --psp, or use --dry-run to only read the file.")
        self._take_in(options)

    # Reading only

    def _look(self, options: dict[str, Any]) -> None:
        path: Path | None = options["file"]
        if path is None:
            raise CommandError("Enter the file to read.")
        try:
            with path.open("rb") as file:
                problems = (
                    self._json(path, file, options["format"])
                    if options["json"]
                    else self._words(file, options["format"])
                )
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        if problems:
            raise CommandError("\n".join(problems[:20]))

    def _json(self, path: Path, file: BinaryIO, kind: str) -> list[str]:
        digest, size = hashlib.sha256(), 0
        while piece := file.read(PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
        head: dict[str, Any] = {"file": path.name, "sha256": digest.hexdigest(), "bytes": size, "format": None}
        problems = []
        try:
            head["format"], found = read_file(file, kind)
        except DomainError as error:
            problems, found = [error.message], iter(())
        report = Report(head, found)
        report.problems += problems
        for text in report.lines():
            self.stdout.write(text, ending="")
        self.stdout.write("")
        return report.problems

    def _words(self, file: BinaryIO, kind: str) -> list[str]:
        problems: list[str] = []
        try:
            kind, found = read_file(file, kind)
            for one in found:
                self.stdout.write(f"{kind}: {_summary(one)}")
                for trouble in one.troubles:
                    self.stdout.write(f"  {trouble}")
                    problems += [str(trouble)] if trouble.weight == Weight.PROOF else []
        except DomainError as error:
            problems.append(error.message)
        return problems

    # Taking in

    def _take_in(self, options: dict[str, Any]) -> None:
        psp = Psp.objects.filter(code=options["psp"]).first()
        if psp is None:
            raise CommandError(f"There is no PSP with the code {options['psp']}.")
        try:
            name, content = self._content(psp, options)
            file = import_statement(
                psp_id=psp.pk,
                file_name=name,
                content=content,
                actor=None,
                kind=options["format"],
                is_complete=options["complete"] or options["file"] is None,
            )
        except EndUnknown as error:
            raise CommandError(
                f"{error.message} Or compare it with the bank's portal and run the command again with --complete."
            ) from error
        except DomainError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"{options['file']} can't be read: {error.strerror}.") from error
        for words in gaps_of(file):
            self.stderr.write(words)
        states = file.entries.values_list("state").annotate(Count("pk")).order_by("state")
        self.stdout.write(
            f"{file.file_name}: {file.entries_new} new entries, {file.entries_known} already known"
            + "".join(f", {count} {state}" for state, count in states)
        )

    def _content(self, psp: Psp, options: dict[str, Any]) -> tuple[str, bytes | Path]:
        path: Path | None = options["file"]
        if path is not None:
            return path.name, path
        last = timezone.now().date()
        first = last - dt.timedelta(days=options["days"])
        return f"{psp.code}-{first}-{last}.xml", adapter_of(psp).fetch_settlement(first, last)


def _summary(one: Parsed) -> str:
    opening, closing = one.balance("opening"), one.balance("closing")
    balances = ", ".join(
        f"{name} {format_amount(balance.amount, one.currency)}"
        for name, balance in (("opening", opening), ("closing", closing))
        if balance
    )
    words = (
        f"{one.account or 'no account'} {one.currency} {one.first_day} to {one.last_day}: {len(one.entries)} entries"
    )
    return f"{words}, {balances}" if balances else words
