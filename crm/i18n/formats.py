"""Numbers, money, dates and masked contacts as people read them, in the reader's language and time zone."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_timedelta
from babel.numbers import format_currency, format_decimal
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language, gettext, pgettext, to_locale

from crm.money import amounts as money_rules

DIGITS_SHOWN = 3  # decimals of a plain number, as CLDR's `#,##0.###` has them
DATES = ("formats", "dates")  # where a person's preferences say how they want dates written
ISO = "iso"
_dates: ContextVar[str] = ContextVar("dates", default="")


def preferred_dates(person: object) -> str:
    """Read how somebody wants dates written; "" where they chose nothing, or nobody is signed in."""
    section, key = DATES
    return str(((getattr(person, "preferences", None) or {}).get(section) or {}).get(key, ""))


@contextmanager
def dates_as(style: str) -> Iterator[None]:
    """Write dates as somebody prefers them: `iso` is 2026-11-23, "" is as their language does."""
    token = _dates.set(style)
    try:
        yield
    finally:
        _dates.reset(token)


def locale() -> Locale:
    """Return Babel's locale for the active language; English where Babel has none."""
    return _locale(get_language() or settings.LANGUAGE_CODE)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    if language == "en":  # of no region: the company's English
        language = settings.LANGUAGE_CODE
    try:
        return Locale.parse(to_locale(language))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


@lru_cache(maxsize=512)
def _shape(shown: Locale, currency: str) -> tuple[str, str, str, str] | None:
    """(before, after, group separator, decimal separator) of a currency in a locale, or None where groups are not
    thousands. Babel is asked once; a list of fifty amounts then costs microseconds, not milliseconds."""
    if len(currency) != 3 or money_rules.exponent(currency) > 3:
        symbols = shown.number_symbols["latn"]
        sample = f"1{symbols['group']}234{symbols['group']}567{symbols['decimal']}89\u00a0{currency}"
    else:
        sample = format_currency(Decimal("1234567.89"), currency, locale=shown, currency_digits=False)
    match = re.fullmatch(r"(\D{0,9})1(\D{0,9})234(?:\2)567(\D)89(\D{0,9})", sample)
    if match is None:
        return None
    before = (
        f"{match[1]}\u00a0" if match[1][-1:].isalpha() else match[1]
    )  # `CHF 12.50`, as CLDR asks for and Babel leaves out
    return before, match[4].rstrip() if not currency else match[4], match[2], match[3]


@lru_cache(maxsize=512)
def _smallest(currency: str) -> Decimal:
    return Decimal(1).scaleb(-money_rules.exponent(currency))


def money(
    amount: money_rules.Money | Decimal | int | None, currency: str = "", *, sign: bool = False, is_whole: bool = False
) -> str:
    """Write an amount, `1.234,50 €` or `€1,234.50`, with the currency's own number of digits: in pages and e-mails alike.

    `amount` is Money, or in major units of `currency`; finer digits than the currency books are shown as they are, never
    rounded away. `sign` writes a plus in front of gains. `is_whole` rounds to major units, for figures read at a glance.
    Codes that aren't currencies are written out: `12.50 XYZ`.
    """
    if amount is None:
        return "–"
    if isinstance(amount, money_rules.Money):
        currency, amount = amount.currency, amount.amount
    return _money(Decimal(amount), currency, locale(), sign=sign, is_whole=is_whole)


def _money(value: Decimal, currency: str, shown: Locale, *, sign: bool, is_whole: bool = False) -> str:
    booked = value.quantize(Decimal(1) if is_whole else _smallest(currency))
    is_fine = not is_whole and value != booked
    value = value.normalize() if is_fine else booked
    shape = _shape(shown, currency)
    if shape is None:
        is_usual = not is_fine and not is_whole
        text = format_currency(
            abs(value), currency, locale=shown, currency_digits=is_usual, decimal_quantization=is_usual
        )
    else:
        before, after, group, point = shape
        whole, _dot, rest = f"{abs(value):,f}".partition(".")
        text = f"{before}{whole.replace(',', group)}{point + rest if rest else ''}{after}"
    if value < 0:
        return f"\u2212{text}"
    return f"+{text}" if sign and value > 0 else text


