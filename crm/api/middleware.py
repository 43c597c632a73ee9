"""What holds for every call of the versioned API: bounded and unambiguous bodies, the dated version, limits in headers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from crm.api.json_body import check_body
from crm.api.problems import ApiProblem

VERSIONS: Final = ("2026-11-26",)  # newest last; docs/api.md has the change log
HEADER: Final = "Keelson-Version"
PREFIX: Final = "/api/v1/"


class ApiMiddleware:
    """English whatever the caller's settings are: programs compare texts, people read them in logs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        with translation.override("en"):
            response = _as_problem(self.get_response(request))
        response[HEADER] = request.headers.get(HEADER) or VERSIONS[-1]
        limit = getattr(request, "api_limit", None)
        for name, value in (limit.headers() if limit else {}).items():
            response[name] = value
        return response

    def process_view(self, request: HttpRequest, *args: Any) -> HttpResponse | None:
        if not request.path.startswith(PREFIX):
            return None
        try:
            version = request.headers.get(HEADER, "")
            if version and version not in VERSIONS:
                raise ApiProblem(
                    "unknown_version", f"There is no version {version[:20]}. Known: {', '.join(VERSIONS)}."
                )
            if "%00" in request.META.get("QUERY_STRING", ""):
                raise ApiProblem("invalid_request", "The address contains a NUL character.")
            check_body(request)
        except ApiProblem as error:
            response = error.response()
            response[HEADER] = VERSIONS[-1]
            return response
        return None


ANSWERS: Final = {
    404: ("not_found", "There is no such address."),
    405: ("method_not_allowed", "Not with this method."),
    500: ("internal", "Something went wrong on our side."),
    503: ("unavailable", "The service is briefly unavailable."),
}


def _as_problem(response: HttpResponse) -> HttpResponse:
    """Answer what pages answer with a page as a problem document, too: no such address or method, faults of ours."""
    found = ANSWERS.get(response.status_code)
    if found is None or response.headers.get("Content-Type", "").startswith("application/"):
        return response
    answer = ApiProblem(*found).response()
    for name in ("Allow", "Retry-After"):
        if name in response:
            answer[name] = response[name]
    return answer
