"""OpenSanctions' collections as FollowTheMoney entities, one JSON object a line: sanctions, PEPs, crime.

A sanction, a document and an address are entities of their own that point to their holder, in any order, so the file is read
twice. The nested form (`targets.nested.json`) carries them inside. Bulk data is CC BY-NC: a business needs a licence.
Source: opensanctions.org/docs/entities, followthemoney.tech.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from compliance.sources import base
from compliance.sources.base import (
    ALIAS,
    CRIME,
    ENTITY,
    PEP,
    PERSON,
    PRIMARY,
    RESTRICTION,
    SANCTION,
    VESSEL,
    BrokenFile,
    LeftOut,
    ParsedEntry,
)

KINDS = {
    "Person": PERSON,
    "LegalEntity": ENTITY,
    "Organization": ENTITY,
    "Company": ENTITY,
    "PublicBody": ENTITY,
    "Vessel": VESSEL,
    "Airplane": VESSEL,
}
HOLDERS = {"Sanction": ("entity",), "Identification": ("holder",), "Passport": ("holder",)}
TOPICS = (
    ("sanction.counter", RESTRICTION),
    ("sanction.linked", RESTRICTION),
    ("sanction", SANCTION),
    ("debarment", RESTRICTION),
    ("export", RESTRICTION),
    ("role.pep", PEP),
    ("role.rca", PEP),
    ("role.pol", PEP),
    ("gov", PEP),
    ("crime", CRIME),
    ("wanted", CRIME),
    ("mare", RESTRICTION),
    ("reg", RESTRICTION),
    ("poi", CRIME),
)
NUMBERS = {
    "passportNumber": "passport",
    "idNumber": "national",
    "socialSecurityNumber": "national",
    "taxNumber": "tax",
    "vatCode": "tax",
    "innCode": "tax",
    "registrationNumber": "registration",
    "ogrnCode": "registration",
    "uscCode": "registration",
    "leiCode": "lei",
    "swiftBic": "swift",
    "imoNumber": "imo",
}
LINE_BYTES_MAX, DEPTH_MAX, PARTS_MAX = 4 * 1024 * 1024, 12, 2_000_000
WEAK, ALIASES = ("weakAlias",), ("alias", "previousName")


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read people, organisations and ships with a topic. Raises BrokenFile."""
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    addresses: dict[str, dict[str, Any]] = {}
    count = 0
    for entity in _entities(path):
        if entity["schema"] in HOLDERS:
            for key in HOLDERS[entity["schema"]]:
                for holder in _texts(entity["properties"], key):
                    parts[holder].append(entity)
                    count += 1
        elif entity["schema"] == "Address":
            addresses[entity["id"]] = entity
            count += 1
        if count > PARTS_MAX:
            raise BrokenFile(f"{path.name} has more than {PARTS_MAX} sanctions, documents and addresses")
    for entity in _entities(path):
        schema = entity["schema"]
        if schema in HOLDERS or schema == "Address":
            continue
        if schema not in KINDS:
            yield LeftOut(f"Schema {schema}"[:60])
        else:
            yield entry_of(entity, parts[entity["id"]], addresses)


def _entities(path: Path) -> Iterator[dict[str, Any]]:
    with base.opened(path) as file:
        number = 0
        try:
            while line := file.readline(LINE_BYTES_MAX + 1):
                number += 1
                if len(line) > LINE_BYTES_MAX:
                    raise BrokenFile(f"{path.name}, line {number}: longer than {LINE_BYTES_MAX // 2**20} MB")
                if line.strip():
                    yield _entity(line, f"{path.name}, line {number}")
        except (EOFError, OSError) as error:
            raise BrokenFile(f"{path.name} is truncated: {error}") from error


def _entity(line: bytes, where: str) -> dict[str, Any]:
    try:
        entity = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BrokenFile(f"{where}: not JSON ({error})") from error
    if (
        not isinstance(entity, dict)
        or not isinstance(entity.get("id"), str)
        or not isinstance(entity.get("schema"), str)
        or not isinstance(entity.get("properties"), dict)
    ):
        raise BrokenFile(f"{where}: not a FollowTheMoney entity (id, schema, properties)")
    return entity


