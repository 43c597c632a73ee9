"""What every list can do besides showing itself: columns, saved views, row height, the side panel, a state changed in its row."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from crm.errors import DomainError, outcome_of
from crm.models import SavedView
from crm.money.numbers import is_whole
from crm.ui import layouts
from crm.ui.actions import run_action
from crm.ui.columns import Column
from crm.ui.panels import allows
from crm.ui.people_columns import StatusColumn
from crm.ui.preferences import set_preference
from crm.ui.tables import RESERVED, Table, table_named
from crm.ui.views import staff_page

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


def _table(request: UserRequest, name: str) -> Table:
    table_class = table_named(name)
    if table_class is None or not table_class.is_adjustable or not allows(table_class.permission, request.user):
        raise Http404
    return table_class(request.user, request.GET or request.POST, is_choosing=True)


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


def _by_group(columns: list[tuple[Column, bool]]) -> dict[str, list[tuple[Column, bool]]]:
    """Put the columns under their headings: the list's own and what is shown first, under none."""
    groups: dict[str, list[tuple[Column, bool]]] = {"": []}
    for column, is_shown in columns:
        groups.setdefault("" if is_shown else str(column.group), []).append((column, is_shown))
    return groups


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
        "columns": _by_group([(column, True) for column in table.shown_columns] + [(column, False) for column in rest]),
        "views": [
            {"pk": view.pk, "name": view.name, "owner_id": view.owner_id, "words": tab.words}
            for view, tab in zip(table.layout.views, table.view_tabs, strict=True)
        ],
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


@staff_page()
@require_POST
def default(request: UserRequest, name: str) -> HttpResponse:
    """Choose the view that the list opens with; the same again goes back to the whole list."""
    table = _table(request, name)
    sent = request.POST.get("view", "")
    view_id = int(sent) if is_whole(sent) else None
    usual = table.layout.default
    try:
        layouts.choose_default(
            user=request.user, table=name, view_id=None if usual is not None and usual.pk == view_id else view_id
        )
    except SavedView.DoesNotExist:
        raise Http404
    return _back(request.POST.get("path", "/"), request.POST.get("query", "") or "view=all")


@staff_page()
@require_POST
def density(request: UserRequest) -> HttpResponse:
    """Choose the height of rows, for all lists and all devices of this person."""
    chosen = "comfortable" if request.POST.get("density") == "comfortable" else ""
    set_preference(user=request.user, section="lists", key="density", value=chosen)
    return HttpResponse(status=204)


def _list(request: UserRequest, name: str, query: QueryDict) -> Table:
    table_class = table_named(name)
    if table_class is None or not allows(table_class.permission, request.user):
        raise Http404
    return table_class(request.user, query)


def _row(table: Table, pk: int) -> Any:
    """Find a row of a list that its user sees, whatever the list's filters; 404 for any other."""
    row = table.queryset().filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


@staff_page()
@require_GET
def peek(request: UserRequest, name: str, pk: int) -> HttpResponse:
    """Show a row's summary in the side panel. It is a view of the record, and logged as one."""
    table = _list(request, name, request.GET)
    if table.peek is None:
        raise Http404
    row = _row(table, pk)
    url = table.link_to(row)
    if not url:
        raise Http404
    table.peek.note(request, row)
    context = {"row": row, "table": table, "url": url, **table.peek.context(request, row)}
    return render(request, table.peek.template, context)


@staff_page()
@require_POST
def move(request: UserRequest, name: str, pk: int) -> HttpResponse:
    """Move a row's state by its column's verb, and answer with the row as it is then and a notice of what happened."""
    query = QueryDict(request.POST.get("query", ""))
    table = _list(request, name, query)
    column = next((one for one in table.allowed_columns if one.name == request.POST.get("column")), None)
    if not isinstance(column, StatusColumn) or column.verb is None:
        raise Http404
    row = _row(table, pk)
    verb, before, to = column.verb, str(column.read(row)), request.POST.get("to", "")
    done = outcome_of(lambda: verb(row, to, request.user))
    notice: dict[str, Any] = (
        {"title": _("Not changed"), "body": done.error.message, "tone": "danger"} if not done else {"tone": "success"}
    )
    table = type(table)(request.user, query)
    fresh = table.lean(table.queryset()).filter(pk=pk).first()
    if done and fresh is not None:
        notice["title"] = f"{column.label}: {column.plain(fresh, table)}"
        if before in [str(choice) for choice in column.moves(table, to)]:
            notice["undo"] = {
                "label": _("Undo"),
                "url": reverse("table_move", args=[name, pk]),
                "values": {"column": column.name, "to": before, "query": request.POST.get("query", "")},
                "row": str(pk),
            }
    response = HttpResponse(table.cells.line(fresh) if fresh is not None else "")
    response["HX-Trigger"] = json.dumps({"k:toast": notice})
    return response
