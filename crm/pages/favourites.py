"""Favourites of the menu: pin and unpin a page, arrange them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from crm.errors import outcome_of
from crm.ui import favourites
from crm.ui.actions import run_action
from crm.ui.views import staff_page, wants_fragment
from crm.web.context import Furniture

if TYPE_CHECKING:
    from crm.web.requests import UserRequest


@require_POST
@staff_page()
def pin(request: UserRequest) -> HttpResponseBase:
    """Pin a page on top of the menu, or take it off. The star of the menu gets the new favourites, a form its page again."""
    change = favourites.pin_page if request.POST.get("is_pinned") else favourites.unpin_page
    done = outcome_of(lambda: change(user=request.user, page=request.POST.get("page", "")[:100]))
    here = request.POST.get("next", "")
    if wants_fragment(request):
        if not done:
            return HttpResponse(done.error.message, status=422, content_type="text/plain; charset=utf-8")
        return HttpResponse(Furniture(request).favourites_html(here))
    if not done:
        messages.error(request, done.error.message)
    is_ours = here.startswith("/") and url_has_allowed_host_and_scheme(here, allowed_hosts=None)
    return redirect(here if is_ours else "home")


@require_http_methods(["GET", "POST"])
@staff_page()
def arrange(request: UserRequest) -> HttpResponseBase:
    """Order the favourites, and remove some."""
    if request.method == "POST":
        kept = set(request.POST.getlist("kept"))
        pages = [page for page in request.POST.getlist("order") if page in kept]
        run_action(
            request, lambda: favourites.order_favourites(user=request.user, pages=pages), _("Favourites updated.")
        )
        return redirect("home")
    context = {"favourites": favourites.favourites_of(request.user)}
    template = "crm/pages/_favourites_form.html" if wants_fragment(request) else "crm/pages/favourites.html"
    return render(request, template, context)
