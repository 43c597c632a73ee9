"""Reads the machine-readable zone, and says when it is missing, cut or does not check."""

from __future__ import annotations

from collections.abc import Iterator

from kyc import mrz_zone, ocr
from kyc.choices import IssueCode
from kyc.examination.sheet import Place, Result, Sheet, failed, passed, unsure
from kyc.mrz import DIGIT_FIELDS

PAGES_MAX = 2
NAMES = {"TD1": (2, 0, 30), "TD2": (0, 5, 36), "TD3": (0, 5, 44), "MRV-A": (0, 5, 44), "MRV-B": (0, 5, 36)}
# Nationality and sex: behind the number and the birth, or the expiry.
NATIONALITY = {"TD1": (1, 15, 18)}
SEX = {"TD1": (1, 7, 8)}


def read(sheet: Sheet) -> None:
    """Find and read the zone of an identity document; the checks compare what it says."""
    try:
        for number, page in enumerate(sheet.pages[:PAGES_MAX], start=1):
            reading = mrz_zone.find_and_read(page, today=sheet.today)
            if reading is not None:
                sheet.zone, sheet.measures["zone_page"] = reading, number
                break
    except LookupError:
        sheet.measures["zone_engine"] = "none"
        sheet.can_read = False
        return
    if sheet.zone is not None:
        sheet.engines.add(ocr.engine_name(sheet.zone.language))
        _note(sheet)


def place_of(sheet: Sheet, field: str) -> Place:
    """Locate a field of the zone on the page."""
    assert sheet.zone is not None
    form = sheet.zone.mrz.format
    places = {
        **DIGIT_FIELDS[form],
        "names": NAMES[form],
        "nationality": NATIONALITY.get(form, (1, 10, 13)),
        "sex": SEX.get(form, (1, 20, 21)),
        "country": (0, 2, 5),
        "kind": (0, 0, 5),
    }
    return {"page": sheet.measures.get("zone_page", 1), "box": sheet.zone.box_of(*places[field])}


def check(sheet: Sheet) -> Iterator[Result]:
    """Check that the zone is there, whole, and that its digits are right."""
    if not sheet.can_read:
        yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
        return
    zone = sheet.zone
    if zone is None:
        yield unsure(IssueCode.NO_MRZ, 0.8)
        return
    wrong = zone.mrz.failed
    if wrong:
        score = min(1.0, 0.5 + 0.2 * len(wrong))
        yield failed(IssueCode.MRZ_CHECKDIGIT, score, found=", ".join(wrong), **place_of(sheet, wrong[0]))
    if zone.touches_edge and zone.is_upright:
        yield unsure(IssueCode.CROPPED, 0.7, page=sheet.measures["zone_page"], box=zone.box)
    if not wrong:
        yield passed(score=0.95, page=sheet.measures["zone_page"], box=zone.box)


def _note(sheet: Sheet) -> None:
    assert sheet.zone is not None
    read = sheet.zone.mrz
    sheet.measures.update({"zone_format": read.format, "zone_failed": read.failed})
    sheet.extracted.update(
        {
            "surname": read.surname,
            "given_names": read.given_names,
            "number": read.number,
            "nationality": read.nationality,
            "issuing_country": read.issuing_country,
            "sex": read.sex,
            "birth_date": read.birth_date.isoformat() if read.birth_date else "",
            "expiry_date": read.expiry_date.isoformat() if read.expiry_date else "",
            "document_code": read.document_code,
            "zone": list(read.lines),
        }
    )
    sheet.issuing_country = read.issuing_country[:3]
    if "expiry" not in read.failed:
        sheet.expires_on = read.expiry_date
