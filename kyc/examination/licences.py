"""The numbered fields of driving licences (Directive 2006/126/EC, annex I; many other states number them alike).

1 surname, 2 given names, 3 birth, 4a issued, 4b valid until, 4c issuer, 5 number, 9 categories.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from kyc.choices import DocumentKind, IssueCode
from kyc.dates import printed_dates
from kyc.examination.printed import Layer, Printed, plain_text
from kyc.examination.sheet import Result, Sheet, failed, passed, unsure
from kyc.ocr import Word

# As Tesseract reads them, with or without the full stop, alone or with the value behind.
LABELS = {
    "1": r"[1Il|]",
    "2": r"[2Z]",
    "3": r"3",
    "4a": r"4\s?[aA]",
    "4b": r"4\s?[bB6]",
    "4c": r"4\s?[cC]",
    "4d": r"4\s?[dD]",
    "5": r"[5S]",
    "9": r"9",
}
LABEL = {field: re.compile(rf"^{pattern}\s?[.,:]\s*(.*)$") for field, pattern in LABELS.items()}
BARE_LABEL = {field: re.compile(rf"^{pattern}$") for field, pattern in LABELS.items() if field[0] == "4"}
VALUE_WORDS_MAX, GAP_HEIGHTS_MAX = 8, 9.0
CONFIDENCE_SURE = 85
Value = tuple[str, float]
CATEGORY = re.compile(r"^(?:AM|A[12]?|B[1E]?|BE|C[1E]?|C1E|CE|D[1E]?|D1E|DE|F|G|K|L|M|S|T)$")
ISSUED_AGE_MIN_YEARS = 14
NUMBER = re.compile(r"[A-Z0-9]{5,20}")


def read(sheet: Sheet) -> None:
    """Note the numbered fields of a licence's front."""
    if sheet.kind != DocumentKind.DRIVING_LICENCE or sheet.printed is None:
        return
    fields = fields_of(sheet.printed)
    issued, expires = _date_of(fields.get("4a")), _date_of(fields.get("4b"))
    if issued:
        sheet.issued_on = issued
        sheet.extracted["issued_on"] = issued.isoformat()
    if expires:
        sheet.expires_on = expires
        sheet.extracted["expiry_date"] = expires.isoformat()
    if number := _number_of(fields.get("5")):
        sheet.extracted["number"] = number
    if categories := _categories_of(fields.get("9")):
        sheet.extracted["categories"] = " ".join(categories)
    sheet.measures["licence_fields"] = sorted(fields)


def check(sheet: Sheet) -> Iterator[Result]:
    """Check the day of issue against birth, expiry and today; note number and categories."""
    assert sheet.printed is not None
    issued, page = sheet.issued_on, sheet.printed.page_number
    if issued is None:
        yield unsure(IssueCode.NOT_READ, 0.4, field="issued_on", page=page)
    else:
        yield _issue(sheet, issued)
    for field, key in (("number", "number"), ("categories", "categories")):
        if value := sheet.extracted.get(key, ""):
            yield passed(score=0.7, field=field, found=value, page=page)


def _issue(sheet: Sheet, issued: dt.date) -> Result:
    born, until, found = sheet.subject.birth_date, sheet.expires_on, issued.isoformat()
    too_young = born is not None and issued.year - born.year < ISSUED_AGE_MIN_YEARS
    if issued > sheet.today or too_young or (until is not None and until <= issued):
        return failed(IssueCode.ISSUE_DATE, 0.8, field="issued_on", found=found)
    return passed(score=0.8, field="issued_on", found=found)


def fields_of(page: Printed) -> dict[str, list[Value]]:
    """Read the values of the numbered fields, each as often as it was read, with the reader's confidence."""
    fields: dict[str, list[Value]] = {}
    for layer in page.layers:
        for field, value in (*_fields_of_layer(layer), *_categories_of_layer(layer)):
            fields.setdefault(field, []).append(value)
    return fields


def _fields_of_layer(layer: Layer) -> Iterator[tuple[str, Value]]:
    for word in layer.words:
        for field in LABELS:
            patterns = [pattern for pattern in (LABEL[field], BARE_LABEL.get(field)) if pattern]
            match = next((match for pattern in patterns if (match := pattern.match(word.text))), None)
            if match is None:
                continue
            beside = [Word(match[1], word.box, word.confidence)] if match.groups() and match[1] else []
            words = [*beside, *_words_right_of(word, layer.words)]
            if words:
                text = plain_text(" ".join(part.text for part in words))
                yield field, (text, min(part.confidence for part in words))
            break


def _categories_of_layer(layer: Layer) -> Iterator[tuple[str, Value]]:
    """Take a row of nothing but categories for field 9: its label is one digit, which readers pass over."""
    for word in layer.words:
        beside = _words_right_of(word, layer.words)
        row = [word, *beside]
        if len(beside) >= 1 and all(CATEGORY.match(part.text.strip(".,/")) for part in row):
            yield "9", (plain_text(" ".join(part.text for part in row)), min(part.confidence for part in row))


def _words_right_of(label: Word, words: list[Word]) -> list[Word]:
    left, top, width, height = label.box
    middle = top + height / 2
    row = sorted(
        (
            word
            for word in words
            if word.box[0] + word.box[2] / 2 >= left + width - height / 2
            and word is not label
            and abs(word.box[1] + word.box[3] / 2 - middle) < height
        ),
        key=lambda word: word.box[0],
    )
    values: list[Word] = []
    right = left + width
    for word in row[:VALUE_WORDS_MAX]:
        is_far = word.box[0] - right > GAP_HEIGHTS_MAX * height
        if is_far or any(pattern.match(word.text) for pattern in (*LABEL.values(), *BARE_LABEL.values())):
            break
        values.append(word)
        right = word.box[0] + word.box[2]
    return values


def _date_of(values: list[Value] | None) -> dt.date | None:
    days = [found.as_date() for text, _confidence in values or [] for found in printed_dates(text)[:1]]
    return max(set(days), key=days.count) if days else None


def _number_of(values: list[Value] | None) -> str:
    """Take a number that was read for certain or twice alike: a misread one would link clients who share nothing."""
    read = [(match[0], sure) for text, sure in values or [] if (match := NUMBER.search(text.replace(" ", "")))]
    numbers = [number for number, _sure in read]
    return next((number for number, sure in read if sure >= CONFIDENCE_SURE or numbers.count(number) > 1), "")


def _categories_of(values: list[Value] | None) -> list[str]:
    found = {part for text, _sure in values or [] for part in re.split(r"[\s/,.]+", text) if CATEGORY.match(part)}
    return sorted(found)
