"""Connecting trading servers. Credentials are encrypted at once and never shown again."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.utils.translation import gettext as _

from crm import audit
from crm.errors import DomainError
from crm.policies import require_permission
from crm.wake import wake_on_commit
from trading.doctor import Check, examine
from trading.models import TradingServer
from trading.platforms.base import Kind
from trading.platforms.errors import PlatformError
from trading.platforms.mt5.dialects import dialect_of, schema_of
from trading.platforms.pool import kind_of

MANAGES: Final = "trading.manage_servers"
NO_EXPORT: Final = "-"
FIELDS: Final[tuple[str, ...]] = (
    "name", "kind", "host", "port", "manager_login", "transport", "crypt_method", "certificate", "path_prefix",
    "balance_command", "options", "withheld", "time_zone",
    "group_mask", "first_login", "last_login", "is_demo", "is_enabled",
)  # fmt: skip


@transaction.atomic
def connect_server(*, actor: Any, password: str, export_url: str = "", **fields: Any) -> TradingServer:
    """Add a server. Who: `trading.manage_servers`. Raises: NotAllowed, DomainError for values that can't be."""
    require_permission(actor, MANAGES)
    if not password:
        raise DomainError(_("The manager's API password is needed."))
    server = TradingServer(**{name: fields[name] for name in FIELDS if name in fields})
    server.next_login = server.first_login
    _check(server)
    server.set_password(password)
    _set_export(server, export_url)
    server.save()
    after = {name: str(getattr(server, name)) for name in FIELDS} | {"reads_export": str(server.reads_export)}
    audit.record(actor=actor, action="trading.server_connected", target=server, after=after)
    wake_on_commit("trading.read_settings", server.pk)
    return server


@transaction.atomic
def change_server(
    *, server_id: int, actor: Any, password: str = "", export_url: str = "", **fields: Any
) -> TradingServer:
    """Change a server; an empty password or export address keeps the old one, a dash takes the export away.

    Who: `trading.manage_servers`. Raises: NotAllowed, DomainError."""
    require_permission(actor, MANAGES)
    server = TradingServer.objects.select_for_update().get(pk=server_id)
    changes = {name: fields[name] for name in FIELDS if name in fields and getattr(server, name) != fields[name]}
    before = {name: str(getattr(server, name)) for name in changes}
    for name, value in changes.items():
        setattr(server, name, value)
    if not server.first_login <= server.next_login <= server.last_login + 1:
        server.next_login = server.first_login
    _check(server)
    if password:
        server.set_password(password)
    _set_export(server, export_url)
    server.save()
    after = {name: str(value) for name, value in changes.items()}
    if export_url:
        after["export"] = "changed" if server.reads_export else "none"
    audit.record(
        actor=actor, action="trading.server_changed", target=server, before=before,
        after={**after, "password": "changed"} if password else after,
    )  # fmt: skip
    wake_on_commit("trading.read_settings", server.pk)
    return server


def _set_export(server: TradingServer, url: str) -> None:
    if url == NO_EXPORT:
        server.set_export_url("")
    elif url:
        try:
            dialect_of(url).load()
            schema_of(urlsplit(url))
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


def _check(server: TradingServer) -> None:
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
        raise DomainError(_("The manager login is a number.") if kind.manager_pattern == r"\d+" else _(
            "%(name)s is missing or can't be.") % {"name": kind.manager_label or _("Manager login")})  # fmt: skip
    _check_options(kind, server)
    if server.first_login < 1 or server.last_login < server.first_login:
        raise DomainError(_("The login range must go upwards."))
    if TradingServer.objects.filter(name__iexact=server.name).exclude(pk=server.pk).exists():
        raise DomainError(_("Another server has this name."))
