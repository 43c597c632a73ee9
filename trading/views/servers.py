"""Set-up of trading servers: connect, change, try the connection."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.ui.views import StaffView
from trading import abilities, servers
from trading.choices import Ability, PlatformKind
from trading.forms_servers import ServerForm
from trading.models import TradingServer
from trading.platforms import pool
from trading.platforms.pool import ADAPTERS
from trading.views.steps import settings_of


class ServerList(StaffView):
    permission = servers.MANAGES

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "trading/servers.html", {"servers": TradingServer.objects.order_by("name")[:100]})


class ServerPage(StaffView):
    """One server's settings, or those of a new one."""

    permission = servers.MANAGES

    def get(self, request: HttpRequest, server_id: int | None = None) -> HttpResponse:
        server = self._server(server_id)
        kind = server.kind if server else self._kind(request.GET.get("kind", ""))
        return self._page(request, server, ServerForm(instance=server, kind=kind))

    def post(self, request: HttpRequest, server_id: int | None = None) -> HttpResponse:
        server = self._server(server_id)
        kind = server.kind if server else self._kind(request.POST.get("kind", ""))
        form = ServerForm(request.POST, instance=server, kind=kind)
        if form.is_valid():
            values = form.values()
            try:
                if server is None:
                    server = servers.connect_server(actor=request.user, **values)
                else:
                    servers.change_server(server_id=server.pk, actor=request.user, **values)
            except DomainError as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, _("Saved. Try the connection now."))
                return redirect("trading_server", server.pk)
        return self._page(request, server, form)

    @staticmethod
    def _kind(wanted: str) -> str:
        """The platform of a new server; MetaTrader 5 unless another is named."""
        return wanted if wanted in ADAPTERS else PlatformKind.MT5.value

    @staticmethod
    def _server(server_id: int | None) -> TradingServer | None:
        return None if server_id is None else get_object_or_404(TradingServer, pk=server_id)

    @staticmethod
    def _page(request: HttpRequest, server: TradingServer | None, form: ServerForm) -> HttpResponse:
        known = pool.kind_of(form.platform_kind)
        context = {
            "server": server, "form": form, "platforms": [(kind.value, kind.label) for kind in PlatformKind if kind in ADAPTERS],
            "unverified": [Ability(name).label for name in sorted(known.capabilities.unverified)],
            "not_there": [one.label for one in abilities.not_there(known.capabilities)],
            **(settings_of(server) if server else {}),
        }  # fmt: skip
        return render(request, "trading/server.html", context, status=422 if form.errors else 200)


class TryConnection(StaffView):
    """The doctor's findings, as a fragment below the form."""

    permission = servers.MANAGES

    def post(self, request: HttpRequest, server_id: int) -> HttpResponse:
        server = get_object_or_404(TradingServer, pk=server_id)
        checks = servers.try_connection(server_id=server.pk, actor=request.user)
        return render(request, "trading/_checks.html", {"server": server, "checks": checks})
