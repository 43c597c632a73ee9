"""`manage.py monitoring_score --import events.jsonl --json-alerts alerts.csv`: what monitoring would have raised elsewhere."""

from __future__ import annotations

import csv
import json
import tempfile
from pathlib import Path
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.errors import DomainError
from monitoring.engine import budget
from monitoring.history.judging import COLUMNS, judge_file
from monitoring.history.mapping import FIELDS, KINDS, plain
from monitoring.history.reading import Reader
from monitoring.history.tables import as_lines


class Command(BaseCommand):
    help = (
        "Score another system's history (events in JSONL or as tables, one file or several, in any order) with the scorer of the "
        "live pages: each agent-day with what was known on that day. Writes nothing to the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--import", dest="source", required=True, type=Path, nargs="+", metavar="EVENTS.jsonl")
        parser.add_argument("--json-alerts", dest="target", required=True, type=Path, metavar="ALERTS.csv")
        parser.add_argument(
            "--budget",
            type=float,
            default=budget.DEFAULT_PER_100,
            help="Cases per 100 agent-days (default %(default)s)",
        )
        parser.add_argument(
            "--map-field", action="append", default=[], metavar="OURS=THEIRS", help="e.g. agent=rep_code"
        )
        parser.add_argument("--map-kind", action="append", default=[], metavar="THEIRS=OURS", help="e.g. peek=reveal")
        parser.add_argument("--alerts-only", action="store_true", help="Write only the agent-days that open a case")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["source"]:
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        if not 0 < options["budget"] <= 100:
            raise CommandError("The budget is more than 0 and at most 100 cases per 100 agent-days.")
        fields = {ours: plain(theirs) for ours, theirs in _pairs(options["map_field"], set(FIELDS))}
        kinds = {
            theirs: ours
            for ours, theirs in ((o, t) for t, o in _pairs(options["map_kind"], None, {k for k, _w in KINDS}))
        }
        agent_days = alerts = 0
        with tempfile.TemporaryDirectory(prefix="keelson-history-") as folder, _opened(options["target"]) as file:
            try:
                lines = as_lines(options["source"], Path(folder) / "events.jsonl")
            except DomainError as error:
                raise CommandError(error.message) from error
            reader = Reader(lines, fields=fields, kinds=kinds)
            out = csv.writer(file)
            out.writerow(COLUMNS)
            for row in judge_file(reader, per_100=options["budget"]):
                agent_days += 1
                alerts += row.is_alert
                if row.is_alert or not options["alerts_only"]:
                    out.writerow(row.as_row())
        self.stdout.write(
            json.dumps(
                {"agent_days": agent_days, "alerts": alerts, "budget": options["budget"], **reader.report.as_json()},
                indent=1,
            )
        )
        if not agent_days:
            raise CommandError(
                "No event had a time and an agent: state them with --map-field ts=… and --map-field agent=…."
            )


def _opened(target: Path) -> TextIO:
    return target.open("w", newline="", encoding="utf-8")


def _pairs(texts: list[str], left: set[str] | None, right: set[str] | None = None) -> list[tuple[str, str]]:
    pairs = []
    for text in texts:
        first, equals, second = text.partition("=")
        if not equals or (left is not None and first not in left) or (right is not None and second not in right):
            known = ", ".join(sorted(left or right or ()))
            raise CommandError(f"“{text}” isn't a mapping. Known: {known}.")
        pairs.append((first, second))
    return pairs
