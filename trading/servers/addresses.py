"""Where a trading server or its export answers, changed by two people.

The manager's password is sent to that address, and what answers there is believed: balances, deals, logins. So one person
proposes the address, another approves it and types every secret again. A server that was never read is still being set up:
whoever connects it corrects it alone, with its secrets (`servers.change_server`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import approvals
from crm.approvals import Change
from crm.db.locking import lock
from crm.errors import DomainError
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import User
from crm.queue.enqueue import enqueue_on_commit
from trading.audit_codes import TradingAction
from trading.core.notices import TradingNotice
from trading.models import ServerAddressChange, TradingServer
from trading.platforms.pool import kind_of
from trading.servers import connection_settings


def place_of(url: str) -> str:
    """Strip user and password from an export's address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" + (
        f"?{parts.query}" if parts.query else ""
    )


def propose(
    server: TradingServer, where: connection_settings.Where, *, export_url: str, reason: str, actor: User
) -> None:
    """Write down a new address; in the caller's transaction, the server locked. Raises: WrongState, DomainError."""
    change = ServerAddressChange(
        server=server,
        host=where.host,
        port=where.port,
        transport=where.transport,
        options=where.options,
        export_place=place_of(export_url)[:300] if export_url else "",
        reason=reason,
    )
    approvals.propose(change, actor=actor)


class AddressApproval(approvals.ApprovalKind[ServerAddressChange]):
    """The server answers at the new address from now on, with the secrets given at the approval."""

    model = ServerAddressChange
    code = "server-address"
    label = gettext_lazy("Server address")
    asks = decides = connection_settings.MANAGES
    proposed, approved = TradingAction.SERVER_ADDRESS_PROPOSED, TradingAction.SERVER_ADDRESS_CHANGED
    rejected, withdrawn = TradingAction.SERVER_ADDRESS_REFUSED, TradingAction.SERVER_ADDRESS_WITHDRAWN
    notice = TradingNotice.SERVER_ADDRESS
    related = ("server",)
    one_open = ("server",)
    has_own_form = True

    def lock(self, pk: int) -> ServerAddressChange:
        """Lock the server before the change, in the order of everybody who sets it up."""
        server = lock(TradingServer, ServerAddressChange.objects.values_list("server_id", flat=True).get(pk=pk))
        change = super().lock(pk)
        change.server = server
        return change

    def apply(
        self,
        item: ServerAddressChange,
        actor: User,
        *,
        password: str = "",
        export_url: str = "",
        secret_options: Mapping[str, str] | None = None,
        **given: Any,
    ) -> None:
        """Move the server to the approved address. Raises: DomainError (a secret isn't entered again, the address can't
        be asked now)."""
        server = item.server
        kind, before = kind_of(server.kind), connection_settings.where_of(server)
        server.host, server.port, server.transport = item.host, item.port, item.transport
        others = {name: value for name, value in server.options.items() if name not in before.options}
        server.options = {**others, **item.options}
        new_secrets = connection_settings.keep_options(server, kind, secret_options or {})
        if connection_settings.where_of(server) != before:
            connection_settings.require_secrets_again(server, kind, password, new_secrets)
        if item.export_place and place_of(export_url) != item.export_place:
            raise DomainError(
                _("Enter the export's full address with user and password: %(place)s.") % {"place": item.export_place}
            )
        connection_settings.check(server)
        if password:
            server.set_password(password)
        if item.export_place:
            connection_settings.set_export(server, export_url)
        server.save()
        enqueue_on_commit("trading.read_settings", server.pk)

    def title(self, item: ServerAddressChange) -> LocalizedText:
        return phrase("%(server)s: new address") % {"server": item.server}

    def url(self, item: ServerAddressChange) -> str:
        return f"/trading/servers/{item.server_id}/"

    def changes(self, item: ServerAddressChange) -> list[Change]:
        server = item.server
        rows = [Change(_("Address"), f"{item.host}:{item.port}", f"{server.host}:{server.port}")]
        if item.transport != server.transport:
            rows.append(Change(_("Transport"), item.get_transport_display(), server.get_transport_display()))
        rows += [Change(name, value, server.options.get(name)) for name, value in item.options.items()]
        return [*rows, Change(_("SQL export"), item.export_place)] if item.export_place else rows

    def target(self, item: ServerAddressChange) -> TradingServer:
        return item.server

    def before(self, item: ServerAddressChange) -> dict[str, Any]:
        return {"host": item.server.host, "port": item.server.port}

    def after(self, item: ServerAddressChange) -> dict[str, Any]:
        return {
            "host": item.host,
            "port": item.port,
            "transport": item.transport,
            "options": item.options,
            "export": item.export_place,
        }
