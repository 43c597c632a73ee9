"""Problem documents (RFC 9457): what the API answers when something is wrong."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse, JsonResponse


def problem(status: int, title: str, detail: str, *, code: str = "", **more: Any) -> HttpResponse:
    """Build a problem document (RFC 9457)."""
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code or "refused",
        **more,
    }
    return JsonResponse(body, status=status, content_type="application/problem+json")
