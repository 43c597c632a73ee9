"""The dealing desk's pages: winners and losers, exposure, who holds a symbol."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.choices import AccessKind
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.exports import defuse
from crm.ui.views import StaffView
from crm.web.requests import UserRequest
from trading.choices import Period
from trading.risk import dealing

SYMBOLS_BESIDE = 12
EXPORTS = "clients.export_client"


def chosen_view(request: UserRequest) -> tuple[dealing.View | None, dict[str, Any]]:
    """Read brand, server, period and its first day from the address, with what else could be chosen."""
    user = request.user
    brands = dealing.brands_of(user)
    brand = next((b for b in brands if b.code == request.GET.get("brand")), brands[0] if brands else None)
    if brand is None:
        return None, {"brands": []}
    servers = dealing.servers_of(brand)
    server = next((s for s in servers if str(s.pk) == request.GET.get("server")), None)
    period_name = request.GET.get("period", "")
    period = Period(period_name) if period_name in Period.values else Period.DAY
    today = timezone.now().astimezone(dt.UTC).date()
    try:
        day = min(dt.date.fromisoformat(request.GET.get("start", "")), today)
    except ValueError:
        day = today
    start = dealing.start_of(period, day)
    following = dealing.next_start(period, start)
    view = dealing.View(user, brand, server, period, start)
    return view, {
        "view": view,
        "brands": brands,
        "brand": brand,
        "servers": servers,
        "server": server,
        "periods": list(Period),
        "period": period,
        "start": start,
        "last": following - dt.timedelta(days=1),
        "is_current": following > today,
        "previous": dealing.previous_start(period, start),
        "next": following if following <= today else None,
    }


class DealingPage(StaffView):
    """Who won and who lost in a day, week or month; `?by=client` sums a client's accounts. `?export=csv`: everyone."""

    permission = dealing.SEES

    def get(self, request: UserRequest) -> HttpResponse:
        view, context = chosen_view(request)
        by_client = request.GET.get("by") == "client"
        if view is None:
            return render(request, "trading/risk/dealing.html", context)
        if request.GET.get("export") == "csv":
            return _results_csv(request, view, by_client=by_client)
        winners, losers = dealing.both_ends(view, by_client=by_client)
        held = dealing.exposure(view)
        value, floating = dealing.sum_of(held)
        context |= {
            "by_client": by_client,
            "winners": winners,
            "losers": losers,
            "totals": dealing.totals(view),
            "held": held[:SYMBOLS_BESIDE],
            "value": value,
            "floating": floating,
            "may_export": request.user.has_perm(EXPORTS),
        }
        return render(request, "trading/risk/dealing.html", context)


class ExposurePage(StaffView):
    """What clients hold, per symbol."""

    permission = dealing.SEES

    def get(self, request: UserRequest) -> HttpResponse:
        view, context = chosen_view(request)
        rows = dealing.exposure(view) if view else []
        if view and request.GET.get("export") == "csv":
            heads = [
                _("Symbol"),
                _("Long lots"),
                _("Short lots"),
                _("Net lots"),
                _("Positions"),
                _("Clients"),
                _("Profit"),
                _("Net value"),
                _("Currency"),
            ]
            lines = (
                [
                    row.symbol,
                    row.long_lots,
                    row.short_lots,
                    row.net_lots,
                    row.positions,
                    row.clients,
                    row.profit,
                    "" if row.value is None else row.value,
                    view.brand.base_currency,
                ]
                for row in rows
            )
            return _csv(request, view, "exposure", heads, list(lines))
        value, profit = dealing.sum_of(rows)
        context |= {"rows": rows, "value": value, "profit": profit, "may_export": request.user.has_perm(EXPORTS)}
        return render(request, "trading/risk/exposure.html", context)


class HoldersPage(StaffView):
    """Who holds a symbol, the largest net first."""

    permission = dealing.SEES

    def get(self, request: UserRequest, symbol: str) -> HttpResponse:
        view, context = chosen_view(request)
        if view is None:
            raise Http404
        rows = dealing.holders(view, symbol)
        if request.GET.get("export") == "csv":
            heads = [
                _("Client"),
                _("Login"),
                _("Long lots"),
                _("Short lots"),
                _("Net lots"),
                _("Positions"),
                _("Profit"),
                _("Currency"),
                _("Margin level"),
            ]
            lines = (
                [
                    row.client,
                    row.login,
                    row.long_lots,
                    row.short_lots,
                    row.net_lots,
                    row.positions,
                    row.profit,
                    view.brand.base_currency,
                    row.margin_level if row.has_margin else "",
                ]
                for row in rows
            )
            return _csv(request, view, "holders", heads, list(lines))
        whole = next((entry for entry in dealing.exposure(view) if entry.symbol == symbol), None)
        context |= {"symbol": symbol, "rows": rows, "whole": whole, "may_export": request.user.has_perm(EXPORTS)}
        return render(request, "trading/cap_breaches/holders.html", context)


def _results_csv(request: UserRequest, view: dealing.View, *, by_client: bool) -> HttpResponse:
    heads = [
        _("Client"),
        _("Login"),
        _("Accounts"),
        _("Trades"),
        _("Winning trades"),
        _("Lots"),
        _("Net"),
        _("Floating P/L"),
        _("Current equity"),
        _("Currency"),
        _("From"),
    ]
    lines = (
        [
            row.client,
            "" if by_client else row.login,
            row.accounts,
            row.trades,
            row.wins,
            row.lots,
            row.net,
            row.floating,
            row.equity,
            view.brand.base_currency,
            view.start,
        ]
        for row in dealing.whole(view, by_client=by_client)
    )
    return _csv(request, view, "results", heads, list(lines))


def _csv(
    request: UserRequest, view: dealing.View, name: str, heads: Sequence[str], lines: Sequence[Iterable[Any]]
) -> HttpResponse:
    """Send a bounded list as a download, access-logged first. Raises: NotAllowed without the right to export."""
    user = request.user
    require_permission(user, EXPORTS)
    access_log.note(
        user=user,
        kind=AccessKind.EXPORT,
        target=f"trading.{name}",
        brand_id=view.brand.pk,
        rows=len(lines),
        reason=request.GET.urlencode(),
    )
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([defuse(value) if isinstance(value, str) else value for value in line] for line in lines)
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{view.brand.code}-{view.start}.csv"'
    response["Cache-Control"] = "no-store"
    return response
