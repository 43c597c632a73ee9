"""The page for an error of ours. It needs no database and no session: those may be what broke."""

import logging
import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.utils.html import escape
from structlog.contextvars import get_contextvars

from crm.files import storage

logger = logging.getLogger(__name__)


RETRY_SECONDS = 30


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500 with the reference under which the log has the error; 503 while the database is away, 507 without room."""
    if storage.is_full(sys.exc_info()[1]):
        return HttpResponse(_page("507.html", ""), status=507)
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        response = HttpResponse(_page("503.html", ""), status=503)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    reference = str(get_contextvars().get("request_id", ""))
    return HttpResponse(_page("500.html", reference), status=500)


def _page(template: str, reference: str) -> str:
    try:
        return get_template(template).render({"reference": reference})
    except (TemplateDoesNotExist, ValueError):  # a static file is missing from the manifest
        logger.exception("the error page itself failed")
        return f"<h1>{template.partition('.')[0]}</h1><p>{escape(reference)}</p>"
