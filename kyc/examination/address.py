"""Proof of address: is it the client's name, the registered address, and not older than three months?

Text comes from the PDF's own layer where there is one; else Tesseract reads the picture.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterator

from rapidfuzz import fuzz

from kyc import ocr
from kyc.choices import IssueCode, Severity
from kyc.dates import dates_in
from kyc.examination.sheet import Box, Result, Sheet, failed, passed, unsure
from kyc.names import folded, variants
from kyc.ocr import Word

PAGES_MAX = 3
AGE_DAYS_MAX = 92
LIKENESS_MIN = 0.84
WORDS_MAX = 3000
# A date beside one of these is when the bill was made; any other may be a due date or a billing period.
ISSUE_WORDS = (
    "invoice date",
    "date of issue",
    "issue date",
    "issued",
    "statement date",
    "bill date",
    "date",
    "rechnungsdatum",
    "datum",
    "ausgestellt",
    "fecha de emision",
    "fecha",
    "emision",
    "date de facture",
    "date d emission",
    "data emissione",
    "data",
)
DUE_WORDS = ("due", "fallig", "zahlbar bis", "payable", "vencimiento", "echeance", "scadenza", "valid until", "birth")
DIGITS = re.compile(r"\d+")
Line = tuple[int, str, Box]


def check(sheet: Sheet) -> Iterator[Result]:
    """Compare a proof of address with the registration: name, address, and how old it is."""
    pages = words_of(sheet)
    if pages is None:
        yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
        return
    if not any(pages):
        yield unsure(IssueCode.NOT_READ, 0.9)
        return
    yield from _name(sheet, pages)
    yield from _address(sheet, pages)
    yield from _date(sheet, pages)


def words_of(sheet: Sheet) -> list[list[Word]] | None:
    """List the words per page; None when there is no text layer and this server can't read pictures."""
    if sheet.text_layer is not None and any(sheet.text_layer):
        sheet.engines.add("text layer")
        return [words[:WORDS_MAX] for words in sheet.text_layer[:PAGES_MAX]]
    if not ocr.available(ocr.ENGLISH):
        return None
    sheet.engines.add(ocr.engine_name(ocr.ENGLISH))
    return [ocr.read_words(page)[:WORDS_MAX] for page in sheet.pages[:PAGES_MAX]]


def _name(sheet: Sheet, pages: list[list[Word]]) -> Iterator[Result]:
    subject = sheet.subject
    orders = [subject.full_name, f"{subject.last_name} {subject.first_name}"]
    best = max(
        (find(sheet, pages, order) for order in orders if order), key=lambda hit: hit[0], default=(0.0, "", 1, None)
    )
    score, text, page, box = best
    if not subject.full_name:
        yield unsure(IssueCode.NOT_REGISTERED, 1.0, field="last_name", severity=Severity.WARNING)
        return
    sheet.measures["poa_name"] = round(score, 2)
    sheet.extracted["name"] = text if score >= LIKENESS_MIN else ""
    if score < LIKENESS_MIN:
        near = score > 0.6
        yield failed(
            IssueCode.POA_NAME,
            round(1 - score, 2),
            field="last_name",
            found=text if near else "",
            expected=subject.full_name,
            page=page,
            box=box if near else None,
        )
    else:
        yield passed(
            score=round(score, 2), field="last_name", found=text, expected=subject.full_name, page=page, box=box
        )


def _address(sheet: Sheet, pages: list[list[Word]]) -> Iterator[Result]:
    subject = sheet.subject
    for field, expected, least in (
        ("address_line", subject.address_line, 0.8),
        ("city", subject.city, LIKENESS_MIN),
        ("postal_code", subject.postal_code, 0.99),
    ):
        if not expected:
            if field != "postal_code":  # not every country has one
                yield unsure(IssueCode.NOT_REGISTERED, 1.0, field=field, severity=Severity.WARNING)
            continue
        score, text, page, box = find(sheet, pages, expected)
        sheet.measures[f"poa_{field}"] = round(score, 2)
        # Two digits changed are a small difference in letters, and another house.
        if score >= least and DIGITS.findall(expected) == DIGITS.findall(text):
            sheet.extracted[field] = text
            yield passed(score=round(score, 2), field=field, found=text, expected=expected, page=page, box=box)
            continue
        near = score > 0.6
        yield failed(
            IssueCode.POA_ADDRESS,
            round(1 - score, 2),
            field=field,
            found=text if near else "",
            expected=expected,
            page=page,
            box=box if near else None,
        )


