"""The site as the web server loads it, and `/requests-in-memory`: how many requests are still there.

A collection of the young generations runs while each request is under way: what makes few of them old in production, here makes
all of them so.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable
from typing import Any
from weakref import WeakSet

from django.core.handlers.wsgi import WSGIRequest

from crm.project import web_worker
from crm.wsgi import application as site

requests: WeakSet[WSGIRequest] = WeakSet()
web_worker.REQUESTS_PER_COLLECTION = 20


class CountedRequest(WSGIRequest):
    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        requests.add(self)


site.request_class = CountedRequest


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/requests-in-memory":
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(len(requests)).encode()]
    answer = site(environ, start_response)
    gc.collect(1)
    return answer
