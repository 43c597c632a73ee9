"""Proof of address: is it the client's name, the registered address, a kind of issuer that counts, and at most three months old?

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
from kyc.examination import issuers, postal
from kyc.examination.printed import shape_of
from kyc.examination.sheet import Box, Place, Result, Sheet, failed, passed, unsure
from kyc.names import ORDER, Match, compare, folded, variants
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
    "data di emissione",
    "data de emissao",
    "data wystawienia",
    "factuurdatum",
    "dagtekening",
    "datum vystaveni",
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
    name = _name(sheet, pages)
    yield name
    yield from _address(sheet, pages)
    yield from _date(sheet, pages)
    yield _issuer(sheet, pages)
    yield from _country(sheet, pages, name)


def words_of(sheet: Sheet) -> list[list[Word]] | None:
    """List the words per page; None when there is no text layer and this server can't read pictures."""
    if sheet.text_layer is not None and any(sheet.text_layer):
        sheet.engines.add("text layer")
        return [words[:WORDS_MAX] for words in sheet.text_layer[:PAGES_MAX]]
    if not ocr.available(ocr.ENGLISH):
        return None
    sheet.engines.add(ocr.engine_name(ocr.ENGLISH))
    return [ocr.read_words(page)[:WORDS_MAX] for page in sheet.pages[:PAGES_MAX]]


def _name(sheet: Sheet, pages: list[list[Word]]) -> Result:
    subject = sheet.subject
    orders = [subject.full_name, f"{subject.last_name} {subject.first_name}"]
    best = max(
        (find(sheet, pages, order) for order in orders if order), key=lambda hit: hit[0], default=(0.0, "", 1, None)
    )
    score, text, page, box = best
    if not subject.full_name:
        return unsure(IssueCode.NOT_REGISTERED, 1.0, field="last_name", severity=Severity.WARNING)
    sheet.measures["poa_name"] = round(score, 2)
    sheet.extracted["name"] = text if score >= LIKENESS_MIN else ""
    near = score > 0.6
    place: Place = {"found": text if near else "", "page": page, "box": box if near else None}
    more: Place = {"field": "last_name", "expected": subject.full_name, **place}
    # A ratio of letters finds the place; whether it is the same name is decided word by word.
    match = (
        _match_of(subject.first_name, subject.last_name, text, is_scan=not sheet.has_words)
        if score >= LIKENESS_MIN
        else Match.DIFFERENT
    )
    if match == Match.SAME:
        return passed(score=round(score, 2), **more)
    if match in (Match.NEAR, Match.CUT):
        return unsure(IssueCode.NAME_NEAR, 0.6, **more)
    return failed(IssueCode.POA_NAME, round(max(0.5, 1 - score), 2), **more)


def _match_of(first_name: str, last_name: str, text: str, *, is_scan: bool) -> Match:
    """Compare first and last name with a full one; in what was read from a picture, letters with accents may be anything."""
    if is_scan:
        words = text.split()
        for word in f"{first_name} {last_name}".split():
            shape = shape_of(word) if not word.isascii() else None
            words = [word if shape and shape.fullmatch(folded(read)) else read for read in words]
        text = " ".join(words)
    return max((compare(part, text) for part in (first_name, last_name) if part), key=ORDER.index)


def _issuer(sheet: Sheet, pages: list[list[Word]]) -> Result:
    """Recognise the kind of issuer; another one may count as well, but that is for a person."""
    found = issuers.kind_of_issuer(" ".join(folded(word.text) for words in pages for word in words))
    if found is None:
        return unsure(IssueCode.POA_ISSUER, 0.6, field="issuer")
    sheet.extracted["issuer"] = found.value
    return passed(score=0.7, field="issuer", found=str(found.label))


def _country(sheet: Sheet, pages: list[list[Word]], name: Result) -> Iterator[Result]:
    """Take the recipient's address apart, and compare its country with the registered one, where both are there."""
    number, words = name.page, pages[name.page - 1]
    height, width = sheet.pages[number - 1].shape[:2]
    left, top, across, down = name.box or (0.0, 0.0, 0.0, 0.0)
    beside = [
        word
        for word in words
        if left <= (word.box[0] + word.box[2] / 2) / width <= left + across
        and top <= (word.box[1] + word.box[3] / 2) / height <= top + down
    ]
    read = postal.address_below(beside, words)
    parts = {"street": read.street, "postal_code": read.postal_code, "city": read.city, "country": read.country}
    sheet.extracted["address"] = {key: value for key, value in parts.items() if value}
    expected = sheet.subject.country
    if read.country and expected:
        judged = passed if read.country == expected else failed
        code = {} if read.country == expected else {"code": IssueCode.POA_COUNTRY}
        yield judged(**code, score=0.8, field="country", found=read.country, expected=expected, page=number)


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
