"""Where a trading server or its export answers, changed by two people.

The manager's password is sent to that address, and what answers there is believed: balances, deals, logins. So one person
proposes the address, another approves it and types every secret again. A server that was never read is still being set up:
whoever connects it corrects it alone, with its secrets (`servers.change_server`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.audit_codes import AuditCode
from crm.errors import DomainError, NotAllowed, WrongState
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify, people_with
from crm.queue.enqueue import enqueue_on_commit
from crm.security import audit
from crm.security.policies import require_permission
from trading.audit_codes import TradingAction
from trading.choices import DecisionState
from trading.models import ServerAddressChange, TradingServer
from trading.platforms.pool import kind_of
from trading.servers import connection_settings


def place_of(url: str) -> str:
    """An export's address without its user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" + (
        f"?{parts.query}" if parts.query else ""
    )


def propose(
    server: TradingServer, where: connection_settings.Where, *, export_url: str, reason: str, actor: User
) -> None:
    """Write down a new address; in the caller's transaction, the server locked. Raises: WrongState, DomainError."""
    if not reason.strip():
        raise DomainError(_("Enter a reason for the new address: a second person approves it."))
    if server.address_changes.filter(state=DecisionState.WAITING).exists():
        raise WrongState(_("A new address is already awaiting second approval."))
    change = ServerAddressChange.objects.create(
        server=server,
        host=where.host,
        port=where.port,
        transport=where.transport,
        options=where.options,
        export_place=place_of(export_url)[:300] if export_url else "",
        reason=reason.strip()[:300],
        requested_by=actor,
        requested_at=timezone.now(),
    )
    _record(change, TradingAction.SERVER_ADDRESS_PROPOSED, actor, reason)
    notify(
        [pk for pk in people_with(connection_settings.MANAGES) if pk != actor.pk],
        kind="trading.server_address",
        title=phrase("%(server)s: a new address awaits second approval") % {"server": server},
        body=change.reason,
        url=f"/trading/servers/{server.pk}/",
        dedupe_key=f"server-address:{change.pk}",
    )


@transaction.atomic
def approve_address(
    *,
    change_id: int,
    actor: User,
    password: str = "",
    export_url: str = "",
    note: str = "",
    secret_options: Mapping[str, str] | None = None,
) -> ServerAddressChange:
    """The server answers at the new address from now on, with the secrets given here.

    Who: `trading.manage_servers`, and not who proposed it.
    Raises: NotAllowed, WrongState, DomainError (a secret isn't given again, the address can't be asked any more).
    """
    change, server = _for_decision(change_id, actor)
    kind, before = kind_of(server.kind), connection_settings.where_of(server)
    server.host, server.port, server.transport = change.host, change.port, change.transport
    kept = {name: value for name, value in server.options.items() if name not in before.options}
    server.options = {**kept, **change.options}
    new_secrets = connection_settings.keep_options(server, kind, secret_options or {})
    if connection_settings.where_of(server) != before:
        connection_settings.require_secrets_again(server, kind, password, new_secrets)
    if change.export_place and place_of(export_url) != change.export_place:
        raise DomainError(
            _("Enter the address of the export with its user and password: %(place)s.") % {"place": change.export_place}
        )
    connection_settings.check(server)
    if password:
        server.set_password(password)
    if change.export_place:
        connection_settings.set_export(server, export_url)
    server.save()
    _decide(change, DecisionState.APPROVED, actor, note)
    _record(
        change, TradingAction.SERVER_ADDRESS_CHANGED, actor, note, before={"host": before.host, "port": before.port}
    )
    enqueue_on_commit("trading.read_settings", server.pk)
    return change


@transaction.atomic
def refuse_address(*, change_id: int, actor: User, note: str) -> ServerAddressChange:
    """Who: as for approving. Raises: NotAllowed, WrongState, DomainError without a note."""
    change, _server = _for_decision(change_id, actor)
    if not note.strip():
        raise DomainError(_("Enter a note: why is it refused?"))
    _decide(change, DecisionState.REFUSED, actor, note)
    _record(change, TradingAction.SERVER_ADDRESS_REFUSED, actor, note)
    return change


@transaction.atomic
def withdraw_address(*, change_id: int, actor: User, note: str = "") -> ServerAddressChange:
    """Who: the one who proposed it, while nobody has decided."""
    change, _server = _locked(change_id)
    require_permission(actor, connection_settings.MANAGES)
    if change.requested_by_id != actor.pk:
        raise NotAllowed(_("Only the person who proposed it can withdraw it, before a decision."))
    _decide(change, DecisionState.WITHDRAWN, actor, note)
    _record(change, TradingAction.SERVER_ADDRESS_WITHDRAWN, actor, note)
    return change


def _for_decision(change_id: int, actor: User) -> tuple[ServerAddressChange, TradingServer]:
    require_permission(actor, connection_settings.MANAGES)
    change, server = _locked(change_id)
    if change.requested_by_id == actor.pk:
        raise NotAllowed(_("A second person must approve what you proposed."))
    return change, server


def _locked(change_id: int) -> tuple[ServerAddressChange, TradingServer]:
    """The server first, as everybody who sets it up does. Raises: WrongState when it was decided."""
    server_id = ServerAddressChange.objects.values_list("server_id", flat=True).get(pk=change_id)
    server = TradingServer.objects.select_for_update().get(pk=server_id)
    change = ServerAddressChange.objects.select_for_update(of=["self"]).get(pk=change_id)
    change.server = server
    if change.state != DecisionState.WAITING:
        raise WrongState(_("This was decided already."))
    return change, server


def _decide(change: ServerAddressChange, state: DecisionState, actor: Actor, note: str) -> None:
    change.state, change.decided_by, change.decided_at = state, actor, timezone.now()
    change.decision_note = note.strip()[:300]
    change.save()


def _record(
    change: ServerAddressChange,
    action: AuditCode,
    actor: Actor,
    reason: str,
    *,
    before: Mapping[str, Any] | None = None,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=change.server,
        reason=reason,
        before=dict(before or {}),
        after={
            "host": change.host,
            "port": change.port,
            "transport": change.transport,
            "options": change.options,
            "export": change.export_place,
            "state": change.state,
        },
    )
