"""Days and amounts as people and spreadsheets write them."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

ORDERS = ("ymd", "dmy", "mdy")
NUMERIC = re.compile(r"(\d{1,4})[./\-‐ ]\s?(\d{1,2})[./\-‐ ]\s?(\d{2,4})(?!\d)")
COMPACT = re.compile(r"(?:19|20)\d{6}(?:\d{6})?(?!\d)")
DAY_NAMED = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ .\-/]*([a-z]{3,})[ .,\-/]*(\d{4}|\d{2})(?!\d)")
NAME_FIRST = re.compile(r"([a-z]{3,})[ .\-/]*(\d{1,2})(?:st|nd|rd|th)?[ ,.\-/]+(\d{4}|\d{2})(?!\d)")
WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*[, ]+")
MONTH_NAMES = (
    "jan ene sty gen",
    "feb fev fevr lut",
    "mar mrt maa mrz mae",
    "apr avr abr kwi",
    "may mai mag maj mei",
    "jun juin juni giu cze",
    "jul juil lug lip",
    "aug aou ago sie",
    "sep set wrz",
    "oct okt out ott paz",
    "nov lis",
    "dec dez dic gru",
)
MONTHS = {name: number for number, names in enumerate(MONTH_NAMES, 1) for name in names.split()}
CURRENCIES = {
    "€": "EUR",
    "£": "GBP",
    "$": "USD",
    "US$": "USD",
    "zł": "PLN",
    "Kč": "CZK",
    "₽": "RUB",
    "₹": "INR",
    "¥": "JPY",
    "₺": "TRY",
    "₪": "ILS",
    "R$": "BRL",
    "Fr.": "CHF",
    "A$": "AUD",
    "C$": "CAD",
    "RM": "MYR",
    "Rs.": "INR",
    "Rs": "INR",
}
CURRENCY_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY COP
    CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD
    IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK
    MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
    ZWL DEM FRF ITL NLG ATS ESP BEF FIM IEP PTE
"""
CURRENCY_WORDS = set(CURRENCY_CODES.split())
BEFORE = re.compile(r"US\$|A\$|C\$|R\$|[€£$₽₹¥₺₪]|zł|Kč|Fr\.|RM|Rs\.?|[A-Z]{3}(?=[\s\d+\-.,])")
AFTER = re.compile(r"(?:US\$|[€£$₽₹¥₺₪]|zł|Kč|Fr\.|(?<=[\s\d])[A-Z]{3})\Z")
SIDE = re.compile(r"(CR|DR|C|D|S|H|\+|-)\.?\Z", re.IGNORECASE)
DIGITS = re.compile(r"[+-]?(?:\d[\d.,' ]*|[.,]\d+)")
# 1.234.567, 1 234 567, and Indian 12,34,567
GROUPS = re.compile(r"\d{1,3}(?:([.,' ])\d{2,3})(?:\1\d{2,3})*(?<=\d{3})|\d*")
FLOAT_DIGITS = 8
# Longer texts are no amounts, and a day comes before the rest of a longer text: files have cells of any length.
CELL_CHARS_MAX = 64
DIGITS_MAX = 28  # a Decimal of more is rounded as soon as it is computed with


def plain(text: str) -> str:
    """Normalise a name for comparing: lower case, no accents, single blanks, letters and digits only."""
    bare = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("ß", "ss")).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare.lower()).split())


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def days_of(value: Any) -> dict[str, dt.date]:
    """Read the day that a cell may mean, by each order of year, month and day; empty where it is no day."""
    if isinstance(value, dt.datetime):
        return dict.fromkeys(ORDERS, value.date())
    if isinstance(value, dt.date):
        return dict.fromkeys(ORDERS, value)
    text = str(value).strip()[:CELL_CHARS_MAX].strip("'\"").rstrip(".")
    if COMPACT.match(text):
        day = _day(text[:4], text[4:6], text[6:8])
        return dict.fromkeys(ORDERS, day) if day else {}
    if (numbers := NUMERIC.match(text)) and (len(numbers[3]) != 3):
        first, second, third = numbers.groups()
        if len(first) == 4:
            return _days_by_order({"ymd": (first, second, third)}, is_same_in_all=True)
        if len(first) > 2:
            return {}
        readings = (
            {"dmy": (third, second, first)}
            if text[len(first)] == "."
            else {"dmy": (third, second, first), "mdy": (third, first, second)}
        )
        return _days_by_order(readings) or _days_by_order(
            {"ymd": (first, second, third)} if len(third) == 2 else {"mdy": (third, first, second)}
        )
    return _named_day(text)


