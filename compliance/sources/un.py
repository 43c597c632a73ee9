"""The Security Council's consolidated list as XML."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, ORIGINAL, PERSON, PRIMARY, BrokenFile, ParsedEntry
from compliance.sources.xml import elements, root_attributes, text_of, texts_of

YEAR = re.compile(r"[0-9]{4}")
ADDRESS_PARTS = ("STREET", "CITY", "STATE_PROVINCE", "ZIP_CODE")
NAME_PARTS = ("FIRST_NAME", "SECOND_NAME", "THIRD_NAME", "FOURTH_NAME")


def parse(path: Path) -> Iterator[ParsedEntry]:
    """Read the Security Council's consolidated list. Raises BrokenFile."""
    if root_attributes(path)[""] != "CONSOLIDATED_LIST":
        raise BrokenFile(
            f"{path.name} is not the Security Council's list: it begins with <{root_attributes(path)['']}>"
        )
    for element in elements(path, "INDIVIDUAL", "ENTITY"):
        yield _entry(element, "INDIVIDUAL" if element.tag == "INDIVIDUAL" else "ENTITY")


def _entry(element: Element, prefix: str) -> ParsedEntry:
    data_id = text_of(element, "DATAID")
    if not data_id:
        raise BrokenFile("an entry has no DATAID")
    entry = ParsedEntry(data_id, PERSON if prefix == "INDIVIDUAL" else ENTITY)
    entry.add_name(" ".join(text_of(element, part) for part in NAME_PARTS), PRIMARY)
    entry.add_name(text_of(element, "NAME_ORIGINAL_SCRIPT"), ORIGINAL)
    for alias in element.iterfind(f"{prefix}_ALIAS"):
        is_weak = text_of(alias, "QUALITY").lower() == "low"
        for name in _several(text_of(alias, "ALIAS_NAME")):
            entry.add_name(name, ALIAS, is_weak=is_weak)
    if not entry.names:
        raise BrokenFile(f"entry {data_id} has no name")
    entry.births = [birth for child in element.iterfind("INDIVIDUAL_DATE_OF_BIRTH") if (birth := _birth(child))]
    entry.countries = base.unique(
        [code for text in texts_of(element, "NATIONALITY/VALUE") for code in base.country_codes(text)]
    )
    for address in element.iterfind(f"{prefix}_ADDRESS"):
        entry.add_address(
            (text_of(address, part) for part in ADDRESS_PARTS), base.country_code(text_of(address, "COUNTRY"))
        )
    for document in element.iterfind(f"{prefix}_DOCUMENT"):
        kind = base.identifier_kind(f"{text_of(document, 'TYPE_OF_DOCUMENT')} {text_of(document, 'TYPE_OF_DOCUMENT2')}")
        issuer = text_of(document, "ISSUING_COUNTRY") or text_of(document, "COUNTRY_OF_ISSUE")
        entry.add_identifier(kind, text_of(document, "NUMBER"), base.country_code(issuer))
    entry.programs = base.unique([text_of(element, "UN_LIST_TYPE"), text_of(element, "REFERENCE_NUMBER")])
    entry.listed_on = base.day_of(text_of(element, "LISTED_ON")[:10])
    entry.gender = text_of(element, "GENDER")[:1].lower()
    entry.remarks = text_of(element, "COMMENTS1")[:2000]
    return entry


def _several(text: str) -> list[str]:
    """Split an alias that holds several names, the last one marked as Arabic."""
    parts = text.split(";")
    if "Arabic:" in text:
        parts = [part.replace("Arabic:", "") for piece in parts for part in piece.split(",")]
    return parts


def _birth(element: Element) -> base.Birth | None:
    kind = text_of(element, "TYPE_OF_DATE")
    if kind == "BETWEEN":
        first, last = text_of(element, "FROM_YEAR"), text_of(element, "TO_YEAR")
        return base.year_range(int(first), int(last)) if YEAR.fullmatch(first) and YEAR.fullmatch(last) else None
    text = text_of(element, "DATE") or text_of(element, "YEAR") or text_of(element, "NOTE")
    return base.parse_birth(f"circa {text}" if kind == "APPROXIMATELY" else text) if text else None


def date_of(path: Path) -> dt.date | None:
    """Read the day on which the list was generated; None where it has none."""
    return base.day_of(root_attributes(path).get("dateGenerated", "")[:10])


FORMAT = base.Format("un_xml", parse, date_of=date_of)
