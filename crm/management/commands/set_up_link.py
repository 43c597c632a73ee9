"""`manage.py set_up_link`: prints where the first two administrators sign up, while the installation has no staff."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from crm.errors import outcome_of
from crm.staff import founding


class Command(BaseCommand):
    help = "Print the address where the first two administrators of an empty installation sign up; good for 24 hours."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--if-empty", action="store_true", help="print nothing where somebody can sign in already")

    def handle(self, *args: Any, **options: Any) -> None:
        address = outcome_of(founding.set_up_address, only=founding.Founded)
        if address:
            self.stdout.write("\n  No one can sign in yet. Set up the first two administrators (within 24 hours):")
            self.stdout.write(f"  {address.result}")
        elif not options["if_empty"]:
            raise CommandError(str(address.error))
