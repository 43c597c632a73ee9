"""Imports another system's records from a file, or only reports what an import would do."""

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from crm.choices import DataImportState, ExistingRecords, ImportVerdict, UserKind
from crm.errors import DomainError
from crm.imports import KINDS, applying, checking, importing, reading, reporting
from crm.imports.kinds import kind_named
from crm.imports.mapping import guess
from crm.models import Brand, DataImport, ImportRow, User

HELP = """Imports clients of another system, the notes on them and their balances; the same file twice changes nothing. Balances
wait for a second person before they are posted.

MAP is a JSON file:
  {"kind": "clients", "system": "uptrader", "brand": "meridian",
   "fields": {"email": "E-mail", "country": {"column": "Land", "values": {"Deutschland": "DE"}}, "language": {"fixed": "de"}},
   "dates": "dmy", "decimal": ",", "encoding": "cp1252", "delimiter": ";"}
"dates" (ymd, dmy, mdy), "decimal", "encoding" and "delimiter" may be left out. --guess prints such a file for FILE.

With --dry-run nothing is stored. --json prints
  {"file", "sha256", "bytes", "brand", "kind", "system", "mapping", "state", "counts": {"new", "known", "same", "changed",
   "repeated", "refused"}, "flagged", "updated", "existing_records", "applied", "problems": [...], "next",
   "rows": [{"line", "verdict", "errors", "warnings", "changes": [{"field", "column", "before", "after", "kept"}], ...}]}
Clients and leads that are here already are compared. With --existing those that differ keep their details (keep),
get empty fields filled (fill) or all mapped fields updated (update), except what a document has proved.
Custom fields of the brand are mapped as custom_KEY.
Without --dry-run the import is made in the name of --as, batch by batch. Interrupted, the same command goes on where it
stopped. Exit code 1: the file or the mapping can't be read, or a row was refused (the others are imported).
See docs/import.md."""


