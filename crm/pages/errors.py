"""The page for an error of ours. It needs no database and no session: those may be what broke."""

import logging

from django.http import HttpRequest, HttpResponse
from django.template import TemplateDoesNotExist
from django.template.loader import get_template

logger = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, with the reference under which the log has the error."""
    reference = str(getattr(request, "id", "") or "")
    try:
        page = get_template("500.html").render({"reference": reference})
    except (TemplateDoesNotExist, ValueError):  # a static file is missing from the manifest
        logger.exception("the error page itself failed")
        page = f"<h1>500</h1><p>{reference}</p>"
    return HttpResponse(page, status=500)
