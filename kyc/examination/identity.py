"""Does the document belong to the person who registered, is it valid, and is it what they said?

What the zone says is compared with the registration; on a side without a zone, what is printed. A zone whose digits check is
necessary, never sufficient: name, nationality and sex are not covered by them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from kyc.choices import DocumentKind, IssueCode, Severity
from kyc.examination import states
from kyc.examination.document_types import kind_of_text, kind_of_zone
from kyc.examination.legibility import is_sharp
from kyc.examination.printed import READABLE_WORDS, Hit, readable_words
from kyc.examination.sheet import Place, Result, Sheet, failed, passed, unsure
from kyc.examination.zone import place_of
from kyc.mrz import DIGIT_FIELDS
from kyc.names import Match, compare_person

EXPIRES_SOON_DAYS = 60
# A label ends within so many characters before its date.
LABEL_WIDTH = 32
# Below this many pixels a letter of a name is a matter of two or three dots.
NAME_SIDE_MIN_PX = 300
NAME_CODES = {
    Match.NEAR: IssueCode.NAME_NEAR,
    Match.CUT: IssueCode.NAME_CUT,
    Match.DIFFERENT: IssueCode.NAME_MISMATCH,
    Match.MISSING: IssueCode.NAME_MISMATCH,
}
EXPIRY_WORDS = (
    "4B",
    "EXPIR",
    "VALID UNTIL",
    "VALID TO",
    "DATE OF EXP",
    "GULTIG BIS",
    "ABLAUF",
    "FIN DE VALID",
    "VALABLE",
    "SCADENZA",
    "CADUC",
    "VALIDEZ",
    "VALIDADE",
    "WAZN",
    "GELDIG",
    "PLATNOST",
    "VALABIL",
)


def kind(sheet: Sheet) -> Iterator[Result]:
    """Check that the document is of the kind the client chose: by the zone's code, else by its printed title."""
    chosen = DocumentKind(sheet.kind)
    if sheet.zone is not None:
        code = sheet.zone.mrz.document_code
        found = kind_of_zone(code)
        other = str(_("Visa")) if code.startswith("V") else f"{sheet.zone.mrz.format} “{code}”"
        words = str(found.label) if found else other
        if found == chosen:
            yield passed(score=0.95, field="kind", found=words, **place_of(sheet, "kind"))
        else:
            place = place_of(sheet, "kind")
            yield failed(IssueCode.UNSUPPORTED_TYPE, field="kind", found=words, expected=str(chosen.label), **place)
        return
    found = kind_of_text(sheet.printed.text()) if sheet.printed else None
    if found == chosen:
        yield passed(score=0.8, field="kind", found=str(chosen.label))
    elif found is not None:
        yield failed(IssueCode.UNSUPPORTED_TYPE, 0.7, field="kind", found=str(found.label), expected=str(chosen.label))
    elif _shows_no_document(sheet):
        yield failed(IssueCode.UNSUPPORTED_TYPE, 0.8, field="kind", expected=str(chosen.label))
    else:
        yield unsure(IssueCode.NOT_READ, field="kind", expected=str(chosen.label))


def _shows_no_document(sheet: Sheet) -> bool:
    """Tell whether a sharp picture has hardly a word on it: a landscape, a cat."""
    page = sheet.printed
    if page is None or not sheet.can_read or not is_sharp(sheet.pages[page.page_number - 1]):
        return False
    return max((readable_words(layer.words) for layer in page.layers), default=0) < READABLE_WORDS // 2


def name(sheet: Sheet) -> Iterator[Result]:
    """Compare first and last name."""
    subject = sheet.subject
    for field in ("first_name", "last_name"):
        if not getattr(subject, field).strip():
            yield unsure(IssueCode.NOT_REGISTERED, 1.0, field=field, severity=Severity.WARNING)
    if not subject.first_name.strip() or not subject.last_name.strip():
        return
    if sheet.zone is None:
        yield from _printed_name(sheet)
        return
    read = sheet.zone.mrz
    match = compare_person(
        first_name=subject.first_name,
        last_name=subject.last_name,
        given_names=read.given_names,
        surname=read.surname,
        is_cut=read.is_name_cut,
    )
    sheet.measures["name_match"] = [match.first, match.last]
    place = place_of(sheet, "names")
    is_small = min(sheet.pages[sheet.measures.get("zone_page", 1) - 1].shape[:2]) < NAME_SIDE_MIN_PX
    for field, verdict, found, expected in (
        ("first_name", match.first, read.given_names, subject.first_name),
        ("last_name", match.last, read.surname, subject.last_name),
    ):
        if verdict == Match.SAME and is_small:
            yield unsure(IssueCode.LOW_RESOLUTION, 0.7, field=field, found=found, expected=expected, **place)
        elif verdict == Match.SAME:
            yield passed(score=0.95, field=field, found=found, expected=expected, **place)
        elif verdict in (Match.NEAR, Match.CUT):
            yield unsure(NAME_CODES[verdict], 0.6, field=field, found=found, expected=expected, **place)
        else:
            yield failed(NAME_CODES[verdict], field=field, found=found, expected=expected, **place)


