"""Where Keelson may connect to: addresses that people type, of PSPs, trading servers and rate feeds.

In production these are public addresses only: whoever may set one up could otherwise make the server ask the cloud's
metadata service, a database beside it, or itself. A server in a private network is named in `KEELSON_OUTGOING_PRIVATE` by
whoever runs Keelson. A name is resolved when it is saved and again for every connection, and the connection goes to the very
address that was checked: a name whose address changes between the two gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

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
    """Check for an address anyone can reach: not private, loopback, link-local (metadata services), reserved or multicast."""
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
    """Check for an address that is public, or allowed by whoever runs Keelson: `*`, a host, an address or a network."""
    named = settings.OUTGOING_PRIVATE
    if ANYWHERE in named or is_public(address) or (host and host.lower().rstrip(".") in named):
        return True
    return any(address in network for network in _networks(tuple(named)))


def _networks(named: tuple[str, ...]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    networks = []
    for text in named:
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue  # a host's name
    return networks


def resolve(host: str, port: int) -> list[tuple[Any, ...]]:
    """Look up every address of a host, as `getaddrinfo` gives them, each of them allowed.

    Raises: PrivateAddress, when only one of them is not: the next look-up could give that one. OSError: no such host.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_rest, address in addresses:
        if not is_allowed(ipaddress.ip_address(str(address[0]).partition("%")[0]), host):
            raise PrivateAddress(
                _("%(host)s is a private network address. Enter a public address, or have this one allowed.")
                % {"host": host}
            )
    return addresses


def connect(address: tuple[str, int], timeout: Any = None, *_source: Any) -> socket.socket:
    """Connect like `socket.create_connection`, to a checked address. Raises: OSError; a private address is one."""
    host, port = address
    problem: OSError = OSError(f"{host} has no address")
    for candidate in pinned(host, port):
        try:
            return socket.create_connection((candidate, port), timeout)
        except OSError as error:
            problem = error
    raise problem


def addresses_of(host: str, port: int) -> list[str]:
    """List the checked addresses to connect to, so that no second look-up finds others.

    The sandbox is wherever the settings say. Raises: PrivateAddress, OSError.
    """
    if ANYWHERE in settings.OUTGOING_PRIVATE or (host, port) in _sandboxes():
        return [host]
    return list(dict.fromkeys(str(address[0]) for *_rest, address in resolve(host, port)))


def pinned(host: str, port: int) -> list[str]:
    """List addresses as `addresses_of`, for drivers that connect themselves. Raises: OSError; a private address is one."""
    try:
        return addresses_of(host, port)
    except PrivateAddress as error:
        raise ConnectionRefusedError(error.message) from error


def is_open() -> bool:
    """Check whether every address is allowed, also inside our own network."""
    return ANYWHERE in settings.OUTGOING_PRIVATE or any(
        network.prefixlen == 0 for network in _networks(tuple(settings.OUTGOING_PRIVATE))
    )


def _sandboxes() -> set[tuple[str, int]]:
    urls = (
        settings.SANDBOX_PSP_URL,
        settings.SANDBOX_KYC_URL,
        settings.SANDBOX_SCREENING_URL,
        settings.SANDBOX_PHONE_URL,
        settings.SANDBOX_RECEIVER_URL,
        settings.SANDBOX_MAIL_URL,
        settings.SANDBOX_MAIL_API_URL,
    )
    served = [urlsplit(url) for url in urls]
    named = [settings.SANDBOX_MT5, settings.SANDBOX_MT5_REST, *settings.SANDBOX_PLATFORMS.values()]
    pairs = [text.rpartition(":") for text in named]
    return {(parts.hostname or "", parts.port or 80) for parts in served} | {
        (host, int(port)) for host, _colon, port in pairs if port.isdigit()
    }


def is_plain_text_allowed(url: str) -> bool:
    """Check whether a request without TLS may leave: to the sandbox, or where everything is allowed."""
    parts = urlsplit(url)
    return ANYWHERE in settings.OUTGOING_PRIVATE or (parts.hostname or "", parts.port or 80) in _sandboxes()


def require_public_url(url: str) -> None:
    """Check an address that somebody typed: https, a host without a user, all of it public.

    Raises: DomainError in words for the form.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError as error:
        raise DomainError(_("Enter a valid address, for example https://host/path.")) from error
    if "@" in parts.netloc or not host:
        raise DomainError(_("Enter the address without a username or password: https://host/path."))
    if ANYWHERE in settings.OUTGOING_PRIVATE:
        return
    if parts.scheme != "https":
        raise DomainError(_("The address must start with https://."))
    require_public_host(host, port)


def require_public_host(host: str, port: int) -> None:
    """Check a host that somebody typed. Raises: DomainError when it isn't found or is a private one."""
    if ANYWHERE in settings.OUTGOING_PRIVATE:
        return
    try:
        resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise DomainError(_("%(host)s was not found. Check the spelling.") % {"host": host}) from error
