"""Connecting trading servers. Credentials are encrypted at once and never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from crm.db.locking import lock
from crm.errors import DomainError
from crm.models import Actor, User
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require_permission
from trading.audit_codes import TradingAction
from trading.models import TradingServer
from trading.platforms.errors import PlatformError
from trading.platforms.pool import kind_of
from trading.servers import addresses
from trading.servers.connection_settings import (
    MANAGES,
    NO_EXPORT,
    Where,
    _given,
    check,
    keep_options,
    require_secrets_again,
    set_export,
    where_of,
)
from trading.servers.diagnostics import Check, examine

FIELDS: Final[tuple[str, ...]] = (
    "name",
    "kind",
    "host",
    "port",
    "manager_login",
    "transport",
    "crypt_method",
    "certificate",
    "path_prefix",
    "balance_command",
    "options",
    "withheld",
    "time_zone",
    "group_mask",
    "first_login",
    "last_login",
    "is_demo",
    "is_enabled",
)


@transaction.atomic
def connect_server(
    *, actor: Actor, password: str, export_url: str = "", secret_options: Mapping[str, str] | None = None, **fields: Any
) -> TradingServer:
    """Add a server. A platform whose servers keep one clock brings its time zone. `secret_options`: the platform's own
    settings that are secrets, by name.

    Who: `trading.manage_servers`. Raises: NotAllowed, DomainError for values that can't be.
    """
    require_permission(actor, MANAGES)
    server = TradingServer(**{name: fields[name] for name in FIELDS if name in fields})
    kind = kind_of(server.kind)
    if not password:
        raise DomainError(_("%(name)s is required.") % {"name": kind.secret_label or _("Manager's API password")})
    server.time_zone = fields.get("time_zone") or kind.time_zone or server.time_zone
    server.next_login = server.first_login
    keep_options(server, kind, secret_options or {})
    check(server)
    server.set_password(password)
    set_export(server, export_url)
    server.save()
    after = {name: str(getattr(server, name)) for name in FIELDS} | {"reads_export": str(server.reads_export)}
    audit.record(actor=actor, action=TradingAction.SERVER_CONNECTED, target=server, after=after)
    enqueue_on_commit("trading.read_settings", server.pk)
    return server


@transaction.atomic
def change_server(
    *,
    server_id: int,
    actor: User,
    password: str = "",
    export_url: str = "",
    reason: str = "",
    secret_options: Mapping[str, str] | None = None,
    **fields: Any,
) -> TradingServer:
    """Change a server; an empty password, secret option or export address keeps the old one, a dash takes the export away.

    A server stays what it is: another platform is another server. A new address of a server that is in use, or of its
    export, waits for a second person, who enters the secrets (`server_addresses`); the rest is changed at once.
    Who: `trading.manage_servers`. Raises: NotAllowed, WrongState, DomainError."""
    require_permission(actor, MANAGES)
    server = lock(TradingServer, server_id)
    if fields.get("kind", server.kind) != server.kind:
        raise DomainError(_("A server's platform can't be changed. Connect a new server instead."))
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
        actor=actor,
        action=TradingAction.SERVER_CHANGED,
        target=server,
        before=before,
        after={**after, "password": "changed"} if password else after,
    )
    enqueue_on_commit("trading.read_settings", server.pk)
    return server


def _propose_address(
    server: TradingServer, where: Where, has_secrets: bool, export_url: str, reason: str, actor: User
) -> None:
    """Put the server back to where it was; the new address waits for a second person. Raises: DomainError, WrongState."""
    if has_secrets:
        raise DomainError(_("Leave the secrets empty. The person who approves the new address enters them."))
    new_place, stored = where_of(server), TradingServer.objects.get(pk=server.pk)
    _keep_where(server, where)
    if export_url != NO_EXPORT:
        server.credentials, server.reads_export = stored.credentials, stored.reads_export
    url = "" if export_url == NO_EXPORT else export_url
    addresses.propose(server, new_place, export_url=url, reason=reason, actor=actor)


def is_being_set_up(server: TradingServer) -> bool:
    """Tell whether nothing was ever read from it and nobody has an account there."""
    return not server.cursors.filter(read_at__isnull=False).exists() and not server.accounts.exists()


def _keep_where(server: TradingServer, where: Where) -> None:
    """Put the server back to where it was, until a second person approves the new address."""
    server.host, server.port, server.transport = where.host, where.port, where.transport
    moved = where_of(server).options
    server.options = {name: value for name, value in server.options.items() if name not in moved} | where.options


def try_connection(*, server_id: int, actor: Actor) -> list[Check]:
    """Run the doctor's read-only checks. Not in a transaction: it talks to the server.

    Who: `trading.manage_servers`. Raises: NotAllowed, DomainError for settings that no connection can be made from.
    """
    require_permission(actor, MANAGES)
    server = TradingServer.objects.get(pk=server_id)
    try:
        return list(examine(server))
    except PlatformError as problem:  # a row that was saved before its options were checked: no connection can be made
        raise DomainError(_("The connection can't be set up: %(reason)s.") % {"reason": problem.message}) from problem
