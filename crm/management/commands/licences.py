"""Write NOTICE: packages, files and data of others, with their licences."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.project.licences import notice, notice_path


class Command(BaseCommand):
    help = "Write NOTICE with the version and licence of every dependency; with --check only compare and exit 1."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when NOTICE is out of date")

    def handle(self, *_args: Any, **options: Any) -> None:
        path, text = notice_path(), notice()
        if options["check"]:
            if not path.exists() or path.read_text() != text:
                raise CommandError("NOTICE is out of date: run `manage.py licences`.")
            return
        path.write_text(text)
        self.stdout.write(f"{path}: {text.count(chr(10))} lines")
