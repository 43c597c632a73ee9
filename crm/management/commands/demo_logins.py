"""`manage.py demo_logins`: prints a login per role of the demo brokerage."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from crm import demo
from crm.accounts import demo_mode


class Command(BaseCommand):
    help = "Print the demo's logins: role, user name, where to sign in, and how to get past the second factor."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = demo.logins()
        if not rows:
            self.stdout.write("There is no demo in this database: run manage.py load_demo.")
            return
        self.stdout.write(f"\n  Password of everyone: {demo_mode.PASSWORD}")
        self.stdout.write("  Second factor of staff: the sign-in page shows the current code on a demo.\n")
        for row in rows:
            self.stdout.write(f"  {row.label:<28} {row.username:<40} {settings.BASE_URL}{row.path}")
