"""A list of the brokerage's own as any CSV: which column is what is mapped once and kept with the list.

Several names and countries of a cell are parted by semicolons. A row that can't be read is named with its line, and the whole file
is refused, as for published lists.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TextIO

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, OWN, PERSON, PRIMARY, BrokenFile, KnownSource, ParsedEntry

# What a column may be. Without a number, the name and the birth tell rows apart.
FIELDS = (
    "number",
    "name",
    "first_name",
    "last_name",
    "aliases",
    "kind",
    "birth_date",
    "gender",
    "countries",
    "passport",
    "national",
    "tax",
    "registration",
    "address",
    "reason",
)
KINDS = {
    "company": ENTITY,
    "entity": ENTITY,
    "organisation": ENTITY,
    "organization": ENTITY,
    "firm": ENTITY,
    "firma": ENTITY,
}
# What headings usually mean, in lower case without signs.
USUAL = {
    "id": "number",
    "no": "number",
    "nr": "number",
    "number": "number",
    "name": "name",
    "full name": "name",
    "client": "name",
    "first name": "first_name",
    "given name": "first_name",
    "vorname": "first_name",
    "last name": "last_name",
    "surname": "last_name",
    "family name": "last_name",
    "nachname": "last_name",
    "alias": "aliases",
    "aliases": "aliases",
    "aka": "aliases",
    "type": "kind",
    "kind": "kind",
    "dob": "birth_date",
    "date of birth": "birth_date",
    "birth date": "birth_date",
    "geburtsdatum": "birth_date",
    "gender": "gender",
    "sex": "gender",
    "country": "countries",
    "countries": "countries",
    "nationality": "countries",
    "passport": "passport",
    "passport number": "passport",
    "national id": "national",
    "tax id": "tax",
    "address": "address",
    "reason": "reason",
    "comment": "reason",
    "remarks": "reason",
    "notes": "reason",
}
COLUMNS_MAX = 200


def guessed(headings: list[str]) -> dict[str, str]:
    """Propose which heading is which field."""
    found: dict[str, str] = {}
    for heading in headings:
        field = USUAL.get(" ".join(heading.lower().replace("_", " ").replace(".", " ").split()))
        if field:
            found.setdefault(field, heading)
    return found


def headings_of(path: Path) -> list[str]:
    """Read the first line. Raises BrokenFile."""
    with _text(path) as text:
        return list(_reader(text, path.name).fieldnames or [])


def source_of(code: str, name: str, columns: Mapping[str, str]) -> KnownSource:
    """Describe an own list by its mapped columns."""
    form = base.Format("own_csv", partial(parse, columns=dict(columns)))
    return KnownSource(code, name, "The brokerage", "Internal", "", form)


def parse(path: Path, columns: Mapping[str, str]) -> Iterator[ParsedEntry]:
    """Read the rows of an own list. Raises BrokenFile."""
    with _text(path) as text:
        rows = _reader(text, path.name)
        missing = sorted(set(columns.values()) - set(rows.fieldnames or []))
        if missing:
            raise BrokenFile(f"{path.name} lacks the columns {', '.join(missing)[:300]}")
        try:
            for number, row in enumerate(rows, start=2):
                where = f"{path.name}, line {number}"
                if None in row or None in row.values():
                    raise BrokenFile(f"{where}: wrong number of columns")
                yield _entry({field: row[heading].strip() for field, heading in columns.items()}, where)
        except UnicodeDecodeError as error:
            raise BrokenFile(f"{path.name} is not UTF-8: {error}") from error
        except (csv.Error, EOFError, OSError) as error:
            raise BrokenFile(f"{path.name} can't be read: {error}") from error


@contextmanager
def _text(path: Path) -> Iterator[TextIO]:
    with base.opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        yield text


def _reader(text: TextIO, name: str) -> csv.DictReader[str]:
    try:
        first = next(base.lines(text, name), "")
        delimiter = max(",;\t", key=first.count)
        headings = next(csv.reader([first], delimiter=delimiter), [])
    except (UnicodeDecodeError, csv.Error, EOFError, OSError) as error:
        raise BrokenFile(f"{name} is not a CSV file in UTF-8: {error}") from error
    if not 1 <= len(headings) <= COLUMNS_MAX or len(set(headings)) < len(headings):
        raise BrokenFile(f"{name}: the first line must name the columns, each once")
    return csv.DictReader(base.lines(text, name), fieldnames=headings, delimiter=delimiter)


def _entry(cells: dict[str, str], where: str) -> ParsedEntry:
    name = cells.get("name") or f"{cells.get('first_name', '')} {cells.get('last_name', '')}".strip()
    number = cells.get("number") or hashlib.sha256(f"{name}|{cells.get('birth_date', '')}".encode()).hexdigest()[:16]
    kind = KINDS.get(cells.get("kind", "").lower(), PERSON)
    entry = ParsedEntry(number[:100], kind, programs=["own"], topics=[OWN], remarks=cells.get("reason", "")[:2000])
    entry.add_name(name, PRIMARY)
    for alias in cells.get("aliases", "").split(";"):
        entry.add_name(alias, ALIAS)
    if not entry.names:
        raise BrokenFile(f"{where}: no name")
    born = cells.get("birth_date", "")
    entry.births = base.parse_births(born)
    if born and not entry.births:
        raise BrokenFile(f"{where}: {born[:40]!r} isn't a valid date of birth")
    for text in cells.get("countries", "").split(";"):
        code = base.code_or_country(text)
        if text.strip() and not code:
            raise BrokenFile(f"{where}: unknown country {text[:40]!r}")
        entry.countries = base.unique([*entry.countries, code])
    entry.gender = {"m": "m", "f": "f", "w": "f"}.get(cells.get("gender", "")[:1].lower(), "")
    for number_kind in ("passport", "national", "tax", "registration"):
        entry.add_identifier(number_kind, cells.get(number_kind, ""))
    entry.add_address([cells.get("address", "")])
    return entry
