"""Canada's consolidated autonomous sanctions list (SEMA) as XML."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, PERSON, PRIMARY, VESSEL, BrokenFile, LeftOut, ParsedEntry
from compliance.sources.xml import elements, root_attributes, text_of


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read Canada's consolidated list. Raises BrokenFile."""
    if root_attributes(path)[""] != "data-set":
        raise BrokenFile(f"{path.name} is not Canada's list: it begins with <{root_attributes(path)['']}>")
    taken: dict[str, int] = {}
    for element in elements(path, "record"):
        entry = _entry(element)
        if entry is None:
            yield LeftOut("Without a name")
            continue
        # The list has no ids: regime, schedule and item name an entry; a few appear twice.
        again = taken[entry.external_id] = taken.get(entry.external_id, 0) + 1
        if again > 1:
            entry.external_id = f"{entry.external_id} ({again})"
        yield entry


def _entry(element: Element) -> ParsedEntry | None:
    country = text_of(element, "Country").split(" / ")[0]
    external_id = f"{country}; {text_of(element, 'Schedule')}; {text_of(element, 'Item')}"[:100]
    person = f"{text_of(element, 'GivenName')} {text_of(element, 'LastName')}".strip()
    other = text_of(element, "EntityOrShip")
    kind = PERSON if person else VESSEL if text_of(element, "ShipIMONumber") else ENTITY
    entry = ParsedEntry(external_id, kind, programs=[f"SEMA {country}"])
    entry.add_name(person or other, PRIMARY)
    for alias in text_of(element, "Aliases").replace("；", ";").split(";"):
        entry.add_name(alias, ALIAS)
    if not entry.names:
        return None
    entry.add_identifier("imo", text_of(element, "ShipIMONumber"))
    entry.births = base.parse_births(text_of(element, "DateOfBirthOrShipBuildDate")) if kind == PERSON else []
    entry.countries = base.unique([base.country_code(country)])
    entry.listed_on = base.day_of(text_of(element, "DateOfListing"))
    return entry


FORMAT = base.Format("canada_xml", parse)
