"""What a report still lacks: each field with what to do about it, before the XML is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _

from compliance.sar.choices import ReportKind
from compliance.sar.models import ReportingEntity

NARRATIVE_MIN: Final = 50


class Problem(NamedTuple):
    """A field that is missing, and what to do."""

    field: str
    advice: str

    def __str__(self) -> str:
        return f"{self.field}: {self.advice}"


def problems_of(content: dict[str, Any], facts: dict[str, Any], entity: ReportingEntity) -> list[Problem]:
    """List what is missing from a report; none: it can be submitted."""
    return [*_written(content, entity), *_subject(facts["subject"], content), *_transactions(facts)]


def _written(content: dict[str, Any], entity: ReportingEntity) -> Iterator[Problem]:
    if len(content["narrative"].strip()) < NARRATIVE_MIN:
        yield Problem(
            _("Grounds for suspicion"),
            _("Describe who did what, when and why it's suspicious, in 50 characters or more."),
        )
    if not content["indicators"]:
        yield Problem(_("Indicators"), _("Choose at least one."))
    if unknown := set(content["indicators"]) - set(entity.indicators):
        yield Problem(
            _("Indicators"), _("The FIU's list doesn't have %(codes)s.") % {"codes": ", ".join(sorted(unknown))}
        )


def _subject(subject: dict[str, Any], content: dict[str, Any]) -> Iterator[Problem]:
    on_record = _("Add it to the client's details.")
    if subject["type"] == "person":
        yield from _person(subject, on_record)
        if not content["occupation"].strip():
            yield Problem(_("Occupation"), _("Enter what the client does for a living, from their answers."))
    else:
        on_company = _("Add it to the company's details.")
        names = {"number": _("Registration number"), "incorporated_on": _("Incorporated on"), "activity": _("Activity")}
        yield from (Problem(label, on_company) for name, label in names.items() if not subject[name])
        yield from _contact(subject, on_record)
        if not subject["people"]:
            yield Problem(_("Directors"), _("Link the company's directors and owners."))
        for person in subject["people"]:
            if not (person["first_name"] and person["last_name"]):
                yield Problem(
                    _("Name"), _("Complete the name of linked person #%(number)s.") % {"number": person["client"]}
                )


def _person(person: dict[str, Any], advice: str) -> Iterator[Problem]:
    names = {
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "born_on": _("Date of birth"),
        "nationality": _("Nationality"),
    }
    yield from (Problem(label, advice) for name, label in names.items() if not person[name])
    yield from _contact(person, advice)
    if not any(paper["number"] for paper in person["documents"]):
        yield Problem(_("Identification"), _("Approve an identity document with a readable number."))


def _contact(party: dict[str, Any], advice: str) -> Iterator[Problem]:
    if not party["phone_number"]:
        yield Problem(_("Phone"), advice)
    if not party["country"]:
        yield Problem(_("Country"), advice)


def _transactions(facts: dict[str, Any]) -> Iterator[Problem]:
    if facts["kind"] != ReportKind.STR:
        return
    if not facts["transactions"]:
        yield Problem(_("Transactions"), _("Choose the movements to report, or report an activity (SAR)."))
    for row in facts["transactions"]:
        if not row["local"]:
            yield Problem(
                _("Transaction %(number)s") % {"number": row["number"]},
                _("Load the exchange rate of its day: the FIU wants the amount in %(currency)s.")
                % {"currency": facts["entity"]["currency"]},
            )
