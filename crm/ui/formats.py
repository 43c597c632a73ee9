"""Numbers, money, dates and masked contacts as people read them, in the reader's language and time zone."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal
from django.utils import timezone
from django.utils.translation import get_language, gettext, to_locale

# Currencies whose minor unit is not a hundredth and that Babel does not know or knows otherwise.
CRYPTO_EXPONENTS = {"BTC": 8, "ETH": 8, "LTC": 8, "USDT": 6, "USDC": 6, "TRX": 6, "XRP": 6}


def locale() -> Locale:
    """Babel's locale for the active language; English where Babel has none."""
    try:
        return Locale.parse(to_locale(get_language() or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def money(amount: Decimal | int | None, currency: str, *, sign: bool = False) -> str:
    """`1.234,50 €` or `€1,234.50`, with the currency's own number of digits; never rounds below the minor unit.

    `sign` writes a plus in front of gains. Amounts are in major units. Unknown codes are written out: `12.5 XYZ`.
    """
    if amount is None:
        return "–"
    value = Decimal(amount)
    if currency in CRYPTO_EXPONENTS:
        digits = CRYPTO_EXPONENTS[currency]
        text = format_decimal(value, f"#,##0.00{'#' * (digits - 2)}", locale=locale(), decimal_quantization=False)
        text = f"{text}\u00a0{currency}"
    elif len(currency or "") == 3:
        text = format_currency(value, currency.upper(), locale=locale())
    else:
        text = f"{format_decimal(value, locale=locale(), decimal_quantization=False)}\u00a0{currency}".strip()
    return f"+{text}" if sign and value > 0 else text.replace("-", "\u2212", 1)


def number(value: Decimal | int | float | None, digits: int | None = None) -> str:
    """A number with the reader's separators; `digits` fixes the decimals."""
    if value is None:
        return "–"
    pattern = None if digits is None else "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, pattern, locale=locale()).replace("-", "\u2212", 1)


def approximate(count: int) -> str:
    """An estimated count for people: two significant digits above a hundred (`1,200,000`)."""
    if count >= 100:
        step = 10 ** (len(str(count)) - 2)
        count = round(count / step) * step
    return number(count, 0)


def local(value: datetime) -> datetime:
    """The instant in the reader's time zone; naive values are taken as they are."""
    return timezone.localtime(value) if timezone.is_aware(value) else value


def day(value: date | datetime | None) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        value = local(value)
    return format_date(value, "medium", locale=locale())


def moment(value: date | datetime | None, *, seconds: bool = False) -> str:
    """Date and time in the reader's zone, to the minute (or second)."""
    if value is None:
        return "–"
    if not isinstance(value, datetime):
        return day(value)
    shown = local(value)
    clock = format_datetime(shown, "HH:mm:ss" if seconds else "HH:mm", locale=locale())
    return f"{format_date(shown, 'medium', locale=locale())}, {clock}"


def ago(value: datetime | date | None, now: datetime | None = None) -> str:
    """`3 hours ago`, `in 2 days`, `just now`; a plain date once it is more than a month away."""
    if value is None:
        return gettext("never")
    if not isinstance(value, datetime):
        value = datetime.combine(value, datetime.min.time(), tzinfo=timezone.get_current_timezone())
    delta = value - (now or timezone.now())
    if abs(delta) < timedelta(seconds=45):
        return gettext("just now")
    if abs(delta) > timedelta(days=30):
        return day(value)
    return format_timedelta(delta, add_direction=True, threshold=0.9, locale=locale())


def duration(value: timedelta | float | int | None) -> str:
    """`1:02:03` or `4:07`: how long a call or a job took. Numbers are seconds."""
    if value is None:
        return "–"
    total = int(value.total_seconds() if isinstance(value, timedelta) else value)
    hours, rest = divmod(abs(total), 3600)
    minutes, seconds = divmod(rest, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"\u2212{text}" if total < 0 else text


def file_size(count: int | None) -> str:
    if count is None:
        return "–"
    size: float = count
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{number(round(size, 1) if unit != 'B' else int(size))}\u00a0{unit}"
        size /= 1024
    raise AssertionError("unreachable")


def mask_phone(value: Any) -> str:
    """`+49 ••••••• 89`: the country's first digits and the last two; nothing else of a phone number is shown."""
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
    """`a•••••@e•••••.com`: first letters and the top-level domain. The number of dots says nothing about the length."""
    name, at, domain = str(value or "").strip().partition("@")
    if not at or not name or not domain:
        return "•••••" if value else ""
    host, dot, top = domain.rpartition(".")
    shown = f"{host[:1]}•••••.{top}" if dot and host else "•••••"
    return f"{name[:1]}•••••@{shown}"


def initials(name: Any) -> str:
    words = [w for w in str(name or "").replace("@", " ").replace(".", " ").split() if w[:1].isalnum()]
    if not words:
        return "?"
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else words[0][1:2])).upper()
