"""Static files for the browsers of tests: read from the disk once a test process, and kept by each browser, as on a server."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse
from django.test import testcases
from whitenoise.media_types import MediaTypes

MEDIA_TYPES = MediaTypes()
_read: dict[str, tuple[bytes, str]] = {}


def add(name: str, script: str) -> str:
    """Serve a script that only tests need. Returns its address."""
    address = f"{settings.STATIC_URL}tests/{name}"
    _read[address] = (script.encode(), "text/javascript")
    return address


def serve(_handler: object, request: HttpRequest) -> HttpResponse:
    """Answer for the live server, before any middleware: a page's dozen of files comes once to each browser."""
    if request.path not in _read:
        path = finders.find(request.path.removeprefix(settings.STATIC_URL))
        if not path:
            raise Http404
        _read[request.path] = (Path(path).read_bytes(), MEDIA_TYPES.get_type(path))
    content, kind = _read[request.path]
    return HttpResponse(content, content_type=kind, headers={"Cache-Control": "max-age=3600"})


def keep_static_files() -> None:
    testcases._StaticFilesHandler.serve = serve  # type: ignore[attr-defined]
