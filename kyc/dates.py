"""Dates as bills, statements and identity documents write them, in the languages of our clients."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

MONTHS = {
    1: "january januar enero janvier gennaio janeiro styczen stycznia jan ene janv gen sty",
    2: "february februar febrero fevrier febbraio fevereiro luty lutego feb fev lut",
    3: "march marz maerz marzo mars marco marzec marca mar mrz",
    4: "april abril avril aprile kwiecien kwietnia apr abr avr kwi",
    5: "may mai mayo maggio maio maj maja mag",
    6: "june juni junio juin giugno junho czerwiec czerwca jun giu cze",
    7: "july juli julio juillet luglio julho lipiec lipca jul juil lug lip",
    8: "august agosto aout sierpien sierpnia aug ago sie",
    9: "september septiembre septembre settembre setembro wrzesien wrzesnia sep sept set wrz",
    10: "october oktober octubre octobre ottobre outubro pazdziernik pazdziernika oct okt ott out paz",
    11: "november noviembre novembre listopad listopada nov lis",
    12: "december dezember diciembre decembre dicembre dezembro grudzien grudnia dec dez dic gru",
}
MONTH_OF = {word: number for number, words in MONTHS.items() for word in words.split()}
DAY_FIRST = re.compile(r"(?<!\d)(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?!\d)")
YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})[./-](\d{1,2})[./-](\d{1,2})(?!\d)")
DAY_WORD = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.)?\s+(?:de\s+)?([a-z]{3,12})\.?,?\s+(?:de\s+)?(\d{4})(?!\d)"
)
WORD_DAY = re.compile(r"([a-z]{3,12})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)")


def dates_in(text: str) -> list[dt.date]:
    """Find every date that a text names. `text` is folded to plain lower-case letters.

    Numbers are read day first (in Europe and Australia they are), month first only where the second number can't be a month.
    """
    dates: list[dt.date | None] = []
    for year, month, day in YEAR_FIRST.findall(text):
        dates.append(_date(year, month, day))
    for day, month, year in DAY_FIRST.findall(text):
        dates.append(_date(year, month, day) or _date(year, day, month))
    for day, word, year in DAY_WORD.findall(text):
        dates.append(_date(year, MONTH_OF.get(word, 0), day))
    for word, day, year in WORD_DAY.findall(text):
        dates.append(_date(year, MONTH_OF.get(word, 0), day))
    return [day for day in dates if day is not None]


def _date(year: str | int, month: str | int, day: str | int) -> dt.date | None:
    number = int(year)
    try:
        return dt.date(number if number > 99 else 2000 + number, int(month), int(day))
    except ValueError:
        return None


# ── printed on identity documents: 17.05.1990, 17 05 90, 17 MAI/MAY 1990, 1990-05-17 ───────────────────────────────
@dataclass(frozen=True)
class PrintedDate:
    """Day, month and year as printed: the year of two digits stands for either century. place: where in the text."""

    day: int
    month: int
    year: int
    place: int

    def is_day(self, day: dt.date) -> bool:
        """Tell whether it is this day."""
        same_year = self.year == day.year or (self.year < 100 and self.year == day.year % 100)
        return (self.day, self.month) == (day.day, day.month) and same_year

    def as_date(self) -> dt.date:
        """Take a short year for this century, as dates of expiry are."""
        return dt.date(self.year if self.year > 99 else 2000 + self.year, self.month, self.day)


OCR_DIGITS = str.maketrans("OQDILSZBG", "001115286")
MORE_MONTHS = {
    1: "JANVIER LED OCA SIJ",
    2: "FEVR FEV UNO SUB VELJ",
    3: "MARS MRT BRE OZU",
    4: "AVR AVRI DUB TRA",
    5: "MAJ MEI KVE SVI",
    6: "JUIN CER LIP",
    7: "JUIL JUILL CRV SRP",
    8: "AOUT AOU SRP KOL",
    9: "SEPT ZAR RUJ",
    10: "OKT RIJ LIS",
    11: "STU",
    12: "DEZ PRO",
}
PRINTED_MONTHS: dict[str, set[int]] = {}
for _number in range(1, 13):
    for _word in (MONTHS[_number].upper() + " " + MORE_MONTHS[_number]).split():
        PRINTED_MONTHS.setdefault(_word, set()).add(_number)
_SEP = r"[ ./,:\-]{1,3}"
_DIGITS = r"[0-9OQDILSZBG]"
_DAY, _YEAR = rf"({_DIGITS}{{1,2}})", rf"({_DIGITS}{{4}}|{_DIGITS}{{2}})"
_FREE, _END = r"(?<![0-9A-Z])", r"(?![0-9A-Z])"
PRINTED_NUMBERS = re.compile(f"{_FREE}{_DAY}{_SEP}{_DAY}{_SEP}{_YEAR}{_END}")
PRINTED_YEAR_FIRST = re.compile(f"{_FREE}({_DIGITS}{{4}}){_SEP}{_DAY}{_SEP}{_DAY}{_END}")
_MONTH = r"[ ./\-]{0,2}([A-Z]{3,12})(?:[ ./]{1,3}[A-Z]{3,12})?[ ./\-]{0,2}"
_CERTAIN_DAY = f"([0-9]{_DIGITS}?|{_DIGITS}[0-9])"
PRINTED_WORD = re.compile(f"{_FREE}{_CERTAIN_DAY}{_MONTH}{_YEAR}{_END}")
PRINTED_COMPACT = re.compile(r"(?<![0-9A-Z])([0-9]{2})[ ./-]{0,2}([0-9]{2})[ ./-]{0,2}([0-9]{4})(?![0-9A-Z])")


def printed_dates(text: str) -> list[PrintedDate]:
    """Find the dates on an identity document's text: capital letters A to Z, digits, separators. What OCR takes for a digit
    counts as one; numbers are read day first."""
    found = []
    for match in PRINTED_YEAR_FIRST.finditer(text):
        found += _printed(match, (3, 2, 1))
    for match in PRINTED_NUMBERS.finditer(text):
        found += _printed(match, (1, 2, 3))
    for match in PRINTED_COMPACT.finditer(text):
        found += _printed(match, (1, 2, 3))
    for match in PRINTED_WORD.finditer(text):
        for month in PRINTED_MONTHS.get(match[2], ()):
            found += _valid(_number_of(match[1]), month, _number_of(match[3]), match.start())
    return found


def _printed(match: re.Match[str], order: tuple[int, int, int]) -> list[PrintedDate]:
    if not any(character.isdigit() for character in match[0]):
        return []
    day, month, year = (_number_of(match[group]) for group in order)
    return _valid(day, month, year, match.start())


def _number_of(text: str) -> int:
    return int(text.translate(OCR_DIGITS))


def _valid(day: int, month: int, year: int, place: int) -> list[PrintedDate]:
    full = year if year > 99 else 2000 + year
    if not 1900 <= full <= 2099 or _date(full, month, day) is None:
        return []
    return [PrintedDate(day, month, year, place)]
