"""What runs in the child that opens documents: decode, read, check. No database, no keys: it gets the file and the registration.

Started by `crm.files.parsing.prepared`; what it answers is JSON, and `kyc.examination.apart` makes results of it again.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from typing import Any

import cv2
import numpy as np

from crm.files.parsing.child import images, pdfs
from kyc import ocr
from kyc.choices import IssueCode
from kyc.examination import CHECKS, face, postal, read, visual
from kyc.examination.look import perceptual_hash
from kyc.examination.sheet import Result, Sheet, Subject, unsure
from kyc.ocr import Word

logger = logging.getLogger(__name__)
PDF = "application/pdf"
# Checks that look into the database: they run in the worker, with what was read here.
IN_DATABASE = frozenset({"duplicates"})
NUMBER_LENGTH_MIN = 5


def warm_up() -> None:
    """Load what every document needs, before the first fork."""
    cv2.setNumThreads(1)
    for language in (ocr.MRZ, ocr.ENGLISH):
        if ocr.available(language):
            # Its messages go to stderr, which is nowhere: the null device can't be opened any more after the fork, and Tesseract
            # writes through a null pointer then.
            ocr._api(language).SetVariable("debug_file", "")
    for name in face.CASCADES:
        face._cascade(name)
    postal.country_named("")  # reads files of names


def examine(
    contents: Sequence[bytes], *, page: dict[str, Any], other: dict[str, Any] | None
) -> tuple[dict[str, Any], bytes]:
    """Examine one document, and where its other side is there, compare the two."""
    sheet = _lay_out(contents[0], **page)
    results = run_checks(sheet)
    if other is not None:
        results += _sides(sheet, _lay_out(contents[1], **{**page, **other}))
    return _facts(sheet, results), b""


def run_checks(sheet: Sheet) -> list[Result]:
    """Read the page and run every check that needs no database; a check that breaks or says nothing is unsure."""
    results: list[Result] = []
    try:
        read(sheet)
    except Exception:  # the checks that need no reading still help the officer
        logger.exception("document %s could not be read", sheet.document_id)
        results.append(replace(unsure(IssueCode.CHECK_FAILED, 1.0, field="reading"), check="reading"))
    for check in CHECKS:
        if check.name in IN_DATABASE or not check.is_for(sheet):
            continue
        try:
            said = list(check.run(sheet)) or [unsure(IssueCode.CHECK_FAILED, 1.0, field=check.name)]
        except Exception:  # the other checks still help the officer
            logger.exception("check %s broke on document %s", check.name, sheet.document_id)
            said = [unsure(IssueCode.CHECK_FAILED, 1.0, field=check.name)]
        results += [replace(result, check=check.name) for result in said]
    return results


def _lay_out(content: bytes, *, content_type: str, pages_max: int, pixels_max: int, **values: Any) -> Sheet:
    """Decode a file into pages, and of a PDF the words of its text layer."""
    file = io.BytesIO(content)
    if content_type == PDF:
        facts, pixels = pdfs.sheet(file, pages_max=pages_max)
        words = [[Word(text, tuple(box)) for text, box in page] for page in facts["words"]]
    else:
        facts, pixels = images.pixels(file, forms=["JPEG"], pixels_max=pixels_max)
        words = None
    subject = values.pop("subject")
    born = subject.pop("birth_date") if "birth_date" in subject else None
    sheet = Sheet(
        subject=Subject(**subject, birth_date=dt.date.fromisoformat(born) if born else None),
        pages=list(_pictures(facts["pages"], pixels)),
        text_layer=words,
        today=dt.date.fromisoformat(values.pop("today")),
        **values,
    )
    if not sheet.has_words:
        sheet.phash = perceptual_hash(sheet.pages[0])
    return sheet


def _pictures(sizes: Sequence[Sequence[int]], content: bytes) -> list[np.ndarray]:
    made, start = [], 0
    for width, height in sizes:
        end = start + width * height * 3
        made.append(np.frombuffer(content[start:end], np.uint8).reshape(height, width, 3))
        start = end
    return made


def _sides(sheet: Sheet, other: Sheet) -> list[Result]:
    """Compare a card's two sides, whichever of them this document is; without a zone there is nothing to compare."""
    try:
        read(other)
        front, back = (sheet, other) if sheet.side == "front" else (other, sheet)
        if back.zone is None:
            return []
        return [replace(result, check="sides") for result in visual.compare_sides(front, back)]
    except Exception:  # then a person compares them
        logger.exception("the sides of document %s could not be compared", sheet.document_id)
        return [replace(unsure(IssueCode.CHECK_FAILED, 1.0, field="sides"), check="sides")]


RESULT_FIELDS = [field.name for field in fields(Result)]


def _facts(sheet: Sheet, results: Sequence[Result]) -> dict[str, Any]:
    """Write down what was read and found, as JSON."""
    number = str(sheet.extracted.get("number", ""))
    is_sure = (sheet.zone is None or "number" not in sheet.zone.mrz.failed) and len(number) >= NUMBER_LENGTH_MIN
    return {
        "results": [_plain(asdict(result)) for result in results],
        "extracted": sheet.extracted,
        "measures": _plain(sheet.measures),
        "engines": sorted(sheet.engines),
        "pages": [[picture.shape[1], picture.shape[0]] for picture in sheet.pages],
        "phash": sheet.phash.hex() if sheet.phash else "",
        "has_words": sheet.has_words,
        "number": number if is_sure else "",
        "issuing_country": sheet.issuing_country,
        "issued_on": sheet.issued_on.isoformat() if sheet.issued_on else "",
        "expires_on": sheet.expires_on.isoformat() if sheet.expires_on else "",
    }


def _plain(value: Any) -> Any:
    """Make JSON's own types of what libraries count with."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


OPERATIONS = {"examine": examine}
