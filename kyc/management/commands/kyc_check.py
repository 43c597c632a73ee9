"""`manage.py kyc_check FILE...`: what the checks and the shipped policy say of documents, without storing anything."""

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from kyc.choices import IssueCode
from kyc.examination import states
from kyc.examination.decision import Decision
from kyc.examination.sheet import Result, Subject
from kyc.examination.trial import Trial, decide_together, try_file


class Command(BaseCommand):
    help = "Check documents of one person and show each verdict and the decision of the shipped policy. Stores nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "files", nargs="+", type=Path, metavar="FILE", help="pictures or PDFs; both sides of a card"
        )
        parser.add_argument("--name", required=True, help="as registered: first names, then the surname")
        parser.add_argument("--surname", default="", help="where the surname is more than the last word of --name")
        parser.add_argument("--born", required=True, help="date of birth, YYYY-MM-DD")
        parser.add_argument("--sex", choices=["M", "F"], default="")
        parser.add_argument("--nationality", default="", help="ISO 3166-1 code, such as DE or DEU")
        parser.add_argument("--specimens", action="store_true", help="accept documents of Utopia (UTO) as real")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        subject = _subject(options)
        missing = [str(path) for path in options["files"] if not path.is_file()]
        if missing:
            raise CommandError(f"No such file: {', '.join(missing)}")
        trials, seconds = [], []
        for path in options["files"]:
            started = time.process_time()
            with path.open("rb") as file:
                trials.append(
                    try_file(
                        file, path.name, subject, today=timezone.now().date(), accepts_specimens=options["specimens"]
                    )
                )
            seconds.append(round(time.process_time() - started, 2))
        decision = decide_together(trials)
        if options["json"]:
            files = [_file(trial, cpu) for trial, cpu in zip(trials, seconds, strict=True)]
            self.stdout.write(
                json.dumps({"decision": _decision(decision), "files": files}, indent=1, ensure_ascii=False)
            )
        else:
            self._print(trials, decision)

    def _print(self, trials: list[Trial], decision: Decision) -> None:
        for trial in trials:
            self.stdout.write(f"{trial.name}: {trial.kind} {trial.side} {trial.refusal}".rstrip())
            for result in trial.results:
                values = (
                    f" found {result.found!r}, expected {result.expected!r}" if result.found or result.expected else ""
                )
                self.stdout.write(
                    f"  {result.check:<20} {result.verdict:<7} {result.field:<16} {_reason(result)}{values}"
                )
        self.stdout.write(f"{decision.outcome.label}. {decision.request}".rstrip())


def _subject(options: dict[str, Any]) -> Subject:
    try:
        born = dt.date.fromisoformat(options["born"])
    except ValueError as error:
        raise CommandError("--born takes a date like 1990-05-17.") from error
    country = options["nationality"].upper()
    nationality = states.alpha2_of(country) if country and len(country) != 2 else country
    if country and not nationality:
        raise CommandError(f"--nationality takes an ISO 3166-1 code such as DE or DEU, not {country}.")
    first, _space, last = options["name"].strip().rpartition(" ")
    surname = options["surname"].strip()
    if surname:
        first, last = options["name"].strip().removesuffix(surname).strip(), surname
    return Subject(0, 0, first, last, born, "", "", "", nationality=nationality, sex=options["sex"])


def _reason(result: Result) -> str:
    return str(IssueCode(result.code).label) if result.code else ""


def _result(result: Result) -> dict[str, Any]:
    return {
        "check": result.check,
        "verdict": result.verdict.value,
        "code": str(result.code),
        "reason": _reason(result),
        "field": result.field,
        "found": result.found,
        "expected": result.expected,
        "confidence": round(float(result.score), 2),
        "page": result.page,
        "box": [round(side, 4) for side in result.box] if result.box else None,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    return {
        "outcome": decision.outcome.value,
        "reasons": [_result(result) for result in decision.because],
        "request": decision.request,
    }


def _file(trial: Trial, cpu_seconds: float) -> dict[str, Any]:
    fields = trial.sheet.extracted if trial.sheet else {}
    return {
        "file": trial.name,
        "kind": trial.kind,
        "side": trial.side,
        "refused": trial.refusal,
        "fields": {name: value for name, value in fields.items() if name != "zone"},
        "checks": [_result(result) for result in trial.results],
        "decision": _decision(trial.decision),
        "cpu_seconds": cpu_seconds,
    }
