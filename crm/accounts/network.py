"""Where a request comes from, and whether staff may work from there."""

from __future__ import annotations

import functools
import ipaddress

from django.conf import settings
from django.http import HttpRequest

from crm.accounts.access_policies import STAFF_NETWORKS
from crm.models import User


def client_ip(request: HttpRequest) -> str | None:
    """Determine the caller's address.

    Behind `settings.TRUSTED_PROXIES` proxies it is that many entries from the right of X-Forwarded-For: anybody can
    write what is left of it. None where there is none (a server on a Unix socket).
    """
    address = request.META.get("REMOTE_ADDR") or ""
    proxies = settings.TRUSTED_PROXIES
    if proxies:
        passed_on = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        if len(passed_on) >= proxies:
            address = passed_on[-proxies]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None


def is_uncounted_proxy(request: HttpRequest) -> bool:
    """Check whether the peer passes on another's address though `KEELSON_TRUSTED_PROXIES` is 0.

    Only a peer on this machine, a private network or a Unix socket: anybody on the internet can write the header.
    """
    if settings.TRUSTED_PROXIES or not request.headers.get("x-forwarded-for"):
        return False
    try:
        return ipaddress.ip_address(request.META.get("REMOTE_ADDR") or "").is_private
    except ValueError:
        return True


@functools.lru_cache(maxsize=64)
def _networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def may_work_from(user: User, address: str | None) -> bool:
    """Check whether a member of staff may work from an address. Clients and partners may from anywhere."""
    if not user.is_team:
        return True
    allowed = _networks(STAFF_NETWORKS.of(user.brand)) if user.brand else ()
    if not allowed:
        return True
    return address is not None and any(ipaddress.ip_address(address) in network for network in allowed)
