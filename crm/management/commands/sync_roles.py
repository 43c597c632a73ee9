"""`manage.py sync_roles`: makes each role's group hold exactly its catalogue of permissions."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from crm.security import roles


class Command(BaseCommand):
    help = "Make the role groups equal to the catalogue in each app's roles.py (also done after every migrate)."

    def handle(self, *args: Any, **options: Any) -> None:
        roles.sync_roles()
        unknown = roles.unknown_permissions()
        if unknown:
            self.stderr.write(f"unknown permissions: {', '.join(sorted(unknown))}")
            sys.exit(1)
        self.stdout.write(f"{len(roles.CATALOGUE)} roles are in sync")
