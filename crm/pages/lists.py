"""How a person likes a list: the dialog for columns and saved views, behind the button of every table."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from crm.errors import DomainError
from crm.models import SavedView
from crm.ui import layouts
from crm.ui.actions import run_action
from crm.ui.panels import allows
from crm.ui.tables import RESERVED, Table, table_named
from crm.ui.views import staff_page

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


def _table(request: UserRequest, name: str) -> Table:
    table_class = table_named(name)
    if table_class is None or not table_class.is_adjustable or not allows(table_class.permission, request.user):
        raise Http404
    return table_class(request.user, request.GET or request.POST)


def _back(path: str, query: str = "") -> HttpResponse:
    """Reload the list the dialog was opened on."""
    safe = path if url_has_allowed_host_and_scheme(path, allowed_hosts=None) and path.startswith("/") else "/"
    response = HttpResponse(status=204)
    response["HX-Redirect"] = f"{safe}?{query}" if query else safe
    return response


def _kept(source: QueryDict) -> str:
    """Pick the list's own parameters out of a form's: not the paging, not the dialog's own fields."""
    mine = (RESERVED - {"q", "sort"}) | {"path", "csrfmiddlewaretoken", "columns", "name", "for_desk"}
    return urlencode([(k, v) for k, values in source.lists() for v in values if k not in mine and v])


def _dialog(
    request: UserRequest,
    table: Table,
    path: str,
    query: str,
    *,
    error: str = "",
    name: str = "",
    for_desk: bool = False,
) -> HttpResponse:
    shown = [column.name for column in table.shown_columns]
    rest = [column for column in table.allowed_columns if column.name not in shown]
    context = {
        "table": table,
        "path": path,
        "query": query,
        "error": error,
        "name": name,
        "for_desk": for_desk,
        "columns": [(column, True) for column in table.shown_columns] + [(column, False) for column in rest],
        "views": [view for view in table.layout.views if view.owner_id == request.user.pk],
    }
    return render(request, "crm/ui/_table_settings.html", context, status=422 if error else 200)


@staff_page()
@require_GET
def settings(request: UserRequest, name: str) -> HttpResponse:
    """Show the dialog for a list's columns and saved views."""
    table = _table(request, name)
    return _dialog(request, table, request.GET.get("path", "/"), _kept(request.GET))


@staff_page()
@require_POST
def columns(request: UserRequest, name: str) -> HttpResponse:
    """Choose the columns, for every visit to this list; none chosen means the list's own choice."""
    table = _table(request, name)
    allowed = [column.name for column in table.allowed_columns]
    chosen = [c for c in request.POST.getlist("columns") if c in allowed] if "reset" not in request.POST else []
    run_action(request, lambda: layouts.choose_columns(user=request.user, table=name, columns=chosen))
    return _back(request.POST.get("path", "/"), request.POST.get("query", ""))


@staff_page()
@require_POST
def save(request: UserRequest, name: str) -> HttpResponse:
    """Save the list as it is now as a view; a refusal is shown in the dialog, beside the name."""
    table = _table(request, name)
    path, query, title = (request.POST.get(key, "") for key in ("path", "query", "name"))
    for_desk = "for_desk" in request.POST
    shown = [column.name for column in table.shown_columns]
    saved = run_action(
        request,
        lambda: layouts.save_view(
            user=request.user, table=name, name=title, query=query, for_desk=for_desk, columns=shown
        ),
        unshown=DomainError,  # the dialog shows it beside the name
    )
    if not saved:
        return _dialog(request, table, path, query, error=saved.message, name=title, for_desk=for_desk)
    view = f"view={saved.result.pk}"
    return _back(path, f"{query}&{view}" if query else view)


@staff_page()
@require_POST
def delete(request: UserRequest, name: str, pk: int) -> HttpResponse:
    """Delete one's own saved view, and reload the list."""
    try:
        run_action(request, lambda: layouts.delete_view(user=request.user, view_id=pk))
    except SavedView.DoesNotExist:
        raise Http404
    return _back(request.POST.get("path", "/"), request.POST.get("query", ""))
