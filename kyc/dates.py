"""Dates as bills and statements write them, in the languages of our clients."""

from __future__ import annotations

import datetime as dt
import re

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
