"""The recipient's address on a bill or statement, taken apart: street, number, postal code, city, country."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from babel import Locale

from kyc.names import folded
from kyc.ocr import Word

LANGUAGES = ("en", "de", "fr", "es", "it", "pl", "nl", "pt", "cs")
MORE_NAMES = {
    "UK": "GB",
    "GREAT BRITAIN": "GB",
    "ENGLAND": "GB",
    "SCOTLAND": "GB",
    "WALES": "GB",
    "USA": "US",
    "UAE": "AE",
    "HOLLAND": "NL",
    "CESKO": "CZ",
    "CZECH REPUBLIC": "CZ",
    "REPUBLIC OF IRELAND": "IE",
}
LINES_MAX, GAP_HEIGHTS_MAX = 6, 2.6
# United Kingdom, Canada, Netherlands, Ireland; Poland, Portugal, Brazil, Japan; digits alone, with the country's letter before.
POSTAL_CODE = re.compile(
    r"\b([A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d|\d{4} ?[A-Z]{2}|[A-Z]\d[\dW] [A-Z\d]{4}|"
    r"\d{2}-\d{3}|\d{4}-\d{3}|\d{5}-\d{3}|\d{3}-\d{4}|\d{3} \d{2}|(?:[A-Z]{1,3}-)?\d{4,6})\b"
)
STREET = re.compile(r"\d")


@dataclass(frozen=True)
class PostalAddress:
    """An address as printed; a part that wasn't recognised is empty. country: ISO 3166-1 alpha-2."""

    lines: tuple[str, ...] = ()
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""


@cache
def _country_names() -> dict[str, str]:
    names = dict(MORE_NAMES)
    for language in LANGUAGES:
        territories = Locale(language).territories.items()
        names.update({folded(name): code for code, name in territories if len(code) == 2 and code.isalpha()})
    return names


def country_named(text: str) -> str:
    """Recognise a country by its whole name in one of our clients' languages."""
    return _country_names().get(folded(text), "")


def address_below(name: Sequence[Word], words: Sequence[Word]) -> PostalAddress:
    """Take apart what stands below a name: the lines that begin near its left edge, as far as they follow closely."""
    if not name:
        return PostalAddress()
    left, height = min(word.box[0] for word in name), max(word.box[3] for word in name)
    bottom = max(word.box[1] + word.box[3] for word in name)
    lines: list[str] = []
    for line in _lines([word for word in words if word.box[1] > bottom - height / 2]):
        start, top = line[0].box[0], min(word.box[1] for word in line)
        if top - bottom > GAP_HEIGHTS_MAX * height or len(lines) == LINES_MAX:
            break
        if abs(start - left) > 2 * height:
            continue
        lines.append(" ".join(word.text for word in line))
        bottom = max(word.box[1] + word.box[3] for word in line)
    return taken_apart(lines)


def taken_apart(lines: Sequence[str]) -> PostalAddress:
    """Recognise the parts of an address by their shape: the postal code's line names the city, the line before it the street."""
    country = next((code for line in reversed(lines) if (code := country_named(line))), "")
    rest = [line for line in lines if not country_named(line)]
    for number, line in enumerate(rest):
        plain = " ".join(line.upper().split())
        found = POSTAL_CODE.search(plain)
        if found is None or (number == 0 and len(rest) > 1):
            continue
        city = f"{plain[: found.start()]} {plain[found.end() :]}".strip(" ,")
        city = city or (rest[number - 1] if number > 1 else "")
        street = next((before for before in rest[:number] if STREET.search(before)), rest[0] if number else "")
        return PostalAddress(tuple(lines), street, found[1], city.title(), country)
    return PostalAddress(tuple(lines), rest[0] if rest else "", "", "", country)


def _lines(words: Sequence[Word]) -> list[list[Word]]:
    """Group words to lines, from above; another line begins at each gap too wide for a space."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda word: word.box[1] + word.box[3]):
        middle = word.box[1] + word.box[3] / 2
        last = rows[-1][0] if rows else None
        if last is not None and abs(middle - (last.box[1] + last.box[3] / 2)) < max(last.box[3], word.box[3]) / 2:
            rows[-1].append(word)
        else:
            rows.append([word])
    lines: list[list[Word]] = []
    for row in rows:
        row.sort(key=lambda word: word.box[0])
        while row:
            line = _without_gap(row, 3 * max(word.box[3] for word in row))
            lines.append(line)
            row = row[len(line) :]
    return lines


def _without_gap(line: list[Word], gap: float) -> list[Word]:
    kept = line[:1]
    for word in line[1:]:
        if word.box[0] - (kept[-1].box[0] + kept[-1].box[2]) > gap:
            break
        kept.append(word)
    return kept
