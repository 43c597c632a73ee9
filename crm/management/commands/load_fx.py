"""`manage.py load_fx`: loads the ECB reference rates that ship with the package."""

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from crm.rates.fx import load_bundled_rates


class Command(BaseCommand):
    help = "Load the bundled ECB euro reference rates into the database (days already there are kept)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--since", type=dt.date.fromisoformat, default=dt.date(2024, 1, 1))

    def handle(self, *args: Any, **options: Any) -> None:
        rows = load_bundled_rates(since=options["since"])
        self.stdout.write(f"{rows} reference rates since {options['since']}")
