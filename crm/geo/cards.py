"""The country that issued a card, by the first digits of its number (BIN, IIN), from a file that the broker names.

None comes with Keelson: the free lists were gathered from many places, some against their terms, and none is an official
register. Where a PSP says the country of a card, its word is taken and no file is needed.

The file is a CSV in UTF-8 whose first line names the columns: the first digits as `bin` or `iin_start` (with `iin_end` for a
range), and the country's ISO 3166-1 code as `country`, `alpha_2` or `isocode2`. More digits go before fewer.
"""

from __future__ import annotations

import csv
import re
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from django.conf import settings

STARTS: Final = ("bin", "iin_start", "iin")
COUNTRIES: Final = ("country", "alpha_2", "isocode2")
DIGITS: Final = range(4, 9)
LINES_MAX: Final = 1_000_000
RANGE_MAX: Final = 100_000
LEADING: Final = re.compile(r"\A\d{4,}+(?=[\d\s]*+[^\d\s])")


def country_of_card(number: str) -> str:
    """Return the country of a card from its first digits, as a masked number shows them; empty where it isn't known."""
    found = LEADING.match(number.replace(" ", ""))
    return country_of_bin(found[0]) if found else ""


def country_of_bin(digits: str) -> str:
    """Return the country of the first digits of a card's number; empty where it isn't known."""
    if not settings.CARD_BIN_FILE or not digits.isdigit():
        return ""
    known = read_file(Path(settings.CARD_BIN_FILE))
    return next((known[digits[:length]] for length in reversed(DIGITS) if digits[:length] in known), "")


@cache
def read_file(path: Path) -> dict[str, str]:
    """Read the countries by first digits, once per process. Raises: OSError, ValueError for a file of another kind."""
    known: dict[str, str] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        names = {name.strip().lower(): name for name in rows.fieldnames or []}
        start = next((names[name] for name in STARTS if name in names), None)
        country = next((names[name] for name in COUNTRIES if name in names), None)
        if start is None or country is None:
            raise ValueError(f"{path.name} has no columns for first digits ({STARTS[0]}) and country ({COUNTRIES[0]})")
        for row in islice(rows, LINES_MAX + 1):
            code = (row[country] or "").strip().upper()
            if len(code) == 2 and code.isalpha():
                known.update(dict.fromkeys(_prefixes(row[start], row.get(names.get("iin_end", ""))), code))
            if len(known) > LINES_MAX:
                raise ValueError(f"{path.name} has more than {LINES_MAX} ranges")
    if not known:
        raise ValueError(f"{path.name} names no country")
    return known


def _prefixes(start: str | None, end: str | None) -> list[str]:
    """List the first digits of a row; those of a range too wide or in disorder are left out."""
    first, last = (start or "").strip(), (end or start or "").strip() or (start or "").strip()
    if not first.isdigit() or not last.isdigit() or len(first) not in DIGITS or len(first) != len(last):
        return []
    span = range(int(first), int(last) + 1)
    return [str(number).zfill(len(first)) for number in span] if len(span) <= RANGE_MAX else []
