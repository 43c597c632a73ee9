"""The first page after signing in, and where `/` leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from crm.accounts import home_url
from crm.models import User
from crm.ui import cockpits, panels
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


def entrance(request: HttpRequest) -> HttpResponseBase:
    """Lead from `/`: staff to their home, clients to the client portal, partners to theirs, strangers to the public site."""
    if isinstance(request.user, User):
        return redirect(home_url(request.user))
    return redirect("/b/")  # the brands' own pages: the host's brand, the only one, or a choice


@staff_page()
def home(request: UserRequest) -> HttpResponse:
    """Show the staff home: the cards that apps registered for this person's roles, as the person arranged them."""
    now = timezone.localtime()
    return render(
        request,
        "crm/pages/home.html",
        {
            "cockpit": cockpits.cockpit_of(request.user),
            "part_of_day": "morning" if now.hour < 12 else "afternoon" if now.hour < 18 else "evening",
            "today": now.date(),
        },
    )


@require_http_methods(["GET", "POST"])
@staff_page()
def home_cards(request: UserRequest) -> HttpResponseBase:
    """Choose which cards the home shows, and their order."""
    if request.method == "POST":
        order = request.POST.getlist("order")
        shown = set(request.POST.getlist("shown"))
        hidden = [slug for slug in order if slug not in shown]
        if "reset" in request.POST:
            order, hidden = [], []
        run_action(
            request,
            lambda: cockpits.arrange_cards(user=request.user, dashboard="home", order=order, hidden=hidden),
            _("Home updated."),
        )
        return redirect("home")
    tiles, hidden_slugs = cockpits.arrangement(request.user)
    context = {"cards": [(tile, tile.slug not in hidden_slugs) for tile in tiles if tile.title]}
    return render(
        request, "crm/pages/_home_cards.html" if wants_fragment(request) else "crm/pages/home_cards.html", context
    )


@require_GET
@staff_page()
def tile(request: UserRequest, dashboard: str, slug: str) -> HttpResponse:
    """Render one lazy tile, fetched after the page is on screen."""
    match = next((t for t in panels.tiles_for(request.user, dashboard) if t.slug == slug), None)
    context = match.load(request.user) if match else None
    if match is None:
        raise Http404
    if context is None:  # nothing to show: the place closes
        return HttpResponse()
    return render(request, match.template, {"tile": context})
