"""`manage.py platform_doctor SERVER`: read-only checks against a trading server, with what to do about each."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.money.numbers import is_whole
from trading.models import TradingServer
from trading.servers.diagnostics import examine


class Command(BaseCommand):
    help = "Check a trading server's sign-in, clock, groups, symbols, accounts and deals. Read-only."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("server", help="Name or number of the server")
        parser.add_argument("--json", action="store_true", help="Print the results as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = options["server"]
        found = TradingServer.objects.filter(pk=int(wanted)) if is_whole(wanted) else None
        server = (found or TradingServer.objects.filter(name__iexact=wanted)).first()
        if server is None:
            names = ", ".join(TradingServer.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no server “{wanted}”. Connected servers: {names}.")
        checks = []
        for check in examine(server):
            checks.append(check)
            if not options["json"]:
                mark = self.style.SUCCESS("✓") if check.is_well else self.style.ERROR("✗")
                self.stdout.write(f"{mark} {check.name:<10} {check.told}  ({check.milliseconds} ms)")
                if check.advice:
                    self.stdout.write(f"  → {check.advice}")
        if options["json"]:
            self.stdout.write(json.dumps([asdict(check) for check in checks]))
        if not all(check.is_well for check in checks):
            sys.exit(1)