class Command(BaseCommand):
    help = HELP

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(*args, **kwargs)
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file or workbook (XLSX, XLS, ODS)")
        parser.add_argument("--map", type=Path, help="JSON file with the column of each field")
        parser.add_argument(
            "--guess",
            choices=sorted(KINDS),
            help="print a mapping guessed from the columns, and stop; with --brand also its custom fields",
        )
        parser.add_argument("--brand", help="code of the brand; needed where the mapping doesn't name it")
        parser.add_argument(
            "--dry-run", action="store_true", help="give every row its verdict without storing anything"
        )
        parser.add_argument(
            "--existing",
            choices=ExistingRecords.values,
            default=ExistingRecords.KEEP.value,
            help="what happens to the details of existing records",
        )
        parser.add_argument("--json", action="store_true", help="print the report as JSON")
        parser.add_argument("--as", dest="email", help="e-mail address of the administrator who imports")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            refused = self._run(options)
        except DomainError as error:
            raise CommandError(error.message) from error
        if refused:
            raise CommandError(f"{refused} rows were refused.")

    def _run(self, options: dict[str, Any]) -> int:
        path: Path = options["file"]
        try:
            content = path.read_bytes() if path.stat().st_size <= importing.BYTES_MAX else None
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        if content is None:
            raise CommandError(f"{path} is larger than {importing.BYTES_MAX // 2**20} MB. Split it into smaller files.")
        if options["guess"]:
            self._guess(path, content, options)
            return 0
        definition = self._definition(options["map"])
        brand = self._brand(options["brand"] or definition.get("brand"))
        if options["dry_run"]:
            with transaction.atomic():
                batch = self._checked(brand, self._actor(options["email"]), path, content, definition, dry=True)
                refused = self._print(batch, options["json"])
                transaction.set_rollback(True)
            return refused
        if not options["email"]:
            raise CommandError("Name the administrator who imports with --as, or use --dry-run.")
        return self._import(brand, path, content, definition, options)

    def _import(
        self, brand: Brand, path: Path, content: bytes, definition: dict[str, Any], options: dict[str, Any]
    ) -> int:
        actor = self._actor(options["email"])
        batch = self._interrupted(brand, content, definition)
        if batch is None:
            batch = self._checked(brand, actor, path, content, definition, dry=False)
        if batch.taken_count:
            batch = importing.confirm(import_id=batch.pk, actor=actor, existing=options["existing"], is_queued=False)
            batch = applying.apply(batch, self._progress)
        return self._print(batch, options["json"])

    def _guess(self, path: Path, content: bytes, options: dict[str, Any]) -> None:
        kind, table = options["guess"], reading.open_table(content, path.name)
        fields = kind_named(kind).fields
        if options["brand"]:
            fields = kind_named(kind).fields_of(self._brand(options["brand"]).pk, self._actor(options["email"]))
        mapping = guess(fields, table.header).as_json()
        self.stdout.write(
            json.dumps({"kind": kind, "system": path.stem[:40].lower(), **mapping}, indent=2, ensure_ascii=False)
        )

    def _definition(self, path: Path | None) -> dict[str, Any]:
        if path is None:
            raise CommandError("Name the mapping with --map; --guess KIND prints one to start from.")
        try:
            definition = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise CommandError(f"{path} can't be read: {error.strerror}.") from error
        except ValueError as error:
            raise CommandError(f"{path} isn't valid JSON: {error}.") from error
        if not isinstance(definition, dict) or not definition.get("kind") or not definition.get("system"):
            raise CommandError(f"{path} must be a JSON object with kind, system and fields.")
        return definition

    def _brand(self, code: str | None) -> Brand:
        brands = Brand.objects.filter(archived_at=None)
        if code:
            brand = brands.filter(code=code).first()
            if brand is None:
                raise CommandError(f"There is no brand with the code {code}.")
            return brand
        if brands.count() != 1:
            raise CommandError("Name the brand with --brand.")
        return brands.get()

    def _actor(self, email: str | None) -> User | None:
        if not email:
            return None
        user = User.objects.filter(kind=UserKind.STAFF, email=email.lower(), is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active member of staff with the e-mail address {email}.")
        return user

    def _checked(
        self, brand: Brand, actor: User | None, path: Path, content: bytes, definition: dict[str, Any], *, dry: bool
    ) -> DataImport:
        batch = importing.start_import(
            brand=brand,
            actor=actor,
            kind=str(definition["kind"]),
            system=str(definition["system"]),
            file_name=path.name,
            content=content,
            keeps_file=not dry,
            options=definition,
        )
        batch = importing.map_columns(import_id=batch.pk, actor=actor, definition=definition, is_queued=False)
        batch = checking.check(batch, self._progress, content)
        if batch.state == DataImportState.FAILED:
            raise CommandError("\n".join(batch.problems))
        return batch

    def _interrupted(self, brand: Brand, content: bytes, definition: dict[str, Any]) -> DataImport | None:
        """Find the import of this very file that was confirmed and never came to its end."""
        return DataImport.objects.filter(
            brand=brand,
            kind=str(definition["kind"]),
            system=str(definition["system"]).strip().lower()[:40],
            sha256=hashlib.sha256(content).hexdigest(),
            state=DataImportState.APPLYING,
        ).first()

    def _progress(self, done: int, total: int = 0, message: str = "") -> None:
        self.stderr.write(f"{done:,}{f' of {total:,}' if total else ''} {message}")

    def _print(self, batch: DataImport, as_json: bool) -> int:
        refused: int = batch.counts.get(ImportVerdict.REFUSED, 0)
        if as_json:
            head = json.dumps(reporting.summary(batch), ensure_ascii=False)
            self.stdout.write(head[:-1] + ', "rows": [', ending="")
            for number, verdict in enumerate(reporting.row_verdicts(batch)):
                self.stdout.write((",\n" if number else "\n") + json.dumps(verdict, ensure_ascii=False), ending="")
            self.stdout.write("\n]}")
            return refused
        counts = ", ".join(f"{batch.counts.get(one.value, 0)} {one.value}" for one in ImportVerdict)
        self.stdout.write(f"{batch.file_name}: {counts}; {batch.applied} imported")
        for problem in batch.problems:
            self.stdout.write(f"  {problem}")
        for row in ImportRow.objects.filter(batch=batch, verdict=ImportVerdict.REFUSED).order_by("line")[:50]:
            self.stdout.write(f"  line {row.line}: {reporting.reason_of(row)}")
        if batch.result_url:
            self.stdout.write(f"Next: {batch.result_url}")
        return refused
