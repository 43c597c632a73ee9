"""Does the document belong to the person who registered, is it valid, and is it what they said?

A zone whose digits check is necessary, never sufficient: name, nationality and sex are not covered by them, so everything is
compared with the registration.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from kyc.choices import DocumentKind, IssueCode
from kyc.examination.sheet import Finding, Sheet
from kyc.examination.zone import PLACES
from kyc.names import Match, compare_person

EXPIRES_SOON_DAYS = 60
KIND_OF_CODE = {
    "P": DocumentKind.PASSPORT,
    "I": DocumentKind.ID_CARD,
    "A": DocumentKind.ID_CARD,
    "C": DocumentKind.ID_CARD,
}


def check(sheet: Sheet) -> Iterator[Finding]:
    """Compare the machine-readable zone with the registration: kind, names, birth, expiry."""
    if sheet.zone is None:
        return
    yield from _kind(sheet)
    yield from _names(sheet)
    yield from _birth(sheet)
    yield from _expiry(sheet)


def _where(sheet: Sheet, field: str) -> dict[str, Any]:
    assert sheet.zone is not None
    line, start, end = PLACES[sheet.zone.mrz.format][field]
    return {"page": sheet.measures.get("zone_page", 1), "box": sheet.zone.box_of(line, start, end)}


def _kind(sheet: Sheet) -> Iterator[Finding]:
    assert sheet.zone is not None
    code = sheet.zone.mrz.document_code
    kind = KIND_OF_CODE.get(code[:1])
    if kind != sheet.kind:
        found = str(kind.label) if kind else f"{sheet.zone.mrz.format} “{code}”"
        yield Finding(
            IssueCode.UNSUPPORTED_TYPE,
            0.9,
            field="kind",
            found=found,
            expected=str(DocumentKind(sheet.kind).label),
            page=sheet.measures.get("zone_page", 1),
            box=sheet.zone.box_of(0, 0, 5),
        )


def _names(sheet: Sheet) -> Iterator[Finding]:
    assert sheet.zone is not None
    read, subject = sheet.zone.mrz, sheet.subject
    match = compare_person(
        first_name=subject.first_name,
        last_name=subject.last_name,
        given_names=read.given_names,
        surname=read.surname,
        is_cut=read.is_name_cut,
    )
    sheet.measures["name_match"] = [match.first, match.last]
    codes = {
        Match.NEAR: IssueCode.NAME_NEAR,
        Match.CUT: IssueCode.NAME_CUT,
        Match.MISSING: IssueCode.NAME_MISMATCH,
        Match.DIFFERENT: IssueCode.NAME_MISMATCH,
    }
    for field, verdict, found, expected in (
        ("first_name", match.first, read.given_names, subject.first_name),
        ("last_name", match.last, read.surname, subject.last_name),
    ):
        if verdict in codes:
            yield Finding(codes[verdict], 0.9, field=field, found=found, expected=expected, **_where(sheet, "names"))


def _birth(sheet: Sheet) -> Iterator[Finding]:
    assert sheet.zone is not None
    born, claimed = sheet.zone.mrz.birth_date, sheet.subject.birth_date
    if born is None or "birth" in sheet.zone.mrz.failed:
        return
    if claimed is not None and born != claimed:
        swapped = (born.day, born.month, born.year) == (claimed.month, claimed.day, claimed.year)
        yield Finding(
            IssueCode.DOB_MISMATCH,
            0.6 if swapped else 0.95,
            field="date_of_birth",
            found=born.isoformat(),
            expected=claimed.isoformat(),
            **_where(sheet, "birth"),
        )
    if age_on(born, sheet.today) < sheet.age_min_years:
        yield Finding(
            IssueCode.UNDERAGE,
            1.0,
            field="date_of_birth",
            found=born.isoformat(),
            expected=f"≥ {sheet.age_min_years}",
            **_where(sheet, "birth"),
        )


def _expiry(sheet: Sheet) -> Iterator[Finding]:
    assert sheet.zone is not None
    expiry = sheet.zone.mrz.expiry_date
    if expiry is None or "expiry" in sheet.zone.mrz.failed:
        return
    where = _where(sheet, "expiry")
    if expiry < sheet.today:
        yield Finding(IssueCode.EXPIRED, 1.0, field="expires_on", found=expiry.isoformat(), **where)
    elif expiry < sheet.today + dt.timedelta(days=EXPIRES_SOON_DAYS):
        yield Finding(IssueCode.EXPIRES_SOON, 1.0, field="expires_on", found=expiry.isoformat(), **where)


def age_on(born: dt.date, day: dt.date) -> int:
    """Compute the age in full years on a day."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))
