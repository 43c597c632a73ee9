"""OFAC's legacy CSV: a primary file (SDN or consolidated) with its alternate names and addresses beside it.

No header; twelve columns; `-0-` is empty; the last line may be a Ctrl-Z. What a person's remarks say is text: dates of birth,
citizenship, weak names in single quotes.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from compliance.sources import base, ofac_xml
from compliance.sources.base import ALIAS, ENTITY, PERSON, PRIMARY, VESSEL, BrokenFile, ParsedEntry

COLUMNS = {"primary": 12, "alt": 5, "add": 6}
KINDS = {"individual": PERSON, "vessel": VESSEL, "aircraft": VESSEL}
BIRTH = re.compile(r"\b(?:alt\. )?DOB ([^;.]+)")
CITIZEN = re.compile(r"\b(?:alt\. )?(?:citizen|nationality) ([A-Z][^;.]+)")
WEAK = re.compile(r"a\.k\.a\. '([^']+)'")
GENDER = re.compile(r"Gender (Male|Female)")
NUMBER = re.compile(r"(?:alt\. )?([A-Z][^;:]{1,60}?) (?:#\s?)?([A-Z0-9][\w./-]*\d[\w./-]*)(?: \(([^()]+)\))?")


def files(path: Path) -> list[Path]:
    """List the three files of one list, the primary one first.

    Beside `sdn.csv` are `alt.csv` and `add.csv`, beside `cons_prim.csv` `cons_alt.csv` and `cons_add.csv`.
    """
    stem = path.name.replace("cons_prim", "cons_{}").replace("sdn", "{}")
    return [path, *[path.with_name(stem.format(part)) for part in ("alt", "add")]]


def parse(path: Path) -> Iterator[ParsedEntry]:
    """Read one of OFAC's lists from its three files: entries, other names, addresses. Raises BrokenFile."""
    primary, alt, add = files(path)
    for other in (alt, add):
        if not other.is_file():
            raise BrokenFile(f"{other.name} is missing beside {primary.name}: upload all three files together")
    aliases: dict[str, list[list[str]]] = defaultdict(list)
    for row in _rows(alt, "alt"):
        aliases[row[0]].append(row)
    addresses: dict[str, list[list[str]]] = defaultdict(list)
    for row in _rows(add, "add"):
        addresses[row[0]].append(row)
    for row in _rows(primary, "primary"):
        yield _entry(row, aliases.get(row[0], []), addresses.get(row[0], []))


def _entry(row: list[str], aliases: list[list[str]], addresses: list[list[str]]) -> ParsedEntry:
    kind, remarks = KINDS.get(row[2].lower(), ENTITY), row[11]
    entry = ParsedEntry(
        row[0], kind, programs=[part.strip(" []") for part in row[3].split("] [")], remarks=remarks[:2000]
    )
    entry.add_name(_turned(row[1]) if kind == PERSON else row[1], PRIMARY)
    for alias in aliases:
        entry.add_name(_turned(alias[3]) if kind == PERSON else alias[3], ALIAS)
    for weak in WEAK.findall(remarks):
        entry.add_name(_turned(weak) if kind == PERSON else weak, ALIAS, is_weak=True)
    entry.births = [birth for text in BIRTH.findall(remarks) if (birth := base.parse_birth(text))]
    stated = [base.country_code(text) for text in CITIZEN.findall(remarks)]
    entry.countries = base.unique([*stated, *[base.country_code(address[4]) for address in addresses]])
    for address in addresses:
        entry.add_address(address[2:4], base.country_code(address[4]))
    for part in remarks.split(";"):
        if number := NUMBER.fullmatch(part.strip(" .")):
            kind, country = base.identifier_kind(number[1]), base.country_code(number[3] or "")
            entry.add_identifier(kind, number[2], country)
    gender = GENDER.search(remarks)
    entry.gender = gender[1][0].lower() if gender else ""
    if not entry.names:
        raise BrokenFile(f"entry {row[0]} has no name")
    return entry


def _turned(name: str) -> str:
    """Write `LAST, First` as it is spoken."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def _rows(path: Path, kind: str) -> Iterator[list[str]]:
    with base.opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        try:
            for number, row in enumerate(csv.reader(base.lines(text, path.name)), start=1):
                if not row or row[0].strip() in ("", "\x1a"):
                    continue
                if len(row) < COLUMNS[kind] or not row[0].strip().isdigit():
                    raise BrokenFile(f"{path.name}, line {number}: not a line of OFAC's {kind} file")
                yield ["" if cell.strip() == "-0-" else cell.strip() for cell in row]
        except UnicodeDecodeError as error:
            raise BrokenFile(f"{path.name} is not UTF-8: {error}") from error
        except csv.Error as error:
            raise BrokenFile(f"{path.name} is not a CSV file: {error}") from error
        except (EOFError, OSError) as error:
            raise BrokenFile(f"{path.name} is truncated: {error}") from error


def parse_either(path: Path) -> Iterator[ParsedEntry | base.LeftOut]:
    """Read OFAC's XML by its name's ending, else the three CSV files. Raises BrokenFile."""
    yield from ofac_xml.parse(path) if base.is_xml(path) else parse(path)


FORMAT = base.Format(
    "ofac",
    parse_either,
    lambda path: [path] if base.is_xml(path) else files(path),
    lambda path: ofac_xml.date_of(path) if base.is_xml(path) else None,
)
