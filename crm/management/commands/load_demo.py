"""`manage.py load_demo`: fills an empty database with a believable brokerage."""

import datetime as dt
import gc
import random
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from crm import demo
from crm.errors import WrongState
from crm.models import Brand
from crm.security import audit

BAR_WIDTH = 32


class Command(BaseCommand):
    help = "Load the demo brokerage into an empty database: brands, staff, leads, clients, money, trades, partners."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=2026)
        parser.add_argument("--scale", type=float, default=1.0, help="0.02 makes a tiny one for tests")
        parser.add_argument("--now", type=dt.datetime.fromisoformat, help="Pretend it is this instant (ISO, with zone)")
        parser.add_argument("--if-empty", action="store_true", help="Do nothing when the database has brands already")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["if_empty"] and Brand.objects.exists():
            self.stdout.write("The demo is already there.")
            return
        started = time.monotonic()
        now = options["now"] or dt.datetime.now(dt.UTC)
        rng = random.Random(options["seed"])  # noqa: S311 — a demo, not a secret
        context = demo.Demo(rng=rng, now=now, scale=options["scale"], progress=self._progress)
        # Half a million rows are made and kept for a while: searching them again and again for cycles finds none.
        gc.freeze()
        gc.set_threshold(200_000, 100, 1000)
        with connection.cursor() as cursor:
            # A demo that a power cut ends half-way is loaded again: no commit has to wait for the disk.
            cursor.execute("SET synchronous_commit TO off")
        try:
            timings = demo.load(context)
        except WrongState as error:
            raise CommandError(str(error)) from error
        while audit.seal_pending():
            pass
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        self.stdout.write("")
        if options["verbosity"] > 1:
            for name, seconds in timings:
                self.stdout.write(f"  {name}: {seconds:.1f} s")
        self.stdout.write(self.style.SUCCESS(f"The demo brokerage is ready ({time.monotonic() - started:.0f} s)."))

    def _progress(self, text: str, done: int, total: int) -> None:
        if not sys.stdout.isatty():
            if done >= total:
                self.stdout.write(f"  {text}")
            return
        filled = BAR_WIDTH * done // max(total, 1)
        self.stdout.write(f"\r\033[K  [{'█' * filled}{'·' * (BAR_WIDTH - filled)}] {text}", ending="")
        self.stdout.flush()
