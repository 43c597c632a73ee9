"""Where Keelson may connect to: addresses that people type, of PSPs, trading servers and rate feeds.

In production these are public addresses only: whoever may set one up could otherwise make the server ask the cloud's
metadata service, a database beside it, or itself. A server in a private network is named in `KEELSON_OUTGOING_PRIVATE` by
whoever runs Keelson. A name is resolved when it is saved and again for every connection, and the connection goes to the very
address that was checked: a name whose address changes between the two gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from crm.errors import DomainError

ANYWHERE = "*"
NAT64 = ipaddress.ip_network("64:ff9b::/96")
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class PrivateAddress(DomainError):
    """An address inside our own network, or none that can be checked."""

    code = "private_address"


def is_public(address: Address) -> bool:
    """Reachable from anywhere: not private, loopback, link-local (metadata services), shared, reserved or multicast."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def is_allowed(address: Address, host: str = "") -> bool:
    """Public, or named by whoever runs Keelson: `*`, a host, an address or a network."""
    named = settings.OUTGOING_PRIVATE
    if ANYWHERE in named or is_public(address) or (host and host.lower().rstrip(".") in named):
        return True
    return any(address in network for network in _networks(tuple(named)))


def _networks(named: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    found = []
    for one in named:
        try:
            found.append(ipaddress.ip_network(one, strict=False))
        except ValueError:
            continue  # a host's name
    return found


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """Every address of a host, as `getaddrinfo` gives them, each of them allowed.

    Raises: PrivateAddress, when only one of them is not: the next look-up could give that one. OSError: no such host.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, address in found:
        if not is_allowed(ipaddress.ip_address(str(address[0]).partition("%")[0]), host):
            raise PrivateAddress(
                _("%(host)s is an address inside a private network. Enter a public address, or have it allowed.")
                % {"host": host}
            )
    return found


def connect(address: tuple[str, int], timeout: float | None = None, *_source: Any) -> socket.socket:
    """As `socket.create_connection`, to the address that was checked. Raises OSError; a private address is one."""
    try:
        found = resolve(address[0], address[1])
    except PrivateAddress as error:
        raise ConnectionRefusedError(error.message) from error
    problem: OSError = OSError(f"{address[0]} has no address")
    for family, kind, protocol, _name, where in found:
        sock = socket.socket(family, kind, protocol)
        sock.settimeout(timeout)
        try:
            sock.connect(where)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def check_peer(step: str, info: Mapping[str, Any]) -> None:
    """A trace of httpx: once a connection stands and before anything is sent, its other end is looked at.

    Raises: httpx.ConnectError, since nothing was sent.
    """
    if not step.endswith("connect_tcp.complete") or ANYWHERE in settings.OUTGOING_PRIVATE:
        return
    stream = info["return_value"]
    peer = stream.get_extra_info("server_addr")
    if not is_allowed(ipaddress.ip_address(str(peer[0]).partition("%")[0])):
        stream.close()
        raise httpx.ConnectError("the name now leads to a private address")


def require_public_url(url: str) -> None:
    """Whether an address that somebody typed may be asked: https, a host without a user, all of it public.

    Raises: DomainError in words for the form.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError as error:
        raise DomainError(_("This is not an address. Write it as https://host/path.")) from error
    if "@" in parts.netloc or not host:
        raise DomainError(_("Write the address without a user or a password: https://host/path."))
    if ANYWHERE in settings.OUTGOING_PRIVATE:
        return
    if parts.scheme != "https":
        raise DomainError(_("The address must begin with https://."))
    require_public_host(host, port)


def require_public_host(host: str, port: int) -> None:
    """Raises: DomainError, when a host that somebody typed is not there or is a private one."""
    try:
        resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise DomainError(_("%(host)s was not found. Check the spelling.") % {"host": host}) from error
