"""Set-up of trading servers: connect, change, try the connection."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from crm import approvals
from crm.approvals.queries import proposal_of
from crm.choices import ApprovalState
from crm.ui.actions import run_action
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading.choices import Ability, PlatformKind
from trading.models import ServerAddressChange, TradingServer
from trading.platforms import capabilities, pool
from trading.platforms.pool import ADAPTERS
from trading.servers import connection_settings, verbs
from trading.servers.forms import ApproveAddressForm, ServerForm
from trading.sync.views.steps import settings_of


class ServerList(StaffView):
    permission = connection_settings.MANAGES

    def get(self, request: UserRequest) -> HttpResponse:
        return render(
            request, "trading/servers/servers.html", {"servers": TradingServer.objects.order_by("name")[:100]}
        )


class ServerPage(StaffView):
    """One server's settings, or those of a new one."""

    permission = connection_settings.MANAGES

    def get(self, request: UserRequest, server_id: int | None = None) -> HttpResponse:
        server = self._server(server_id)
        kind = server.kind if server else self._kind(request.GET.get("kind", ""))
        return self._page(request, server, ServerForm(instance=server, kind=kind))

    def post(self, request: UserRequest, server_id: int | None = None) -> HttpResponse:
        server = self._server(server_id)
        kind = server.kind if server else self._kind(request.POST.get("kind", ""))
        form = ServerForm(request.POST, instance=server, kind=kind)

        def save() -> TradingServer:
            if server is None:
                return verbs.connect_server(actor=request.user, **form.values())
            return verbs.change_server(server_id=server.pk, actor=request.user, **form.values())

        def message(saved: TradingServer) -> str:
            if _waiting(saved) is not None:
                return _("Server saved. The new address is awaiting second approval.")
            return _("Server saved. Test the connection now.")

        done = run_action(request, save, message, form=form, show_forbidden=True)
        if done:
            return redirect("trading_server", done.result.pk)
        return self._page(request, server, form)

    @staticmethod
    def _kind(kind: str) -> str:
        """Choose the platform of a new server; MetaTrader 5 unless another is named."""
        return kind if kind in ADAPTERS else PlatformKind.MT5.value

    @staticmethod
    def _server(server_id: int | None) -> TradingServer | None:
        return None if server_id is None else get_object_or_404(TradingServer, pk=server_id)

    @staticmethod
    def _page(request: UserRequest, server: TradingServer | None, form: ServerForm) -> HttpResponse:
        known = pool.kind_of(form.platform_kind)
        context = {
            "server": server,
            "form": form,
            "platforms": [(kind.value, kind.label) for kind in PlatformKind if kind in ADAPTERS],
            "unverified": [Ability(name).label for name in sorted(known.capabilities.unverified)],
            "not_there": [ability.label for ability in capabilities.not_there(known.capabilities)],
            **(settings_of(server) if server else {}),
            **_address_of(request, server),
        }
        return render(request, "trading/servers/server.html", context, status=422 if form.errors else 200)


def _waiting(server: TradingServer) -> ServerAddressChange | None:
    return server.address_changes.filter(state=ApprovalState.PENDING).select_related("requested_by").first()


def _address_of(request: UserRequest, server: TradingServer | None) -> dict[str, Any]:
    """Collect a new address that awaits approval, and what the reader may do about it."""
    change = _waiting(server) if server else None
    if server is None or change is None:
        return {}
    return {
        "change": change,
        "proposal": proposal_of(change, request.user),
        "approve_form": ApproveAddressForm(server=server, change=change, auto_id="approve_%s"),
    }


class ApproveAddress(StaffView):
    """Approve a server's new address, with its secrets typed again."""

    permission = connection_settings.MANAGES

    def post(self, request: UserRequest, change_id: int) -> HttpResponse:
        change = get_object_or_404(ServerAddressChange.objects.select_related("server"), pk=change_id)
        form = ApproveAddressForm(request.POST, server=change.server, change=change)
        values = form.values() if form.is_valid() else {}
        run_action(
            request,
            lambda: approvals.approve(ServerAddressChange, change.pk, actor=request.user, **values),
            _("Address changed. Test the connection now."),
            show_forbidden=True,
        )
        return redirect("trading_server", change.server_id)


class TryConnection(StaffView):
    """The doctor's findings, as a fragment below the form."""

    permission = connection_settings.MANAGES

    def post(self, request: UserRequest, server_id: int) -> HttpResponse:
        server = get_object_or_404(TradingServer, pk=server_id)
        done = run_action(
            request, lambda: verbs.try_connection(server_id=server.pk, actor=request.user), show_forbidden=True
        )
        return render(request, "trading/accounts/_checks.html", {"server": server, "checks": done.result})
