"""EU measures as the Official Journal prints them, transcribed into one CSV per legal act.

Names in other scripts stand in brackets behind the Latin ones; several names are parted by semicolons.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, ORIGINAL, PERSON, PRIMARY, VESSEL, BrokenFile, ParsedEntry

NEEDED = {"celex", "schema", "name", "alias", "birthDate"}
KINDS = {"person": PERSON, "vessel": VESSEL, "airplane": VESSEL}
IN_BRACKETS = re.compile(r"\(([^()]*)\)")
# Restrictions on goods and services name firms that are not frozen: no reason to stop a client.
NOT_FROZEN = ("dual use", "advanced technolog", "capital market", "transaction ban")


def parse(path: Path) -> Iterator[ParsedEntry]:
    """Read the CSV of EU sanctions, of measures that freeze assets only. Raises BrokenFile."""
    taken: dict[str, int] = {}
    try:
        with base.opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(base.lines(text, path.name))
            if not rows.fieldnames or not set(rows.fieldnames) >= NEEDED:
                raise BrokenFile(f"{path.name} lacks the columns {', '.join(sorted(NEEDED))}")
            for number, row in enumerate(rows, start=2):
                if None in row.values() or None in row:
                    raise BrokenFile(f"{path.name}, line {number}: wrong number of columns")
                if not row["name"].strip() or any(word in row["measure"].lower() for word in NOT_FROZEN):
                    continue
                entry = _entry(row)
                again = taken[entry.external_id] = taken.get(entry.external_id, 0) + 1
                if again > 1:
                    entry.external_id = f"{entry.external_id} ({again})"
                if entry.names:
                    yield entry
    except UnicodeDecodeError as error:
        raise BrokenFile(f"{path.name} is not UTF-8: {error}") from error
    except (csv.Error, EOFError, OSError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


def _entry(row: dict[str, str]) -> ParsedEntry:
    number = row.get("recordId") or hashlib.sha256(f"{row['annex']}|{row['name']}".encode()).hexdigest()[:12]
    entry = ParsedEntry(f"{row['celex']}-{row['annex']}-{number}"[:100], KINDS.get(row["schema"].lower(), ENTITY))
    for kind, column, is_weak in (
        (PRIMARY, "name", False),
        (ALIAS, "alias", False),
        (ALIAS, "previousName", False),
        (ALIAS, "weakAlias", True),
    ):
        for name in (row.get(column) or "").split(";"):
            _add(entry, name, kind, is_weak)
    entry.births = [b for text in re.split(r";| or ", row["birthDate"] or "") if (b := base.parse_birth(text))]
    places = [row.get("nationality") or "", row.get("country") or ""]
    entry.countries = base.unique([base.country_code(text) for place in places for text in place.split(";")])
    entry.programs = base.unique([row.get("programKey") or "", row["celex"]])
    started = base.parse_birth(row.get("startDate") or "")
    entry.listed_on = started.first if started and started.is_exact else None
    entry.gender = (row.get("gender") or "")[:1].lower()
    entry.remarks = (row.get("reason") or "")[:2000]
    return entry


def _add(entry: ParsedEntry, text: str, kind: str, is_weak: bool) -> None:
    """Add a name; what it has in brackets is a further name, unless in Latin letters: an abbreviation or a remark."""
    entry.add_name(IN_BRACKETS.sub(" ", text), kind, is_weak=is_weak)
    for inside in IN_BRACKETS.findall(text):
        if not base.is_latin(inside):
            entry.add_name(inside, ORIGINAL, is_weak=is_weak)


FORMAT = base.Format("eu_journal", parse)
