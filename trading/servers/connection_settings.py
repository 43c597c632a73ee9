"""Where a trading server is and the secrets of the way there: kept, compared and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.outside import destinations
from trading.models import TradingServer
from trading.platforms.base import EXPORTS, SANDBOX_HOST, Kind
from trading.platforms.errors import PlatformError
from trading.platforms.mt5.dialects import dialect_of, places_of, schema_of
from trading.platforms.pool import kind_of, option_value

MANAGES: Final = "trading.manage_servers"


NO_EXPORT: Final = "-"


# Options that decide whether a connection is encrypted, or name another server that secrets are sent to.
OF_THE_WAY: Final = frozenset({"security", "connection", "tls", "authority"})


@dataclass(frozen=True, slots=True)
class Where:
    """What decides where a server's secrets are sent, and whether in the clear."""

    host: str
    port: int
    transport: str
    options: dict[str, str]


def where_of(server: TradingServer) -> Where:
    """Pick out the settings that decide which machine a server's commands go to."""
    options = {
        name: value for name, value in server.options.items() if name.endswith(("host", "port")) or name in OF_THE_WAY
    }
    return Where(server.host, server.port, server.transport, options)


def require_secrets_again(server: TradingServer, kind: Kind, password: str, new_secrets: Sequence[str]) -> None:
    """Require the secrets to be entered again, so that none stored for one address is sent to another. Raises: DomainError."""
    stored = [option for option in kind.options if option.is_secret and option_value(server, option.name)]
    missing = [str(option.label) for option in stored if option.name not in new_secrets]
    if not password:
        missing.insert(0, str(kind.secret_label or _("Manager's API password")))
    if missing:
        raise DomainError(
            _("The address changed. Re-enter the secrets stored for the old one: %(names)s.")
            % {"names": ", ".join(missing)}
        )


def _given(options: Mapping[str, str]) -> dict[str, str]:
    """Leave out empty options: the platform's own default applies then, also when it changes."""
    return {name: value for name, value in options.items() if value not in (None, "")}


def keep_options(server: TradingServer, kind: Kind, secrets: Mapping[str, str]) -> list[str]:
    """Save the platform's own settings and name the secret ones that are new. Raises: DomainError."""
    server.options = _given(server.options)
    known = {option.name for option in kind.options if option.is_secret}
    if strange := sorted(secrets.keys() - known):
        raise DomainError(_("This platform has no setting named %(names)s.") % {"names": ", ".join(strange)})
    new = [name for name, value in secrets.items() if value]
    for name in new:
        server.set_secret_option(name, secrets[name])
    return new


def set_export(server: TradingServer, url: str) -> None:
    """Set or remove (by a dash) the address of a server's SQL export; empty leaves it. Raises: DomainError."""
    kind_of(server.kind)  # loads the adapter, which registers its export
    if url and url != NO_EXPORT and server.kind not in EXPORTS:
        raise DomainError(_("SQL exports aren't supported for %(platform)s.") % {"platform": server.get_kind_display()})
    if url == NO_EXPORT:
        server.set_export_url("")
    elif url:
        try:
            dialect_of(url).load()
            schema_of(urlsplit(url))
            for host, port in places_of(url):
                destinations.require_public_host(host, port)
        except PlatformError as problem:
            raise DomainError(_("This export can't be read: %(why)s.") % {"why": problem.message}) from problem
        server.set_export_url(url)


def _check_options(kind: Kind, server: TradingServer) -> None:
    """Check the platform's own settings, each by its pattern; unknown names are refused rather than saved."""
    known = {option.name for option in kind.options if not option.is_secret}
    if strange := sorted(server.options.keys() - known):
        raise DomainError(_("This platform has no setting named %(names)s.") % {"names": ", ".join(strange)})
    for option in kind.options:
        value = option_value(server, option.name)
        if option.is_required and not value:
            raise DomainError(_("%(name)s is required.") % {"name": option.label})
        if value and option.choices and value not in dict(option.choices):
            raise DomainError(
                _("“%(value)s” isn't a valid value for %(name)s.") % {"name": option.label, "value": value}
            )
        if value and option.pattern and not re.fullmatch(option.pattern, value):
            raise DomainError(
                _("“%(value)s” isn't a valid value for %(name)s.") % {"name": option.label, "value": value}
            )


def check(server: TradingServer) -> None:
    """Check a server's settings before they are saved: zone, manager, address and options. Raises: DomainError."""
    try:
        ZoneInfo(server.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DomainError(
            _("“%(zone)s” isn't a time zone. Use a name such as EET or Europe/Nicosia.") % {"zone": server.time_zone}
        ) from None
    kind = kind_of(server.kind)
    if kind.time_zone and server.time_zone != kind.time_zone:
        raise DomainError(
            _("%(platform)s servers use the time zone %(zone)s.")
            % {"platform": server.get_kind_display(), "zone": kind.time_zone}
        )
    if not re.fullmatch(kind.manager_pattern, server.manager_login):
        name = kind.manager_label or _("Manager login")
        raise DomainError(
            _("%(name)s must be a number.") % {"name": name}
            if kind.manager_pattern == r"\d+"
            else _("%(name)s is missing or invalid.") % {"name": name}
        )
    _check_options(kind, server)
    _check_destinations(server)
    if server.first_login < 1 or server.last_login < server.first_login:
        raise DomainError(_("The last login must not be lower than the first."))
    if TradingServer.objects.filter(name__iexact=server.name).exclude(pk=server.pk).exists():
        raise DomainError(_("Another server already has this name."))


def _check_destinations(server: TradingServer) -> None:
    """Require public addresses in production, or those that whoever runs Keelson allows. Raises: DomainError."""
    if server.host == SANDBOX_HOST:
        return
    hosts = {str(value) for name, value in server.options.items() if name.endswith("host") and value}
    if authority := server.options.get("authority"):
        hosts.add(urlsplit(authority).hostname or authority)
    for host in {server.host, *hosts}:
        destinations.require_public_host(host, server.port)
