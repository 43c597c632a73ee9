"""The United Kingdom's lists: the UK Sanctions List (XML and CSV) and OFSI's consolidated list (CSV), retired in January 2026.

Both write a name in six parts with the family's name in the sixth, one row per name in the CSV, unknown parts of a date as `dd` and
`mm`, and some designations that freeze nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

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
from compliance.sources.xml import elements, root_attributes, text_of, texts_of

KINDS = {"individual": PERSON, "ship": VESSEL, "vessel": VESSEL}
NAME_PARTS = ("name 1", "name 2", "name 3", "name 4", "name 5", "name 6")
UNKNOWN = re.compile(r"\b(?:dd|mm|00)/", re.IGNORECASE)
# One word for the columns of both lists.
COLUMNS = {
    "unique id": "id",
    "group id": "id",
    "designation type": "kind",
    "group type": "kind",
    "individual entity ship": "kind",
    "name type": "name type",
    "alias type": "name type",
    "alias strength": "strength",
    "alias quality": "strength",
    "name non latin script": "original",
    "regime name": "regime",
    "regime": "regime",
    "d o b": "born",
    "dob": "born",
    "nationality": "nationality",
    "nationality ies": "nationality",
    "passport number": "passport",
    "gender": "gender",
    "national identifier number": "national",
    "national identification number": "national",
    "imo number": "imo",
    "business registration number": "registration",
    "business registration number s": "registration",
    "sanctions imposed": "sanctions",
    "date designated": "listed",
    "listed on": "listed",
    "other information": "remarks",
    "country": "country",
    "address country": "country",
    "address postal code": "postal code",
    "postal code": "postal code",
    "post zip code": "postal code",
    "un reference number": "un",
}
HEADER_WITHIN = 5  # lines: a report's date stands before the columns


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read the list in either form. Raises BrokenFile."""
    yield from _xml(path) if base.is_xml(path) else _csv(path)


def _day(text: str) -> str:
    """Write `dd/mm/1965` as 1965, `dd/03/1965` as 03/1965."""
    return UNKNOWN.sub("", text.strip())


def _listed(text: str) -> dt.date | None:
    found = base.parse_birth(_day(text))
    return found.first if found and found.is_exact else None


def _is_weak(strength: str) -> bool:
    return "low" in strength.lower() or "weak" in strength.lower()


def _topics(sanctions: str) -> list[str]:
    freezes = not sanctions or "freeze" in sanctions.lower()
    return [SANCTION if freezes else RESTRICTION]


# ── XML ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _xml(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    root = root_attributes(path)[""]
    if root != "Designations":
        raise BrokenFile(f"{path.name} is not the UK Sanctions List: it begins with <{root[:60]}>")
    for element in elements(path, "Designation"):
        entry = _designation(element)
        yield entry if entry.names else LeftOut("Without a name")


def _designation(element: Element) -> ParsedEntry:
    kind = KINDS.get(text_of(element, "IndividualEntityShip").lower(), ENTITY)
    sanctions = " ".join(child.text or "" for child in element.iter("SanctionsImposed"))
    entry = ParsedEntry(text_of(element, "UniqueID"), kind, topics=_topics(sanctions))
    names = sorted(element.iterfind("Names/Name"), key=lambda name: text_of(name, "NameType").lower() != "primary name")
    for name in names:
        text = " ".join(text_of(name, part.replace("name ", "Name")) for part in NAME_PARTS)
        is_primary = text_of(name, "NameType").lower() == "primary name" and not entry.names
        entry.add_name(text, PRIMARY if is_primary else ALIAS, is_weak=_is_weak(text_of(name, "AliasStrength")))
    for original in element.iter("NameNonLatinScript"):
        entry.add_name(original.text or "", ORIGINAL)
    births = [base.parse_birth(_day(child.text or "")) for child in element.iter("DOB")]
    entry.births = [birth for birth in births if birth]
    entry.gender = next((child.text or "" for child in element.iter("Gender")), "")[:1].lower()
    stated = [code for child in element.iter("Nationality") for code in base.country_codes(child.text or "")]
    addressed = []
    for address in element.iterfind("Addresses/Address"):
        code = base.country_code(text_of(address, "AddressCountry"))
        addressed.append(code)
        parts = [text_of(address, f"AddressLine{number}") for number in range(1, 7)]
        entry.add_address([*parts, text_of(address, "AddressPostalCode")], code)
    entry.countries = base.unique([*stated, *addressed])
    for tag, number in (
        ("PassportNumber", "passport"),
        ("NationalIdentifierNumber", "national"),
        ("BusinessRegistrationNumber", "registration"),
        ("IMONumber", "imo"),
    ):
        for child in element.iter(tag):
            entry.add_identifier(number, child.text or "")
    entry.programs = base.unique([*texts_of(element, "RegimeName"), text_of(element, "UNReferenceNumber")])
    entry.listed_on = _listed(text_of(element, "DateDesignated"))
    entry.remarks = " ".join(texts_of(element, "OtherInformation"))[:2000]
    return entry