@lru_cache(maxsize=64)
def _separators(shown: Locale) -> tuple[str, str] | None:
    """Return what is between thousands and before decimals, as Babel writes them; None where a locale groups in another way."""
    match = re.fullmatch(r"1(\D+)234(?:\1)567(\D)891", format_decimal(Decimal("1234567.891"), locale=shown))
    return (match[1], match[2]) if match else None


def number(value: Decimal | int | float | None, digits: int | None = None) -> str:
    """Write a number with the reader's separators; `digits` fixes the decimals."""
    if value is None:
        return "–"
    if type(value) is int and -1000 < value < 1000 and not digits:
        return str(value).replace("-", "\u2212")  # nothing to separate, in any language
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    separators = _separators(locale())
    if separators is None or not exact.is_finite():
        pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(abs(exact), pattern, locale=locale())
    else:
        group, point = separators
        whole, _dot, rest = f"{abs(exact):,.{DIGITS_SHOWN if digits is None else digits}f}".partition(".")
        rest = rest.rstrip("0") if digits is None else rest
        text = f"{whole.replace(',', group)}{point + rest if rest else ''}"
    return f"\u2212{text}" if exact < 0 and re.search("[1-9∞]", text) else text


def approximate(count: int) -> str:
    """Write an estimated count for people: two significant digits above a hundred (`1,200,000`)."""
    if count >= 100:
        step = 10 ** (len(str(count)) - 2)
        count = round(count / step) * step
    return number(count, 0)


@dataclass(frozen=True)
class Reader:
    """How one person has dates, times and money written. A list looks that up once and asks it for each of its cells."""

    locale: Locale
    zone: tzinfo
    is_iso: bool

    def local(self, value: datetime) -> datetime:
        return value if value.utcoffset() is None else value.astimezone(self.zone)

    def day(self, value: date | datetime | None) -> str:
        if value is None:
            return "–"
        return self._day(self.local(value) if isinstance(value, datetime) else value)

    def _day(self, value: date) -> str:
        if self.is_iso:
            return f"{value:%Y-%m-%d}"
        return _medium(value.date() if isinstance(value, datetime) else value, self.locale)

    def moment(self, value: date | datetime | None, *, seconds: bool = False, zone: bool = False) -> str:
        if not isinstance(value, datetime):
            return self.day(value)
        shown = self.local(value)
        clock = f"{shown.hour:02}:{shown.minute:02}" + (f":{shown.second:02}" if seconds else "")
        return f"{self._day(shown)}, {clock}{_zone(shown) if zone else ''}"

    def money(self, amount: Decimal, currency: str, *, sign: bool = False) -> str:
        return _money(amount, currency, self.locale, sign=sign)

    def ago(self, value: datetime | date | None, now: datetime | None = None) -> str:
        if value is None:
            return gettext("never")
        if not isinstance(value, datetime):
            value = datetime.combine(value, datetime.min.time(), tzinfo=self.zone)
        seconds = int((value - (now or timezone.now())).total_seconds())
        if abs(seconds) < 45:
            return gettext("just now")
        if abs(seconds) > 30 * 86400:
            return self.day(value)
        step = 60 if abs(seconds) < 7200 else 3600 if abs(seconds) < 172800 else 86400
        return _delta(round(seconds / step) * step, self.locale)


def reader() -> Reader:
    """Look up how whoever reads this page has dates, times and money written."""
    return Reader(locale(), timezone.get_current_timezone(), _dates.get() == ISO)


def local(value: datetime) -> datetime:
    """Convert an instant to the reader's time zone; naive values stay as they are."""
    return reader().local(value)


@lru_cache(maxsize=4096)
def _medium(value: date, shown: Locale) -> str:
    return format_date(value, "medium", locale=shown)


def day(value: date | datetime | None) -> str:
    """Write a date as the reader's locale does; of an instant, the date in the reader's zone."""
    return reader().day(value)


def day_pattern() -> str:
    """Return how the reader's dates are written, as a CLDR pattern: `d MMM y`, `MMM d, y`, `yyyy-MM-dd`."""
    return "yyyy-MM-dd" if _dates.get() == ISO else str(locale().date_formats["medium"].pattern)


