"""`manage.py backfill_deals SERVER --since DATE`: reads a span of the past, and goes on where an earlier run was cut."""

from __future__ import annotations

import datetime as dt
from contextlib import closing
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.errors import DomainError
from trading.choices import BackfillState
from trading.models import Backfill, TradingServer
from trading.platforms.errors import PlatformError
from trading.sync import backfill


class Command(BaseCommand):
    help = "Load the deal history of a trading server; known deals are kept, changed ones are updated."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server", help="Name of the server")
        parser.add_argument(
            "--since",
            type=dt.date.fromisoformat,
            help="First day, e.g. 2026-01-01; leave out to resume an interrupted run",
        )
        parser.add_argument("--until", type=dt.date.fromisoformat, help="Last day; default: today")
        parser.add_argument("--drop", action="store_true", help="Cancel an unfinished download first")

    def handle(self, *args: Any, **options: Any) -> None:
        server = TradingServer.objects.filter(name__iexact=options["server"]).first()
        if server is None:
            raise CommandError(f"There is no server “{options['server']}”.")
        try:
            self._run(self._span(server, options))
        except DomainError as problem:
            raise CommandError(str(problem)) from problem
        except PlatformError as problem:
            raise CommandError(
                f"The platform stopped responding: {problem}. Run the command again; deals already read are kept."
            ) from problem

    def _span(self, server: TradingServer, options: dict[str, Any]) -> Backfill:
        """Resume the span that was cut off, or start a new one."""
        open_one = Backfill.objects.filter(server=server).exclude(state=BackfillState.DONE).first()
        if open_one is not None and options["drop"]:
            backfill.drop(backfill_id=open_one.pk, actor=None, system=True)
            open_one = None
        if open_one is not None and options["since"] in (None, open_one.first_day):
            self.stdout.write(f"Resuming after {open_one.days_done} of {open_one.days} days.")
            return open_one
        if options["since"] is None:
            raise CommandError("Enter --since DATE: there is no interrupted run to resume.")
        return backfill.start(
            server_id=server.pk, first_day=options["since"], last_day=options["until"], actor=None, system=True
        )

    def _run(self, span: Backfill) -> None:
        new = span.new
        with closing(backfill.work(span.pk)) as windows:
            for row in windows:
                if row.new != new:
                    self.stdout.write(f"{row.days_done} of {row.days} days: {row.new - new} new deals")
                    self.stdout.flush()
                    new = row.new
                span = row
        self.stdout.write(f"{span.new} new and {span.changed} changed of {span.deals} deals since {span.first_day}")