def _texts(properties: dict[str, Any], *names: str) -> list[str]:
    values = [value for name in names for value in _listed(properties.get(name))]
    return [value for value in values if isinstance(value, str)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _nested(properties: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """List the entities that a nested file writes inside their holder."""
    values = [value for name in names for value in _listed(properties.get(name))]
    return [value for value in values if isinstance(value, dict) and isinstance(value.get("properties"), dict)]


def _topics(codes: list[str]) -> list[str]:
    return base.unique([next((topic for start, topic in TOPICS if code.startswith(start)), "") for code in codes])


def entry_of(
    entity: dict[str, Any], parts: list[dict[str, Any]], addresses: dict[str, dict[str, Any]]
) -> ParsedEntry | LeftOut:
    """Read an entity with the sanctions, documents and addresses that point to it."""
    properties, kind = entity["properties"], KINDS[entity["schema"]]
    topics = _topics(_texts(properties, "topics"))
    parts = [*parts, *_nested(properties, "sanctions", "identifications", "passports")]
    if not topics and not any(part.get("schema") == "Sanction" for part in parts):
        return LeftOut("Linked party without a topic")
    entry = ParsedEntry(entity["id"], kind, topics=topics or [SANCTION])
    for text in _texts(properties, "name"):
        entry.add_name(text, ALIAS if entry.names else PRIMARY)
    for names, is_weak in ((ALIASES, False), (WEAK, True)):
        for text in _texts(properties, *names):
            entry.add_name(text, ALIAS, is_weak=is_weak)
    if not entry.names:
        return LeftOut("Without a name")
    births = [base.parse_birth(text[:10]) for text in _texts(properties, "birthDate")] if kind == PERSON else []
    entry.births = [birth for birth in births if birth]
    entry.gender = next(iter(_texts(properties, "gender")), "")[:1].lower()
    countries = _texts(properties, "nationality", "citizenship", "country", "jurisdiction", "flag")
    entry.countries = base.unique([code.upper() for code in countries if re.fullmatch(r"[a-z]{2}", code)])
    for name, number in NUMBERS.items():
        for text in _texts(properties, name):
            entry.add_identifier(number, text)
    _places(entry, properties, addresses)
    _parts(entry, parts)
    entry.remarks = " ".join([*_texts(properties, "position"), *_texts(properties, "notes")])[:2000]
    return entry


def _places(entry: ParsedEntry, properties: dict[str, Any], addresses: dict[str, dict[str, Any]]) -> None:
    for text in _texts(properties, "address"):
        entry.add_address([text])
    found = [addresses[key] for key in _texts(properties, "addressEntity") if key in addresses]
    for address in [*found, *_nested(properties, "addressEntity")]:
        code = next(iter(_texts(address["properties"], "country")), "")
        entry.add_address(_texts(address["properties"], "full")[:1], code.upper() if len(code) == 2 else "")


def _parts(entry: ParsedEntry, parts: list[dict[str, Any]]) -> None:
    programs: list[str] = []
    for part in parts:
        properties = part["properties"]
        if part.get("schema") == "Sanction":
            programs += _texts(properties, "programId", "program") or _texts(properties, "authority")
            started = [base.day_of(text[:10]) for text in _texts(properties, "listingDate", "startDate")]
            entry.listed_on = min([day for day in [*started, entry.listed_on] if day], default=None)
            continue
        code = next(iter(_texts(properties, "country")), "")
        kind = base.identifier_kind(" ".join(_texts(properties, "type"))) or "national"
        for text in _texts(properties, "number", "passportNumber"):
            is_passport = part.get("schema") == "Passport"
            entry.add_identifier("passport" if is_passport else kind, text, code.upper() if len(code) == 2 else "")
    entry.programs = base.unique([text[:120] for text in programs])


FORMAT = base.Format("ftm_json", parse)
