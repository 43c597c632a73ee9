"""The reference of the API: one page for whoever writes a program, in English as the API is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from crm.api import reference
from crm.api.conventions import CONVENTIONS

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show every operation of this instance. Open to everybody, as the OpenAPI file is: nobody's data is in it."""
    return render(request, "crm/api/docs.html", {"parts": _parts()})


@cache
def _parts() -> SafeString:
    """Render what is the same for everybody once in each process."""
    from crm.api.site import document  # the apps' routes, which are complete when the first request comes

    context = {"reference": reference.read(document()), "conventions": CONVENTIONS}
    return render_to_string("crm/api/_docs_parts.html", context)
