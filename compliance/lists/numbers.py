"""The numbers of listed people, firms and ships, as clients' identifiers are kept: keyed hashes that the database compares."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from clients.choices import IdentifierKind
from clients.identifiers.keeping import PURPOSE, document_value, mark_of, number_fingerprint, official_value
from compliance.matching.evidence import ListedNumber
from compliance.sources.base import Identifier
from crm.security.crypto import lasting_key

SEVERAL: Final = re.compile(r"\s(?:and|or)\s|[;,]\s")
IMO: Final = "imo"
LEI: Final = re.compile(r"[0-9A-Z]{18}[0-9]{2}")
# Where a list doesn't say who issued a number, the countries of its entry may have: more than these is a guess.
ISSUERS_MAX: Final = 4
DOCUMENT_CHARS_MIN: Final = 6
# A passport's number and an identity card's are one kind for a client; a person's number is on the card or of the tax office.
KINDS: Final[dict[str, tuple[IdentifierKind, ...]]] = {
    "passport": (IdentifierKind.DOCUMENT_NUMBER,),
    "national": (IdentifierKind.DOCUMENT_NUMBER, IdentifierKind.OFFICIAL_NUMBER),
    "tax": (IdentifierKind.OFFICIAL_NUMBER,),
    "registration": (IdentifierKind.OFFICIAL_NUMBER,),
    "lei": (IdentifierKind.LEI,),
    "wallet": (IdentifierKind.CRYPTO_ADDRESS,),
}
# The client's kinds that are compared with lists; a shared device or telephone says nothing of who somebody is.
COMPARED: Final = tuple(sorted({kind.value for kinds in KINDS.values() for kind in kinds}))


@dataclass(frozen=True)
class Mark:
    """One way in which a client may have given a listed number."""

    kind: str
    mark: bytes
    listed_kind: str
    value: str
    country: str


def marks_of(numbers: Iterable[Identifier], countries: Sequence[str]) -> Iterator[Mark]:
    """List the marks of an entry's numbers; countries: its own, for numbers without an issuer."""
    key = lasting_key(PURPOSE)
    numbers = list(numbers)
    for number in numbers:
        if number.kind == IMO and (digits := re.search(r"\d{7}", number.value)):
            yield Mark(IMO, hmac.digest(key, f"{IMO}:{digits[0]}".encode(), "sha256"), IMO, digits[0], "")
    made: set[tuple[str, bytes]] = set()
    for number in numbers:
        issuers = [number.country] if number.country else list(countries)[:ISSUERS_MAX]
        for kind in KINDS.get(number.kind, ()):
            for text in _apart(number.value):
                for country, value in _values(kind, text, issuers):
                    mark = mark_of(kind, value, key=key)
                    if mark and (kind.value, mark) not in made:
                        made.add((kind.value, mark))
                        yield Mark(kind.value, mark, number.kind, text, country)


def _apart(value: str) -> list[str]:
    """Take apart several numbers in one field: `MP 3413113 and MP 2387911`."""
    parts = SEVERAL.split(value)
    return parts if all(any(sign.isdigit() for sign in part) for part in parts) else [value]


def _values(kind: IdentifierKind, text: str, issuers: Iterable[str]) -> Iterator[tuple[str, str]]:
    plain = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    if kind == IdentifierKind.CRYPTO_ADDRESS:
        yield "", text
    elif kind == IdentifierKind.LEI:
        if LEI.fullmatch(plain):
            yield "", plain
    elif kind == IdentifierKind.OFFICIAL_NUMBER:
        yield from ((issuer, value) for issuer in issuers if (value := official_value(issuer, text)))
    elif len(plain) >= DOCUMENT_CHARS_MIN:
        yield from ((issuer, document_value(issuer, number_fingerprint(text))) for issuer in issuers)


def listed_number(mark: Any) -> ListedNumber:
    """Hand a stored mark to the matcher."""
    return ListedNumber(mark.kind, bytes(mark.mark), mark.listed_kind, mark.value, mark.country)
