"""Which client? The first step of what the "+" of the top bar creates for a client."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from clients.models import Client
from clients.queries import clients_visible_to
from clients.search import search_clients
from crm.choices import AccessKind
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui import panels
from crm.ui.views import staff_page, wants_fragment
from crm.web.requests import UserRequest

QUERY_MAX = 80
SHORTEST = 3
ROWS_MAX = 8


@staff_page("clients.view_client")
def choose_client(request: UserRequest, slug: str) -> HttpResponse:
    """Search the clients in reach; each leads on to the form. A search is logged like one on the list."""
    entries = panels.creations_for(request.user)
    entry = next((entry for entry in entries if entry.for_client and entry.slug == slug), None)
    if entry is None:
        raise Http404
    query, is_searched, clients = found_clients(request, target="choose_client")
    context = {
        "entry": entry,
        "query": query,
        "is_searched": is_searched,
        "rows": [(client, reverse(entry.url_name, args=[client.pk])) for client in clients],
        "action": reverse("choose_client", args=[slug]),
    }
    template = "clients/_choose_client.html" if wants_fragment(request) else "clients/choose_client.html"
    return render(request, template, context)


def found_clients(request: UserRequest, *, target: str, brand_id: int | None = None) -> tuple[str, bool, list[Client]]:
    """Return what was searched, whether that was enough to search, and the newest matches in reach. The search is logged."""
    query = request.GET.get("q", "").strip()[:QUERY_MAX]
    if len(query) < SHORTEST and not is_whole(query):
        return query, False, []
    rows = clients_visible_to(request.user).filter(**({"brand_id": brand_id} if brand_id else {}))
    matches = search_clients(rows, query).select_related("brand").order_by("-id")
    clients = list(matches.only("id", "first_name", "last_name", "stage", "country", "brand__name")[:ROWS_MAX])
    access_log.note(user=request.user, kind=AccessKind.SEARCH, target=target, rows=len(clients), reason=query)
    return query, True, clients
