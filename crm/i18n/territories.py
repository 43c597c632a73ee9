"""Names of countries in the reader's language."""

from functools import lru_cache

from django_countries import countries

from crm.i18n import formats


def country_names() -> dict[str, str]:
    """Map the codes of countries to their names in the reader's language."""
    return _names(str(formats.locale()))


def sorted_countries() -> tuple[tuple[str, str], ...]:
    """List (code, name) in the order of the reader's alphabet."""
    return _sorted(str(formats.locale()))


@lru_cache(maxsize=16)
def _names(_locale: str) -> dict[str, str]:
    territories = formats.locale().territories
    return {code: territories.get(code) or str(name) for code, name in countries.countries.items()}


@lru_cache(maxsize=16)
def _sorted(locale: str) -> tuple[tuple[str, str], ...]:
    from anyascii import anyascii  # its tables are large

    return tuple(sorted(_names(locale).items(), key=lambda pair: anyascii(pair[1]).lower()))
