"""The machine-readable zone beside what is printed on the same page.

Whoever changes a zone recomputes its check digits: only the print contradicts them. Number, name, birth, expiry, sex and
nationality must be found above the zone. What a readable page doesn't show is a failure, on an unreadable one it is unsure.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from kyc.choices import IssueCode, Verdict
from kyc.examination import printed, states
from kyc.examination.document_types import kind_of_text
from kyc.examination.printed import Hit, Printed
from kyc.examination.sheet import Place, Result, Sheet, failed, passed, unsure
from kyc.names import Match
from kyc.ocr import Word

SEX_LABEL = re.compile(r"\b(?:SEX|SEXE|SEXO|GESCHLECHT|SESSO|PLEC|GENDER|GESLACHT|SUKUPUOLI|KON|POHLAVI|SPOL|KJONN)\b")
SEX_LETTERS = {"M": "M", "H": "M", "F": "F", "W": "F", "K": "F", "V": "F"}
NATIONALITY_LABEL = re.compile(
    r"NATIONALIT|STAATSANG|NACIONALIDAD|CITTADINANZA|OBYWATELSTWO|NACIONALIDADE|CITIZENSHIP|NAZIONALITA"
)
# How nationalities are printed, by their first letters; other countries by their names.
STEMS = {
    "UTO": "UTOPIA", "DE": "DEUTSCH GERMAN", "AT": "OSTERREICH OESTERREICH AUSTRIA", "CH": "SCHWEIZ SUISSE SVIZZERA SWISS",
    "FR": "FRANCAIS FRENCH", "IT": "ITALIAN", "ES": "ESPANOL SPANISH", "PT": "PORTUGUE", "NL": "NEDERLAND DUTCH",
    "BE": "BELG", "PL": "POLSK POLISH", "CZ": "CESK CZECH", "SK": "SLOVENSK SLOVAK", "HU": "MAGYAR HUNGARIAN",
    "RO": "ROMAN", "BG": "BULGAR", "GR": "HELLENIC ELLINIK GREEK", "CY": "CYPRI KYPRI", "HR": "HRVAT CROAT", "SI": "SLOVEN",
    "RS": "SRPSK SERBIA", "DK": "DANSK DANISH", "SE": "SVENSK SWEDISH", "NO": "NORSK NORWEGIAN", "FI": "SUOM FINNISH FINLAND",
    "IE": "EIREANN IRISH", "GB": "BRITISH UNITED KINGDOM", "US": "USA UNITED STATES", "CA": "CANADI", "AU": "AUSTRALIA",
    "NZ": "NEW ZEALAND", "RU": "RUSSIA ROSSI", "UA": "UKRAIN", "TR": "TURK T.C. TC", "IN": "INDIAN", "CN": "CHINESE CHINA",
    "JP": "JAPAN", "BR": "BRASILEIR BRAZIL", "MX": "MEXICAN", "AR": "ARGENTIN", "ZA": "SOUTH AFRICA", "EG": "EGYPT",
    "AE": "EMIRAT", "SA": "SAUDI", "LT": "LIETUV LITHUAN", "LV": "LATVI", "EE": "EESTI ESTONIA", "LU": "LUXEMB",
    "MT": "MALT", "IS": "ISLENSK ICELAND", "IL": "ISRAEL", "PH": "FILIPINO PHILIPPIN", "TH": "THAI", "VN": "VIET",
    "ID": "INDONESIA", "MY": "MALAYSIA", "SG": "SINGAPORE", "PK": "PAKISTAN", "NG": "NIGERIA", "KE": "KENYA",
}  # fmt: skip  # a table of words
WINDOW = 70
SAME_PLACE_PX = 12


def read(sheet: Sheet) -> None:
    """Read the print of an identity document until everything that will be asked for was found."""
    sheet.printed = printed.start(sheet)
    if sheet.printed is not None:
        page = sheet.printed
        page.read_until(lambda: bool(page.layers) and _is_complete(sheet, page))
        sheet.measures["printed_layers"] = len(page.layers)


def _is_complete(sheet: Sheet, page: Printed) -> bool:
    if sheet.zone is None:
        subject = sheet.subject
        names = [page.find_name(name) for name in (subject.first_name, subject.last_name) if name]
        births = [page.find_date(subject.birth_date)] if subject.birth_date else []
        is_found = all(hit.match == Match.SAME for hit in (*names, *births)) and len(page.dates()) > 1
        return is_found and kind_of_text(page.text()) is not None
    if not has_print(sheet):
        return True
    hits = [find(sheet, page) for find in (_number_hit, _name_hit, _given_hit, _birth_hit, _expiry_hit)]
    return all(hit is None or hit.match == Match.SAME for hit in hits) and bool(printed_sex(page))


def has_print(sheet: Sheet) -> bool:
    """Tell whether a page with a zone also shows its fields in print: cards of three lines do on their other side."""
    return sheet.zone is not None and sheet.zone.mrz.format != "TD1"


def _number_hit(sheet: Sheet, page: Printed) -> Hit | None:
    assert sheet.zone is not None
    return page.find_number(sheet.zone.mrz.number) if sheet.zone.mrz.number else None


def _name_hit(sheet: Sheet, page: Printed) -> Hit | None:
    assert sheet.zone is not None
    return (
        page.find_name(sheet.zone.mrz.surname, registered=sheet.subject.full_name) if sheet.zone.mrz.surname else None
    )


def _given_hit(sheet: Sheet, page: Printed) -> Hit | None:
    assert sheet.zone is not None
    names = sheet.zone.mrz.given_names.split()
    if sheet.zone.mrz.is_name_cut:
        names = names[:-1]
    return page.find_name(" ".join(names), registered=sheet.subject.full_name) if names else None


def _birth_hit(sheet: Sheet, page: Printed) -> Hit | None:
    assert sheet.zone is not None
    return page.find_date(sheet.zone.mrz.birth_date) if sheet.zone.mrz.birth_date else None


def _expiry_hit(sheet: Sheet, page: Printed) -> Hit | None:
    assert sheet.zone is not None
    return page.find_date(sheet.zone.mrz.expiry_date) if sheet.zone.mrz.expiry_date else None


def _judge(sheet: Sheet, hit: Hit | None, *, field: str, expected: str) -> Result:
    page = sheet.printed
    if page is None:
        return unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
    more: Place = {"field": field, "expected": expected, "page": page.page_number}
    if hit is None:
        return unsure(IssueCode.NOT_READ, 0.5, **more)
    if hit.match == Match.SAME:
        return passed(score=0.85, found=hit.text, box=hit.box, **more)
    if hit.match == Match.NEAR:
        return unsure(IssueCode.PRINT_NEAR, 0.6, found=hit.text, box=hit.box, **more)
    if not page.is_readable:
        return unsure(IssueCode.NOT_READ, 0.7, **more)
    return failed(IssueCode.PRINT_MISMATCH, 0.8, **more)


def number(sheet: Sheet) -> Iterator[Result]:
    """Find the document number in print."""
    assert sheet.zone is not None
    hit = _number_hit(sheet, sheet.printed) if sheet.printed else None
    yield _judge(sheet, hit, field="number", expected=sheet.zone.mrz.number)


def name(sheet: Sheet) -> Iterator[Result]:
    """Find the surname and the given names in print."""
    assert sheet.zone is not None
    for field, find, expected in (
        ("last_name", _name_hit, sheet.zone.mrz.surname),
        ("first_name", _given_hit, sheet.zone.mrz.given_names),
    ):
        yield _judge(sheet, find(sheet, sheet.printed) if sheet.printed else None, field=field, expected=expected)


def birth(sheet: Sheet) -> Iterator[Result]:
    """Find the date of birth in print."""
    assert sheet.zone is not None
    hit = _birth_hit(sheet, sheet.printed) if sheet.printed else None
    yield _judge(sheet, hit, field="date_of_birth", expected=sheet.extracted.get("birth_date", ""))


def expiry(sheet: Sheet) -> Iterator[Result]:
    """Find the date of expiry in print."""
    assert sheet.zone is not None
    hit = _expiry_hit(sheet, sheet.printed) if sheet.printed else None
    yield _judge(sheet, hit, field="expires_on", expected=sheet.extracted.get("expiry_date", ""))


def sex(sheet: Sheet) -> Iterator[Result]:
    """Compare the sex with the letter behind its printed label."""
    assert sheet.zone is not None
    expected = sheet.zone.mrz.sex
    if sheet.printed is None:
        yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
        return
    more: Place = {"field": "sex", "expected": expected, "page": sheet.printed.page_number}
    letters = printed_sex(sheet.printed)
    if not letters or expected == "X":
        yield unsure(IssueCode.NOT_READ, 0.5, **more)
    elif letters == {expected}:
        yield passed(score=0.8, found=expected, **more)
    elif expected in letters:
        yield unsure(IssueCode.PRINT_NEAR, 0.5, found=", ".join(sorted(letters)), **more)
    else:
        yield failed(IssueCode.PRINT_MISMATCH, 0.8, found=", ".join(sorted(letters)), **more)


def printed_sex(page: Printed) -> set[str]:
    """Read the single letter nearest below or beside a label for the sex; without a label, one seen in the same place twice."""
    found = set()
    for layer in page.layers:
        for label in layer.words:
            if not SEX_LABEL.search(printed.plain_text(label.text)):
                continue
            nearby = [
                (_distance(label, word), letter)
                for word in layer.words
                if (letter := _sex_letter(word.text)) and _is_beside_or_below(label, word)
            ]
            if nearby:
                found.add(min(nearby)[1])
    return found or _letters_seen_twice(page)


def _letters_seen_twice(page: Printed) -> set[str]:
    seen = [
        (number, letter, word.box)
        for number, layer in enumerate(page.layers)
        for word in layer.words
        if (letter := _sex_letter(word.text))
    ]
    return {
        letter
        for (number, letter, box), (other_number, other, other_box) in itertools.combinations(seen, 2)
        if number != other_number
        and letter == other
        and max(abs(a - b) for a, b in zip(box, other_box, strict=True)) <= SAME_PLACE_PX
    }


def _sex_letter(text: str) -> str:
    plain = printed.plain_text(text).strip(" .,:-/")
    parts = {SEX_LETTERS.get(part, "?") for part in plain.split("/")} if plain else set()
    return parts.pop() if len(parts) == 1 and "?" not in parts else ""


def _is_beside_or_below(label: Word, word: Word) -> bool:
    left, top, width, height = label.box
    x, y = word.box[0] + word.box[2] / 2, word.box[1] + word.box[3] / 2
    is_beside = abs(y - (top + height / 2)) < height and left < x < left + width + 12 * height
    is_below = height / 2 < y - (top + height / 2) < 4.5 * height and left - 3 * height < x < left + width + 5 * height
    return bool(is_beside or is_below)


def _distance(label: Word, word: Word) -> float:
    return float(abs(label.box[0] - word.box[0])) + abs(label.box[1] - word.box[1])


def nationality(sheet: Sheet) -> Iterator[Result]:
    """Compare the nationality with the word behind its printed label, else with the name of the state anywhere on the page."""
    assert sheet.zone is not None
    code = sheet.zone.mrz.nationality
    if sheet.printed is None:
        yield unsure(IssueCode.OCR_UNAVAILABLE, 1.0)
        return
    more: Place = {"field": "nationality", "expected": code, "page": sheet.printed.page_number}
    country = code if code in states.SPECIMEN_STATES else states.alpha2_of(code)
    named: set[str] = set()
    for layer in sheet.printed.layers:
        for label in NATIONALITY_LABEL.finditer(layer.text):
            named |= countries_in(layer.text[label.end() : label.end() + WINDOW])
    anywhere = countries_in(sheet.printed.text())
    if country in named or (country in anywhere and not named):
        yield passed(score=0.8, found=code, **more)
    elif named:
        yield failed(IssueCode.PRINT_MISMATCH, 0.8, found=", ".join(sorted(named)), **more)
    elif len(code) == 3 and re.search(rf"\b{code}\b", sheet.printed.text()):
        yield passed(score=0.7, found=code, **more)
    else:
        yield unsure(IssueCode.NOT_READ, 0.5, **more)


def countries_in(text: str) -> set[str]:
    """Recognise nationalities and states named in a text."""
    text = re.sub(r"[^A-Z.]+", " ", text)
    return {
        country
        for country, stems in STEMS.items()
        if any(re.search(rf"\b{re.escape(stem)}", text) for stem in _phrases(stems))
    }


def _phrases(stems: str) -> list[str]:
    for pair in ("UNITED KINGDOM", "UNITED STATES", "NEW ZEALAND", "SOUTH AFRICA"):
        stems = stems.replace(pair, pair.replace(" ", "_"))
    return [stem.replace("_", " ") for stem in stems.split()]


def compare_sides(front: Sheet, back: Sheet) -> Iterator[Result]:
    """Find the number and the expiry of a card's zone on its front: two sides of one card. Not every card prints both there."""
    assert back.zone is not None
    page = front.printed
    for field, expected, hit in (
        ("number", back.zone.mrz.number, _number_hit(back, page) if page else None),
        ("expires_on", back.extracted.get("expiry_date", ""), _expiry_hit(back, page) if page else None),
    ):
        found = _judge(front, hit, field=field, expected=expected)
        is_certain = found.verdict != Verdict.FAIL
        yield found if is_certain else unsure(IssueCode.PRINT_MISMATCH, 0.6, field=field, expected=expected)
