"""Connecting trading servers. Credentials are encrypted at once and never shown again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.utils.translation import gettext as _

from crm import audit, destinations
from crm.errors import DomainError
from crm.policies import require_permission
from crm.wake import wake_on_commit
from trading.doctor import Check, examine
from trading.models import TradingServer
from trading.platforms.base import EXPORTS, SANDBOX_HOST, Kind
from trading.platforms.errors import PlatformError
from trading.platforms.mt5.dialects import dialect_of, places_of, schema_of
from trading.platforms.pool import kind_of

MANAGES: Final = "trading.manage_servers"
NO_EXPORT: Final = "-"
# Options that decide whether a connection is encrypted, or name another server that secrets are sent to.
OF_THE_WAY: Final = frozenset({"security", "connection", "tls", "authority"})
FIELDS: Final[tuple[str, ...]] = (
    "name", "kind", "host", "port", "manager_login", "transport", "crypt_method", "certificate", "path_prefix",
    "balance_command", "options", "withheld", "time_zone",
    "group_mask", "first_login", "last_login", "is_demo", "is_enabled",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Where:
    """What decides where a server's secrets are sent, and whether in the clear."""

    host: str
    port: int
    transport: str
    options: dict[str, str]


@transaction.atomic
def connect_server(
    *, actor: Any, password: str, export_url: str = "", secret_options: Mapping[str, str] | None = None, **fields: Any
) -> TradingServer:
    """Add a server. A platform whose servers keep one clock brings its time zone. `secret_options`: the platform's own
    settings that are secrets, by name.

    Who: `trading.manage_servers`. Raises: NotAllowed, DomainError for values that can't be.
    """
    require_permission(actor, MANAGES)
    server = TradingServer(**{name: fields[name] for name in FIELDS if name in fields})
    kind = kind_of(server.kind)
    if not password:
        raise DomainError(_("%(name)s is needed.") % {"name": kind.secret_label or _("The manager's API password")})
    server.time_zone = fields.get("time_zone") or kind.time_zone or server.time_zone
    server.next_login = server.first_login
    keep_options(server, kind, secret_options or {})
    check(server)
    server.set_password(password)
    set_export(server, export_url)
    server.save()
    after = {name: str(getattr(server, name)) for name in FIELDS} | {"reads_export": str(server.reads_export)}
    audit.record(actor=actor, action="trading.server_connected", target=server, after=after)
    wake_on_commit("trading.read_settings", server.pk)
    return server


@transaction.atomic
def change_server(
    *, server_id: int, actor: Any, password: str = "", export_url: str = "", reason: str = "",
    secret_options: Mapping[str, str] | None = None, **fields: Any,
) -> TradingServer:  # fmt: skip
    """Change a server; an empty password, secret option or export address keeps the old one, a dash takes the export away.

    A server stays what it is: another platform is another server. A new address of a server that is in use, or of its
    export, waits for a second person, who enters the secrets (`server_addresses`); the rest is changed at once.
    Who: `trading.manage_servers`. Raises: NotAllowed, WrongState, DomainError."""
    require_permission(actor, MANAGES)
    server = TradingServer.objects.select_for_update().get(pk=server_id)
    if fields.get("kind", server.kind) != server.kind:
        raise DomainError(_("A server's platform can't be changed. Connect another server."))
    kind = kind_of(server.kind)
    if "options" in fields:
        fields["options"] = _given(fields["options"])
    changes = {name: fields[name] for name in FIELDS if name in fields and getattr(server, name) != fields[name]}
    before, where = {name: str(getattr(server, name)) for name in changes}, where_of(server)
    for name, value in changes.items():
        setattr(server, name, value)
    if not server.first_login <= server.next_login <= server.last_login + 1:
        server.next_login = server.first_login
    new_secrets, is_moved = keep_options(server, kind, secret_options or {}), where_of(server) != where
    check(server)
    set_export(server, export_url)
    if is_being_set_up(server):
        if is_moved:
            require_secrets_again(server, kind, password, new_secrets)
    elif is_moved or export_url not in ("", NO_EXPORT):
        _propose_address(server, where, bool(password or new_secrets), export_url, reason, actor)
    if password:
        server.set_password(password)
    server.save()
    after = {name: str(getattr(server, name)) for name in changes}
    if export_url:
        after["export"] = "changed" if server.reads_export else "none"
    after |= dict.fromkeys(new_secrets, "changed")
    audit.record(
        actor=actor, action="trading.server_changed", target=server, before=before,
        after={**after, "password": "changed"} if password else after,
    )  # fmt: skip
    wake_on_commit("trading.read_settings", server.pk)
    return server


def _propose_address(
    server: TradingServer, where: Where, has_secrets: bool, export_url: str, reason: str, actor: Any
) -> None:
    """Put the server back to where it was; the new address waits for a second person. Raises: DomainError, WrongState."""
    from trading import server_addresses

    if has_secrets:
        raise DomainError(_("Leave the secrets empty: whoever approves the new address enters them."))
    wanted, stored = where_of(server), TradingServer.objects.get(pk=server.pk)
    _keep_where(server, where)
    if export_url != NO_EXPORT:
        server.credentials, server.reads_export = stored.credentials, stored.reads_export
    url = "" if export_url == NO_EXPORT else export_url
    server_addresses.propose(server, wanted, export_url=url, reason=reason, actor=actor)


