"""`manage.py event_schemas`: writes the JSON Schema file of each event and the list in `docs/events.md`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.events import schemas


class Command(BaseCommand):
    help = (
        "Write the JSON Schema of each event to docs/events/ and their list to docs/events.md; --check only compares."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; exit 1 when a file isn't current")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outdated = list(schemas.outdated())
        except schemas.SchemaBroken as error:
            raise CommandError(str(error)) from error
        if missing := schemas.missing_versions():
            raise CommandError(f"Schemas of earlier versions are missing: {', '.join(missing)}. Restore them.")
        if options["check"] and outdated:
            names = ", ".join(path.name for path, _text in outdated)
            raise CommandError(f"Not current: {names}. Run manage.py event_schemas and commit what it wrote.")
        for path, text in outdated:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
            self.stdout.write(str(path))
        if not outdated:
            self.stdout.write("All schemas are current.")
