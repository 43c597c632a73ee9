"""Switzerland's consolidated list (SECO) as XML: names in parts with spelling variants, places apart, history kept."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, PERSON, PRIMARY, VESSEL, BrokenFile, LeftOut, ParsedEntry
from compliance.sources.xml import elements, root_attributes, text_of, texts_of

VARIANTS_MAX = 40  # of one name: every part's spellings combined
ADDRESS_PARTS = ("c-o", "address-details", "p-o-box", "zip-code", "location", "area")
KINDS = {"individual": PERSON, "entity": ENTITY, "object": VESSEL}
Places = dict[str, tuple[list[str], str]]


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read the Swiss list; targets that were removed stay in its file and are left out. Raises BrokenFile."""
    root = root_attributes(path)[""]
    if root != "swiss-sanctions-list":
        raise BrokenFile(f"{path.name} is not the Swiss list: it begins with <{root[:60]}>")
    programs: dict[str, str] = {}
    places: Places = {}
    for element in elements(path, "sanctions-program", "place", "target"):
        if element.tag == "sanctions-program":
            names = {child.get("lang"): (child.text or "").strip() for child in element.iterfind("program-key")}
            name = names.get("eng") or next(iter(names.values()), "")
            programs.update({child.get("ssid", ""): name for child in element.iterfind("sanctions-set")})
        elif element.tag == "place":
            places[element.get("ssid", "")] = _place(element)
    for element in elements(path, "sanctions-program", "place", "target"):
        if element.tag == "target":
            yield _target(element, programs, places)


def _place(element: Element) -> tuple[list[str], str]:
    country = element.find("country")
    code = "" if country is None else country.get("iso-code") or base.country_code(country.text or "")
    return texts_of(element, "location") + texts_of(element, "area"), code


def _target(element: Element, programs: dict[str, str], places: Places) -> ParsedEntry | LeftOut:
    changes = list(element.iterfind("modification"))
    # Their order in the file is by date, mostly; a later listing overrules a removal.
    days = [(change.get("effective-date") or change.get("publication-date") or "", change) for change in changes]
    ended = max((day for day, change in days if change.get("modification-type") == "de-listed"), default=None)
    listed = [day for day, change in days if change.get("modification-type") == "listed"]
    if ended is not None and not any(day > ended for day in listed):
        return LeftOut("Removed from the list")
    node = next((child for child in element if child.tag in KINDS), None)
    if node is None:
        return LeftOut("Neither person, organisation nor ship")
    entry = ParsedEntry(element.get("ssid", ""), KINDS[node.tag], gender=node.get("sex", "")[:1].lower())
    identities = sorted(node.iterfind("identity"), key=lambda identity: identity.get("main") != "true")
    for identity in identities:
        _identity(entry, identity, places)
    sets = texts_of(element, "sanctions-set-id") or [element.get("sanctions-set-id", "")]
    entry.programs = base.unique([programs.get(key, "") for key in sets])
    entry.listed_on = base.day_of(min(listed, default="")[:10])
    entry.remarks = " ".join(texts_of(node, "justification"))[:2000]
    for text in texts_of(node, "other-information"):
        kind, _colon, number = text.partition(":")
        entry.add_identifier(base.identifier_kind(kind), number)
    return entry if entry.names else LeftOut("Without a name")


def _identity(entry: ParsedEntry, identity: Element, places: Places) -> None:
    for name in identity.iterfind("name"):
        is_weak = name.get("quality") == "low"
        is_primary = name.get("name-type") == "primary-name" and not entry.names
        for number, text in enumerate(_spellings(name)):
            entry.add_name(text, PRIMARY if is_primary and number == 0 else ALIAS, is_weak=is_weak)
    for birth in identity.iterfind("day-month-year"):
        found = base.birth_of_parts(*(birth.get(part, "") for part in ("year", "month", "day")))
        entry.births += [found] if found else []
    countries = []
    for country in identity.iterfind("nationality/country"):
        countries.append(country.get("iso-code") or base.country_code(country.text or ""))
    for address in identity.iterfind("address"):
        where, code = places.get(address.get("place-id", ""), ([], ""))
        entry.add_address([*(text_of(address, part) for part in ADDRESS_PARTS), *where], code)
        countries.append(code)
    entry.countries = base.unique([*entry.countries, *(code for code in countries if len(code) == 2)])
    for document in identity.iterfind("identification-document"):
        kind = base.identifier_kind(document.get("document-type", "").replace("-", " "))
        entry.add_identifier(
            kind or "national", text_of(document, "number"), base.country_code(text_of(document, "issuer"))
        )


def _spellings(name: Element) -> Iterator[str]:
    """Write a name with its own parts, then with the variants of each script; titles left out."""
    parts = sorted(name.iterfind("name-part"), key=lambda part: (_is_family(part), int(part.get("order") or 0)))
    parts = [part for part in parts if part.get("name-part-type") != "title" and text_of(part, "value")]
    if not parts:
        return
    yield " ".join(text_of(part, "value") for part in parts)
    variants = [
        [(v.get("script") or "", (v.text or "").strip()) for v in part.iterfind("spelling-variant")] for part in parts
    ]
    for script in dict.fromkeys(script for options in variants for script, _text in options):
        own = [[text for of, text in options if of == script and text] for options in variants]
        is_latin = script.lower() in ("latn", "")
        if not is_latin and not all(own):
            continue  # half a name in another script is none
        choices = [
            [text_of(part, "value"), *texts] if is_latin else texts for part, texts in zip(parts, own, strict=True)
        ]
        for chosen in itertools.islice(itertools.product(*choices), VARIANTS_MAX):
            yield " ".join(chosen)


def _is_family(part: Element) -> bool:
    return part.get("name-part-type") == "family-name"


def date_of(path: Path) -> dt.date | None:
    """Read the list's own day; None where it has none."""
    return base.day_of(root_attributes(path).get("date", "")[:10])


FORMAT = base.Format("swiss_xml", parse, date_of=date_of)
