"""`/r/<code>/`: what a partner shares."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache

from ib import links
from ib.choices import PartnerState
from ib.models import ReferralLink

# Programs that look at a link before a person does.
BOTS = ("bot", "crawler", "spider", "preview", "facebookexternalhit", "slurp")


@never_cache
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Count the click and lead on to the brand's registration with the code in the address; the page there remembers it.

    An unknown code leads to the entrance without a word: the visitor did nothing wrong.
    """
    link = ReferralLink.objects.select_related("partner__brand").filter(code=code.lower()).first()
    if link is None:
        return redirect("entrance")
    agent = request.headers.get("user-agent", "").lower()
    if request.method == "GET" and not any(word in agent for word in BOTS):
        links.count(link, clicks=1)
    is_good = link.is_active and link.partner.state == PartnerState.ACTIVE
    return redirect(links.landing_url(link, with_code=is_good))
