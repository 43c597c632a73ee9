"""What a kind of record takes in, field by field, and how a text becomes its value."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.errors import DomainError

YES = {"1", "y", "yes", "true", "x", "ja", "j", "si", "sí", "oui", "wahr", "on"}
NO = {"", "0", "n", "no", "false", "nein", "non", "falsch", "off"}
ORDERS = {
    "ymd": gettext_lazy("Year, month, day"),
    "dmy": gettext_lazy("Day, month, year"),
    "mdy": gettext_lazy("Month, day, year"),
}
DATE = re.compile(
    r"(\d{1,4})[-./](\d{1,2})[-./](\d{1,4})(?:[T ]+(\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?"
)
GROUPED = re.compile(r"[+-]?\d{1,3}(?: \d{3})+")
AMOUNT_CHARS_MAX = 40


@dataclass(frozen=True)
class Formats:
    """How the file writes dates and numbers: order of year, month and day, and the mark before decimals."""

    dates: str = "ymd"
    decimal: str = "."


Reader = Callable[[str, Formats], Any]


def read_text(value: str, formats: Formats) -> str:
    """Take a text as it is."""
    return value


def read_yes_no(value: str, formats: Formats) -> bool:
    """Read yes or no in the languages of spreadsheets. Raises DomainError for anything else."""
    if value.lower() not in YES | NO:
        raise DomainError(_("“%(value)s” is neither yes nor no") % {"value": value[:40]})
    return value.lower() in YES


def read_date(value: str, formats: Formats) -> str:
    """Read a day into ISO form, ignoring a time of day. Raises DomainError."""
    return read_moment(value, formats)[:10]


def read_moment(value: str, formats: Formats) -> str:
    """Read a day with or without a time into ISO form, UTC where no zone is written. Raises DomainError."""
    refused = DomainError(
        _("“%(value)s” isn't a date in the order %(order)s") % {"value": value[:40], "order": ORDERS[formats.dates]}
    )
    match = DATE.fullmatch(value)
    if match is None:
        raise refused
    order = "ymd" if len(match[1]) == 4 else formats.dates
    parts = dict(zip(order, match.groups()[:3], strict=True))
    if len(parts["y"]) != 4:
        raise refused
    try:
        day = dt.date(int(parts["y"]), int(parts["m"]), int(parts["d"]))
        time = dt.time.fromisoformat(match[4].zfill(5) if match[4] and len(match[4]) < 8 else match[4] or "00:00")
        zone = dt.datetime.strptime(match[5].replace("Z", "+0000"), "%z").tzinfo if match[5] else dt.UTC
    except ValueError:
        raise refused from None
    return dt.datetime.combine(day, time, zone).isoformat()


def read_number(value: str, formats: Formats) -> str:
    """Read an amount into plain digits with a point, exactly. Raises DomainError."""
    other = "," if formats.decimal == "." else "."
    value = value[: AMOUNT_CHARS_MAX + 1]
    bare = re.sub(r"[\s'’\u00a0\u202f]", "", value)
    refused = DomainError(_("“%(value)s” isn't an amount") % {"value": value[:40]})
    negative = bare.startswith("(") and bare.endswith(")")
    bare = bare.strip("()")
    whole, mark, decimals = bare.partition(formats.decimal)
    # 1,234.50 with a decimal point; “12,5” would silently become 125.
    if other in decimals or (other in whole and not GROUPED.fullmatch(whole.replace(other, " "))):
        raise refused
    plain = whole.replace(other, "") + ("." + decimals if mark else "")
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?|[+-]?\.\d+", plain) or len(plain) > AMOUNT_CHARS_MAX:
        raise refused
    try:
        number = Decimal(plain)
    except InvalidOperation:  # pragma: no cover - the expression above lets none through
        raise refused from None
    return format(-number if negative else number, "f")


@dataclass(frozen=True)
class Field:
    """One field of a kind.

    names: what other systems call the column, compared without case, blanks and punctuation. longest: in characters of the
    value read; above it the row is refused, never cut.
    """

    name: str
    label: str | Promise
    read: Reader = read_text
    names: str = ""
    longest: int = 200
    is_required: bool = False
    choices: Sequence[tuple[str, str | Promise]] = ()
    help: str | Promise = ""
    is_date: bool = field(default=False)
    is_number: bool = False
    # A heading on the mapping page.
    group: str = ""

    def value_of(self, text: str, formats: Formats) -> Any:
        """Read a text as this field's value. Raises DomainError in words."""
        value = self.read(text, formats)
        if isinstance(value, str) and len(value) > self.longest:
            raise DomainError(_("Longer than %(most)s characters") % {"most": self.longest})
        if self.choices and value not in dict(self.choices):
            known = ", ".join(code for code, _label in self.choices)
            raise DomainError(
                _("Unknown value “%(value)s”. Translate it to one of: %(known)s")
                % {"value": str(value)[:40], "known": known}
            )
        return value


def plain_name(text: str) -> str:
    """Write a column's name as it is compared: lower case, letters and digits only."""
    return re.sub(r"[\W_]+", "", text.lower())
