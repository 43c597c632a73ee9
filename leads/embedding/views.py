"""The form of a landing page in another site's frame, and the code that puts it there.

A browser that keeps third parties' cookies back sends none from a frame, so that this page neither sets nor asks for one, and
Django's CSRF check, which compares a cookie, can't guard it. It needs no such guard: who is signed in isn't looked at, and what is
submitted is an enquiry of a stranger, as anybody may make one. Against robots, and against pages elsewhere that have their
visitors' browsers submit it, stand the signed stamp, the hidden field, the limits per address, and that a form comes from this
page's own origin, which a browser writes into `Origin` and no script can change.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from crm.security.scope import reach_of
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads import attribution
from leads.embedding.origins import LEAD_FORM_ORIGINS
from leads.models import LandingPage
from leads.views import public

TEMPLATE = "leads/embedding/form.html"


@csrf_exempt
@xframe_options_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def embedded_form(request: HttpRequest, brand_code: str, slug: str) -> HttpResponse:
    """Show the form alone, for a frame of the sites that the brand names, and take its enquiry; 404 where it names none."""
    page = public.find_page(request, brand_code, slug)
    origins = LEAD_FORM_ORIGINS.of(page.brand)
    if not origins:
        raise Http404
    request.brand = page.brand  # type: ignore[attr-defined]
    with public.speaking_of(request, page):
        response = _answer(request, page)
    response._csp_replace = {"frame-ancestors": list(origins)}  # type: ignore[attr-defined]
    return response


def _answer(request: HttpRequest, page: LandingPage) -> HttpResponse:
    if request.method == "POST":
        thanks = redirect(f"{request.path}?lang={page.language}&sent=1")
        refusal = "" if _is_own_origin(request) else _("Reload the page and submit the form again.")
        return public.enquire(request, page, thanks=thanks, template=TEMPLATE, refusal=refusal)
    if request.GET.get("sent") == "1":
        return render(request, "leads/embedding/thanks.html", {"page": page})
    return public.show_form(
        request, page, public.first_form(request, page), attribution.origin_of(request), template=TEMPLATE
    )


def _is_own_origin(request: HttpRequest) -> bool:
    """Check that a form was submitted from this page. A frame without an origin of its own (sandboxed) says “null”."""
    given = request.headers.get("Origin", "")
    return given == f"{request.scheme}://{request.get_host()}" or given in settings.CSRF_TRUSTED_ORIGINS


@staff_page("leads.view_landingpage")
@require_safe
def embed_code(request: UserRequest, pk: int) -> HttpResponse:
    """Show the code that puts a landing page's form on another site, and the sites that may show it."""
    page = get_object_or_404(
        LandingPage.objects.select_related("brand"), pk=pk, brand_id__in=reach_of(request.user).brands
    )
    form_url = request.build_absolute_uri(reverse("landing_embedded", args=[page.brand.code, page.slug]))
    context: dict[str, Any] = {
        "page": page,
        "origins": LEAD_FORM_ORIGINS.of(page.brand),
        "code": code_for(
            f"{form_url}?lang={page.language}", request.build_absolute_uri(f"{settings.STATIC_URL}js/embed.js")
        ),
    }
    return render(request, "leads/embedding/code.html", context)


def code_for(form_url: str, script_url: str) -> str:
    """Write the two lines for the other site's page."""
    return f'<div data-lead-form="{form_url}"></div>\n<script async src="{script_url}"></script>'
