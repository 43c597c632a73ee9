"""Names of countries in the reader's language."""

from __future__ import annotations

from functools import lru_cache

from babel.core import Locale
from django.utils.functional import lazy
from django_countries import countries

from crm.i18n.localized_text import VALUE_TEXTS, Phrase, value_phrase
from crm.i18n.territories import country_names, sorted_countries


def country_name(code: str) -> str:
    """Name a country in the reader's language: `DE` is Germany, or Deutschland; an unknown code is its own name."""
    return country_names().get(code, code)


VALUE_TEXTS["country"] = country_name


def country(code: str) -> Phrase:
    """Name a country as a phrase, for entries and notices that each person reads in their own language."""
    return value_phrase("country", code)


def country_choices(*, blank: str | None = None) -> list[tuple[str, str]]:
    """List (code, name), sorted as the reader's language sorts; with `blank` an empty choice first."""
    names = sorted_countries()
    return [("", blank), *names] if blank is not None else list(names)


def lazy_choices() -> list[tuple[str, str]]:
    """List (code, name) for a filter that is declared when its module loads: names are looked up when shown."""
    name = lazy(country_name, str)
    return [(code, name(code)) for code, _english in sorted(countries.countries.items(), key=lambda pair: str(pair[1]))]


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Map countries by code and by name, in the languages that spreadsheets come in."""
    codes = {code.lower(): code for code in countries.countries}
    for language in ("en", "de", "es", "fr", "it", "pt"):
        for code, name in Locale(language).territories.items():
            if code in countries.countries:
                codes.setdefault(name.lower(), code)
    codes.update({"uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "uae": "AE"})
    return codes


def country_code(text: str) -> str:
    """Recognise a country: `de`, `Germany` or `Deutschland` → DE; "" when it is none."""
    return _codes().get(text.strip().lower(), "")
