"""EU measures as the Official Journal prints them, transcribed into one CSV per legal act.

A file is one act, a folder of acts, or a ZIP of them. Names in other scripts stand in brackets behind the Latin ones; several
names are parted by semicolons.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from compliance.sources import base
from compliance.sources.base import (
    ALIAS,
    ENTITY,
    ORIGINAL,
    PERSON,
    PRIMARY,
    RESTRICTION,
    SANCTION,
    VESSEL,
    BrokenFile,
    LeftOut,
    ParsedEntry,
)

NEEDED = {"celex", "annex", "measure", "schema", "name", "alias", "birthDate"}
KINDS = {"person": PERSON, "vessel": VESSEL, "airplane": VESSEL}
IN_BRACKETS = re.compile(r"\(([^()]*)\)")
# Restrictions of goods, services, transport and investment name firms and ships whose funds aren't frozen.
FREEZES = ("asset freeze", "financial restrictions")
ACTS_MAX = 500
NUMBERS = {
    "passportNumber": "passport",
    "idNumber": "national",
    "taxNumber": "tax",
    "innCode": "tax",
    "registrationNumber": "registration",
    "ogrnCode": "registration",
    "leiCode": "lei",
    "swiftBic": "swift",
    "imoNumber": "imo",
}


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read the acts' rows. Raises BrokenFile."""
    taken: dict[str, int] = {}
    for name, file in _acts(path):
        rows = 0
        for row in _rows(file, name):
            rows += 1
            entry = _entry(row)
            again = taken[entry.external_id] = taken.get(entry.external_id, 0) + 1
            if again > 1:
                entry.external_id = f"{entry.external_id} ({again})"
            yield entry if entry.names else LeftOut("Without a name")
        if not rows:
            yield LeftOut(f"Nobody listed in {Path(name).stem}"[:60])


def files(path: Path) -> list[Path]:
    """List the files of a folder of acts; a single file is its own."""
    return sorted([*path.glob("*.csv"), *path.glob("*.csv.gz")]) if path.is_dir() else [path]


def _acts(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    if path.suffix != ".zip":
        for act in files(path):
            with base.opened(act) as file:
                yield act.name, file
        return
    try:
        with zipfile.ZipFile(path) as packed:
            acts = [act for act in packed.infolist() if act.filename.endswith(".csv") and not act.is_dir()]
            # A ZIP says how large its files are; what it says is held to below, too.
            if len(acts) > ACTS_MAX or sum(act.file_size for act in acts) > base.UNPACKED_BYTES_MAX:
                raise BrokenFile(
                    f"{path.name} has more than {ACTS_MAX} acts, or more than {base.UNPACKED_BYTES_MAX // 2**20} MB"
                )
            for packed_act in sorted(acts, key=lambda act: act.filename):
                with packed.open(packed_act) as unpacked:
                    yield Path(packed_act.filename).name, unpacked  # type: ignore[misc]  # binary, as the others
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise BrokenFile(f"{path.name} is not a ZIP file that can be read: {error}") from error


def _rows(raw: BinaryIO, name: str) -> Iterator[dict[str, str]]:
    try:
        with io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(base.lines(text, name))
            if not rows.fieldnames or not set(rows.fieldnames) >= NEEDED:
                raise BrokenFile(f"{name} lacks the columns {', '.join(sorted(NEEDED))}")
            for number, row in enumerate(rows, start=2):
                if None in row.values() or None in row:
                    raise BrokenFile(f"{name}, line {number}: wrong number of columns")
                yield row
    except UnicodeDecodeError as error:
        raise BrokenFile(f"{name} is not UTF-8: {error}") from error
    except (csv.Error, EOFError, OSError, zipfile.BadZipFile) as error:
        raise BrokenFile(f"{name} can't be read: {error}") from error


def _entry(row: dict[str, str]) -> ParsedEntry:
    number = row.get("recordId") or hashlib.sha256(f"{row['annex']}|{row['name']}".encode()).hexdigest()[:12]
    entry = ParsedEntry(f"{row['celex']}-{row['annex']}-{number}"[:100], KINDS.get(row["schema"].lower(), ENTITY))
    measure = row["measure"].strip()
    entry.topics = [SANCTION if not measure or measure.lower().startswith(FREEZES) else RESTRICTION]
    for kind, column, is_weak in (
        (PRIMARY, "name", False),
        (ALIAS, "alias", False),
        (ALIAS, "previousName", False),
        (ALIAS, "weakAlias", True),
    ):
        for name in (row.get(column) or "").split(";"):
            _add(entry, name, kind, is_weak)
    entry.births = base.parse_births(row["birthDate"] or "")
    places = [
        row.get("nationality") or "",
        row.get("country") or "",
        row.get("jurisdiction") or "",
        row.get("flag") or "",
    ]
    entry.countries = base.unique([code for place in places for code in base.country_codes(place)])
    for column, kind in NUMBERS.items():
        for text in re.split(r"[;,]", row.get(column) or ""):
            entry.add_identifier(kind, IN_BRACKETS.sub(" ", text))
    for text in (row.get("address") or "").split(";"):
        entry.add_address([text])
    entry.programs = base.unique([row.get("programKey") or "", row["celex"], measure])
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


FORMAT = base.Format("eu_journal", parse, files)
