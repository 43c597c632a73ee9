"""A report as goAML XML (UNODC's schema 5), written from plain values: the same values give the same bytes.

Only what every FIU's variant of the schema knows is written, in its order. `goaml.xsd` beside this file checks that structure;
it is no copy of UNODC's own schema, which comes without a licence. Where the FIU's own schema was uploaded it decides, with its
codes.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.utils.translation import gettext as _
from lxml import etree

from compliance.sar.choices import ReportKind
from compliance.sar.models import ReportingEntity
from crm.errors import DomainError

SCHEMA_BYTES_MAX: Final = 2_000_000
ERRORS_SHOWN: Final = 8
# What XML 1.0 has no place for, whatever a client typed into a form: https://www.w3.org/TR/xml/#charsets
NO_XML: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(content: dict[str, Any], entity: ReportingEntity) -> bytes:
    """Write a report's content as XML. The caller has checked that nothing is missing."""
    root = _report(content, content["facts"], entity)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _add(parent: etree._Element, name: str, text: object = None) -> etree._Element:
    element = etree.SubElement(parent, name)
    if text is not None:
        element.text = NO_XML.sub("", str(text))
    return element


def _optional(parent: etree._Element, name: str, text: object) -> None:
    if text:
        _add(parent, name, text)


def _moment(day: str) -> str:
    return day if "T" in day else f"{day}T00:00:00"


def _report(content: dict[str, Any], facts: dict[str, Any], entity: ReportingEntity) -> etree._Element:
    root, who = etree.Element("report"), facts["entity"]
    _add(root, "rentity_id", who["rentity_id"])
    _add(root, "rentity_branch", who["rentity_branch"])
    _add(root, "submission_code", "E")
    _add(root, "report_code", facts["kind"])
    _add(root, "entity_reference", facts["reference"])
    _optional(root, "fiu_ref_number", facts["earlier_reference"])
    _add(root, "submission_date", _moment(facts["day"]))
    _add(root, "currency_code_local", who["currency"])
    reporter = _add(root, "reporting_person")
    for name in ("first_name", "last_name", "email", "occupation"):
        _add(reporter, name, who[name])
    _address(_add(root, "location"), who, entity.code("contact_business"))
    _add(root, "reason", content["narrative"])
    _optional(root, "action", content["action"])
    if facts["kind"] == ReportKind.STR:
        for transaction in facts["transactions"]:
            _transaction(root, transaction, facts, content, entity)
    else:
        party = _add(_add(_add(root, "activity"), "report_parties"), "report_party")
        _party(party, "person", "entity", facts["subject"], content, entity)
        _add(party, "reason", content["narrative"])
    indicators = _add(root, "report_indicators")
    for code in content["indicators"]:
        _add(indicators, "indicator", code)
    return root


def _transaction(
    root: etree._Element, row: dict[str, Any], facts: dict[str, Any], content: dict[str, Any], entity: ReportingEntity
) -> None:
    element = _add(root, "transaction")
    _add(element, "transactionnumber", row["number"])
    _add(element, "transaction_location", facts["entity"]["city"])
    _add(element, "transaction_description", f"{row['kind']} {row['method']} {row['instrument']}".strip())
    _add(element, "date_transaction", row["at"])
    _add(element, "transmode_code", entity.code("electronic"))
    _add(element, "amount_local", row["local"])
    for side in ("from", "to"):
        is_client = (side == "from") == row["is_incoming"]
        party = _add(element, f"t_{side}_my_client" if is_client else f"t_{side}")
        _add(party, f"{side}_funds_code", entity.code(row["method"] if is_client else "at_broker"))
        if is_client:
            _optional(party, f"{side}_funds_comment", row["instrument"])
            if row["currency"] != facts["entity"]["currency"]:
                _foreign(_add(party, f"{side}_foreign_currency"), row)
            _party(party, f"{side}_person", f"{side}_entity", facts["subject"], content, entity)
        else:
            _add(_add(party, f"{side}_entity"), "name", facts["entity"]["name"])
        _add(party, f"{side}_country", row["country"] if is_client and row["country"] else facts["entity"]["country"])


def _foreign(element: etree._Element, row: dict[str, Any]) -> None:
    _add(element, "foreign_currency_code", row["currency"])
    _add(element, "foreign_amount", row["amount"])
    _add(element, "foreign_exchange_rate", f"{Decimal(row['local']) / Decimal(row['amount']):.6f}")


def _party(
    parent: etree._Element,
    person: str,
    company: str,
    subject: dict[str, Any],
    content: dict[str, Any],
    entity: ReportingEntity,
) -> None:
    if subject["type"] == "person":
        _person(_add(parent, person), subject, entity, content["occupation"])
    else:
        _company(_add(parent, company), subject, entity)


