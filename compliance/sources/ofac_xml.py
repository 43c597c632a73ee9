"""OFAC's lists as XML: the plain form (`sdn.xml`, `consolidated.xml`) and the "advanced" one, whose values refer to each other.

The advanced form lists reference values, places and documents before the parties, and the programs after them, so that it is read
twice. Source: OFAC, "Explanatory documentation for the Advanced Sanctions Data Model".
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from compliance.sources import base
from compliance.sources.base import ALIAS, ENTITY, PERSON, PRIMARY, VESSEL, Birth, BrokenFile, LeftOut, ParsedEntry
from compliance.sources.xml import elements, root_attributes, text_of, texts_of

KINDS = {"individual": PERSON, "vessel": VESSEL, "aircraft": VESSEL}
ADDRESS_PARTS = ("address1", "address2", "address3", "city", "stateOrProvince", "postalCode")
REFERENCES = (
    "AliasType",
    "AreaCode",
    "Country",
    "DetailReference",
    "FeatureType",
    "IDRegDocType",
    "NamePartType",
    "PartySubType",
    "PartyType",
    "SanctionsProgram",
    "SanctionsType",
)
NAME_ORDER = ("First Name", "Middle Name", "Patronymic", "Matronymic", "Last Name", "Maiden Name")
IMO = re.compile(r"IMO\s*(\d{7})")


def parse(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    """Read either form; the outermost element says which. Raises BrokenFile."""
    root = root_attributes(path)[""]
    if root == "sdnList":
        yield from _plain(path)
    elif root == "Sanctions":
        yield from _advanced(path)
    else:
        raise BrokenFile(f"{path.name} is not one of OFAC's lists: it begins with <{root[:60]}>")


# ── the plain form ─────────────────────────────────────────────────────────────────────────────────────────────────
def _plain(path: Path) -> Iterator[ParsedEntry]:
    for element in elements(path, "sdnEntry"):
        entry = ParsedEntry(
            text_of(element, "uid"),
            KINDS.get(text_of(element, "sdnType").lower(), ENTITY),
            programs=base.unique(texts_of(element, "programList/program")),
            remarks=text_of(element, "remarks")[:2000],
        )
        entry.add_name(f"{text_of(element, 'firstName')} {text_of(element, 'lastName')}", PRIMARY)
        for alias in element.iterfind("akaList/aka"):
            name = f"{text_of(alias, 'firstName')} {text_of(alias, 'lastName')}"
            entry.add_name(name, ALIAS, is_weak=text_of(alias, "category").lower() == "weak")
        entry.births = [
            birth
            for text in texts_of(element, "dateOfBirthList/dateOfBirthItem/dateOfBirth")
            if (birth := base.parse_birth(text))
        ]
        _numbers(entry, element)
        _places(entry, element)
        if not entry.names:
            raise BrokenFile(f"entry {entry.external_id} has no name")
        yield entry


def _numbers(entry: ParsedEntry, element: Element) -> None:
    for number in element.iterfind("idList/id"):
        kind, value = text_of(number, "idType"), text_of(number, "idNumber")
        if kind.lower() == "gender":
            entry.gender = value[:1].lower()
        entry.add_identifier(base.identifier_kind(kind), value, base.country_code(text_of(number, "idCountry")))
    if ship := IMO.search(text_of(element, "remarks")):
        entry.add_identifier("imo", ship[1])


def _places(entry: ParsedEntry, element: Element) -> None:
    stated = texts_of(element, "nationalityList/nationality/country")
    stated += texts_of(element, "citizenshipList/citizenship/country")
    addressed = []
    for address in element.iterfind("addressList/address"):
        country = base.country_code(text_of(address, "country"))
        addressed.append(country)
        entry.add_address((text_of(address, part) for part in ADDRESS_PARTS), country)
    entry.countries = base.unique([*(base.country_code(text) for text in stated), *addressed])


# ── the advanced form ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass
class _Known:
    """What the parties refer to, by its id."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    places: dict[str, base.Address] = field(default_factory=dict)
    documents: dict[str, list[tuple[str, str, str]]] = field(default_factory=lambda: defaultdict(list))
    programs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def value(self, kind: str, key: str | None) -> str:
        return self.values.get((kind, key or ""), "")


def _advanced(path: Path) -> Iterator[ParsedEntry | LeftOut]:
    known = _known(path)
    for party in elements(path, "DistinctParty", *REFERENCES, "Location", "IDRegDocument", "SanctionsEntry"):
        if party.tag != "DistinctParty":
            continue
        profile = party.find("Profile")
        if profile is None:
            raise BrokenFile(f"party {party.get('FixedRef', '')[:40]} has no profile")
        entry = _party(party, profile, known)
        yield entry if entry.names else LeftOut("Without a name")