def where_of(server: TradingServer) -> Where:
    options = {
        name: value for name, value in server.options.items() if name.endswith(("host", "port")) or name in OF_THE_WAY
    }
    return Where(server.host, server.port, server.transport, options)


def is_being_set_up(server: TradingServer) -> bool:
    """Whether nothing was ever read from it and nobody has an account there."""
    return not server.cursors.filter(read_at__isnull=False).exists() and not server.accounts.exists()


def _keep_where(server: TradingServer, where: Where) -> None:
    """Back to where it was, until a second person approves the new address."""
    server.host, server.port, server.transport = where.host, where.port, where.transport
    moved = where_of(server).options
    server.options = {name: value for name, value in server.options.items() if name not in moved} | where.options


def require_secrets_again(server: TradingServer, kind: Kind, password: str, new_secrets: Sequence[str]) -> None:
    """What is stored for one address isn't sent to another: whoever changes it knows the secrets. Raises: DomainError."""
    stored = [option for option in kind.options if option.is_secret and server.option(option.name)]
    missing = [str(option.label) for option in stored if option.name not in new_secrets]
    if not password:
        missing.insert(0, str(kind.secret_label or _("The manager's API password")))
    if missing:
        raise DomainError(
            _("The address changed. Enter again what is stored for the old one: %(names)s.")
            % {"names": ", ".join(missing)}
        )


def _given(options: Mapping[str, str]) -> dict[str, str]:
    """Without what was left empty: the platform's own default stands then, also when it changes."""
    return {name: value for name, value in options.items() if value not in (None, "")}


def keep_options(server: TradingServer, kind: Kind, secrets: Mapping[str, str]) -> list[str]:
    """Keep the platform's own settings; the names of the secret ones that are new. Raises: DomainError."""
    server.options = _given(server.options)
    known = {option.name for option in kind.options if option.is_secret}
    if strange := sorted(secrets.keys() - known):
        raise DomainError(_("This platform has no setting called %(names)s.") % {"names": ", ".join(strange)})
    new = [name for name, value in secrets.items() if value]
    for name in new:
        server.set_secret_option(name, secrets[name])
    return new


def set_export(server: TradingServer, url: str) -> None:
    if url and url != NO_EXPORT and server.kind not in EXPORTS:
        raise DomainError(_("Of %(platform)s no export can be read.") % {"platform": server.get_kind_display()})
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


def try_connection(*, server_id: int, actor: Any) -> list[Check]:
    """The doctor's read-only checks. Who: `trading.manage_servers`. Not in a transaction: it talks to the server."""
    require_permission(actor, MANAGES)
    return list(examine(TradingServer.objects.get(pk=server_id)))


def _check_options(kind: Kind, server: TradingServer) -> None:
    """What the platform itself needs, each in its own shape; unknown names are refused rather than kept."""
    known = {option.name for option in kind.options if not option.is_secret}
    if strange := sorted(server.options.keys() - known):
        raise DomainError(_("This platform has no setting called %(names)s.") % {"names": ", ".join(strange)})
    for option in kind.options:
        value = server.option(option.name)
        if option.is_required and not value:
            raise DomainError(_("%(name)s is needed.") % {"name": option.label})
        if value and option.choices and value not in dict(option.choices):
            raise DomainError(_("%(name)s can't be “%(value)s”.") % {"name": option.label, "value": value})
        if value and option.pattern and not re.fullmatch(option.pattern, value):
            raise DomainError(_("%(name)s can't be “%(value)s”.") % {"name": option.label, "value": value})


def check(server: TradingServer) -> None:
    try:
        ZoneInfo(server.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DomainError(_("“%(zone)s” is no time zone. Use a name such as EET or Europe/Nicosia.") % {
            "zone": server.time_zone}) from None  # fmt: skip
    kind = kind_of(server.kind)
    if kind.time_zone and server.time_zone != kind.time_zone:
        raise DomainError(_("Servers of %(platform)s keep the time of %(zone)s.") % {
            "platform": server.get_kind_display(), "zone": kind.time_zone})  # fmt: skip
    if not re.fullmatch(kind.manager_pattern, server.manager_login):
        name = kind.manager_label or _("Manager login")
        raise DomainError(
            _("%(name)s is a number.") % {"name": name}
            if kind.manager_pattern == r"\d+"
            else _("%(name)s is missing or can't be.") % {"name": name}
        )
    _check_options(kind, server)
    _check_destinations(server)
    if server.first_login < 1 or server.last_login < server.first_login:
        raise DomainError(_("The login range must go upwards."))
    if TradingServer.objects.filter(name__iexact=server.name).exclude(pk=server.pk).exists():
        raise DomainError(_("Another server has this name."))


def _check_destinations(server: TradingServer) -> None:
    """In production servers are at public addresses, or where whoever runs Keelson allows it. Raises: DomainError."""
    if server.host == SANDBOX_HOST:
        return
    hosts = {str(value) for name, value in server.options.items() if name.endswith("host") and value}
    if authority := server.options.get("authority"):
        hosts.add(urlsplit(authority).hostname or authority)
    for host in {server.host, *hosts}:
        destinations.require_public_host(host, server.port)
