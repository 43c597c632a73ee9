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
# Longer texts are no amounts, and a day stands in front of what is longer: strangers write cells of any length.
CELL_CHARS_MAX = 64
DIGITS_MAX = 28  # a Decimal of more is rounded as soon as it is computed with


def plain(text: str) -> str:
    """For comparing names: lower case, no accents, single blanks, letters and digits only."""
    bare = unicodedata.normalize("NFKD", text.replace("ł", "l").replace("ß", "ss")).encode("ascii", "ignore").decode()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", bare.lower()).split())


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def days_of(value: Any) -> dict[str, dt.date]:
    """By order of year, month and day: what a cell may mean. Empty: no day."""
    if isinstance(value, dt.datetime):
        return dict.fromkeys(ORDERS, value.date())
    if isinstance(value, dt.date):
        return dict.fromkeys(ORDERS, value)
    text = str(value).strip()[:CELL_CHARS_MAX].strip("'\"").rstrip(".")
    if COMPACT.match(text):
        found = _day(text[:4], text[4:6], text[6:8])
        return dict.fromkeys(ORDERS, found) if found else {}
    if (numbers := NUMERIC.match(text)) and (len(numbers[3]) != 3):
        one, two, three = numbers.groups()
        if len(one) == 4:
            return _orders({"ymd": (one, two, three)}, all_the_same=True)
        if len(one) > 2:
            return {}
        told = (
            {"dmy": (three, two, one)}
            if text[len(one)] == "."
            else {"dmy": (three, two, one), "mdy": (three, one, two)}
        )
        return _orders(told) or _orders({"ymd": (one, two, three)} if len(three) == 2 else {"mdy": (three, one, two)})
    return _named(text)


def _named(text: str) -> dict[str, dt.date]:
    """5 Jan 2020, 05-JAN-20, Jan 5, 2020, 5. März 2020."""
    bare = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    bare = WEEKDAY.sub("", bare)
    if (found := DAY_NAMED.match(bare)) and (month := _month(found[2])):
        return _orders({"dmy": (found[3], str(month), found[1])}, all_the_same=True)
    if (found := NAME_FIRST.match(bare)) and (month := _month(found[1])):
        return _orders({"dmy": (found[3], str(month), found[2])}, all_the_same=True)
    return {}


def _month(name: str) -> int | None:
    return MONTHS.get(name[:4]) or MONTHS.get(name[:3])


def _orders(told: dict[str, tuple[str, str, str]], *, all_the_same: bool = False) -> dict[str, dt.date]:
    found = {order: day for order, parts in told.items() if (day := _day(*parts))}
    return dict.fromkeys(ORDERS, next(iter(found.values()))) if all_the_same and found else found


def _day(year: str, month: str, day: str) -> dt.date | None:
    number = int(year)
    try:
        return dt.date(number + (2000 if number < 70 else 1900) if len(year) <= 2 else number, int(month), int(day))
    except ValueError:
        return None


def order_of(column: Iterable[Any], hint: str = "dmy") -> tuple[str, bool]:
    """Which order makes every cell of a column a day, and whether another would do as well (then the days tell: a
    statement is sorted, and covers a short time)."""
    found = [days for value in column if (days := days_of(value))]
    able = [order for order in ORDERS if found and all(order in days for days in found)]
    if not able:
        counts = {order: sum(order in days for days in found) for order in ORDERS}
        return max((*((hint,) if counts.get(hint) else ()), *ORDERS), key=lambda order: counts[order]), False
    told = {order: [days[order] for days in found] for order in able}
    if len({tuple(days) for days in told.values()}) == 1:
        return able[0], False

    def oddness(order: str) -> tuple[int, int, bool]:
        days = told[order]
        steps = [(two - one).days for one, two in itertools.pairwise(days)]
        turns = min(sum(step < 0 for step in steps), sum(step > 0 for step in steps))
        return turns, (max(days) - min(days)).days // 60, order != hint

    best = min(able, key=oddness)
    rivals = [
        order
        for order in able
        if order != best and oddness(order)[:2] == oddness(best)[:2] and told[order] != told[best]
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
    told = (
        text.replace("\u00a0", " ")
        .replace("\u202f", " ")
        .replace("−", "-")
        .replace("–", "-")
        .replace("’", "'")
        .strip()
        .strip('"')
    )
    is_negative = told.startswith("(") and told.endswith(")")
    told = told.strip("()").strip()
    sign = ""
    while told[:1] in ("-", "+") and told:
        sign, told = sign or told[0], told[1:].lstrip()
    before = BEFORE.match(told)
    start = before.end() if before else 0
    after = AFTER.search(told, start)
    number = told[start : after.start() if after else None].strip()
    currency = ""
    mark = (before or after or [""])[0]
    if number and (mark in CURRENCIES or mark in CURRENCY_WORDS):
        currency, told = CURRENCIES.get(mark, mark), number
    while told[:1] in ("-", "+") and told:
        sign, told = told[0], told[1:].lstrip()
    side = ""
    if (found := SIDE.search(told)) and (head := told[: found.start()].rstrip()).rstrip(".,")[-1:].isdigit():
        told, side = head, found[1].upper()
        sign = "-" if side == "-" else sign
        side = {"CR": "C", "C": "C", "H": "C", "DR": "D", "D": "D", "S": "D"}.get(side, "")
    return ("-" if is_negative else sign) + told.strip(), currency, side


def is_amount(value: Any) -> bool:
    """Check whether a cell can be an amount."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return True
    return isinstance(value, str) and bool(DIGITS.fullmatch(bare_amount(value)[0]))


def decimal_mark(column: Iterable[Any]) -> str:
    """`,` or `.` for decimals, by all amounts of the file; empty where none of them tells."""
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
        return _of_float(value)
    digits, _currency, side = bare_amount(str(value))
    if not DIGITS.fullmatch(digits):
        return None
    if not mark:
        separators = {one for one in digits if one in ".,"}
        if len(separators) == 1 and digits.count(next(iter(separators))) == 1:
            return None  # 1.234: thousands or thousandths
    whole, dot, fraction = digits.lstrip("+-").strip().partition(mark or "\0")
    if not GROUPS.fullmatch(whole) or not (fraction.isdigit() or not fraction):
        return None
    sign = "-" if digits.startswith("-") else ""
    told = f"{sign}{''.join(one for one in whole if one.isdigit()) or 0}{'.' if dot else ''}{fraction}"
    if sum(letter.isdigit() for letter in told) > DIGITS_MAX:
        return None
    try:
        number = Decimal(told)
    except InvalidOperation:
        return None
    return -abs(number) if side == "D" else number


def _of_float(value: float) -> Decimal | None:
    """Spreadsheets compute in floats: 0.30000000000000004 was 0.3."""
    if value != value or abs(value) > 1e15:
        return None
    return Decimal(repr(round(value, FLOAT_DIGITS))).normalize() + 0
