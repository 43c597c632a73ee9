"""The EU's consolidated financial sanctions as the Commission's own XML (`xmlFullSanctionsList_1_1`): attributes carry the data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, PERSON, PRIMARY, VESSEL, BrokenFile, LeftOut, ParsedEntry
from compliance.sources.xml import elements, root_attributes, text_of

KINDS = {"person": PERSON, "p": PERSON, "vessel": VESSEL, "ship": VESSEL}
NUMBERS = {"id": "national", "ssn": "national", "fiscalcode": "tax", "regnumber": "registration", "bic": "swift"}


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read the EU's consolidated list. Raises BrokenFile."""
    root = root_attributes(path)[""]
    if root != "export":
        raise BrokenFile(f"{path.name} is not the EU's consolidated list: it begins with <{root[:60]}>")
    for element in elements(path, "sanctionEntity"):
        entry = _entry(element)
        yield entry if entry.names else LeftOut("Without a name")


def _entry(element: Element) -> ParsedEntry:
    # The logical ID repeats across kinds of elements; the reference number doesn't, but old entries have none.
    number = element.get("euReferenceNumber") or element.get("logicalId") or ""
    subject = element.find("subjectType")
    kind = "" if subject is None else (subject.get("code") or subject.get("classificationCode") or "").lower()
    entry = ParsedEntry(number, KINDS.get(kind, ENTITY), remarks=text_of(element, "remark")[:2000])
    for alias in element.iterfind("nameAlias"):
        parts = (alias.get("firstName"), alias.get("middleName"), alias.get("lastName"))
        name = alias.get("wholeName") or " ".join(part for part in parts if part)
        is_weak = alias.get("strong", "true").lower() == "false"
        entry.add_name(name, ALIAS if entry.names else PRIMARY, is_weak=is_weak)
        entry.gender = entry.gender or alias.get("gender", "")[:1].lower()
    entry.births = [birth for child in element.iterfind("birthdate") if (birth := _birth(child))]
    stated = [_country(child) for child in element.iterfind("citizenship")]
    addressed = []
    for address in element.iterfind("address"):
        addressed.append(_country(address))
        lines = (address.get(name, "") for name in ("street", "poBox", "zipCode", "city", "region", "place"))
        entry.add_address(lines, _country(address))
    entry.countries = base.unique([*stated, *addressed])
    for document in element.iterfind("identification"):
        code = document.get("identificationTypeCode", "").lower()
        text = f"{code} {document.get('identificationTypeDescription', '')}"
        entry.add_identifier(
            NUMBERS.get(code) or base.identifier_kind(text),
            document.get("number") or document.get("latinNumber") or "",
            _country(document),
        )
    regulations = [regulation.get("programme", "") for regulation in element.iterfind("regulation")]
    entry.programs = base.unique([*regulations, element.get("unitedNationId", "").strip()])
    entry.listed_on = base.day_of(element.get("designationDate", "")[:10])
    return entry


def _birth(element: Element) -> base.Birth | None:
    about = element.get("circa", "").lower() == "true"
    first, last = element.get("yearRangeFrom", ""), element.get("yearRangeTo", "")
    if first.isdecimal() and last.isdecimal() and len(first) == len(last) == 4 and first != last:
        return base.year_range(int(first), int(last))
    whole = element.get("birthdate", "")[:10]
    if whole and not about:
        return base.parse_birth(whole)
    parts = (element.get(name, "") for name in ("year", "monthOfYear", "dayOfMonth"))
    return base.birth_of_parts(*parts, about=about)


def _country(element: Element) -> str:
    code = element.get("countryIso2Code", "")
    return (
        code.upper() if len(code) == 2 and code.isalpha() else base.country_code(element.get("countryDescription", ""))
    )


def date_of(path: Path) -> dt.date | None:
    """Read the day on which the file was generated; None where it has none."""
    return base.day_of(root_attributes(path).get("generationDate", "")[:10])


FORMAT = base.Format("eu_fsf", parse, date_of=date_of)