def _known(path: Path) -> _Known:
    known = _Known()
    for element in elements(path, *REFERENCES, "Location", "IDRegDocument", "SanctionsEntry", "DistinctParty"):
        key = element.get("ID", "")
        if element.tag == "Location":
            country = element.find("LocationCountry")
            code = "" if country is None else base.country_code(known.value("Country", country.get("CountryID")))
            parts = texts_of(element, "LocationPart/LocationPartValue/Value")
            known.places[key] = base.Address(", ".join(parts)[:300], code)
        elif element.tag == "IDRegDocument":
            kind = known.value("IDRegDocType", element.get("IDRegDocTypeID"))
            issuer = base.country_code(known.value("Country", element.get("IssuedBy-CountryID")))
            number = text_of(element, "IDRegistrationNo")
            known.documents[element.get("IdentityID", "")].append((kind, number, issuer))
        elif element.tag == "SanctionsEntry":
            for measure in element.iterfind("SanctionsMeasure"):
                if known.value("SanctionsType", measure.get("SanctionsTypeID")) in ("Program", ""):
                    known.programs[element.get("ProfileID", "")].append(text_of(measure, "Comment"))
        elif element.tag != "DistinctParty" and key:
            known.values[element.tag, key] = (element.text or "").strip()
            if element.tag == "PartySubType":
                known.parents[key] = element.get("PartyTypeID", "")
    return known


def _party(party: Element, profile: Element, known: _Known) -> ParsedEntry:
    kind = known.value("PartySubType", profile.get("PartySubTypeID"))
    if kind in ("", "Unknown"):
        kind = known.value("PartyType", known.parents.get(profile.get("PartySubTypeID", "")))
    entry = ParsedEntry(
        party.get("FixedRef") or profile.get("ID") or "",
        KINDS.get(kind.lower(), ENTITY),
        programs=base.unique(known.programs[profile.get("ID", "")]),
        remarks=text_of(party, "Comment")[:2000],
    )
    for identity in profile.iterfind("Identity"):
        _names(entry, identity, known)
        for document, number, issuer in known.documents[identity.get("ID", "")]:
            ship = IMO.search(number)
            kind = "imo" if ship else base.identifier_kind(document)
            entry.add_identifier(kind, ship[1] if ship else number, issuer)
    stated, addressed = [], []
    for feature in profile.iterfind("Feature"):
        name = known.value("FeatureType", feature.get("FeatureTypeID"))
        for version in feature.iterfind("FeatureVersion"):
            _feature(entry, name, version, known)
            for place in version.iterfind("VersionLocation"):
                address = known.places.get(place.get("LocationID", ""), base.Address(""))
                if name.startswith(("Nationality Country", "Citizenship Country")):
                    stated.append(address.country)
                elif name == "Location":
                    addressed.append(address.country)
                    entry.add_address([address.text], address.country)
    entry.countries = base.unique([*stated, *addressed])
    return entry


def _names(entry: ParsedEntry, identity: Element, known: _Known) -> None:
    kinds = {
        group.get("ID"): known.value("NamePartType", group.get("NamePartTypeID"))
        for group in identity.iterfind("NamePartGroups/MasterNamePartGroup/NamePartGroup")
    }
    aliases = sorted(identity.iterfind("Alias"), key=lambda alias: alias.get("Primary") != "true")
    for alias in aliases:
        for place, name in enumerate(alias.iterfind("DocumentedName")):
            parts = [
                (kinds.get(part.get("NamePartGroupID"), ""), (part.text or "").strip())
                for part in name.iterfind("DocumentedNamePart/NamePartValue")
            ]
            parts.sort(key=lambda part: NAME_ORDER.index(part[0]) if part[0] in NAME_ORDER else len(NAME_ORDER))
            is_primary = alias.get("Primary") == "true" and place == 0
            text = " ".join(part for _kind, part in parts)
            entry.add_name(text, PRIMARY if is_primary else ALIAS, is_weak=alias.get("LowQuality") == "true")


def _feature(entry: ParsedEntry, name: str, version: Element, known: _Known) -> None:
    detail = version.find("VersionDetail")
    text = (
        "" if detail is None else known.value("DetailReference", detail.get("DetailReferenceID")) or detail.text or ""
    )
    if name == "Birthdate":
        entry.births += filter(None, [_period(period) for period in version.iterfind("DatePeriod")])
    elif name == "Gender":
        entry.gender = text.strip()[:1].lower()
    elif kind := base.identifier_kind(name):
        entry.add_identifier(kind, text)


def _period(period: Element) -> Birth | None:
    """Read a range of days: from the first to the last day that its ends may mean."""
    ends = [_date(period.find(path)) for path in ("Start/From", "End/To")]
    first, last = ends[0] or ends[1], ends[1] or ends[0]
    if first is None or last is None or last.last < first.first:
        return None
    return Birth(first.first, last.last, is_exact=first.first == last.last)


def _date(element: Element | None) -> Birth | None:
    if element is None:
        return None
    return base.birth_of_parts(text_of(element, "Year"), text_of(element, "Month"), text_of(element, "Day"))


def date_of(path: Path) -> dt.date | None:
    """Read the day of publication; None where the file has none."""
    for element in elements(path, "publshInformation", "DateOfIssue", "sdnEntry", "Country"):
        if element.tag == "publshInformation":
            born = base.parse_birth("/".join(text_of(element, "Publish_Date").split("/")[i] for i in (1, 0, 2)))
        elif element.tag == "DateOfIssue":
            born = _date(element)
        else:
            return None
        return born.first if born else None
    return None
