"""`manage.py aml_replay --from 2026-01-01 --to 2026-11-01 [--rule 7] --json`: what the rules would have raised, with evidence."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance.aml import stream
from compliance.aml.describing import measured, sentence
from compliance.aml.models import AmlMovement, AmlRuleVersion
from compliance.aml.running import evidence_of, raised_in


class Command(BaseCommand):
    help = "Show what AML rules would have raised over a time had they gone live when it began. Nothing is written but --backfill."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", required=True, metavar="DAY", help="First day, YYYY-MM-DD (UTC)")
        parser.add_argument("--to", dest="end", required=True, metavar="DAY", help="Last day, YYYY-MM-DD (UTC)")
        parser.add_argument("--rule", type=int, help="Number of a rule; without it the newest version of every rule")
        parser.add_argument("--backfill", action="store_true", help="First write the history that the stream lacks")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        start, end = _day(options["start"]), _day(options["end"], after=1)
        if start >= end:
            raise CommandError("The period must begin before it ends.")
        if options["backfill"]:
            for name in sorted(stream.SOURCES):
                self.stderr.write(f"{name}: {stream.backfill(name)}")
        versions = (
            AmlRuleVersion.objects.select_related("rule__brand").order_by("rule_id", "-number").distinct("rule_id")
        )
        if options["rule"] is not None:
            versions = versions.filter(rule_id=options["rule"])
        found = [_report(version, start, end) for version in versions]
        if options["rule"] is not None and not found:
            raise CommandError(f"There is no rule {options['rule']}.")
        if options["json"]:
            self.stdout.write(json.dumps({"from": options["start"], "to": options["end"], "rules": found}, indent=1))
            return
        for rule in found:
            self.stdout.write(
                f"{rule['brand']} · {rule['name']} v{rule['version']} ({rule['state']}): {len(rule['alerts'])}"
            )
            for alert in rule["alerts"]:
                self.stdout.write(
                    f"  client {alert['client']}  {alert['at']}  {alert['value']}  {len(alert['evidence'])} movements"
                )


def _day(text: str, *, after: int = 0) -> dt.datetime:
    """Read a day as its first instant, or that of a day so many days later."""
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC) + dt.timedelta(days=after)
    except (ValueError, OverflowError) as error:
        raise CommandError(f"“{text}” isn't a valid date. Write it as YYYY-MM-DD.") from error


def _report(version: AmlRuleVersion, start: dt.datetime, end: dt.datetime) -> dict[str, Any]:
    raised = raised_in(version, start, end)
    evidence = evidence_of(version, raised)
    sources = AmlMovement.objects.in_bulk({pk for pks in evidence.values() for pk in pks})
    return {
        "rule": version.rule_id,
        "name": version.rule.name,
        "brand": version.rule.brand.code,
        "version": version.number,
        "state": version.state,
        "sentence": sentence(version),
        "alerts": [
            {
                "client": entry.client_id,
                "at": entry.at.isoformat(),
                "episode": entry.episode,
                "value": measured(version, entry.value),
                "evidence": [
                    {
                        "source": sources[pk].source,
                        "kind": sources[pk].kind,
                        "at": sources[pk].at.isoformat(),
                        "method": sources[pk].method,
                        "amount": str(sources[pk].amount.normalize()),
                        "currency": sources[pk].currency,
                    }
                    for pk in evidence[entry.client_id, entry.episode]
                ],
            }
            for entry in raised
        ],
    }
