"""What nobody types but programs send: NUL signs, numbers and days beyond what the database keeps.

NUL signs are taken out of addresses and forms before anybody reads them, so that what stands beside them (a stranger's lead)
is not lost. What the database still refuses as a value is the sender's fault: 400 in words, nothing saved, and a line in
the log without the value.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import DataError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from crm.web.api_problem import problem

logger = logging.getLogger(__name__)
NUL = "\x00"
# What Python and PostgreSQL's driver say of a value that fits nowhere.
VALUE_ERRORS = ("NUL (0x00)", "Exceeds the limit", "year 0 is out of range", "year -1 is out of range")


def without_nul(value: Any) -> Any:
    """Strip the NUL signs from the texts of a decoded JSON value: PostgreSQL's text can't hold them."""
    if isinstance(value, str):
        return value.replace(NUL, "")
    if isinstance(value, dict):
        return {without_nul(name): without_nul(element) for name, element in value.items()}
    if isinstance(value, list):
        return [without_nul(element) for element in value]
    return value


def _clean(data: MultiValueDict[str, str]) -> QueryDict | None:
    """Return a form's data without NUL signs; None where it has none."""
    if not any(NUL in name or any(NUL in str(value) for value in values) for name, values in data.lists()):
        return None
    clean = QueryDict(mutable=True)
    for name, values in data.lists():
        clean.setlist(name.replace(NUL, ""), [str(value).replace(NUL, "") for value in values])
    clean._mutable = False
    return clean


def is_unusable(error: BaseException | None) -> bool:
    """Check whether an error means that a value fits nowhere, rather than that something of ours is broken."""
    if isinstance(error, DataError | OverflowError):
        return True
    return isinstance(error, ValueError) and any(text in str(error) for text in VALUE_ERRORS)


class UnusualInputMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if NUL in request.path:
            return self._refused(request)
        if "%00" in request.META.get("QUERY_STRING", ""):
            request.GET = _clean(request.GET) or request.GET  # type: ignore[assignment]
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        """Forms that were read already (the check of their token does): nobody reads one earlier for this."""
        form = getattr(request, "_post", None)
        clean = _clean(form) if form else None
        if clean is not None:
            request._post = clean  # type: ignore[attr-defined]

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not is_unusable(exception):
            return None
        logger.warning("unusable input for %s: %s", request.resolver_match, type(exception).__name__)
        return self._refused(request)

    @staticmethod
    def _refused(request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            return problem(
                400, "Unusable value", "A value is out of range or holds signs that can't be stored.", code="unusable"
            )
        return render(
            request,
            "crm/refused.html",
            status=400,
            context={
                "error": {"message": _("A value in this request isn't valid. Check dates and numbers, then try again.")}
            },
        )