def _person(element: etree._Element, person: dict[str, Any], entity: ReportingEntity, occupation: str = "") -> None:
    _add(element, "first_name", person["first_name"])
    _add(element, "last_name", person["last_name"])
    if person["born_on"]:
        _add(element, "birthdate", _moment(person["born_on"]))
    if occupation:
        # goAML wants a social security number of a client; brokers don't hold one.
        _add(element, "ssn", "-")
    passport = next((paper for paper in person["documents"] if paper["kind"] == "passport" and paper["number"]), None)
    if passport:
        _add(element, "passport_number", passport["number"])
        _optional(element, "passport_country", passport["country"])
    _optional(element, "nationality1", person["nationality"])
    _optional(element, "residence", person["country"])
    _contact(element, person, entity, "contact_private")
    _optional(element, "occupation", occupation)
    for paper in person["documents"]:
        if not paper["number"] or not paper["country"]:
            continue
        identification = _add(element, "identification")
        _add(identification, "type", entity.code(paper["kind"]))
        _add(identification, "number", paper["number"])
        for name, day in (("issue_date", paper["issued_on"]), ("expiry_date", paper["expires_on"])):
            _optional(identification, name, _moment(day) if day else "")
        _add(identification, "issue_country", paper["country"])


def _company(element: etree._Element, company: dict[str, Any], entity: ReportingEntity) -> None:
    _add(element, "name", company["name"])
    _add(element, "commercial_name", company["name"])
    _add(element, "incorporation_legal_form", entity.code("legal_form"))
    _add(element, "incorporation_number", company["number"])
    _add(element, "business", company["activity"])
    _contact(element, company, entity, "contact_business")
    _add(element, "incorporation_country_code", company["incorporated_in"])
    for person in company["people"]:
        director = _add(element, "director_id")
        _person(director, person, entity)
        _add(director, "role", entity.code(person["role"]))
    if company["incorporated_on"]:
        _add(element, "incorporation_date", _moment(company["incorporated_on"]))


def _contact(element: etree._Element, party: dict[str, Any], entity: ReportingEntity, contact: str) -> None:
    if party["phone_number"]:
        phone = _add(_add(element, "phones"), "phone")
        _add(phone, "tph_contact_type", entity.code(contact))
        _add(phone, "tph_communication_type", entity.code("communication"))
        _add(phone, "tph_country_prefix", party["phone_prefix"])
        _add(phone, "tph_number", party["phone_number"])
    if party["address"] and party["city"] and party["country"]:
        _address(_add(_add(element, "addresses"), "address"), party, entity.code(contact))
    _optional(element, "email", party["email"])


def _address(element: etree._Element, place: dict[str, Any], contact: str) -> None:
    _add(element, "address_type", contact)
    _add(element, "address", place["address"][:100])
    _add(element, "city", place["city"])
    _optional(element, "zip", place["postal_code"][:10])
    _add(element, "country_code", place["country"])


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def parser() -> etree.XMLParser:
    """Return a parser that opens nothing: no entities, no DTD, no network, no huge trees."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


@cache
def _own() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(Path(__file__).with_name("goaml.xsd")), parser()))


def read_schema(content: bytes) -> etree.XMLSchema:
    """Read an FIU's schema. Raises: DomainError where it is too large, no schema, or includes others."""
    if len(content) > SCHEMA_BYTES_MAX:
        raise DomainError(_("The schema is larger than 2 MB."))
    try:
        tree = etree.fromstring(content, parser())
        namespace = {"xs": "http://www.w3.org/2001/XMLSchema"}
        # An include would have the server open what a file names.
        if tree.getroottree().docinfo.doctype or tree.xpath(
            "//xs:include|//xs:import|//xs:redefine", namespaces=namespace
        ):
            raise DomainError(_("The schema must be a single file without includes, imports or a DTD."))
        return etree.XMLSchema(tree)
    except (etree.XMLSyntaxError, etree.XMLSchemaParseError) as error:
        raise DomainError(_("This isn't a valid XML schema: %(error)s") % {"error": str(error)[:200]}) from error


def errors_of(xml: bytes, entity: ReportingEntity) -> list[str]:
    """List where a report breaks the structure or the FIU's schema, the first few; none: it's valid."""
    tree = etree.fromstring(xml, parser())
    schemas = [_own(), read_schema(entity.schema.encode())] if entity.schema else [_own()]
    found = []
    for schema in schemas:
        if not schema.validate(tree):
            found += [f"{line.path}: {line.message}" for line in schema.error_log]
    return found[:ERRORS_SHOWN]
