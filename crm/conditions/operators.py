"""What can be asked of each type: the value it takes, its words, and the two ways it is run.

`lookup` and `test` of one operator agree for every value that isn't empty; `crm.conditions.expression` handles empty ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.db.models import Q
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from crm.conditions.fields import Field, FieldType, Label
from crm.errors import DomainError
from crm.i18n import formats

TEXT_CHARS_MAX, ENTRIES_MAX, DAYS_MAX = 200, 300, 3_660
NUMBER_MAX: Final = Decimal(10) ** 15
Clean = Callable[[Field, Any], Any]


@dataclass(frozen=True)
class Operator:
    """One comparison.

    clean: checks a stored value and returns what the two ways take. Raises: DomainError. words: with %(field)s and %(value)s.
    shows: writes a cleaned value. needs_value: False for those without one.
    """

    code: str
    label: Label
    words: Label
    lookup: Callable[[str, Any, dt.datetime], Q]
    test: Callable[[Any, Any, dt.datetime], bool]
    clean: Clean
    shows: Callable[[Field, Any], str]
    widget: str = "text"


# ── values ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _text(field: Field, given: Any) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > TEXT_CHARS_MAX or "\x00" in given:
        raise DomainError(_("Enter a text of at most %(count)s characters.") % {"count": TEXT_CHARS_MAX})
    return given.strip()


def _entries(field: Field, given: Any) -> tuple[str, ...]:
    if not isinstance(given, list | tuple) or not 0 < len(given) <= ENTRIES_MAX:
        raise DomainError(_("Choose from 1 to %(count)s values.") % {"count": ENTRIES_MAX})
    found = tuple(dict.fromkeys(_text(field, entry) for entry in given))
    if field.choices is not None:
        known = {code for code, _label in field.choices()}
        unknown = [entry for entry in found if entry not in known]
        if unknown:
            raise DomainError(_("“%(value)s” isn't one of the choices.") % {"value": unknown[0]})
    return found


def _number(field: Field, given: Any) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | str | Decimal) or len(str(given)) > 30:
        raise DomainError(_("Enter a number."))
    try:
        number = Decimal(given)
    except InvalidOperation:
        raise DomainError(_("Enter a number.")) from None
    if field.type is FieldType.NUMBER and number.is_finite() and number != number.to_integral_value():
        raise DomainError(_("Enter a whole number."))
    if not number.is_finite() or abs(number) > NUMBER_MAX or number.as_tuple().exponent < -8:  # type: ignore[operator]
        raise DomainError(_("Enter a number."))
    return number


def _days(field: Field, given: Any) -> int:
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 6:
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= DAYS_MAX:
        raise DomainError(_("Enter a number of days from 1 to %(most)s.") % {"most": formats.number(DAYS_MAX)})
    return given


def _day(field: Field, given: Any) -> dt.datetime:
    try:
        day = parse_date(given) if isinstance(given, str) and len(given) == 10 else None
    except ValueError:
        day = None
    if day is None or not 1900 <= day.year <= 2100:
        raise DomainError(_("Enter a date."))
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def _nothing(field: Field, given: Any) -> None:
    if given is not None:
        raise DomainError(_("This comparison takes no value."))


# ── words of values ──────────────────────────────────────────────────────────────────────────────────────────────────


def _shows_text(field: Field, value: Any) -> str:
    return f"“{value}”"


def _shows_entries(field: Field, value: Any) -> str:
    names = [field.choice_label(entry) for entry in value]
    return (
        names[0]
        if len(names) == 1
        else _("%(first)s or %(last)s") % {"first": ", ".join(names[:-1]), "last": names[-1]}
    )


def _shows_number(field: Field, value: Any) -> str:
    return f"{formats.number(value)} {field.unit}".strip()


def _shows_days(field: Field, value: Any) -> str:
    return ngettext("%(count)s day", "%(count)s days", value) % {"count": formats.number(value)}


def _shows_day(field: Field, value: Any) -> str:
    return formats.day(value.date())


def _shows_nothing(field: Field, value: Any) -> str:
    return ""


# ── operators ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _plain(suffix: str) -> Callable[[str, Any, dt.datetime], Q]:
    return lambda path, value, now: Q(**{f"{path}{suffix}": value})


def _ago(now: dt.datetime, days: int) -> dt.datetime:
    return now - dt.timedelta(days=days)


def _any_of(path: str, value: Any, now: dt.datetime) -> Q:
    return Q(**{f"{path}__overlap": list(value)})


IS = Operator(
    "is",
    gettext_lazy("is"),
    gettext_lazy("%(field)s is %(value)s"),
    _plain(""),
    lambda have, want, now: have == want,
    _text,
    _shows_text,
)
STARTS = Operator(
    "starts",
    gettext_lazy("starts with"),
    gettext_lazy("%(field)s starts with %(value)s"),
    _plain("__startswith"),
    lambda have, want, now: have.startswith(want),
    _text,
    _shows_text,
)
CONTAINS = Operator(
    "contains",
    gettext_lazy("contains"),
    gettext_lazy("%(field)s contains %(value)s"),
    _plain("__contains"),
    lambda have, want, now: want in have,
    _text,
    _shows_text,
)
ONE_OF = Operator(
    "in",
    gettext_lazy("is one of"),
    gettext_lazy("%(field)s is %(value)s"),
    lambda path, value, now: Q(**{f"{path}__in": list(value)}),
    lambda have, want, now: have in want,
    _entries,
    _shows_entries,
    "entries",
)
HAS_ANY = Operator(
    "has",
    gettext_lazy("includes"),
    gettext_lazy("%(field)s includes %(value)s"),
    _any_of,
    lambda have, want, now: bool(set(have) & set(want)),
    _entries,
    _shows_entries,
    "entries",
)


def _compares(code: str, label: Label, words: Label, suffix: str, test: Callable[[Any, Any], bool]) -> Operator:
    return Operator(
        code, label, words, _plain(suffix), lambda have, want, now: test(have, want), _number, _shows_number, "number"
    )


EQUALS = _compares(
    "eq", gettext_lazy("equals"), gettext_lazy("%(field)s is %(value)s"), "", lambda have, want: have == want
)
AT_LEAST = _compares(
    "ge",
    gettext_lazy("is at least"),
    gettext_lazy("%(field)s is at least %(value)s"),
    "__gte",
    lambda have, want: have >= want,
)
AT_MOST = _compares(
    "le",
    gettext_lazy("is at most"),
    gettext_lazy("%(field)s is at most %(value)s"),
    "__lte",
    lambda have, want: have <= want,
)
ABOVE = _compares(
    "gt", gettext_lazy("is above"), gettext_lazy("%(field)s is above %(value)s"), "__gt", lambda have, want: have > want
)
BELOW = _compares(
    "lt", gettext_lazy("is below"), gettext_lazy("%(field)s is below %(value)s"), "__lt", lambda have, want: have < want
)
WITHIN = Operator(
    "within",
    gettext_lazy("is within the last … days"),
    gettext_lazy("%(field)s is within the last %(value)s"),
    lambda path, days, now: Q(**{f"{path}__gte": _ago(now, days), f"{path}__lte": now}),
    lambda have, days, now: _ago(now, days) <= have <= now,
    _days,
    _shows_days,
    "days",
)
LONGER_AGO = Operator(
    "ago",
    gettext_lazy("is more than … days ago"),
    gettext_lazy("%(field)s is more than %(value)s ago"),
    lambda path, days, now: Q(**{f"{path}__lt": _ago(now, days)}),
    lambda have, days, now: have < _ago(now, days),
    _days,
    _shows_days,
    "days",
)
BEFORE = Operator(
    "before",
    gettext_lazy("is before"),
    gettext_lazy("%(field)s is before %(value)s"),
    _plain("__lt"),
    lambda have, want, now: have < want,
    _day,
    _shows_day,
    "day",
)
FROM_DAY = Operator(
    "from",
    gettext_lazy("is on or after"),
    gettext_lazy("%(field)s is on or after %(value)s"),
    _plain("__gte"),
    lambda have, want, now: have >= want,
    _day,
    _shows_day,
    "day",
)
TRUE = Operator(
    "yes",
    gettext_lazy("is true"),
    gettext_lazy("%(field)s: yes"),
    lambda path, value, now: Q(**{path: True}),
    lambda have, want, now: have is True,
    _nothing,
    _shows_nothing,
    "",
)
# Asked of any type; run by `crm.conditions.expression`, which knows what is empty.
EMPTY = Operator(
    "empty",
    gettext_lazy("is empty"),
    gettext_lazy("%(field)s is empty"),
    lambda path, value, now: Q(),
    lambda have, want, now: False,
    _nothing,
    _shows_nothing,
    "",
)

BY_TYPE: Final[dict[FieldType, tuple[Operator, ...]]] = {
    FieldType.TEXT: (ONE_OF, IS, STARTS, CONTAINS, EMPTY),
    FieldType.CHOICE: (ONE_OF, EMPTY),
    FieldType.NUMBER: (EQUALS, AT_LEAST, AT_MOST, ABOVE, BELOW, EMPTY),
    FieldType.DECIMAL: (AT_LEAST, AT_MOST, ABOVE, BELOW, EMPTY),
    FieldType.MONEY: (AT_LEAST, AT_MOST, ABOVE, BELOW, EMPTY),
    FieldType.MOMENT: (WITHIN, LONGER_AGO, BEFORE, FROM_DAY, EMPTY),
    FieldType.YES_NO: (TRUE,),
    FieldType.SET: (HAS_ANY, EMPTY),
}


def operator_of(field: Field, code: Any) -> Operator | None:
    """Find what is asked of a field; None where its type doesn't know it."""
    return next((operator for operator in BY_TYPE[field.type] if operator.code == code), None)
