"""`manage.py judge_again CHALLENGE --day DAY`: what judging a challenge again from a server day on would change. Read-only."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.errors import DomainError
from prop.judge.again import Rejudgement, judge_again_from
from prop.models import PhaseAccount


class Command(BaseCommand):
    help = "Judge a challenge again from kept samples and the deals as they are, and list what comes out differently."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("challenge", type=int, help="Number of the challenge")
        parser.add_argument("--day", required=True, type=dt.date.fromisoformat, help="Server day, such as 2026-03-02")
        parser.add_argument("--account", type=int, help="Number of the phase's account; by default the last one")
        parser.add_argument("--json", action="store_true", help="Print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = PhaseAccount.objects.filter(challenge_id=options["challenge"]).select_related(
            "phase", "account__server", "challenge"
        )
        rows = rows.filter(account_id=options["account"]) if options["account"] else rows
        row = rows.order_by("-pk").first()
        if row is None:
            raise CommandError(f"There is no challenge {options['challenge']} with such an account.")
        try:
            result = judge_again_from(row, options["day"])
        except DomainError as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(result.to_json()))
        else:
            self._print(result)

    def _print(self, result: Rejudgement) -> None:
        shown = result.to_json()
        self.stdout.write(f"{shown['samples']} samples from {shown['since']} until {shown['until']}")
        for deal in shown["changed_deals"]:
            self.stdout.write(f"  deal {deal['ticket']}: {deal['was']} → {deal['now']} (minor units)")
        for gap in shown["gaps"]:
            self.stdout.write(f"  not seen from {gap['from']} until {gap['until']}")
        for each in shown["corrections"]:
            self.stdout.write(self.style.WARNING(f"  {each['kind']}"))
        if not shown["corrections"]:
            self.stdout.write("Decided as before.")
