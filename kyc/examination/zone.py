"""Reads the machine-readable zone, and says when it is missing, cut or does not check."""

from __future__ import annotations

from collections.abc import Iterator

from kyc import mrz_zone, ocr
from kyc.choices import IssueCode
from kyc.examination.sheet import Finding, Sheet
from kyc.fingerprints import number_fingerprint

PAGES_MAX = 2
# Where each checked field is: format → field → (line, first character, end).
PLACES = {
    "TD1": {"number": (0, 5, 15), "birth": (1, 0, 7), "expiry": (1, 8, 15), "composite": (1, 29, 30), "names": (2, 0, 30)},
    "TD2": {"number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28), "composite": (1, 35, 36), "names": (0, 5, 36)},
    "TD3": {
        "number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28), "optional": (1, 28, 43), "composite": (1, 43, 44),
        "names": (0, 5, 44),
    },
    "MRV-A": {"number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28), "names": (0, 5, 44)},
    "MRV-B": {"number": (1, 0, 10), "birth": (1, 13, 20), "expiry": (1, 21, 28), "names": (0, 5, 36)},
}  # fmt: skip  # a table of pairs


def check(sheet: Sheet) -> Iterator[Finding]:
    """Find and read the machine-readable zone, and check its digits; the later checks compare what it says."""
    if not sheet.is_identity:
        return
    try:
        for number, page in enumerate(sheet.pages[:PAGES_MAX], start=1):
            reading = mrz_zone.find_and_read(page, today=sheet.today)
            if reading is not None:
                sheet.zone, sheet.measures["zone_page"] = reading, number
                break
    except LookupError:
        sheet.measures["zone_engine"] = "none"
        yield Finding(IssueCode.OCR_UNAVAILABLE, 1.0)
        return
    if sheet.zone is None:
        if sheet.wants_zone:
            yield Finding(IssueCode.NO_MRZ, 0.8)
        return
    sheet.engines.add(ocr.engine_name(sheet.zone.language))
    _note(sheet)
    zone = sheet.zone
    if zone.mrz.failed:
        line, start, end = PLACES[zone.mrz.format][zone.mrz.failed[0]]
        yield Finding(
            IssueCode.MRZ_CHECKDIGIT,
            min(1.0, 0.5 + 0.2 * len(zone.mrz.failed)),
            found=", ".join(zone.mrz.failed),
            page=sheet.measures["zone_page"],
            box=zone.box_of(line, start, end),
        )
    if zone.touches_edge:
        yield Finding(IssueCode.CROPPED, 0.7, page=sheet.measures["zone_page"], box=zone.box)


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
    if "number" not in read.failed and len(read.number) >= 5:
        sheet.number_fingerprint = number_fingerprint(read.number)
    sheet.issuing_country = read.issuing_country[:3]
    if "expiry" not in read.failed:
        sheet.expires_on = read.expiry_date
