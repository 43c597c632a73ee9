"""The checks again, on a value that an officer corrected: what depends on it is judged again by the same rules, and nothing else.

Results about the picture, about tampering and about other clients are carried over as they are: no correction turns one off.
What compares print and zone stays too, with one addition: where both had agreed on the machine's value and the officer enters
another one, that is said, so that nobody makes a document fit its registration unseen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from kyc.choices import DocumentKind, IssueCode
from kyc.examination import duplicates, identity, states
from kyc.examination.address import AGE_DAYS_MAX
from kyc.examination.sheet import Place, Result, Sheet, Subject, failed, passed, unsure
from kyc.mrz import DIGIT_FIELDS, NotAnMrz, parse
from kyc.names import Match, compare, compare_person, folded

# The checks that a field decides: their results about this field are replaced.
DECIDES: Final[Mapping[str, tuple[str, ...]]] = {
    "first_name": ("name",),
    "last_name": ("name",),
    "date_of_birth": ("birth", "age"),
    "expires_on": ("expiry",),
    "nationality": ("nationality", "state"),
    "issuing_country": ("state",),
    "number": (),
}
# Fields that the zone proves with a digit, and how it writes them.
DIGITS: Final = {"number": "number", "date_of_birth": "birth", "expires_on": "expiry"}
KEYS: Final = {"date_of_birth": "birth_date", "expires_on": "expiry_date"}
NAME_FIELDS: Final = ("first_name", "last_name")


def results_after(
    sheet: Sheet, field: str, values: Mapping[str, Any], before: Sequence[Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[Result]]:
    """Return the results that stay as they are, and the new ones in place of the others.

    sheet: whose document it is, with the fingerprint of its number and no pages. values: what holds, the corrected one included.
    """
    if sheet.kind == DocumentKind.PROOF_OF_ADDRESS:
        fresh = [replace(result, check="address") for result in _address(sheet, field, values)]
        stays = [row for row in before if not (row["check"] == "address" and row["field"] == field)]
    else:
        about = NAME_FIELDS if field in NAME_FIELDS else (field,)
        fresh = list(_identity(sheet, field, values))
        stays = [row for row in before if not (row["check"] in DECIDES[field] and row["field"] in about)]
    digits = _digits(sheet, field, values)
    if digits is not None:
        fresh.append(digits)
        stays = [row for row in stays if not (row["check"] == "zone" and row["code"] in ("", IssueCode.MRZ_CHECKDIGIT))]
    return stays, [_in_its_place(result, before) for result in fresh]


def print_against(
    field: str, value: str, machine: str, original: Sequence[Mapping[str, Any]]
) -> list[Mapping[str, Any]] | Result | None:
    """Compare a correction with what print and zone agreed on: an unclear result where it says something else.

    original: the machine's own results. Where the officer returns to the machine's value, the results that had passed; None where
    print and zone hadn't agreed on this field.
    """
    proven = [row for row in original if is_print_of(row, field) and row["verdict"] == "pass"]
    if not proven:
        return None
    if compare(value, machine) == Match.SAME:
        return proven
    return replace(unsure(IssueCode.PRINT_MISMATCH, 0.8, field=field, expected=value), check=proven[0]["check"])


def is_print_of(row: Mapping[str, Any], field: str) -> bool:
    """Whether a result compares the print of a field with the zone."""
    return bool(row["check"].startswith("printed_") and row["field"] == field)


def _in_its_place(result: Result, before: Sequence[Mapping[str, Any]]) -> Result:
    """Leave a result where the machine had read the field, so that the officer still sees it framed."""
    for row in before:
        if row["check"] == result.check and row["field"] == result.field and row["box"]:
            return replace(result, page=row["page"], box=tuple(row["box"]))
    return result


def _identity(sheet: Sheet, field: str, values: Mapping[str, Any]) -> Iterator[Result]:
    subject, value = sheet.subject, str(values.get(KEYS.get(field, field), ""))
    if field in NAME_FIELDS:
        yield from (replace(result, check="name") for result in _names(subject, values))
    elif field == "date_of_birth":
        yield from _born(sheet, dt.date.fromisoformat(value))
    elif field == "expires_on":
        yield replace(identity.expiry_of(sheet, dt.date.fromisoformat(value)), check="expiry")
    elif field in ("nationality", "issuing_country"):
        yield from _state(sheet, field, value, values)
    elif field == "number" and sheet.number_fingerprint:
        found = [result for result in duplicates.check(sheet) if result.code == IssueCode.DOC_NO_DUPLICATE]
        yield from (replace(result, check="duplicates") for result in found)


def _names(subject: Subject, values: Mapping[str, Any]) -> Iterator[Result]:
    given, surname = str(values.get("given_names", "")), str(values.get("surname", ""))
    match = compare_person(
        first_name=subject.first_name, last_name=subject.last_name, given_names=given, surname=surname
    )
    for field, verdict, found, expected in (
        ("first_name", match.first, given, subject.first_name),
        ("last_name", match.last, surname, subject.last_name),
    ):
        more: Place = {"field": field, "found": found, "expected": expected}
        if not expected.strip():
            yield unsure(IssueCode.NOT_REGISTERED, 1.0, **more)
        elif not found:
            yield unsure(IssueCode.NOT_READ, **more)
        elif verdict == Match.SAME:
            yield passed(score=0.95, **more)
        elif verdict in (Match.NEAR, Match.CUT):
            yield unsure(identity.NAME_CODES[verdict], 0.6, **more)
        else:
            yield failed(identity.NAME_CODES[verdict], **more)


def _born(sheet: Sheet, born: dt.date) -> Iterator[Result]:
    claimed, found = sheet.subject.birth_date, born.isoformat()
    more: Place = {"field": "date_of_birth", "found": found, "expected": claimed.isoformat() if claimed else ""}
    if claimed is None:
        yield replace(unsure(IssueCode.NOT_REGISTERED, 1.0, **more), check="birth")
    elif born == claimed:
        yield replace(passed(score=0.95, **more), check="birth")
    else:
        yield replace(failed(IssueCode.DOB_MISMATCH, 0.95, **more), check="birth")
    is_of_age = identity.age_on(born, sheet.today) >= sheet.age_min_years
    more = {"field": "date_of_birth", "found": found, "expected": f"≥ {sheet.age_min_years}"}
    yield replace(passed(score=0.95, **more) if is_of_age else failed(IssueCode.UNDERAGE, 1.0, **more), check="age")


def _state(sheet: Sheet, field: str, code: str, values: Mapping[str, Any]) -> Iterator[Result]:
    is_specimen = code in states.SPECIMEN_STATES
    exists = sheet.accepts_specimens if is_specimen else states.exists(code)
    wrong = IssueCode.SPECIMEN if is_specimen else IssueCode.UNKNOWN_STATE
    yield replace(
        passed(score=1.0, field=field, found=code) if exists else failed(wrong, 1.0, field=field, found=code),
        check="state",
    )
    if field != "nationality":
        yield from (replace(result, check="state") for result in identity.declared_country(sheet, code))
        return
    registered, found = sheet.subject.nationality, states.alpha2_of(code)
    more: Place = {"field": field, "found": code, "expected": registered}
    if (is_specimen and sheet.accepts_specimens) or (registered and found == registered):
        yield replace(passed(score=0.95, **more), check=field)
    elif not registered:
        yield replace(unsure(IssueCode.NOT_REGISTERED, 1.0, **more), check=field)
    else:
        yield replace(failed(IssueCode.NATIONALITY_MISMATCH, **more), check=field)


def _digits(sheet: Sheet, field: str, values: Mapping[str, Any]) -> Result | None:
    """Work out the zone's check digits with the corrected field in its place; None where the zone doesn't prove this field."""
    lines, name, form = values.get("zone"), DIGITS.get(field), sheet.measures.get("zone_format", "")
    if not lines or name is None or form not in DIGIT_FIELDS:
        return None
    line, begin, end = DIGIT_FIELDS[form][name]
    value = str(values[KEYS.get(field, field)])
    text = value.replace("-", "")[2:] if field != "number" else value
    if len(text) > end - 1 - begin:
        return None  # a long number goes on elsewhere in the zone
    changed = list(lines)
    changed[line] = changed[line][:begin] + text.ljust(end - 1 - begin, "<") + changed[line][end - 1 :]
    try:
        wrong = parse(changed, today=sheet.today).failed
    except NotAnMrz:
        return None
    sheet.measures["zone_failed"] = wrong
    if not wrong:
        return replace(passed(score=0.95), check="zone")
    score = min(1.0, 0.5 + 0.2 * len(wrong))
    return replace(failed(IssueCode.MRZ_CHECKDIGIT, score, found=", ".join(wrong)), check="zone")


def _address(sheet: Sheet, field: str, values: Mapping[str, Any]) -> Iterator[Result]:
    subject, value = sheet.subject, str(values.get("name" if field == "last_name" else field, ""))
    if field == "issued_on":
        day = dt.date.fromisoformat(value)
        first = sheet.today - dt.timedelta(days=AGE_DAYS_MAX)
        more: Place = {"field": field, "found": value}
        is_recent = first <= day <= sheet.today
        yield passed(score=0.95, **more) if is_recent else failed(IssueCode.POA_TOO_OLD, expected=f"≥ {first}", **more)
        return
    registered = subject.full_name if field == "last_name" else str(getattr(subject, field))
    more = {"field": field, "found": value, "expected": registered}
    if field == "last_name":
        match = max((compare(part, value) for part in (subject.first_name, subject.last_name) if part), key=_rank)
        if match in (Match.NEAR, Match.CUT):
            yield unsure(IssueCode.NAME_NEAR, 0.6, **more)
        else:
            yield passed(score=0.95, **more) if match == Match.SAME else failed(IssueCode.POA_NAME, **more)
    elif folded(value) == folded(registered):
        yield passed(score=0.95, **more)
    else:
        yield failed(IssueCode.POA_ADDRESS, **more)


def _rank(match: Match) -> int:
    return list(Match).index(match)
