"""The page of a client's links: a picture and a list with why, how strongly and since when."""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render

from clients.queries import get_client
from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from risk.links.graph import HEIGHT, WIDTH, around

SEES: Final = "clients.view_linked_clients"


@staff_page(SEES)
def links(request: UserRequest, client_id: int) -> HttpResponse:
    """Show who is linked with a client."""
    client = get_client(request.user, client_id)
    access_log.note(
        user=request.user, kind=AccessKind.VIEW, brand_id=client.brand_id, client_id=client.pk, target="risk.links"
    )
    context = {
        "client": client,
        "links": around(request.user, client),
        "width": WIDTH,
        "height": HEIGHT,
        "middle_x": WIDTH // 2,
        "middle_y": HEIGHT // 2,
        "label_y": HEIGHT // 2 + 30,
    }
    return render(request, "risk/links/client.html", context)
