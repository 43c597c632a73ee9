"""`/r/<code>/`: what a partner shares."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from ib import links
from ib.choices import PartnerState
from ib.models import ReferralLink

COOKIE = "keelson_ref"
COOKIE_SECONDS = 30 * 24 * 3600
# Programs that look at a link before a person does.
BOTS = ("bot", "crawler", "spider", "preview", "facebookexternalhit", "slurp")


@never_cache
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Count the click and lead on to the brand's registration, with the code in the address and a cookie for 30 days.

    An unknown code leads to the entrance without a word: the visitor did nothing wrong.
    """
    link = ReferralLink.objects.select_related("partner__brand").filter(code=code.lower()).first()
    if link is None:
        return redirect("entrance")
    agent = request.headers.get("user-agent", "").lower()
    if request.method == "GET" and not any(word in agent for word in BOTS):
        links.count(link, clicks=1)
    is_good = link.is_active and link.partner.state == PartnerState.ACTIVE
    response = redirect(links.landing_url(link, with_code=is_good))
    if is_good:
        response.set_cookie(
            COOKIE, link.code, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
        )
    return response
