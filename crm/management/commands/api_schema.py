"""Write the OpenAPI file of the public API to docs/openapi.json; --check only compares it, and looks for breaking changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.api.compatibility import breaking_changes
from crm.api.site import document

FILE = Path("docs") / "openapi.json"
RELEASED = Path("docs") / "openapi.released.json"


class Command(BaseCommand):
    help = (
        "Write the OpenAPI file of the public API to docs/openapi.json; --check compares, and refuses breaking changes"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only compare with the file and the last release")
        parser.add_argument("--release", action="store_true", help="Keep this file as the one that was released")

    def handle(self, *args: Any, check: bool, release: bool, **options: Any) -> None:
        current, path = document(), settings.BASE_DIR / FILE
        written = orjson.dumps(current, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
        if check and (not path.is_file() or path.read_bytes() != written):
            raise CommandError(f"{FILE} isn't current: run manage.py api_schema")
        released = settings.BASE_DIR / RELEASED
        problems = breaking_changes(orjson.loads(released.read_bytes()), current) if released.is_file() else []
        if problems and not release:
            raise CommandError("Breaking changes since the last release:\n" + "\n".join(problems))
        if not check:
            path.write_bytes(written)
            self.stdout.write(f"{FILE}: {len(current['paths'])} addresses")
        if release:
            released.write_bytes(orjson.dumps(current, option=orjson.OPT_SORT_KEYS) + b"\n")
