"""What every list file becomes, and how its broken copies are refused."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import BinaryIO, TextIO

import orjson
from babel import Locale

UNPACKED_BYTES_MAX = 512 * 1024 * 1024
LINE_CHARS_MAX = 1_000_000
NAMES_MAX = 2_000  # of one entry: the longest known has some two hundred
FIRST_YEAR, LAST_YEAR = 1850, 2100
PRIMARY, ALIAS, ORIGINAL = "primary", "alias", "original"
PERSON, ENTITY, VESSEL = "person", "entity", "vessel"


class BrokenFile(Exception):
    """The file is not what it should be: nothing of it is taken, the list before it stays."""


@dataclass(frozen=True)
class ParsedName:
    text: str
    kind: str = ALIAS
    is_weak: bool = False


@dataclass(frozen=True)
class Birth:
    """A range of days on which a person may have been born; `is_exact` when the list names one day."""

    first: dt.date
    last: dt.date
    is_exact: bool = False


@dataclass
class ParsedEntry:
    external_id: str
    kind: str
    names: list[ParsedName] = field(default_factory=list)
    births: list[Birth] = field(default_factory=list)
    countries: list[str] = field(default_factory=list)
    programs: list[str] = field(default_factory=list)
    listed_on: dt.date | None = None
    gender: str = ""
    remarks: str = ""

    @property
    def primary_name(self) -> str:
        return next((name.text for name in self.names if name.kind == PRIMARY), self.names[0].text)

    def add_name(self, text: str, kind: str = ALIAS, *, is_weak: bool = False) -> None:
        """Add a name once; what has no letters is no name of a person (ships are called "7-28")."""
        text = re.sub(r"\s+", " ", text).strip(" ,;")
        is_name = any(c.isalpha() if self.kind == PERSON else c.isalnum() for c in text)
        if is_name and text not in {name.text for name in self.names}:
            if len(self.names) >= NAMES_MAX:
                raise BrokenFile(f"entry {self.external_id[:60]} has more than {NAMES_MAX} names")
            script = kind if is_latin(text) or kind == PRIMARY else ORIGINAL
            self.names.append(ParsedName(text[:300], script, is_weak))

    def content_hash(self) -> str:
        """Hash everything that matters to a match: when it changes, earlier decisions about this entry are asked again."""
        body = {
            "kind": self.kind,
            "names": sorted((n.text, n.kind, n.is_weak) for n in self.names),
            "births": sorted((b.first.isoformat(), b.last.isoformat()) for b in self.births),
            "countries": sorted(self.countries),
            "programs": sorted(self.programs),
            "gender": self.gender,
        }
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def is_latin(text: str) -> bool:
    """Mostly Latin letters. Accents count; Greek and everything after it does not."""
    letters = [character for character in text if character.isalpha()]
    return not letters or sum(ord(character) < 0x0370 for character in letters) > len(letters) / 2


@dataclass(frozen=True)
class Format:
    """How one publisher writes: `parse` yields the entries of a file, `files` names all that belong to it."""

    code: str
    parse: Callable[[Path], Iterator[ParsedEntry]]
    files: Callable[[Path], list[Path]] = lambda path: [path]
    date_of: Callable[[Path], dt.date | None] = lambda _path: None


class BoundedGzip(gzip.GzipFile):
    """Unpacks up to UNPACKED_BYTES_MAX: the largest list has a quarter of it. Raises BrokenFile beyond."""

    def read(self, size: int | None = -1) -> bytes:
        most = UNPACKED_BYTES_MAX + 1 - self.tell()
        return self._within(super().read(most if size is None or size < 0 else min(size, most)))

    def read1(self, size: int = -1) -> bytes:
        return self._within(super().read1(size))

    def _within(self, data: bytes) -> bytes:
        if self.tell() > UNPACKED_BYTES_MAX:
            raise BrokenFile(
                f"the file unpacks to more than {UNPACKED_BYTES_MAX // 2**20} MB, which no supported list has"
            )
        return data


def opened(path: Path) -> BinaryIO:
    """Open a list's file, unpacked when its name ends in .gz."""
    return BoundedGzip(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def lines(text: TextIO, name: str) -> Iterator[str]:
    """Read the lines of a CSV, none longer than any list has. Raises BrokenFile."""
    number = 0
    while line := text.readline(LINE_CHARS_MAX + 1):
        number += 1
        if len(line) > LINE_CHARS_MAX:
            raise BrokenFile(f"{name}, line {number}: longer than {LINE_CHARS_MAX} characters")
        yield line


def hash_of(paths: list[Path]) -> str:
    """SHA-256 over the unpacked content of a list's files."""
    digest = hashlib.sha256()
    for path in paths:
        with opened(path) as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    return digest.hexdigest()


# ── dates and countries as lists write them ────────────────────────────────────────────────────────────────────────
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, 1)}


