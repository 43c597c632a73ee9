"""Refusing what is too large before it is read.

Django parses a form before the view runs, because the CSRF check reads it. A page that takes files is therefore wrapped:

    @limited_upload
    def upload(request): …

A request whose declared length is above the limit is answered 413 at once. Up to `DRAIN_BYTES_MAX` its body is read
and thrown away, a piece at a time, because a browser shows the answer only after it has sent everything; beyond that the
connection is closed. Memory stays the same however much is sent, and nothing is written to disk.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from kyc.intake import too_large

# Room for the other fields of the form and the multipart frame.
FORM_BYTES_MAX = 256 * 1024
DRAIN_BYTES_MAX = 64 * 1024 * 1024
PIECE_BYTES = 64 * 1024

View = Callable[..., HttpResponse]
Refuse = Callable[[HttpRequest, str], HttpResponse]


def refusal_page(request: HttpRequest, message: str) -> HttpResponse:
    return render(request, "kyc/upload_refused.html", {"message": message, "back": request.get_full_path()}, status=413)


def limited_upload(view: Callable[..., Any] | None = None, *, files: int = 1, refuse: Refuse = refusal_page) -> Any:
    """Wrap a view that takes up to `files` files. `refuse(request, message)` makes the answer to what is too large."""
    if view is None:
        return functools.partial(limited_upload, files=files, refuse=refuse)
    inner = csrf_protect(view)

    @functools.wraps(view)
    def outer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        length = declared_length(request)
        if length <= settings.UPLOAD_MAX_BYTES * files + FORM_BYTES_MAX:
            return inner(request, *args, **kwargs)
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]  # nothing is read, nothing is changed
        drain(request, length)
        response = refuse(request, too_large().message)
        response["Connection"] = "close"
        return response

    return csrf_exempt(outer)


def declared_length(request: HttpRequest) -> int:
    try:
        return max(0, int(request.META.get("CONTENT_LENGTH") or 0))
    except ValueError:
        return 0


def drain(request: HttpRequest, length: int) -> None:
    """Read the body away, so that the browser gets to the answer; never more than DRAIN_BYTES_MAX."""
    request._mark_post_parse_error()  # type: ignore[attr-defined]  # an empty form: nobody parses the body any more
    if length > DRAIN_BYTES_MAX:
        return
    left = length
    try:
        while left > 0 and (piece := request.read(min(PIECE_BYTES, left))):
            left -= len(piece)
    except OSError:
        return  # the sender gave up
