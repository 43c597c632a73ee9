"""What every list file becomes, and how its broken copies are refused."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
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
# What an entry is listed for. A restriction of goods, services or transport freezes nothing.
SANCTION, RESTRICTION, PEP, CRIME, OWN = "sanction", "restriction", "pep", "crime", "own"
DETAILS_MAX = 500  # identifiers, and addresses, of one entry


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


@dataclass(frozen=True)
class Identifier:
    """A number that names the entry: kind is one of `IDENTIFIER_KINDS`, country a code or ""."""

    kind: str
    value: str
    country: str = ""


@dataclass(frozen=True)
class Address:
    text: str
    country: str = ""


@dataclass(frozen=True)
class LeftOut:
    """Part of a file that becomes no entry, with the reason as the page of lists counts it."""

    reason: str


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
    identifiers: list[Identifier] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    topics: list[str] = field(default_factory=lambda: [SANCTION])

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

    def add_identifier(self, kind: str, value: str, country: str = "") -> None:
        """Add a number once, of a kind that names somebody; a word without a digit is no number."""
        value = re.sub(r"\s+", " ", value).strip(" .,;:")[:80]
        found = Identifier(kind, value, country)
        is_number = any(c.isdigit() for c in value) and len(re.sub(r"\W", "", value)) >= 4
        if kind and is_number and found not in self.identifiers and len(self.identifiers) < DETAILS_MAX:
            self.identifiers.append(found)

    def add_address(self, parts: Iterable[str], country: str = "") -> None:
        """Add an address in one line, once."""
        text = ", ".join(part for piece in parts if (part := re.sub(r"\s+", " ", piece).strip(" ,;")))[:300]
        found = Address(text, country)
        if (text or country) and found not in self.addresses and len(self.addresses) < DETAILS_MAX:
            self.addresses.append(found)

    def content_hash(self) -> str:
        """Hash everything that matters to a match: when it changes, earlier decisions about this entry are asked again."""
        body = {
            "kind": self.kind,
            "names": sorted((n.text, n.kind, n.is_weak) for n in self.names),
            "births": sorted((b.first.isoformat(), b.last.isoformat()) for b in self.births),
            "countries": sorted(self.countries),
            "programs": sorted(self.programs),
            "gender": self.gender,
            "identifiers": sorted((i.kind, i.value, i.country) for i in self.identifiers),
            "topics": sorted(self.topics),
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
    parse: Callable[[Path], Iterator[ParsedEntry | LeftOut]]
    files: Callable[[Path], list[Path]] = lambda path: [path]
    date_of: Callable[[Path], dt.date | None] = lambda _path: None


@dataclass(frozen=True)
class KnownSource:
    """A list with its publisher, its licence and the format that it comes in."""

    code: str
    name: str
    publisher: str
    licence: str
    url: str
    format: Format


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
    """Open a list's file, unpacked when its name ends in .gz. Raises BrokenFile for one that is larger than any list."""
    if path.stat().st_size > UNPACKED_BYTES_MAX:
        raise BrokenFile(f"{path.name} is larger than {UNPACKED_BYTES_MAX // 2**20} MB, which no supported list is")
    return BoundedGzip(path, "rb") if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]


def is_xml(path: Path) -> bool:
    """Tell XML by its first sign. Raises BrokenFile."""
    try:
        with opened(path) as file:
            return file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")
    except (EOFError, OSError) as error:
        raise BrokenFile(f"{path.name} can't be read: {error}") from error


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
SEVERAL_BIRTHS = re.compile(r"\((?:[a-h]|[ivx]{1,4}|probably)\)|\b[a-h]\) |;|,| or | OR |(?<=\d)\s?/\s(?=\d)")
IN_BRACKETS = re.compile(r"\([^()]*\)")
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
        return _month(int(match[2]), MONTHS.get(match[1], 0))
    if match := re.fullmatch(r"(\d{1,2})[./](\d{4})", text):
        return _month(int(match[2]), int(match[1]))
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})", text):
        return _month(int(match[1]), int(match[2]))
    if match := re.fullmatch(r"(\d{4})\s*(?:to|-|–|/)\s*(\d{4})", text):
        return year_range(int(match[1]), int(match[2]))
    if " to " in text and not about:
        return _range(text)
    if match := re.fullmatch(r"\d{4}", text):
        year = int(text)
        return year_range(year - 1, year + 1) if about else year_range(year)
    return None


