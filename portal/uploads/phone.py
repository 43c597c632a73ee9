"""The page on a phone that a QR code opened: it adds pages to one document and sends it, and shows nothing else of the client."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

from allauth.core import ratelimit
from django.core import signing
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from crm.errors import DomainError, outcome_of
from crm.models import Brand
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.uploads import takes_files
from kyc.intake import too_large_words
from kyc.uploads import handover, submission
from portal.brands import brand_page
from portal.uploads.door import Door, change_page, page_bytes, step_context, take_page, too_large, wants_json

COOKIE: Final = "upload-handover"


def _cookie(request: HttpRequest) -> dict[str, Any]:
    """Read the phone's cookie: signed, so a request is known to be a phone's before anything is looked up."""
    try:
        content = signing.loads(request.COOKIES.get(COOKIE, ""), salt=COOKIE, max_age=handover.PHONE_LIFETIME)
    except signing.BadSignature:
        return {}
    return content if isinstance(content, dict) else {}


def is_phone(request: HttpRequest) -> bool:
    """Tell whether a request comes from a phone that opened a code: it may send as much as a client who signed in."""
    return bool(_cookie(request))


@never_cache
@brand_page
def open_code(request: HttpRequest, brand: Brand, token: str) -> HttpResponse:
    """Show what the code is for; a tap uses it up, so no preview of the link does."""
    limited: HttpResponse | None = ratelimit.consume_or_429(request, action="upload_code")
    if limited is not None:
        return limited
    if request.method == "POST":
        opened = outcome_of(lambda: handover.open_on_phone(token, brand=brand), only=handover.HandoverProblem)
        if not opened:
            return _over(request, brand, opened.error)
        row, device = opened.result
        response = redirect("phone_upload", brand.code)
        response.set_cookie(
            COOKIE,
            signing.dumps({"id": row.pk, "device": device}, salt=COOKIE),
            max_age=int(handover.PHONE_LIFETIME.total_seconds()),
            path=f"/b/{brand.code}/",
            httponly=True,
            samesite="Lax",
            secure=request.is_secure(),
        )
        return response
    found = outcome_of(lambda: handover.peek(token, brand=brand), only=handover.HandoverProblem)
    if not found:
        return _over(request, brand, found.error)
    return render(request, "portal/uploads/phone_open.html", {"brand": brand, "draft": found.result.draft})


def _over(request: HttpRequest, brand: Brand, problem: DomainError) -> HttpResponse:
    if wants_json(request):
        return JsonResponse({"message": str(problem.message), "code": problem.code}, status=410)
    status = 200 if problem.code == "finished" else 410
    return render(request, "portal/uploads/phone_over.html", {"brand": brand, "problem": problem}, status=status)


def phone_required(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Guard `view(request, door, …)`: the phone that opened a code, while that lasts."""

    @functools.wraps(view)
    def entered(request: HttpRequest, brand: Brand, *args: Any, **kwargs: Any) -> HttpResponse:
        cookie = _cookie(request)
        found = outcome_of(
            lambda: handover.of_device(int(cookie.get("id", 0)), str(cookie.get("device", "")), brand=brand),
            only=handover.HandoverProblem,
        )
        if not found:
            return _over(request, brand, found.error)
        row = found.result
        return view(request, Door(row.draft, row.draft.opened_by, "phone_upload", brand.code, row), *args, **kwargs)

    return never_cache(brand_page(entered))


@phone_required
@require_safe
def phone(request: HttpRequest, door: Door) -> HttpResponse:
    """Show one step of the upload on the phone."""
    template = "portal/uploads/_step.html" if wants_fragment(request) else "portal/uploads/phone.html"
    context = {**step_context(door, request.GET.get("step", "")), "brand": door.draft.client.brand}
    return render(request, template, context)


@takes_files(refuse=too_large, words=too_large_words, is_known=is_phone)
@require_POST
@phone_required
def pages(request: HttpRequest, door: Door) -> HttpResponse:
    """Take a page, or have it announced."""
    return take_page(request, door)


@takes_files(refuse=too_large, words=too_large_words, is_known=is_phone)
@require_http_methods(["GET", "HEAD", "PATCH"])
@phone_required
def page(request: HttpRequest, door: Door, page_id: int) -> HttpResponse:
    """Say how much of a page has arrived, or take its next part."""
    return page_bytes(request, door, page_id)


@require_POST
@phone_required
def change(request: HttpRequest, door: Door, page_id: int) -> HttpResponse:
    """Remove or move a page."""
    return change_page(request, door, page_id)


@require_POST
@phone_required
def send(request: HttpRequest, door: Door) -> HttpResponse:
    """Send the document; the page on the computer goes on."""
    run_action(
        request,
        lambda: submission.send_draft(draft_id=door.draft.pk, actor=door.actor, phone=door.phone),
        show_forbidden=True,
    )
    return redirect("phone_upload", door.key)
