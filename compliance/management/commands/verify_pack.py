"""`manage.py verify_pack FILE.pdf`: checks an audit pack, and that this instance signed it."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from compliance.pack_check import check_pack


class Command(BaseCommand):
    help = "Verify an audit trail PDF: bytes, entries, seals, signature, and that this instance signed it. Exits with 1 on failure."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            self.stderr.write(self.style.ERROR(str(error)))
            sys.exit(2)
        result = check_pack(content)
        for problem in result.problems[:20]:
            self.stderr.write(self.style.ERROR(problem))
        if result.problems:
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(f"File verified: {result.rows} entries under {result.seals} seals."))
