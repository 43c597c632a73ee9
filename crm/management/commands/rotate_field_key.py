"""`manage.py rotate_field_key`: wraps everything again under today's field key."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.privacy import key_rotation
from crm.security import keys


class Command(BaseCommand):
    help = "Wrap keys and secrets again under KEELSON_FIELD_KEY; older ones are read with KEELSON_FIELD_KEYS_OLD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Only count what older keys hold; exit 1 if anything")
        parser.add_argument("--batch", type=int, default=key_rotation.BATCH_ROWS, help="Rows per transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        if not 1 <= options["batch"] <= 50_000:
            raise CommandError("--batch is between 1 and 50000.")
        stores = key_rotation.left() if options["check"] else key_rotation.rotate(batch_rows=options["batch"])
        for store in stores:
            if store.rewrapped or store.left:
                self.stdout.write(f"{store.name}: {store.rewrapped or store.left}")
            for what in store.unreadable:
                self.stderr.write(self.style.ERROR(f"{store.name} {what}: no configured field key opens it"))
        if options["check"]:
            self._check(stores)
        else:
            self._done(stores)

    def _check(self, stores: list[key_rotation.Store]) -> None:
        left = sum(store.left + store.unreadable_count for store in stores)
        if left:
            self.stdout.write(f"{left} values are under other field keys. Run manage.py rotate_field_key.")
            sys.exit(1)
        self.stdout.write(self.style.SUCCESS(f"Everything is under field key {keys.field_key().key_id.hex()}."))

    def _done(self, stores: list[key_rotation.Store]) -> None:
        total = sum(store.rewrapped for store in stores)
        self.stdout.write(f"{total} values are now under field key {keys.field_key().key_id.hex()}.")
        for old in keys.field_keys()[1:]:
            self.stdout.write(
                "Before you remove an old field key, add the public key of the seals it signed to KEELSON_SEAL_KEYS_OLD: "
                + keys.derived_seal_key_hex(old)
            )
        if unreadable := sum(store.unreadable_count for store in stores):
            raise CommandError(
                f"{unreadable} values could not be opened. Add the field key that wrapped them to KEELSON_FIELD_KEYS_OLD "
                "and run the command again; without it they are lost."
            )
