"""Where a lead probably is: country from what they entered, time zone from the country."""

from __future__ import annotations

import re
import zoneinfo
from functools import lru_cache

from babel.core import get_global
from django_countries import countries

from clients.canonical import country_of_phone
from crm.geo import country_of

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
    """Map each country to a time zone from the Unicode tables; for large countries the one where most people live."""
    zones: dict[str, str] = {}
    for zone, country in sorted(get_global("zone_territories").items()):
        zones.setdefault(country, zone)
    return {**zones, **MOST_PEOPLE}


def zone_of(country: str) -> str:
    """Return the IANA time zone in which most people of a country live; UTC when the country is unknown."""
    return _zones().get(country.upper(), "UTC")


def zone_info(country: str) -> zoneinfo.ZoneInfo:
    """Return the time zone of `zone_of` as an object, for local hours."""
    return _zone_info(zone_of(country))


@lru_cache(maxsize=512)
def _zone_info(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except zoneinfo.ZoneInfoNotFoundError:  # a system with an older zone database than ours
        return zoneinfo.ZoneInfo("UTC")


def is_country(code: str) -> bool:
    """Tell whether a text is an ISO 3166 country code of two letters."""
    return len(code) == 2 and code.upper() in countries.countries


def region_of(accept_language: str) -> str:
    """Read the first region in a browser's list of languages: `de-AT,de;q=0.9` → AT."""
    match = REGION.search(accept_language or "")
    return match[1] if match and is_country(match[1]) else ""


def guess_country(
    *, stated: str, phone_e164: str, ip: str | None = None, accept_language: str = "", fallback: str = ""
) -> str:
    """Choose what the person selected, else the country of the phone, of the IP address, of the browser's language, of the page."""
    guesses = (
        stated.upper(),
        country_of_phone(phone_e164),
        country_of(ip),
        region_of(accept_language),
        fallback.upper(),
    )
    return next(filter(is_country, guesses), "")