def parse_births(text: str) -> list[Birth]:
    """Parse all births of one field: `(a) 3.3.1965, (b) 1955`, `1963 or 1964`, `possibly 23.7.1981 (by her passport)`."""
    found: list[Birth] = []
    for piece in SEVERAL_BIRTHS.split(text):
        plain = re.sub(r"\bpossibly|\bprobably", "circa", IN_BRACKETS.sub(" ", piece), flags=re.IGNORECASE)
        plain = re.sub(r"\bPOB\b.*", "", plain).strip(" .,:;\"'()")
        birth = parse_birth(plain)
        if birth and birth not in found:
            found.append(birth)
    return found


def _range(text: str) -> Birth | None:
    """Read `01 Jan 1955 to 31 Dec 1956`, `Mar 1962 to Feb 1963`."""
    first, last = (parse_birth(end) for end in text.split(" to ", 1))
    if first is None or last is None or last.last < first.first:
        return None
    return Birth(first.first, last.last, is_exact=first.first == last.last)


def _month(year: int, month: int) -> Birth | None:
    if not (1 <= month <= 12 and FIRST_YEAR <= year <= LAST_YEAR):
        return None
    last = dt.date(year + month // 12, month % 12 + 1, 1) - dt.timedelta(days=1)
    return Birth(dt.date(year, month, 1), last)


def birth_of_parts(year: str, month: str = "", day: str = "", *, about: bool = False) -> Birth | None:
    """Build a birth from a year, and a month and a day where they are known."""
    if not re.fullmatch(r"[0-9]{4}", year):
        return None
    known = [part for part in (month, day) if re.fullmatch(r"0?[1-9]|[1-3][0-9]", part)]
    text = "-".join([year, *(known if len(known) == 2 or known == [month] else [])])
    return parse_birth(f"circa {year}" if about else text)


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


# Nationalities as people write them. What a country's own name begins with is found without the table.
NATIONALITIES = dict(
    pair.split(":")
    for pair in """
    afghan:AF albanian:AL algerian:DZ american:US angolan:AO argentinian:AR argentine:AR armenian:AM australian:AU austrian:AT
    azerbaijani:AZ bahraini:BH bangladeshi:BD belarusian:BY belarussian:BY belgian:BE beninese:BJ bolivian:BO bosnian:BA
    brazilian:BR british:GB bulgarian:BG burkinabe:BF burmese:MM burundian:BI cambodian:KH cameroonian:CM canadian:CA
    chadian:TD chilean:CL chinese:CN colombian:CO congolese:CD croatian:HR cuban:CU cypriot:CY czech:CZ danish:DK dutch:NL
    egyptian:EG emirati:AE eritrean:ER estonian:EE ethiopian:ET filipino:PH finnish:FI french:FR georgian:GE german:DE
    ghanaian:GH greek:GR guatemalan:GT guinean:GN haitian:HT honduran:HN hungarian:HU indian:IN indonesian:ID iranian:IR
    iraqi:IQ irish:IE israeli:IL italian:IT ivorian:CI japanese:JP jordanian:JO kazakh:KZ kazakhstani:KZ kenyan:KE
    kosovar:XK kuwaiti:KW kyrgyz:KG laotian:LA latvian:LV lebanese:LB liberian:LR libyan:LY lithuanian:LT macedonian:MK
    malaysian:MY malian:ML maltese:MT mauritanian:MR mexican:MX moldovan:MD mongolian:MN montenegrin:ME moroccan:MA
    mozambican:MZ namibian:NA nepalese:NP nicaraguan:NI nigerian:NG nigerien:NE norwegian:NO omani:OM pakistani:PK
    palestinian:PS panamanian:PA paraguayan:PY peruvian:PE polish:PL portuguese:PT qatari:QA romanian:RO russian:RU
    rwandan:RW salvadoran:SV saudi:SA senegalese:SN serbian:RS singaporean:SG slovak:SK slovenian:SI somali:SO spanish:ES
    sudanese:SD swedish:SE swiss:CH syrian:SY tajik:TJ tanzanian:TZ thai:TH togolese:TG tunisian:TN turkish:TR turkmen:TM
    ugandan:UG ukrainian:UA uruguayan:UY uzbek:UZ venezuelan:VE vietnamese:VN yemeni:YE zambian:ZM zimbabwean:ZW
    """.split()
) | {
    "myanmar/burma": "MM",
    "north korean": "KP",
    "south korean": "KR",
    "south sudanese": "SS",
    "saudi arabian": "SA",
    "drc": "CD",
    "central african": "CF",
    "bosnia herzegovina": "BA",
    "south african": "ZA",
    "new zealander": "NZ",
    "sri lankan": "LK",
    "dominican": "DO",
    "gaza strip": "PS",
    "democratic people s republic of korea": "KP",
    "hong kong": "HK",
}


@cache
def _countries() -> dict[str, str]:
    territories = Locale("en").territories
    named = {name.lower(): code for code, name in territories.items() if len(code) == 2 and code.isalpha()}
    return {**NATIONALITIES, **named, **OTHER_COUNTRY_NAMES}


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


IDENTIFIER_KINDS = {
    "passport": re.compile(r"passport"),
    "imo": re.compile(r"\bimo\b|vessel registration identification"),
    "lei": re.compile(r"\blei\b|legal entity (?:identifier|number)"),
    "swift": re.compile(r"swift|\bbic\b"),
    "wallet": re.compile(r"digital currency|crypto"),
    "tax": re.compile(
        r"\btax|\binn\b|\bv\.?a\.?t\b|fiscal|\bnit\b|\brfc\b|\brif\b|\bruc\b|\bcuit\b|\br\.?u\.?t\b|\bunp\b|unn|teudat"
    ),
    "national": re.compile(
        r"national id|nationalid|identity|identification (?:card|number)|personal id|\bcedula|\bcurp\b|\bdni\b|\bd\.?n\.?i"
        r"|\bssn\b|social security|citizen|\bid card\b|numident|\bid\b(?!.*(?:tax|registration))"
    ),
    "registration": re.compile(
        r"regist|regnumber|ogrn|company number|uscc|unified social|commercial|trade licen|business number|chamber|\bd-u-n-s"
    ),
}


def identifier_kind(text: str) -> str:
    """Classify a number by what its publisher calls it; "" for what names nobody (a website, a date)."""
    plain = text.lower().replace("_", " ")
    if re.search(
        r"nationality|gazette|website|email|e-mail|established|date|target|issuer|directive|information", plain
    ):
        return ""
    for kind in ("imo", "passport", "lei", "swift", "wallet", "tax", "registration", "national"):
        if IDENTIFIER_KINDS[kind].search(plain):
            return kind
    return ""


def country_codes(text: str) -> list[str]:
    """Read all countries of one field: `Ukrainian, Russian`, `Iran; Iraq`, `Cypriot and Russian`."""
    whole = country_code(text)
    if whole:
        return [whole]
    text = re.sub(
        r"\(.{2,}?\)|\b(?:allegedly|possibly|presumed|assumed|formerly|by birth)\b", " ", text.replace("’", "'")
    )
    return unique([country_code(part) for part in re.split(r"[;,|/]| and |\(\w\)|\bor\b", text)])


def code_or_country(text: str) -> str:
    """Read a country's code of two letters, or its name; "" for the lists' own signs for unknown."""
    text = text.strip()
    if len(text) == 2 and text.isascii() and text.isalpha():
        return text.upper()
    return country_code(text)


def unique(values: list[str]) -> list[str]:
    """Drop empty values and repeats; the first of each stays in its place."""
    return [value for value in dict.fromkeys(values) if value]
