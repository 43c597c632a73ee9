"""Names of countries in the reader's language."""

from __future__ import annotations

from functools import lru_cache

from django.utils.functional import lazy
from django_countries import countries

from crm.i18n import formats
from crm.i18n.localized_text import VALUE_TEXTS, Phrase, value_phrase


def country_name(code: str) -> str:
    """Name a country in the reader's language: `DE` is Germany, or Deutschland; an unknown code is its own name."""
    return _names(str(formats.locale())).get(code, code)


VALUE_TEXTS["country"] = country_name


def country(code: str) -> Phrase:
    """Name a country as a phrase, for entries and notices that each person reads in their own language."""
    return value_phrase("country", code)


def country_choices(*, blank: str | None = None) -> list[tuple[str, str]]:
    """List (code, name), sorted as the reader's language sorts; with `blank` an empty choice first."""
    names = _sorted(str(formats.locale()))
    return [("", blank), *names] if blank is not None else list(names)


def lazy_choices() -> list[tuple[str, str]]:
    """List (code, name) for a filter that is declared when its module loads: names are looked up when shown."""
    name = lazy(country_name, str)
    return [(code, name(code)) for code, _english in sorted(countries.countries.items(), key=lambda pair: str(pair[1]))]


@lru_cache(maxsize=16)
def _names(_locale: str) -> dict[str, str]:
    territories = formats.locale().territories
    return {code: territories.get(code) or str(name) for code, name in countries.countries.items()}


@lru_cache(maxsize=16)
def _sorted(locale: str) -> tuple[tuple[str, str], ...]:
    from anyascii import anyascii

    return tuple(sorted(_names(locale).items(), key=lambda pair: anyascii(pair[1]).lower()))