def month(value: date, *, is_short: bool = False) -> str:
    """Write a month as the reader's locale does, `November 2026`; short, `Nov 2026`."""
    return f"{value:%Y-%m}" if _dates.get() == ISO else _month(value, is_short, locale())


@lru_cache(maxsize=1024)
def _month(value: date, is_short: bool, shown: Locale) -> str:
    return str(format_skeleton("yMMM" if is_short else "yMMMM", value, locale=shown))


def weekdays() -> list[int]:
    """List the days of a week in the reader's order, Monday is 0: it begins on Sunday in the United States."""
    first = locale().first_week_day
    return [(first + step) % 7 for step in range(7)]


def moment(value: date | datetime | None, *, seconds: bool = False, zone: bool = False) -> str:
    """Write date and time in the reader's zone, to the minute (or second), on a 24-hour clock as the trade uses it.

    `zone` names it, too: `22 Nov 2026, 14:30:05 CET`.
    """
    return reader().moment(value, seconds=seconds, zone=zone)


def _zone(shown: datetime) -> str:
    """Write ` CET`; ` UTC+04` where a zone has no letters; nothing for an instant without one."""
    name = shown.tzname() or ""
    return f" UTC{name}" if name.startswith(("+", "-")) else f" {name}" if name else ""


@lru_cache(maxsize=4096)
def _delta(seconds: int, shown: Locale) -> str:
    return format_timedelta(timedelta(seconds=seconds), add_direction=True, threshold=0.9, locale=shown)


def ago(value: datetime | date | None, now: datetime | None = None) -> str:
    """Write how long ago an instant was: `3 hours ago`, `in 2 days`, `just now`; a plain date beyond a month."""
    return reader().ago(value, now)


def duration(value: timedelta | float | int | None, *, to_minute: bool = False) -> str:
    """Write how long something took, in its two largest units: `42 s`, `4 min 7 s`, `11 h 7 min`, `3 d 4 h`.

    Numbers are seconds. `to_minute` leaves the seconds out from a minute on, for averages and ages.
    """
    if value is None:
        return "–"
    total = int(value.total_seconds() if isinstance(value, timedelta) else value)
    rest = abs(total)
    if to_minute and rest >= 60:
        rest -= rest % 60
    sizes = [(86400, pgettext("days, short", "d")), (3600, "h"), (60, "min"), (1, "s")]
    first = next((place for place, (size, _unit) in enumerate(sizes) if rest >= size), len(sizes) - 1)
    parts: list[str] = []
    for size, unit in sizes[first : first + 2]:
        count, rest = divmod(rest, size)
        if count or not parts:
            parts.append(f"{count}\u00a0{unit}")
    text = " ".join(parts)
    return f"\u2212{text}" if total < 0 else text


def file_size(count: int | None) -> str:
    """Write a size in bytes with the unit people expect: B, kB, MB or GB (of 1024)."""
    if count is None:
        return "–"
    size: float = count
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{number(round(size, 1) if unit != 'B' else int(size))}\u00a0{unit}"
        size /= 1024
    raise AssertionError("unreachable")


def mask_phone(value: Any) -> str:
    """Mask a phone number to the country's first digits and the last two: `+49 ••••••• 89`."""
    text = str(value or "").strip()
    digits = [c for c in text if c.isdigit()]
    if not digits:
        return ""
    if len(digits) < 7:
        return "•" * len(digits)
    head = "+" + "".join(digits[:2]) + " " if text.startswith("+") else ""
    hidden = len(digits) - 2 - (2 if head else 0)
    return f"{head}{'•' * hidden} {''.join(digits[-2:])}"


def mask_email(value: Any) -> str:
    """Mask an e-mail address to first letters and the top-level domain, `a•••••@e•••••.com`, whatever its length."""
    name, at, domain = str(value or "").strip().partition("@")
    if not at or not name or not domain:
        return "•••••" if value else ""
    host, dot, top = domain.rpartition(".")
    shown = f"{host[:1]}•••••.{top}" if dot and host else "•••••"
    return f"{name[:1]}•••••@{shown}"


def initials(name: Any) -> str:
    """Return one or two capital letters for an avatar; "?" where the name has none."""
    words = [w for w in str(name or "").replace("@", " ").replace(".", " ").split() if w[:1].isalnum()]
    if not words:
        return "?"
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else words[0][1:2])).upper()
