"""The names of this machine to itself. A browser keeps cookies and passkeys per name, so an address that we hand out on a
desk-top instance carries the name by which the person came: `localhost`, under which passkeys work, or `127.0.0.1`.

Settings import this: no Django here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from django.http import HttpRequest

LOOPBACK = ("localhost", "127.0.0.1")


def under(address: str, host: str) -> str:
    """Rewrite an address to another name of this machine; unchanged where either isn't a name of this machine."""
    parts = urlsplit(address)
    if parts.hostname not in LOOPBACK or host not in LOOPBACK:
        return address
    return urlunsplit(parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host))


def names_of(address: str) -> list[str]:
    """List an address under each name of this machine; just itself when it is another machine's."""
    return list(dict.fromkeys([address, *(under(address, host) for host in LOOPBACK)]))


def for_reader(address: str, request: HttpRequest) -> str:
    """Rewrite one of our addresses to the name by which this reader came."""
    return under(address, urlsplit(f"//{request.get_host()}").hostname or "")