def year_range(first: int, last: int | None = None) -> Birth | None:
    """Build the range of a birth that is known by year only; None where the years can't be meant."""
    last = last or first
    if not FIRST_YEAR <= first <= last <= LAST_YEAR:
        return None
    return Birth(dt.date(first, 1, 1), dt.date(last, 12, 31))


def parse_birth(text: str) -> Birth | None:
    """Parse `12 Oct 1951`, `Oct 1951`, `1951`, `circa 1951`, `1951 to 1953`, `12.10.1951`, `1951-10-12`; None when unclear."""
    text = re.sub(r"\s+", " ", text.strip().lower().replace("between", "").replace(" and ", " to "))
    about = bool(re.search(r"circa|approx|c\.|about|alt\.", text))
    text = re.sub(r"(circa|approximately|approx\.?|about|c\.|alt\. dob|dob)\s*", "", text).strip()
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        return _day(*map(int, match.groups()), about=about)
    if match := re.fullmatch(r"(\d{1,2})[./](\d{1,2})[./](\d{4})", text):
        return _day(int(match[3]), int(match[2]), int(match[1]), about=about)
    if match := re.fullmatch(r"(\d{1,2}) ([a-z]{3})[a-z]*\.? (\d{4})", text):
        return _day(int(match[3]), MONTHS.get(match[2], 0), int(match[1]), about=about)
    if match := re.fullmatch(r"([a-z]{3})[a-z]*\.? (\d{4})", text):
        month, year = MONTHS.get(match[1], 0), int(match[2])
        if not (month and FIRST_YEAR <= year <= LAST_YEAR):
            return None
        last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
        return Birth(dt.date(year, month, 1), last)
    if match := re.fullmatch(r"(\d{4})\s*(?:to|-|–|/)\s*(\d{4})", text):
        return year_range(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"\d{4}", text):
        year = int(text)
        return year_range(year - 1, year + 1) if about else year_range(year)
    return None


def _day(year: int, month: int, day: int, *, about: bool) -> Birth | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        born = dt.date(year, month, day)
    except ValueError:
        return year_range(year)
    if about:
        return year_range(year - 1, year + 1)
    return Birth(born, born, is_exact=True)


OTHER_COUNTRY_NAMES = {
    "russian federation": "RU", "russia": "RU", "iran": "IR", "islamic republic of iran": "IR",
    "iran (islamic republic of)": "IR", "syria": "SY", "syrian arab republic": "SY", "democratic people's republic of korea": "KP",
    "dprk": "KP", "north korea": "KP", "korea, north": "KP", "democratic republic of the congo": "CD",
    "congo, democratic republic of the": "CD", "the democratic republic of the congo": "CD", "burma": "MM", "myanmar": "MM",
    "libya": "LY", "libyan arab jamahiriya": "LY", "united states": "US", "united states of america": "US", "usa": "US",
    "united kingdom": "GB", "uk": "GB", "uae": "AE", "cote d'ivoire": "CI", "côte d'ivoire": "CI", "ivory coast": "CI",
    "west bank": "PS", "gaza": "PS", "palestinian": "PS", "region: gaza": "PS", "state of palestine": "PS", "crimea": "UA",
    "turkey": "TR", "türkiye": "TR", "czech republic": "CZ", "moldova": "MD", "republic of moldova": "MD", "tanzania": "TZ",
    "united republic of tanzania": "TZ", "venezuela": "VE", "bolivia": "BO", "laos": "LA", "macedonia": "MK", "ussr": "RU",
    "central african republic": "CF", "car": "CF", "bosnia and herzegovina": "BA", "somalia": "SO", "yemen": "YE",
}  # fmt: skip  # a table of pairs


@cache
def _countries() -> dict[str, str]:
    territories = Locale("en").territories
    named = {name.lower(): code for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return {**named, **OTHER_COUNTRY_NAMES}


def day_of(text: str) -> dt.date | None:
    """Parse a publisher's own day; None for what isn't one, or is only a program's default (year 1, 9999)."""
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def country_code(text: str) -> str:
    """ISO 3166-1 alpha-2 of a country's English name, or an empty text."""
    plain = re.sub(r"\s+", " ", text.split(" / ")[0]).strip(" .,").lower()
    known = _countries()
    return known.get(plain) or known.get(plain.removeprefix("the ").removeprefix("republic of ")) or ""


def unique(values: list[str]) -> list[str]:
    """Drop empty values and repeats; the first of each stays in its place."""
    return [value for value in dict.fromkeys(values) if value]