def _named_day(text: str) -> dict[str, dt.date]:
    """Read 5 Jan 2020, 05-JAN-20, Jan 5, 2020, 5. März 2020."""
    bare = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    bare = WEEKDAY.sub("", bare)
    if (match := DAY_NAMED.match(bare)) and (month := _month(match[2])):
        return _days_by_order({"dmy": (match[3], str(month), match[1])}, is_same_in_all=True)
    if (match := NAME_FIRST.match(bare)) and (month := _month(match[1])):
        return _days_by_order({"dmy": (match[3], str(month), match[2])}, is_same_in_all=True)
    return {}


def _month(name: str) -> int | None:
    return MONTHS.get(name[:4]) or MONTHS.get(name[:3])


def _days_by_order(readings: dict[str, tuple[str, str, str]], *, is_same_in_all: bool = False) -> dict[str, dt.date]:
    days = {order: day for order, parts in readings.items() if (day := _day(*parts))}
    return dict.fromkeys(ORDERS, next(iter(days.values()))) if is_same_in_all and days else days


def _day(year: str, month: str, day: str) -> dt.date | None:
    number = int(year)
    try:
        return dt.date(number + (2000 if number < 70 else 1900) if len(year) <= 2 else number, int(month), int(day))
    except ValueError:
        return None


def order_of(column: Iterable[Any], hint: str = "dmy") -> tuple[str, bool]:
    """Choose the order that makes every cell of a column a day (else most of them), and whether another would do as well.

    Of several the one wins whose days are sorted best and span the shortest time, as a statement's do; then the hint.
    """
    readings = [days for value in column if (days := days_of(value))]
    able = [order for order in ORDERS if readings and all(order in days for days in readings)]
    if not able:
        counts = {order: sum(order in days for days in readings) for order in ORDERS}
        return max((*((hint,) if counts.get(hint) else ()), *ORDERS), key=lambda order: counts[order]), False
    days_by_order = {order: [days[order] for days in readings] for order in able}
    if len({tuple(days) for days in days_by_order.values()}) == 1:
        return able[0], False

    def oddness(order: str) -> tuple[int, int, bool]:
        days = days_by_order[order]
        steps = [(later - earlier).days for earlier, later in itertools.pairwise(days)]
        turns = min(sum(step < 0 for step in steps), sum(step > 0 for step in steps))
        return turns, (max(days) - min(days)).days // 60, order != hint

    best = min(able, key=oddness)
    rivals = [
        order
        for order in able
        if order != best and oddness(order)[:2] == oddness(best)[:2] and days_by_order[order] != days_by_order[best]
    ]
    return best, bool(rivals)


