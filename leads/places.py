"""Where a lead probably is: country from what they told, time zone from the country."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache

from babel.core import Locale, get_global
from django_countries import countries

from clients.canonical import country_of_phone

# Countries with several zones: where most people live.
MOST_PEOPLE = {
    "AU": "Australia/Sydney", "BR": "America/Sao_Paulo", "CA": "America/Toronto", "CN": "Asia/Shanghai",
    "CD": "Africa/Kinshasa", "ES": "Europe/Madrid", "ID": "Asia/Jakarta", "KZ": "Asia/Almaty", "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon", "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv", "US": "America/New_York", "UZ": "Asia/Tashkent",
}  # fmt: skip  # a table of pairs
REGION = re.compile(r"[a-z]{2,3}-([A-Z]{2})\b")


@lru_cache(maxsize=1)
def _zones() -> dict[str, str]:
    """A zone of each country, from the Unicode tables, and where it matters the most peopled one."""
    found: dict[str, str] = {}
    for zone, country in sorted(get_global("zone_territories").items()):
        found.setdefault(country, zone)
    return {**found, **MOST_PEOPLE}


def zone_of(country: str) -> str:
    """The IANA time zone in which most people of a country live; UTC when the country is unknown."""
    return _zones().get(country.upper(), "UTC")


def zone_info(country: str) -> zoneinfo.ZoneInfo:
    return _zone_info(zone_of(country))


@lru_cache(maxsize=512)
def _zone_info(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError:  # a system with an older zone database than ours
        return zoneinfo.ZoneInfo("UTC")


def is_country(code: str) -> bool:
    return len(code) == 2 and code.upper() in countries.countries


def region_of(accept_language: str) -> str:
    """The first region in a browser's list of languages: `de-AT,de;q=0.9` → AT."""
    found = REGION.search(accept_language or "")
    return found[1] if found and is_country(found[1]) else ""


def guess_country(*, told: str, phone_e164: str, accept_language: str = "", fallback: str = "") -> str:
    """What the person chose, else the phone's country, else the browser's region, else the page's country."""
    for guess in (told.upper(), country_of_phone(phone_e164), region_of(accept_language), fallback.upper()):
        if is_country(guess):
            return guess
    return ""


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    """Countries by code and by name, in the languages that spreadsheets come in."""
    found = {code.lower(): code for code in countries.countries}
    for language in ("en", "de", "es", "fr", "it", "pt"):
        for code, name in Locale(language).territories.items():
            if code in countries.countries:
                found.setdefault(name.lower(), code)
    found.update({"uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "uae": "AE"})
    return found


def country_code(text: str) -> str:
    """`de`, `Germany` or `Deutschland` → DE; empty when it is no country."""
    return _codes().get(text.strip().lower(), "")