# ── CSV ────────────────────────────────────────────────────────────────────────────────────────────────────────────
def _csv(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    entries: dict[str, ParsedEntry] = {}
    for row in _rows(path):
        number = row["id"].strip()
        entry = entries.get(number)
        if entry is None:
            kind = KINDS.get(row.get("kind", "").strip().lower(), ENTITY)
            entry = entries[number] = ParsedEntry(number, kind, topics=_topics(row.get("sanctions", "")))
        _add_row(entry, row)
    for entry in entries.values():
        yield entry if entry.names else LeftOut("Without a name")


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with base.opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
            reader = csv.reader(base.lines(text, path.name))
            columns = _columns(reader, path)
            for number, cells in enumerate(reader, start=reader.line_num + 1):
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) > len(columns):
                    raise BrokenFile(f"{path.name}, line {number}: wrong number of columns")
                row = dict(zip(columns, [*cells, *[""] * (len(columns) - len(cells))], strict=True))
                if not row["id"].strip():
                    raise BrokenFile(f"{path.name}, line {number}: without an ID")
                yield row
    except UnicodeDecodeError as error:
        raise BrokenFile(f"{path.name} is not UTF-8: {error}") from error
    except (csv.Error, EOFError, OSError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


def _columns(reader: Iterable[list[str]], path: Path) -> list[str]:
    for number, cells in enumerate(reader):
        plain = [re.sub(r"[^a-z0-9]+", " ", cell.lower()).strip() for cell in cells]
        if "name 6" in plain:
            columns = [COLUMNS.get(name, name) for name in plain]
            if "id" in columns:
                return columns
        if number >= HEADER_WITHIN:
            break
    raise BrokenFile(f"{path.name} is not a UK list: no line with “Name 6” and an ID among the first ones")


def _add_row(entry: ParsedEntry, row: dict[str, str]) -> None:
    is_primary = row.get("name type", "").strip().lower() == "primary name"
    name = " ".join(row.get(part, "") for part in NAME_PARTS)
    has_primary = any(known.kind == PRIMARY for known in entry.names)
    kind = PRIMARY if is_primary and not has_primary else ALIAS
    entry.add_name(name, kind, is_weak=_is_weak(row.get("strength", "")))
    entry.add_name(row.get("original", ""), ORIGINAL)
    birth = base.parse_birth(_day(row.get("born", "")))
    if birth and birth not in entry.births:
        entry.births.append(birth)
    entry.gender = entry.gender or row.get("gender", "").strip()[:1].lower()
    code = base.country_code(row.get("country", ""))
    stated = base.country_codes(row.get("nationality", ""))
    entry.countries = base.unique([*entry.countries, *stated, code])
    lines = [row.get(f"address line {n}") or row.get(f"address {n}", "") for n in range(1, 7)]
    entry.add_address([*lines, row.get("postal code", "")], code)
    for number in ("passport", "national", "registration", "imo"):
        entry.add_identifier(number, row.get(number, ""))
    entry.programs = base.unique([*entry.programs, row.get("regime", "").strip(), row.get("un", "").strip()])
    entry.listed_on = entry.listed_on or _listed(row.get("listed", ""))
    entry.remarks = entry.remarks or row.get("remarks", "").strip()[:2000]


FORMAT = base.Format("uk", parse)
