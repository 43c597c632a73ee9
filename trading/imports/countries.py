"""Countries as people type them on a platform: a code, or a name in one of five languages."""

from __future__ import annotations

from functools import lru_cache

from anyascii import anyascii
from babel import Locale
from django_countries import countries

ALIASES = {"uk": "GB", "great britain": "GB", "usa": "US", "uae": "AE", "turkey": "TR", "czech republic": "CZ"}


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    codes = {folded(str(name)): code for code, name in countries.countries.items()}
    for language in ("es", "fr", "it", "de", "en"):
        names = Locale(language).territories
        codes.update({folded(names[code]): code for code in countries.countries if code in names})
    codes.update({code.lower(): code for code in countries.countries})
    return codes | ALIASES


def folded(text: str) -> str:
    """Fold a text to lower case, without accents, single spaces."""
    return " ".join(anyascii(text).lower().split())


@lru_cache(maxsize=4096)
def country_code(text: str) -> str:
    """Find the ISO code: `DE`, `Germany` and `Deutschland` are DE; empty where it is no country's name."""
    return _codes().get(folded(text), "") if text.strip() else ""
