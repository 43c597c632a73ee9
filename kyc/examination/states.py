"""Codes of states and issuers as Doc 9303, part 3, section 5 lists them: ISO 3166-1 and ICAO's own additions."""

from __future__ import annotations

from django_countries import countries

# Utopia: in specimens only.
SPECIMEN_STATES = frozenset({"UTO"})
# D is printed for Germany; the GB? codes are kinds of British nationality; XXA to XXX are people without one; the rest are
# organisations that issue travel documents, and Kosovo.
ADDITIONS = {
    "D": "DE",
    "GBD": "GB",
    "GBN": "GB",
    "GBO": "GB",
    "GBP": "GB",
    "GBS": "GB",
    "RKS": "XK",
    "XKX": "XK",
    "KS": "XK",
    "XXA": "",
    "XXB": "",
    "XXC": "",
    "XXX": "",
    "UNO": "",
    "UNA": "",
    "UNK": "",
    "EUE": "",
    "XOM": "",
    "XPO": "",
    "XCC": "",
    "XCO": "",
    "XCE": "",
    "XEC": "",
    "XES": "",
    "XMP": "",
    "XBA": "",
    "XIM": "",
    "XAC": "",
    "XDC": "",
    "NTZ": "",
    "IAO": "",
    "ROM": "RO",
    "ZAR": "CD",
    "TMP": "TL",
    "ANT": "",
}


def exists(code: str) -> bool:
    """Tell whether Doc 9303 knows a code of a state or issuer, specimens excepted."""
    return code in ADDITIONS or (len(code) == 3 and bool(countries.alpha2(code)))


def alpha2_of(code: str) -> str:
    """Convert a code of the zone to ISO 3166-1 alpha-2; "" where it is no country's."""
    return ADDITIONS[code] if code in ADDITIONS else str(countries.alpha2(code) if len(code) == 3 else "")


def alpha3_of(country: str) -> str:
    """Convert ISO 3166-1 alpha-2 or a zone's code to alpha-3; "" where there is none."""
    return str(countries.alpha3(alpha2_of(country) if len(country) != 2 else country))