def find(sheet: Sheet, pages: list[list[Word]], wanted: str) -> tuple[float, str, int, Box | None]:
    """Find (likeness, text, page, box) of the run of words that comes nearest to `wanted` in any of its spellings."""
    spellings = variants(wanted)
    length = max((len(spelling.split()) for spelling in spellings), default=0)
    best: tuple[float, str, int, Box | None] = (0.0, "", 1, None)
    if not length:
        return best
    for number, words in enumerate(pages, start=1):
        plain = [folded(word.text) for word in words]
        for start, size in itertools.product(range(len(words)), range(max(1, length - 1), length + 2)):
            run = " ".join(filter(None, plain[start : start + size]))
            if not run:
                continue
            score = max(
                max(fuzz.ratio(run, spelling), fuzz.ratio(run.replace(" ", ""), spelling.replace(" ", "")))
                for spelling in spellings
            )
            if score / 100 > best[0]:
                chosen = words[start : start + size]
                text = " ".join(word.text for word in chosen)
                best = (score / 100, text, number, sheet.fraction(_around(chosen), number))
                if score == 100:
                    return best
    return best


def _around(words: list[Word]) -> tuple[int, int, int, int]:
    left, top = min(word.box[0] for word in words), min(word.box[1] for word in words)
    right = max(word.box[0] + word.box[2] for word in words)
    bottom = max(word.box[1] + word.box[3] for word in words)
    return left, top, right - left, bottom - top


def _date(sheet: Sheet, pages: list[list[Word]]) -> Iterator[Result]:
    dated = issue_date(sheet, pages)
    if dated is None:
        yield unsure(IssueCode.POA_NO_DATE, 0.7, field="issued_on")
        return
    issued_on, page, box = dated
    sheet.issued_on = issued_on
    sheet.extracted["issued_on"] = issued_on.isoformat()
    if issued_on < sheet.today - dt.timedelta(days=AGE_DAYS_MAX):
        yield failed(
            IssueCode.POA_TOO_OLD,
            0.95,
            field="issued_on",
            found=issued_on.isoformat(),
            expected=f"≥ {sheet.today - dt.timedelta(days=AGE_DAYS_MAX)}",
            page=page,
            box=box,
        )
    else:
        yield passed(field="issued_on", found=issued_on.isoformat(), page=page, box=box)


def issue_date(sheet: Sheet, pages: list[list[Word]]) -> tuple[dt.date, int, Box] | None:
    """Find the day of issue: a date beside a word for it, else the latest that isn't in the future."""
    candidates: list[tuple[bool, dt.date, int, Box]] = []
    for number, words in enumerate(pages, start=1):
        for start in range(len(words)):
            for size in (1, 2, 3, 5):
                run = words[start : start + size]
                text = _plain(run)
                for day in dates_in(text):
                    if not dt.date(2000, 1, 1) <= day <= sheet.today:
                        continue
                    before = _plain(words[max(0, start - 3) : start])
                    if any(word in before for word in DUE_WORDS):
                        continue
                    named = any(word in before for word in ISSUE_WORDS)
                    candidates.append((named, day, number, sheet.fraction(_around(run), number)))
    if not candidates:
        return None
    _named, day, page, box = max(candidates, key=lambda item: (item[0], item[1], -item[3][2]))
    return day, page, box


def _plain(words: list[Word]) -> str:
    """Lower-case letters, digits and the separators of dates."""
    text = " ".join(word.text for word in words)
    plain = "".join(
        character if character in "./-" or character.isdigit() else folded(character).lower() or " "
        for character in text
    )
    return " ".join(plain.split())
