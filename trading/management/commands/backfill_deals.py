"""`manage.py backfill_deals SERVER --since DATE`: reads a span of the past again, day by day."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from trading.models import TradingServer
from trading.platforms.errors import PlatformError
from trading.sync.deals import backfill


class Command(BaseCommand):
    help = "Read deals of the past from a trading server; known ones are left alone, changed ones updated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server", help="Name of the server")
        parser.add_argument("--since", type=dt.date.fromisoformat, required=True, help="First day, e.g. 2026-01-01")

    def handle(self, *args: Any, **options: Any) -> None:
        server = TradingServer.objects.filter(name__iexact=options["server"]).first()
        if server is None:
            raise CommandError(f"There is no server “{options['server']}”.")
        since = dt.datetime.combine(options["since"], dt.time(), tzinfo=dt.UTC)
        total = 0
        try:
            for day, count in enumerate(backfill(server, since=since)):
                total += count
                if count:
                    self.stdout.write(f"{options['since'] + dt.timedelta(days=day)}: {count} new deals")
        except PlatformError as problem:
            raise CommandError(
                f"The platform stopped answering: {problem}. Start again; what was read is kept."
            ) from problem
        self.stdout.write(f"{total} new deals since {options['since']}")
