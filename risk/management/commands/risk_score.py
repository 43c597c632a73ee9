"""`manage.py risk_score --import deals.csv --quotes quotes.csv --json`: what abuse detectors find in another system's deals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.errors import DomainError
from risk.abuse.book import Book, amount_of
from risk.abuse.choices import HANDLING, Abuse
from risk.abuse.engine import judge
from risk.abuse.file_report import Report
from risk.abuse.files import read_book
from risk.abuse.findings import Finding, Judgement, Limits
from risk.abuse.texts import not_judged, reservations, sentence


class Command(BaseCommand):
    help = (
        "Judge deals of another system (CSV or HTML statements of MT4 and MT5: orders with open and close, or deals in and out) "
        "with the detectors of the live pages. Without quotes, what needs them is reported as not judged. Writes nothing to the "
        "database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--import", dest="deals", required=True, type=Path, metavar="DEALS.csv")
        parser.add_argument(
            "--quotes",
            type=Path,
            nargs="+",
            default=[],
            metavar="QUOTES.csv",
            help="symbol, time, bid, ask; or tick files of one symbol each, named for it",
        )
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--min-score", type=float, default=0.5, help="From 0 to 1 (default %(default)s)")

    def handle(self, *args: Any, **options: Any) -> None:
        for path in (options["deals"], *options["quotes"]):
            if not path.is_file():
                raise CommandError(f"There is no file {path}.")
        if not 0 <= options["min_score"] <= 1:
            raise CommandError("The score is between 0 and 1.")
        try:
            book, report = read_book(options["deals"], options["quotes"])
        except DomainError as error:
            raise CommandError(error.message) from error
        except OSError as error:
            raise CommandError(f"The file can't be read: {error.strerror}.") from error
        judgement = judge(book, Limits(score=options["min_score"]))
        if options["json"]:
            findings = [as_json(book, row) for row in judgement.findings]
            body = {**vars(report), "trades": len(book), "accounts": len(book.accounts), "findings": findings}
            body["notes"] = notes(report)
            self.stdout.write(json.dumps({**body, "not_judged": unjudged(book, judgement)}, indent=1))
            return
        for line in (*report.errors, *notes(report)):
            self.stderr.write(line)
        for row in judgement.findings:
            said = as_json(book, row)
            self.stdout.write(f"{row.score:.2f}  {said['label']}: {', '.join(said['accounts'])}. {said['text']}")
        self.stdout.write(f"{len(judgement.findings)} findings in {len(book)} trades of {len(book.accounts)} accounts.")
        if judgement.unjudged:
            self.stdout.write(f"{len(judgement.unjudged)} checks could not be judged: quotes are missing.")


def notes(report: Report) -> list[str]:
    """Say what the findings don't rest on, in sentences."""
    said = reservations(vars(report))
    if report.without_opening:
        said.append(f"{report.without_opening} closings were left out: their openings aren't in the file.")
    if report.pending:
        said.append(f"{report.pending} pending orders were left out: they never became a trade.")
    if report.quotes_without_price:
        said.append(f"{report.quotes_without_price} ticks were left out: they have neither bid nor ask.")
    return said


def as_json(book: Book, row: Finding) -> dict[str, Any]:
    """Describe a finding with its evidence."""
    currency = book.accounts[row.accounts[0]].currency if row.accounts else ""
    return {
        "kind": str(row.kind),
        "label": str(Abuse(row.kind).label),
        "accounts": [book.accounts[n].key for n in row.accounts],
        "clients": sorted({book.accounts[n].client for n in row.accounts}),
        "score": row.score,
        "at_stake": str(amount_of(row.stake)),
        "currency": currency,
        "text": sentence(row.kind, row.facts, currency),
        "handling": str(HANDLING[row.kind]),
        "handling_text": str(HANDLING[row.kind].label),
        "evidence": [book.keys[n] for n in row.rows],
        "since_ms": row.since_ms,
        "until_ms": row.until_ms,
        "facts": dict(row.facts),
    }


def unjudged(book: Book, judgement: Judgement) -> list[dict[str, str]]:
    """List what could not be judged, and why."""
    return [
        {
            "kind": str(row.kind),
            "account": book.accounts[row.account].key,
            "reason": not_judged(row.trades, row.without_quotes),
        }
        for row in judgement.unjudged
    ]