def _printed_name(sheet: Sheet) -> Iterator[Result]:
    for field in ("first_name", "last_name"):
        expected = getattr(sheet.subject, field)
        if sheet.printed is None:
            yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
            return
        hit = sheet.printed.find_name(expected)
        if hit.match == Match.SAME:
            sheet.extracted["given_names" if field == "first_name" else "surname"] = hit.text or expected
        yield _of_print(sheet, hit, IssueCode.NAME_MISMATCH, IssueCode.NAME_NEAR, field=field, expected=expected)


def _of_print(sheet: Sheet, hit: Hit, missing: IssueCode, near: IssueCode, *, field: str, expected: str) -> Result:
    """Judge what was, or was not, found in print: not there on a readable page is a failure, on another one unsure."""
    assert sheet.printed is not None
    number = sheet.printed.page_number
    if hit.match == Match.SAME:
        return passed(score=0.85, field=field, found=hit.text, expected=expected, page=number, box=hit.box)
    if hit.match == Match.NEAR:
        return unsure(near, 0.6, field=field, found=hit.text, expected=expected, page=number, box=hit.box)
    if sheet.printed.is_readable:
        return failed(missing, 0.8, field=field, found=hit.text, expected=expected, page=number)
    return unsure(IssueCode.NOT_READ, 0.7, field=field, expected=expected, page=number)


def birth(sheet: Sheet) -> Iterator[Result]:
    """Compare the date of birth."""
    claimed = sheet.subject.birth_date
    if claimed is None:
        yield unsure(IssueCode.NOT_REGISTERED, 1.0, field="date_of_birth", severity=Severity.WARNING)
        return
    expected = claimed.isoformat()
    if sheet.zone is None:
        if sheet.printed is None:
            yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
            return
        hit = sheet.printed.find_date(claimed)
        if hit.match == Match.SAME:
            sheet.extracted["birth_date"] = expected
        yield _of_print(
            sheet, hit, IssueCode.DOB_MISMATCH, IssueCode.DOB_MISMATCH, field="date_of_birth", expected=expected
        )
        return
    born, place = sheet.zone.mrz.birth_date, place_of(sheet, "birth")
    if "birth" in sheet.zone.mrz.failed:
        yield unsure(IssueCode.NOT_READ, field="date_of_birth", expected=expected, **place)
    elif born is None:
        found = sheet.zone.mrz.birth_text
        yield unsure(IssueCode.DATE_INCOMPLETE, 0.9, field="date_of_birth", found=found, expected=expected, **place)
    elif born != claimed:
        swapped = (born.day, born.month, born.year) == (claimed.month, claimed.day, claimed.year)
        yield failed(
            IssueCode.DOB_MISMATCH,
            0.6 if swapped else 0.95,
            field="date_of_birth",
            found=born.isoformat(),
            expected=expected,
            **place,
        )
    else:
        yield passed(score=0.95, field="date_of_birth", found=expected, expected=expected, **place)


def age(sheet: Sheet) -> Iterator[Result]:
    """Check that the person is of age on the day of the check."""
    read = sheet.extracted.get("birth_date", "")
    born = dt.date.fromisoformat(read) if read else None
    if born is None or (sheet.zone is not None and "birth" in sheet.zone.mrz.failed):
        yield unsure(IssueCode.NOT_READ, field="date_of_birth")
        return
    place: Place = place_of(sheet, "birth") if sheet.zone is not None else {}
    expected = f"≥ {sheet.age_min_years}"
    if age_on(born, sheet.today) < sheet.age_min_years:
        yield failed(IssueCode.UNDERAGE, 1.0, field="date_of_birth", found=read, expected=expected, **place)
    else:
        yield passed(score=0.95, field="date_of_birth", found=read, expected=expected, **place)


def expiry(sheet: Sheet) -> Iterator[Result]:
    """Check that the document has not expired; a document that names no day is for a person."""
    if sheet.zone is None:
        yield from _printed_expiry(sheet)
        return
    read, place = sheet.zone.mrz, place_of(sheet, "expiry")
    if "expiry" in read.failed:
        yield unsure(IssueCode.NOT_READ, field="expires_on", **place)
        return
    line, begin, end = DIGIT_FIELDS[read.format]["expiry"]
    text = read.lines[line][begin : end - 1]
    if not text.strip("<"):
        yield unsure(IssueCode.NO_EXPIRY, 0.9, field="expires_on", **place)
    elif read.expiry_date is None:
        yield unsure(IssueCode.DATE_INCOMPLETE, 0.9, field="expires_on", found=text, **place)
    else:
        yield expiry_of(sheet, read.expiry_date, **place)


