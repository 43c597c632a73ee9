"""`/r/<code>/`: what a partner shares, and `/r/in/<code>/`: what their network reports."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from crm import geo
from crm.accounts.network import client_ip
from ib import links
from ib.applications import applying
from ib.applications.door import application_page
from ib.choices import PartnerState
from ib.materials import banners
from ib.models import PostbackKey
from ib.partner_pages import sharing
from ib.sub_partners import offers
from ib.tracking import reports
from ib.tracking.choices import ReportState

# Programs that look at a link before a person does.
BOTS = ("bot", "crawler", "spider", "preview", "facebookexternalhit", "slurp")


@never_cache
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Count the click and lead on to registration, or the landing page that was shared, with the code and tags in the address.

    The page there remembers them. A language that was shared is set for the visitor.

    An unknown code leads to the entrance without a word: the visitor did nothing wrong.
    """
    agent = request.headers.get("user-agent", "").lower()
    target = sharing.target_of({name: value for name, value in request.GET.items() if isinstance(value, str)})
    counts = request.method == "GET" and not any(word in agent for word in BOTS)
    country = geo.country_of(client_ip(request)) if counts else ""
    link = links.follow(
        code.lower(), counts=counts, sub_id=target.tags.get("sub_id", ""), country=country, tags=target.tags
    )
    if link is None:
        return redirect("entrance")
    if counts and banners.BANNER in request.GET:
        banners.count_click(link, request.GET[banners.BANNER])
    is_good = link.is_active and link.partner.state == PartnerState.ACTIVE
    response = redirect(sharing.destination(link, target, with_code=is_good))
    if sharing.is_language(target.language):
        response.set_cookie(settings.LANGUAGE_COOKIE_NAME, target.language, samesite="Lax", secure=request.is_secure())
    return response


@never_cache
def join(request: HttpRequest, code: str) -> HttpResponse:
    """Show and take the application of somebody whom a partner invited to work below them."""
    offer = offers.offer_of_code(code)
    if offer is not None:
        request.brand = offer.partner.brand  # type: ignore[attr-defined]
        return application_page(request, offer.partner.brand, offer.partner, offer)
    link = applying.link_of_inviter(code)
    if link is None:
        return redirect("entrance")
    request.brand = link.partner.brand  # type: ignore[attr-defined]
    return application_page(request, link.partner.brand, link.partner)


@csrf_exempt
@never_cache
def report(request: HttpRequest, code: str) -> HttpResponse:
    """Take a click or conversion that an affiliate network reports; see `ib.tracking.reports`."""
    key = PostbackKey.objects.select_related("partner").filter(code=code).first()
    if key is None:
        return JsonResponse({"status": "unknown"}, status=404)
    taken = reports.receive(key=key, query=request.META.get("QUERY_STRING", ""))
    return JsonResponse({"status": taken.state}, status=403 if taken.state == ReportState.REFUSED else 200)
