"""The public REST API under /api/: each app's `api.py` declares its resources and holds a `router` with routes of its own.

Errors are problem documents (RFC 9457): `{"type", "title", "status", "detail", "code"}`. The schema is at
/api/openapi.json.
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.responses import NinjaJSONEncoder

from crm.api import oauth, openapi, principal
from crm.api.problems import ApiProblem, status_of
from crm.api.resources import RESOURCES
from crm.errors import DomainError
from crm.web.api_problem import problem

DESCRIPTION = """All that the pages can do, for programs. Amounts are decimal texts with their currency, times are UTC.
Refusals are problem documents (RFC 9457) with a code. docs/api.md explains the conventions."""


class Api(NinjaAPI):
    """django-ninja's, with the schemas of the declared resources."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(**options)
        openapi.complete(schema, RESOURCES.values())
        return schema


api = Api(
    title="Keelson",
    version="1",
    description=DESCRIPTION,
    docs_url=None,
    openapi_url="/openapi.json",
    urls_namespace="api",
)


@api.exception_handler(ApiProblem)
def problem_of_the_catalogue(request: HttpRequest, error: ApiProblem) -> HttpResponse:
    """Answer a refusal of the API itself."""
    response = error.response()
    limit = getattr(request, "api_limit", None)
    for name, value in (limit.headers() if limit else {}).items():
        response[name] = value
    return response


@api.exception_handler(DomainError)
def refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """Answer a refusal as a problem document, with the status of its kind."""
    return problem(status_of(error), "Refused", str(error.message), code=error.code)


@api.exception_handler(ValidationError)
def malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer a body or parameters that don't fit their schema, field by field."""
    errors = [
        {
            "field": ".".join(str(part) for part in detail["loc"] if part not in ("body", "payload")),
            "message": detail["msg"],
        }
        for detail in error.errors
    ]
    return problem(422, "Malformed", "Some fields are missing or wrong.", code="malformed", errors=errors)


@api.exception_handler(AuthenticationError)
def unauthenticated(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    """Answer a request without a valid key."""
    response = problem(401, "Unauthorized", "Send a valid key: Authorization: Bearer …", code="unauthorized")
    response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(Http404)
def missing(request: HttpRequest, error: Http404) -> HttpResponse:
    """Answer what isn't there, or isn't visible: the two look the same."""
    return problem(404, "Not found", "There is no such thing, or you may not see it.", code="not_found")


api.add_router("", oauth.router)
api.add_router("", principal.router)
api.add_router("", import_module("crm.outbound.api").router)
for app in settings.KEELSON_APPS:
    if app != "crm" and find_spec(f"{app}.api"):
        api.add_router("", import_module(f"{app}.api").router)


def document() -> dict[str, Any]:
    """Describe the API as OpenAPI 3.1, in English and as plain JSON."""
    with translation.override("en"):
        schema = api.get_openapi_schema()
        whole: dict[str, Any] = json.loads(json.dumps(schema, cls=NinjaJSONEncoder))
    return whole
