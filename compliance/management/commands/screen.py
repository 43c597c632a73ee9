"""`manage.py screen`: ask the lists in force about a name or a file of names, or compare two names; nothing is stored."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import screening
from compliance.brand_policies import SCREENING_THRESHOLD
from compliance.choices import EntryKind
from compliance.lists.numbers import IMO, KINDS, marks_of
from compliance.matching import VERSION
from compliance.matching.evidence import Address
from compliance.matching.score import ListedName, Person, score
from compliance.sources.base import Identifier

COLUMNS = ("name", "born", "country", "schema")
SCHEMAS = {"person": EntryKind.PERSON, "company": EntryKind.ENTITY, "vessel": EntryKind.VESSEL}
NUMBER_KINDS = (*KINDS, IMO)
NUMBER_KINDS_TEXT = ", ".join(NUMBER_KINDS)
LINES_MAX = 100_000
NAME_CHARS_MAX = 300  # as long as a list's names are kept


class Command(BaseCommand):
    help = (
        "Screen a name against the lists in force (--name), every line of a CSV file with the columns name, born, country, "
        "schema (--file), or compare two names (--pair). Prints which word was taken for which. Changes nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--name", help="Full name of the person, company or vessel, in any script")
        what.add_argument(
            "--file", type=Path, help="CSV file with the columns name and, if known, born, country, schema"
        )
        what.add_argument("--pair", nargs=2, metavar=("A", "B"), help="Compare two names; needs no list")
        parser.add_argument("--born", help="Date of birth, YYYY-MM-DD")
        parser.add_argument("--country", help="Nationality or residence, as an ISO 3166-1 code such as DE")
        parser.add_argument(
            "--number",
            action="append",
            metavar="KIND:[COUNTRY:]VALUE",
            help="A number of theirs, such as passport:DE:C01X00T47, lei:…, imo:9187629; several times for several",
        )
        parser.add_argument("--address", help="Street and house number")
        parser.add_argument("--city", help="City of the address")
        parser.add_argument("--schema", choices=SCHEMAS, default="person")
        parser.add_argument(
            "--threshold", type=float, help="Score from which two names match (default: the standard one)"
        )
        parser.add_argument("--json", action="store_true", help="Print JSON; --file prints one object per line")

    def handle(self, *args: Any, **options: Any) -> None:
        threshold = options["threshold"] if options["threshold"] is not None else float(SCREENING_THRESHOLD.default)
        if not 0 < threshold <= 1:
            raise CommandError("--threshold must be above 0 and at most 1.")
        if options["pair"]:
            one, other = options["pair"]
            (person, schema), (second, _schema) = _person(one, options), _person(other, options)
            self._show(_pair(person, schema, second.names[0], threshold), as_json=options["json"])
            return
        if not screening.current_version_ids():
            raise CommandError("No watchlist is in force. Import one first: manage.py import_watchlist SOURCE FILE.")
        if options["name"] is not None:
            self._show(_screened(*_person(options["name"], options), threshold), as_json=options["json"])
            return
        for person, schema in _people(options["file"], options):
            self._show(_screened(person, schema, threshold), as_json=options["json"], in_lines=True)

    def _show(self, result: dict[str, Any], *, as_json: bool, in_lines: bool = False) -> None:
        if as_json:
            self.stdout.write(json.dumps(result, ensure_ascii=False, indent=None if in_lines else 1))
            return
        for match in result.get("matches", [result]):
            verdict = "MATCH" if match["match"] else "no match"
            self.stdout.write(f"{match['score']:.3f}  {verdict}  {match['listed']}  {match.get('list', '')}".rstrip())
            for pair in match["explanation"]["pairs"]:
                self.stdout.write(f"       {pair['client']} = {pair['listed']}  {pair['likeness']:.2f}  {pair['how']}")
            for side in ("client", "listed"):
                if left := match["explanation"][f"left_over_{side}"]:
                    self.stdout.write(f"       only in the {side} name: {' '.join(left)}")
            for number in match["explanation"]["identifiers"]:
                where = f" {number['country']}" if number["country"] else ""
                self.stdout.write(f"       {number['kind']} {number['value']}{where}: {number['result']}")
            if words := match["explanation"]["address_words"]:
                self.stdout.write(f"       {match['explanation']['address']}: {' '.join(words)}")
            if notes := match["explanation"]["notes"]:
                self.stdout.write(f"       {', '.join(notes)}")
        if result.get("matches") == []:
            self.stdout.write(f"No match: {result['name']}")


def _pair(person: Person, schema: str, other: str, threshold: float) -> dict[str, Any]:
    found = score(person, [ListedName(other)])
    return {
        "name": person.names[0],
        "listed": other,
        "schema": schema,
        "score": found.score,
        "match": found.score >= threshold,
        "threshold": threshold,
        "matcher": VERSION,
        "explanation": asdict(found),
    }


def _screened(person: Person, schema: str, threshold: float) -> dict[str, Any]:
    found, compared = screening.matches(person, threshold=threshold, kind=SCHEMAS[schema])
    return {
        "name": person.names[0],
        "schema": schema,
        "threshold": threshold,
        "matcher": VERSION,
        "compared": compared,
        "matches": [
            {
                "list": entry.source.code,
                "id": entry.external_id,
                "listed": entry.primary_name,
                "score": explained.score,
                "match": True,
                "programs": entry.programs,
                "explanation": asdict(explained),
            }
            for entry, explained in found
        ],
    }


def _person(name: str, options: dict[str, Any], where: str = "") -> tuple[Person, str]:
    name = name.strip().replace("\0", "")
    if not any(sign.isalnum() for sign in name):
        raise CommandError(f"{where}The name is empty. Give the full name of a person, company or vessel.")
    if len(name) > NAME_CHARS_MAX:
        raise CommandError(f"{where}The name is longer than {NAME_CHARS_MAX} characters.")
    country = (options.get("country") or "").strip().upper()
    if country and (len(country) != 2 or not country.isalpha()):
        raise CommandError(f"{where}“{country}” isn't a country code. Use ISO 3166-1, such as DE.")
    schema = (options.get("schema") or "person").strip().lower()
    if schema not in SCHEMAS:
        raise CommandError(f"{where}“{schema}” isn't a valid schema. Use person, company or vessel.")
    born = (options.get("born") or "").strip()
    try:
        day = dt.date.fromisoformat(born) if born else None
    except ValueError as error:
        raise CommandError(f"{where}“{born}” isn't a valid date. Write it as YYYY-MM-DD.") from error
    address = Address((options.get("address") or "").strip(), (options.get("city") or "").strip(), "", country)
    numbers = frozenset(number for text in options.get("number") or () for number in _numbers(text, country))
    countries = (country,) if country else ()
    person = Person(
        (name,), day, countries, schema == "company", is_vessel=schema == "vessel", numbers=numbers, address=address
    )
    return person, schema


def _numbers(text: str, country: str) -> Iterator[tuple[str, bytes]]:
    """Read `passport:DE:C01X00T47` as a client's identifiers are kept; without an issuer it is the --country's."""
    kind, _colon, rest = text.partition(":")
    issuer, _colon, value = rest.rpartition(":")
    if kind not in NUMBER_KINDS or not value.strip():
        raise CommandError(f"“{text}” isn't a number. Use KIND:VALUE or KIND:COUNTRY:VALUE, with {NUMBER_KINDS_TEXT}.")
    issuer = issuer.strip().upper() or country
    made = list(marks_of([Identifier(kind, value, issuer)], [issuer] if issuer else []))
    if not made:
        raise CommandError(f"“{text}” can't be compared. Give the issuing country, and at least six characters.")
    yield from ((mark.kind, mark.mark) for mark in made)


def _people(path: Path, options: dict[str, Any]) -> Iterator[tuple[Person, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "name" not in (rows.fieldnames or []):
                raise CommandError(
                    f"{path.name} has no column “name”. The first line names the columns: {', '.join(COLUMNS)}."
                )
            for number, row in enumerate(rows, start=2):
                if number > LINES_MAX:
                    raise CommandError(f"{path.name} has more than {LINES_MAX} lines. Split it.")
                own = {key: row.get(key) or options.get(key) for key in COLUMNS}
                yield _person(row["name"] or "", own, f"{path.name}, line {number}: ")
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandError(f"{path.name} is not a CSV file in UTF-8: {error}.") from error
