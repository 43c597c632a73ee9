"""Pages are sent compressed. Files, streams and what is small go as they are.

BREACH: whoever can make a victim's browser send requests and see the lengths of encrypted answers guesses a secret that
stands in a page beside words of the attacker's choice. Against it: the CSRF token is masked again in every answer, Django
pads every compressed answer by up to 100 random bytes (`max_random_bytes`), and an answer that shows a secret
once, such as a password, is sent as it is (`keep_plain`, and messages tagged `UNCOMPRESSED`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TYPES = ("text/html", "application/json", "application/problem+json", "text/plain", "application/javascript")


# An extra tag of a message that shows a secret: whichever page it comes out on is not compressed.
UNCOMPRESSED = "uncompressed"


def keep_plain(response: HttpResponseBase) -> HttpResponseBase:
    """Mark an answer to be sent uncompressed: its length must not give away a secret in it."""
    response.keeps_plain = True  # type: ignore[attr-defined]
    return response


def sent_plain(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Send all answers of a view uncompressed, because each shows a secret."""

    @wraps(view)
    def plain(*arguments: Any, **named: Any) -> HttpResponseBase:
        return keep_plain(view(*arguments, **named))

    return plain


def _shows_a_secret(request: HttpRequest, response: HttpResponseBase) -> bool:
    shown = get_messages(request)
    return getattr(response, "keeps_plain", False) or (
        getattr(shown, "used", False) and any(UNCOMPRESSED in (message.extra_tags or "") for message in shown)
    )


class PageCompressionMiddleware(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0].strip().lower()
        is_file = response.has_header("Content-Disposition")
        if response.streaming or is_file or kind not in TYPES or _shows_a_secret(request, response):
            return response
        return super().process_response(request, response)
