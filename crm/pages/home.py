"""The first page after signing in, and where `/` leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from crm.accounts import home_url
from crm.models import User
from crm.ui import panels
from crm.ui.views import staff_page

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


def entrance(request: HttpRequest) -> HttpResponseBase:
    """Lead from `/`: staff to their home, clients to the trader's room, partners to theirs, strangers to the public site."""
    if isinstance(request.user, User):
        return redirect(home_url(request.user))
    return redirect("/b/")  # the brands' own pages: the host's brand, the only one, or a choice


def _loaded(tile: panels.Tile, user: User) -> dict[str, Any] | None:
    if tile.lazy:
        return {"tile": tile, "context": None}
    context = tile.load(user)
    return None if context is None else {"tile": tile, "context": context}


@staff_page()
def home(request: UserRequest) -> HttpResponse:
    """Show the staff dashboard: the tiles that apps registered and this role may see."""
    tiles = [_loaded(tile, request.user) for tile in panels.tiles_for(request.user)]
    hour = timezone.localtime().hour
    return render(
        request,
        "crm/pages/home.html",
        {
            "tiles": [tile for tile in tiles if tile],
            "part_of_day": "morning" if hour < 12 else "afternoon" if hour < 18 else "evening",
        },
    )


@staff_page()
def tile(request: UserRequest, dashboard: str, slug: str) -> HttpResponse:
    """Render one lazy tile, fetched after the page is on screen."""
    match = next((t for t in panels.tiles_for(request.user, dashboard) if t.slug == slug), None)
    context = match.load(request.user) if match else None
    if match is None or context is None:
        raise Http404
    return render(request, match.template, {"tile": context})
