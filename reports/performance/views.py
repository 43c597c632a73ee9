"""Pages of people's figures: the rows behind one, and the leaderboard."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers

from crm.choices import AccessKind
from crm.models import User
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest
from reports import origins, people
from reports.filters import FilterForm, Selection
from reports.links import Links
from reports.performance.definitions import BY_CODE, RANKED
from reports.performance.leaderboard import ROWS_MAX, boards
from reports.performance.rows import SHOWN_MAX, agent_in_reach, client_days, rows_behind, sees_rows


def _agent(chosen: Selection, number: str) -> User | None:
    """Read whose rows are asked for. Raises: Http404 for somebody out of reach."""
    if not number or number == people.NO_AGENT:
        return None
    agent = agent_in_reach(chosen, int(number)) if is_whole(number) and len(number) < 18 else None
    if agent is None:
        raise Http404
    return agent


@staff_page(sees_rows)
def behind(request: UserRequest, code: str) -> HttpResponse:
    """Show the client days that a figure is added up from. Who is shown is in the access log."""
    figure = BY_CODE.get(code)
    if figure is None:
        raise Http404
    form = FilterForm(request.GET, user=request.user)
    chosen, number = form.selection(), request.GET.get("agent", "")
    agent = _agent(chosen, number)
    days = client_days(chosen, agent.pk if agent else None, is_anyone=not number)
    rows = rows_behind(request.user, figure, days)
    named = sum(row.client is not None for row in rows.shown)
    access_log.note(user=request.user, kind=AccessKind.SEARCH, target=f"reports.behind.{code}", rows=named)
    context: dict[str, Any] = {
        "figure": figure,
        "rows": rows,
        "agent": agent,
        "is_pool": number == people.NO_AGENT,
        "most": SHOWN_MAX,
        "form": form,
        "selection": chosen,
        "has_period": True,
        "path": request.path,
        "kept": {"agent": number} if number else {},
        "back": f"{reverse('reports_performance')}?{chosen.query()}",
        "refreshed_at": origins.refreshed_at(),
    }
    return _board(request, "behind", context, chosen.query(agent=number))


@staff_page("reports.view_performance")
def leaderboard(request: UserRequest) -> HttpResponse:
    """Rank the agents in reach by one figure; this month's FTDs where nothing is chosen."""
    given = request.GET.copy()
    if not given.get("period") and not (given.get("first") or given.get("last")):
        given["period"] = "month"
    form = FilterForm(given, user=request.user, narrows=("brand", "desk"))
    chosen = form.selection()
    figure = next((figure for figure in RANKED if figure.code == request.GET.get("figure")), RANKED[0])
    kept = {"figure": figure.code} if figure != RANKED[0] else {}
    context: dict[str, Any] = {
        "figure": figure,
        "figures": [(one, chosen.query(figure=one.code if one != RANKED[0] else "")) for one in RANKED],
        "others": [one for one in RANKED if one != figure],
        "defined": RANKED,
        "boards": boards(chosen, Links.of(request.user, chosen), figure),
        "most": ROWS_MAX,
        "form": form,
        "selection": chosen,
        "has_period": True,
        "has_comparison": True,
        "path": request.path,
        "kept": kept,
        "refreshed_at": origins.refreshed_at(),
    }
    return _board(request, "leaderboard", context, chosen.query(**kept))


def _board(request: UserRequest, folder: str, context: dict[str, Any], query: str) -> HttpResponse:
    """Render a page of `reports/`, or its board alone where the filter asks for it; then the address follows the filter."""
    is_part = wants_fragment(request)
    response = render(request, f"reports/{folder}/{'_board' if is_part else 'page'}.html", context)
    patch_vary_headers(response, ["HX-Request"])
    if is_part:
        response["HX-Push-Url"] = f"{request.path}?{query}"
    return response
