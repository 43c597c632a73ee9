"""The brokerage's own list: people it does not want back (fraud, abuse, chargebacks), as a CSV anybody can keep.

Columns: number, name, aliases, birth_date, countries, reason. Several aliases and countries are parted by semicolons;
a country is a code of two letters or its English name.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from compliance.sources import base
from compliance.sources.base import ALIAS, OWN, PERSON, PRIMARY, BrokenFile, ParsedEntry

COLUMNS = ["number", "name", "aliases", "birth_date", "countries", "reason"]


def parse(path: Path) -> Iterator[ParsedEntry]:
    """Read the broker's own list. Raises BrokenFile."""
    try:
        with base.opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(base.lines(text, path.name))
            if rows.fieldnames != COLUMNS:
                raise BrokenFile(f"{path.name} must have the columns {', '.join(COLUMNS)}")
            for number, row in enumerate(rows, start=2):
                if None in row or None in row.values() or not row["number"].strip():
                    raise BrokenFile(f"{path.name}, line {number}: wrong number of columns, or an ID is missing")
                yield _entry(row, f"{path.name}, line {number}")
    except UnicodeDecodeError as error:
        raise BrokenFile(f"{path.name} is not UTF-8: {error}") from error
    except (csv.Error, EOFError, OSError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


def _entry(row: dict[str, str], where: str) -> ParsedEntry:
    entry = ParsedEntry(
        row["number"].strip()[:100], PERSON, programs=["house"], remarks=row["reason"].strip()[:2000], topics=[OWN]
    )
    entry.add_name(row["name"], PRIMARY)
    for alias in row["aliases"].split(";"):
        entry.add_name(alias, ALIAS)
    if not entry.names:
        raise BrokenFile(f"{where}: no name")
    birth = base.parse_birth(row["birth_date"]) if row["birth_date"].strip() else None
    entry.births = [birth] if birth else []
    entry.countries = base.unique([_country(text.strip(), where) for text in row["countries"].split(";")])
    return entry


def _country(text: str, where: str) -> str:
    """Read a code of two letters, or a country's name: the first two letters of Austria are Australia's code."""
    if len(text) <= 2:
        return text.upper()
    code = base.country_code(text)
    if not code:
        raise BrokenFile(f"{where}: unknown country {text[:40]!r}")
    return code


FORMAT = base.Format("house_csv", parse)
