"""Names of languages in the reader's language."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from django.db import connection

from crm.i18n import formats

# What clients are spoken and written to in; a client's own code is offered as well.
OFFERED = (
    "ar bg bn cs da de el en es et fa fi fr he hi hr hu id it ja ko lt lv ms nl no pl pt ro ru sk sl sr sv th tr uk ur vi zh"
).split()


# The next language in the index after each: a step for every language there is, not for every record.
SPOKEN: Final = """
WITH RECURSIVE spoken(code) AS (
  SELECT min(language) FROM clients_client
  UNION ALL
  SELECT (SELECT min(language) FROM clients_client WHERE language > code) FROM spoken WHERE code IS NOT NULL
) SELECT code FROM spoken WHERE code IS NOT NULL LIMIT 500
"""


def spoken() -> list[str]:
    """List the languages that any record has."""
    with connection.cursor() as cursor:
        cursor.execute(SPOKEN)
        return [code for (code,) in cursor.fetchall()]


def language_name(code: str) -> str:
    """Name a language in the reader's language: `de` is German, or Deutsch; an unknown code is its own name."""
    names = _names(str(formats.locale()))
    return names.get(code) or names.get(code.replace("-", "_").split("_")[0], code)


def language_choices(current: str = "") -> list[tuple[str, str]]:
    """List (code, name) sorted by name, with the record's own language among them."""
    codes = dict.fromkeys([*OFFERED, *([current] if current else [])])
    return sorted(((code, language_name(code)) for code in codes), key=lambda pair: pair[1].lower())


@lru_cache(maxsize=16)
def _names(_locale: str) -> dict[str, str]:
    return {code: name[:1].upper() + name[1:] for code, name in formats.locale().languages.items()}
