"""Which brand a public page belongs to: from its address `/b/<brand>/…`, or from the host name a brand has."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation

from crm.i18n.languages import base_of, variant_of
from crm.models import Brand
from portal.brand_policies import PORTAL_HOSTS

HOSTS_KEY, HOSTS_SECONDS = "portal:hosts", 60
COOKIE, COOKIE_SECONDS = "brand", 365 * 86_400

View = Callable[..., HttpResponse]


def brand_page(view: View) -> View:
    """Guard views at `/b/<brand>/…`: find the brand, use its colours, and its language where the reader chose none.

    A cookie leads this browser back to the same brand.
    """

    @functools.wraps(view)
    def of_brand(request: HttpRequest, brand: str, *args: Any, **kwargs: Any) -> HttpResponse:
        row = Brand.objects.filter(code=brand).first()
        if row is None:
            raise Http404
        request.brand = row  # type: ignore[attr-defined]
        with translation.override(language_of(request, row)):
            request.LANGUAGE_CODE = translation.get_language() or settings.LANGUAGE_CODE
            response = view(request, row, *args, **kwargs)
            if hasattr(response, "render"):
                response.render()  # while the language is the brand's
        response.set_cookie(
            COOKIE, row.code, max_age=COOKIE_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure()
        )
        return response

    return of_brand


def language_of(request: HttpRequest, brand: Brand) -> str:
    """Choose the reader's language: the chosen one, or the browser's where the brand offers it; else the brand's own."""
    own = brand.default_language
    chosen = variant_of(request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), own)
    if chosen:
        return chosen
    reader = translation.get_language() or ""
    if variant_of(reader) and (base_of(reader) in map(base_of, brand.languages) or not brand.languages):
        # Browsers say American English all over the world: the brand's own English counts.
        return variant_of(base_of(reader), own)
    return variant_of(own) or settings.LANGUAGE_CODE


def brand_of_host(request: HttpRequest) -> str:
    """Find the code of the brand whose policy `hosts` names this host; "" when none does."""
    hosts: dict[str, str] | None = cache.get(HOSTS_KEY)
    if hosts is None:
        hosts = {
            # Clients of an archived brand still sign in at its host, unless an open brand has it now: the last one counts.
            host: brand.code
            for brand in Brand.objects.order_by(F("archived_at").asc(nulls_last=True))
            for host in PORTAL_HOSTS.of(brand)
        }
        cache.set(HOSTS_KEY, hosts, HOSTS_SECONDS)
    return hosts.get(request.get_host().partition(":")[0].lower(), "")