def expiry_of(sheet: Sheet, day: dt.date, **place: Any) -> Result:
    """Judge a last day of validity."""
    found = day.isoformat()
    if day < sheet.today:
        return failed(IssueCode.EXPIRED, 1.0, field="expires_on", found=found, **place)
    if day < sheet.today + dt.timedelta(days=EXPIRES_SOON_DAYS):
        # Valid today: the officer and the client are told, nobody is held up.
        return passed(code=IssueCode.EXPIRES_SOON, score=1.0, field="expires_on", found=found, **place)
    return passed(score=0.95, field="expires_on", found=found, **place)


def _printed_expiry(sheet: Sheet) -> Iterator[Result]:
    """Take the date behind a word for it, else the last one on the page, unless that is the birth."""
    if sheet.printed is None:
        yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
        return
    if sheet.expires_on is not None:  # a licence's field 4b
        yield expiry_of(sheet, sheet.expires_on, page=sheet.printed.page_number)
        return
    born = sheet.subject.birth_date
    dates = [found for found in sheet.printed.dates() if born is None or not found[0].is_day(born)]
    named = [found for found in dates if any(word in found[1][-LABEL_WIDTH:] for word in EXPIRY_WORDS)]
    day, _before, box = max(named or dates, key=lambda found: found[0].as_date(), default=(None, "", None))
    if day is None:
        code = IssueCode.NO_EXPIRY if sheet.printed.is_readable else IssueCode.NOT_READ
        yield unsure(code, 0.7, field="expires_on", page=sheet.printed.page_number)
        return
    sheet.expires_on = day.as_date()
    sheet.extracted["expiry_date"] = sheet.expires_on.isoformat()
    yield expiry_of(sheet, sheet.expires_on, page=sheet.printed.page_number, box=box)


def state(sheet: Sheet) -> Iterator[Result]:
    """Check that issuer and nationality are states of Doc 9303's table, and the issuer the country that the client selected."""
    assert sheet.zone is not None
    read = sheet.zone.mrz
    for field, code, place in (
        ("issuing_country", read.issuing_country, place_of(sheet, "country")),
        ("nationality", read.nationality, place_of(sheet, "nationality")),
    ):
        if code in states.SPECIMEN_STATES and not sheet.accepts_specimens:
            yield failed(IssueCode.SPECIMEN, 1.0, field=field, found=code, **place)
        elif code in states.SPECIMEN_STATES or states.exists(code):
            yield passed(score=1.0, field=field, found=code, **place)
        else:
            yield failed(IssueCode.UNKNOWN_STATE, 0.9, field=field, found=code, **place)
    yield from declared_country(sheet, read.issuing_country, place_of(sheet, "country"))


def declared_country(sheet: Sheet, issuer: str, place: Place | None = None) -> Iterator[Result]:
    """Compare the issuer with the country that the client selected: another one is a slip, or somebody else's document.

    Nothing is said where nothing was selected, or where the issuer is no country: that is for the table of states.
    """
    country = states.alpha2_of(issuer)
    if sheet.declared_country and country and country != sheet.declared_country:
        more: Place = {"field": "issuing_country", "found": issuer, "expected": sheet.declared_country}
        yield unsure(IssueCode.COUNTRY_MISMATCH, 0.9, **{**more, **(place or {})})


def nationality(sheet: Sheet) -> Iterator[Result]:
    """Compare the nationality with the registration, and on a passport with its issuer."""
    assert sheet.zone is not None
    read, registered, place = sheet.zone.mrz, sheet.subject.nationality, place_of(sheet, "nationality")
    found, issuer = states.alpha2_of(read.nationality), states.alpha2_of(read.issuing_country)
    more: Place = {"field": "nationality", "found": read.nationality, "expected": registered, **place}
    if read.nationality in states.SPECIMEN_STATES and sheet.accepts_specimens:
        yield passed(score=1.0, **more)
    elif not registered:
        yield unsure(IssueCode.NOT_REGISTERED, 1.0, **more)
    elif found != registered:
        certain = bool(found) and states.exists(read.nationality)
        yield (
            failed(IssueCode.NATIONALITY_MISMATCH, **more)
            if certain
            else unsure(IssueCode.NATIONALITY_MISMATCH, **more)
        )
    elif read.document_code.startswith("P") and found != issuer:
        yield unsure(IssueCode.NATIONALITY_MISMATCH, 0.6, **{**more, "expected": read.issuing_country})
    else:
        yield passed(score=0.95, **more)


def sex(sheet: Sheet) -> Iterator[Result]:
    """Compare the sex with the registration, where it holds one."""
    assert sheet.zone is not None
    read, registered = sheet.zone.mrz.sex, sheet.subject.sex
    more: Place = {"field": "sex", "found": read, "expected": registered, **place_of(sheet, "sex")}
    if read == registered:
        yield passed(score=0.95, **more)
    elif read == "X":
        yield unsure(IssueCode.SEX_MISMATCH, **more)
    else:
        yield failed(IssueCode.SEX_MISMATCH, **more)


def age_on(born: dt.date, day: dt.date) -> int:
    """Compute the age in full years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
