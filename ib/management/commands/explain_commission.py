"""Explains what a deal earned partners, to the last figure."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ib.calculation.explained_deal import deals_with_number, explain_deal


class Command(BaseCommand):
    help = "Explains the commissions of a deal: who was paid, by which formula, and who was not and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deal", help="the deal's number on the platform")
        parser.add_argument("--server", default="", help="name of the trading server, where several have such a deal")
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        number = options["deal"].lstrip("#")
        if not (number.isascii() and number.isdecimal() and len(number) <= 18):
            raise CommandError("A deal's number has digits only.")
        explained = [explain_deal(deal) for deal in deals_with_number(int(number), server=options["server"])]
        if not explained:
            raise CommandError(f"There's no deal {number}{' on this server' if options['server'] else ''}.")
        if options["json"]:
            self.stdout.write(json.dumps(explained, indent=1, ensure_ascii=False))
            return
        for deal in explained:
            self._print(deal)

    def _print(self, deal: dict[str, Any]) -> None:
        self.stdout.write(f"#{deal['deal']} on {deal['server']}: {deal['closed_lots']} lots of {deal['symbol']} closed")
        for line in deal["lines"]:
            outcome = f"{line['amount']} {line['currency']}" if line["is_paid"] else "not paid"
            self.stdout.write(
                f"  level {line['level']}, {line['partner']}, {line['component']} ({line['kind']}): {outcome}"
            )
            for step in line["steps"]:
                self.stdout.write(f"    {step['text']}{'  = ' + step['figure'] if step['figure'] else ''}")
        for total in deal["totals"]:
            self.stdout.write(f"  {total['partner']}: {total['amount']} {total['currency']} in all")
        if deal["why_none"]:
            self.stdout.write(f"  {deal['why_none']}")