# ── amounts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def bare_amount(text: str) -> tuple[str, str, str]:
    """Split an amount into signed digits, currency and side (C or D): `1.234,56- EUR`, `$5.00CR`.

    All empty for a text that is too long for an amount.
    """
    text = text.strip()
    if len(text) > CELL_CHARS_MAX:
        return "", "", ""
    rest = (
        text.replace("\u00a0", " ")
        .replace("\u202f", " ")
        .replace("−", "-")
        .replace("–", "-")
        .replace("’", "'")
        .strip()
        .strip('"')
    )
    is_negative = rest.startswith("(") and rest.endswith(")")
    rest = rest.strip("()").strip()
    sign = ""
    while rest[:1] in ("-", "+") and rest:
        sign, rest = sign or rest[0], rest[1:].lstrip()
    before = BEFORE.match(rest)
    start = before.end() if before else 0
    after = AFTER.search(rest, start)
    number = rest[start : after.start() if after else None].strip()
    currency = ""
    mark = (before or after or [""])[0]
    if number and (mark in CURRENCIES or mark in CURRENCY_WORDS):
        currency, rest = CURRENCIES.get(mark, mark), number
    while rest[:1] in ("-", "+") and rest:
        sign, rest = rest[0], rest[1:].lstrip()
    side = ""
    if (match := SIDE.search(rest)) and (head := rest[: match.start()].rstrip()).rstrip(".,")[-1:].isdigit():
        rest, side = head, match[1].upper()
        sign = "-" if side == "-" else sign
        side = {"CR": "C", "C": "C", "H": "C", "DR": "D", "D": "D", "S": "D"}.get(side, "")
    return ("-" if is_negative else sign) + rest.strip(), currency, side


def is_amount(value: Any) -> bool:
    """Check whether a cell can be an amount."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return True
    return isinstance(value, str) and bool(DIGITS.fullmatch(bare_amount(value)[0]))


def decimal_mark(column: Iterable[Any]) -> str:
    """Choose the mark before decimals (`,` or `.`) by all amounts of the file; empty where they don't decide."""
    votes = {",": 0, ".": 0}
    for value in column:
        if not isinstance(value, str):
            continue
        digits = bare_amount(value)[0].lstrip("+-")
        if not DIGITS.fullmatch(digits):
            continue
        comma, point = digits.rfind(","), digits.rfind(".")
        if comma >= 0 and point >= 0:
            votes["," if comma > point else "."] += 3
        elif comma >= 0 or point >= 0:
            mark = "," if comma >= 0 else "."
            behind = len(digits) - max(comma, point) - 1
            if digits.count(mark) > 1:
                votes["." if mark == "," else ","] += 3 if GROUPS.fullmatch(digits) else 0
            elif behind != 3:
                votes[mark] += 3
            elif len(digits.split(mark)[0]) > 3 or digits.split(mark)[0] in ("", "0", "00"):
                votes[mark] += 2
    if votes[","] == votes["."]:
        return ""
    return max(votes, key=lambda mark: votes[mark])


def number_of(value: Any, mark: str) -> Decimal | None:
    """Read the signed amount of a cell; None where it has none, or one that could mean two."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) < 10**DIGITS_MAX else None
    if isinstance(value, float):
        return _round_float(value)
    digits, _currency, side = bare_amount(str(value))
    if not DIGITS.fullmatch(digits):
        return None
    if not mark:
        separators = {letter for letter in digits if letter in ".,"}
        if len(separators) == 1 and digits.count(next(iter(separators))) == 1:
            return None  # 1.234: thousands or thousandths
    whole, dot, fraction = digits.lstrip("+-").strip().partition(mark or "\0")
    if not GROUPS.fullmatch(whole) or not (fraction.isdigit() or not fraction):
        return None
    sign = "-" if digits.startswith("-") else ""
    written = f"{sign}{''.join(letter for letter in whole if letter.isdigit()) or 0}{'.' if dot else ''}{fraction}"
    if sum(letter.isdigit() for letter in written) > DIGITS_MAX:
        return None
    try:
        number = Decimal(written)
    except InvalidOperation:
        return None
    return -abs(number) if side == "D" else number


def _round_float(value: float) -> Decimal | None:
    """Round a spreadsheet's float (0.30000000000000004 was 0.3); None where it is no number or too large."""
    if value != value or abs(value) > 1e15:
        return None
    return Decimal(repr(round(value, FLOAT_DIGITS))).normalize() + 0
