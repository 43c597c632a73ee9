"""Explains what a deal, a client's month or a sold challenge earned partners, to the last figure."""

import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ib.calculation.explained_deal import deals_with_number, explain_deal, explain_month, explain_sale
from ib.models import ChallengeSale, RevenueMonth


class Command(BaseCommand):
    help = (
        "Explains the commissions of a deal or of a sold challenge, or the shares of a client's net revenue in a month: who was"
        " paid, by which formula, and who was not and why."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("deal", nargs="?", default="", help="the deal's number on the platform")
        parser.add_argument("--server", default="", help="name of the trading server, where several have such a deal")
        parser.add_argument("--client", type=int, help="in place of a deal: the client's number")
        parser.add_argument("--month", default="", help="the client's month, e.g. 2026-09")
        parser.add_argument(
            "--challenge", type=int, help="in place of a deal: the number of a challenge that a client bought"
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        asked = [name for name in ("deal", "client", "challenge") if options[name]]
        if len(asked) != 1:
            raise CommandError("Enter a deal's number, or --client and --month, or --challenge.")
        explained = {"deal": self._deals, "client": self._months, "challenge": self._sale}[asked[0]](options)
        if options["json"]:
            self.stdout.write(json.dumps(explained, indent=1, ensure_ascii=False))
            return
        for one in explained:
            self._print(one)

    def _deals(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        number = options["deal"].lstrip("#")
        if not (number.isascii() and number.isdecimal() and len(number) <= 18):
            raise CommandError("A deal's number has digits only.")
        explained = [explain_deal(deal) for deal in deals_with_number(int(number), server=options["server"])]
        if not explained:
            raise CommandError(f"There's no deal {number}{' on this server' if options['server'] else ''}.")
        return explained

    def _months(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        try:
            month = dt.date.fromisoformat(f"{options['month']}-01")
        except ValueError:
            raise CommandError("Enter the month as --month 2026-09.") from None
        rows = RevenueMonth.objects.filter(client_id=options["client"], month=month).select_related("partner")
        explained = [explain_month(row) for row in rows.order_by("decided_at")]
        if not explained:
            raise CommandError("Nothing was calculated for this client and month.")
        return explained

    def _sale(self, options: dict[str, Any]) -> list[dict[str, Any]]:
        sale = ChallengeSale.objects.filter(challenge_number=options["challenge"]).select_related("client").first()
        if sale is None:
            raise CommandError("No such challenge was sold.")
        return [explain_sale(sale)]

    def _print(self, one: dict[str, Any]) -> None:
        if "deal" in one:
            self.stdout.write(f"#{one['deal']} on {one['server']}: {one['closed_lots']} lots of {one['symbol']} closed")
        elif "challenge" in one:
            self.stdout.write(
                f"challenge #{one['challenge']} of client {one['client']}, {one['price']} {one['currency']}"
            )
            if one["returned_at"]:
                self.stdout.write(f"  fee returned at {one['returned_at']}: {one['returned_because']}")
        else:
            self.stdout.write(f"client {one['client']} in {one['month']}, referred by {one['referred_by']}")
            parts = ("charged", "swaps", "lost", "booked", "pip_worth")
            self.stdout.write("  " + ", ".join(f"{name} {one[name]} {one['currency']}" for name in parts))
        for line in one["lines"]:
            outcome = f"{line['amount']} {line['currency']}" if line["is_paid"] else "not paid"
            self.stdout.write(
                f"  level {line['level']}, {line['partner']}, {line['component']} ({line['kind']}): {outcome}"
            )
            for step in line["steps"]:
                self.stdout.write(f"    {step['text']}{'  = ' + step['figure'] if step['figure'] else ''}")
        for total in one["totals"]:
            self.stdout.write(f"  {total['partner']}: {total['amount']} {total['currency']} in all")
        if one["why_none"]:
            self.stdout.write(f"  {one['why_none']}")
