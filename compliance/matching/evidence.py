"""What speaks for or against a match beside the name: births, countries, numbers of documents and registers, addresses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from compliance.matching import text as spelling
from compliance.matching.explanation import Explanation

BIRTH_EXACT, BIRTH_YEAR, BIRTH_NEAR, BIRTH_DIFFERS = 0.06, 0.03, -0.03, -0.22
# A whole date of birth that is another one, although of the same year or the next.
BIRTH_OTHER_DAY = -0.1
COUNTRY_SAME, COUNTRY_DIFFERS = 0.02, -0.02
NUMBER_SAME, NUMBER_DIFFERS = 0.1, -0.25
# Whoever has a listed person's passport is reviewed, whatever name they gave and from whatever score on.
SAME_NUMBER_SCORE = 1.0
# Kinds of which nobody ever has a second one: ISO 17442 gives an entity one LEI, and a ship keeps its IMO number until it is
# scrapped. Passports are renewed, people have several, and registers of one country count in several ways.
ONLY_ONE = frozenset({"lei", "imo"})
ADDRESS_STREET, ADDRESS_CITY = 0.05, 0.01
STREET_WORD_MIN, CITY_MIN = 4, 3
STREET_KINDS = frozenset(
    "street road avenue lane drive square boulevard building house floor office flat apartment room block district city "
    "town region province strasse rue calle avenida ulitsa ulica str apt bldg".split()
)


@dataclass(frozen=True)
class BirthRange:
    first: dt.date
    last: dt.date
    is_exact: bool = False


@dataclass(frozen=True)
class ListedNumber:
    """A number of a listed person or firm: `token` is what is compared, the rest is for people who read it."""

    kind: str
    token: bytes
    listed_kind: str = ""
    value: str = ""
    country: str = ""


@dataclass(frozen=True)
class Address:
    line: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""


@dataclass(frozen=True)
class ListedAddress:
    text: str
    country: str = ""


@dataclass(frozen=True)
class Details:
    """What a list says of an entry beside names, births and countries."""

    numbers: tuple[ListedNumber, ...] = ()
    addresses: tuple[ListedAddress, ...] = ()


NO_DETAILS = Details()


def compare_birth(born: dt.date | None, births: Sequence[BirthRange]) -> tuple[str, float]:
    """Compare a date of birth with those that a list holds possible; the one that agrees best counts."""
    if born is None or not births:
        return "unknown", 0.0
    best = ("differs", BIRTH_DIFFERS)
    for listed in births:
        if listed.first <= born <= listed.last:
            verdict = ("same_day", BIRTH_EXACT) if listed.is_exact else ("same_year", BIRTH_YEAR)
        elif listed.is_exact and (born.year, born.month, born.day) == (
            listed.first.year,
            listed.first.day,
            listed.first.month,
        ):
            verdict = ("day_and_month_swapped", BIRTH_YEAR)
        elif listed.first.year - 1 <= born.year <= listed.last.year + 1:
            is_slip = not listed.is_exact or (born.day, born.month) == (listed.first.day, listed.first.month)
            verdict = ("near", BIRTH_NEAR if is_slip else BIRTH_OTHER_DAY)
        else:
            verdict = ("differs", BIRTH_DIFFERS)
        best = max(best, verdict, key=lambda item: item[1])
    return best


def compare_countries(mine: Sequence[str], theirs: Sequence[str]) -> tuple[str, float]:
    """Compare a client's nationality and residence with a list's countries."""
    if not mine or not theirs:
        return "unknown", 0.0
    return ("same", COUNTRY_SAME) if set(mine) & set(theirs) else ("differs", COUNTRY_DIFFERS)


def compare_numbers(found: Explanation, mine: frozenset[tuple[str, bytes]], theirs: Iterable[ListedNumber]) -> None:
    """Note which numbers both have, and which can't both be one firm's or ship's."""
    kinds = {kind for kind, _token in mine}
    comparable = [number for number in theirs if number.kind in kinds]
    same = [number for number in comparable if (number.kind, number.token) in mine]
    settled = {number.kind for number in same}
    others = [number for number in comparable if number.kind in ONLY_ONE - settled]
    for number, result in [(number, "same") for number in same] + [(number, "differs") for number in others]:
        found.identifiers.append(
            {
                "kind": number.listed_kind or number.kind,
                "value": number.value,
                "country": number.country,
                "result": result,
            }
        )
    found.identifier_points = NUMBER_SAME if same else NUMBER_DIFFERS if others else 0.0


def compare_addresses(found: Explanation, mine: Address | None, theirs: Iterable[ListedAddress]) -> None:
    """Note whether a listed address is in the client's street, or at least city. Another one says nothing: people move."""
    if mine is None or not (mine.city or mine.line):
        return
    city = frozenset(word for word in spelling.latin(mine.city).split() if len(word) >= CITY_MIN)
    code = spelling.latin(mine.postal_code).replace(" ", "")
    line = spelling.latin(mine.line).split()
    street = frozenset(word for word in line if len(word) >= STREET_WORD_MIN and word not in STREET_KINDS | city)
    numbers = frozenset(word for word in line if word[0].isdigit())
    for listed in theirs:
        if listed.country and mine.country and listed.country != mine.country:
            continue
        text = spelling.latin(listed.text)
        words = frozenset(text.split())
        in_city = (bool(city) and city <= words) or (len(code) >= CITY_MIN and code in text.replace(" ", ""))
        if in_city and street and street <= words and numbers & words:
            found.address, found.address_points = "same_street", ADDRESS_STREET
            found.address_words = sorted((street | numbers | city) & words)
            return
        if in_city and not found.address_points:
            found.address, found.address_points = "same_city", ADDRESS_CITY
            found.address_words = sorted(city & words)
