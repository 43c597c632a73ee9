"""Texts for people: stored as a message with its values, and written in the reader's language, currency and date format."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast

from django.conf import settings
from django.db.models import Model
from django.template.defaultfilters import filesizeformat
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext

from crm.i18n import formats
from crm.money.amounts import Money

VALUE_CHARS: Final = 2_000  # of what somebody wrote, within a message


@dataclass(frozen=True)
class Phrase:
    """A message whose language is its reader's. `kept` is JSON: the message, and its values by name."""

    kept: dict[str, Any]

    def __mod__(self, values: Mapping[str, Any]) -> Phrase:
        return Phrase({**self.kept, "values": {name: _stored(value) for name, value in values.items()}})

    def __str__(self) -> str:
        return _written(self.kept)


# For texts that aren't one message: {name: function that writes a value in the active language}.
VALUE_TEXTS: dict[str, Callable[[Any], str]] = {
    "size": filesizeformat,
    "month": lambda first_day: formats.month(dt.date.fromisoformat(first_day)),
}

# Plain strings (what somebody wrote, a name, a reference) stay as they are in every language.
LocalizedText = str | Phrase | Promise


def phrase(message: str) -> Phrase:
    """Make a text of a message and its values: `phrase("Deposit: %(money)s") % {"money": Money(…)}`. Extracted like gettext's.

    Values: texts, whole numbers, Money, days, moments, labels (`gettext_lazy`), and phrases themselves.
    """
    return Phrase({"text": message})


def joined(parts: Iterable[Any], between: str = " · ") -> Phrase:
    """Join several values; empty ones are left out."""
    return Phrase({"parts": [_stored(part) for part in parts], "between": between})


def amount(money: Money, *, is_signed: bool = False) -> Phrase:
    """Make a text of an amount alone; signed, with a plus in front of gains."""
    return Phrase({**_stored(money), "sign": is_signed})


def value_phrase(name: str, value: Any) -> Phrase:
    """Make a phrase of JSON that a function in `VALUE_TEXTS` puts in words: a country's name, an alert's reason."""
    return Phrase({"sayer": name, "of": value})


def lowered(label: LocalizedText) -> Phrase:
    """Put a label within a sentence: only its first letter small, because German writes its nouns with a capital."""
    return Phrase({"lowered": _stored(label)})


def label_of(row: Model, field: str) -> Any:
    """Return the label of a row's choice as its choices declare it, not yet in anybody's language."""
    value = getattr(row, field)
    return dict(row._meta.get_field(field).flatchoices).get(value, value)  # type: ignore[union-attr]


def localize(text: LocalizedText, language: str = "") -> str:
    """Write a text in a language; without one, in the company's."""
    if isinstance(text, str):  # in one language already: many rows at once skip the change of language
        return text
    with translation.override(language or settings.LANGUAGE_CODE):
        return str(text)


def stored_messages(title: LocalizedText, body: LocalizedText = "") -> dict[str, Any]:
    """Return what a row stores beside its columns: the messages of its title and body, where they have one."""
    return {name: _stored(text) for name, text in (("title", title), ("body", body)) if not isinstance(text, str)}


def texts_for_reader(stored: dict[str, Any], title: str, body: str) -> dict[str, str]:
    """Write a row's title and body for its reader. Rows of earlier versions hold a text per language."""
    language = translation.get_language() or ""
    earlier = stored.get(language) or stored.get(language[:2]) or {}
    columns = {"title": title, "body": body}
    return {name: _written(stored[name]) if name in stored else earlier.get(name, columns[name]) for name in columns}


def _stored(value: Any) -> Any:
    """Convert a value to JSON that `_written` can write in any language later."""
    match value:
        case Phrase():
            return value.kept
        case Money():
            return {"money": str(value.amount), "currency": value.currency}
        case dt.datetime():
            return {"moment": value.isoformat()}
        case dt.date():
            return {"day": value.isoformat()}
        case Promise():
            return _label(value)
        case int() | None:
            return value
    return str(value)[:VALUE_CHARS]


def _label(lazy: Promise) -> Any:
    """Take the message out of a lazy text, as pickling it would."""
    say_it, arguments = cast("tuple[Any, Any]", lazy.__reduce__()[1][:2])
    if say_it is gettext:
        return {"text": arguments[0]}
    if say_it is pgettext:
        return {"text": arguments[1], "context": arguments[0]}
    return localize(lazy)


def _written(stored: Any) -> str:
    """Write what `_stored` stored, in the language and zone that are active."""
    match stored:
        case {"money": amount, "currency": currency}:
            return formats.money(Decimal(amount), currency, sign=stored.get("sign", False))
        case {"moment": moment}:
            return formats.moment(dt.datetime.fromisoformat(moment))
        case {"day": day}:
            return formats.day(dt.date.fromisoformat(day))
        case {"lowered": label}:
            text = _written(label)
            return text if text[1:2].isupper() else text[:1].lower() + text[1:]  # "FX majors" stays
        case {"parts": parts, "between": between}:
            return str(between).join(filter(None, map(_written, parts)))
        case {"sayer": name, "of": value}:
            return VALUE_TEXTS.get(name, str)(value)
        case {"text": message}:
            text = (
                (pgettext(stored["context"], message) if "context" in stored else gettext(message)) if message else ""
            )
            values = stored.get("values")
            return text if values is None else text % {name: _value(value) for name, value in values.items()}
    return "" if stored is None else str(stored)


def _value(value: Any) -> Any:
    """Keep whole numbers as numbers: messages write them by `%d`, too."""
    return value if isinstance(value, int) else _written(value)
