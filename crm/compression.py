"""Pages are sent compressed. Files, streams and what is small go as they are.

BREACH: whoever can make a victim's browser send requests and see the lengths of encrypted answers guesses a secret that
stands in a page beside words of the attacker's choice. Against it: the CSRF token is masked again in every answer, Django
pads every compressed answer by up to 100 random bytes (`max_random_bytes`), and an answer that shows a secret
once, such as a password, is sent as it is (`keep_plain`).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware

TYPES = ("text/html", "application/json", "application/problem+json", "text/plain", "application/javascript")


def keep_plain(response: HttpResponseBase) -> HttpResponseBase:
    """An answer whose length must tell nothing about a secret in it."""
    response.keeps_plain = True  # type: ignore[attr-defined]
    return response


class PageCompressionMiddleware(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.get("Content-Type", "").partition(";")[0].strip().lower()
        is_file = response.has_header("Content-Disposition")
        if response.streaming or is_file or kind not in TYPES or getattr(response, "keeps_plain", False):
            return response
        return super().process_response(request, response)  # type: ignore[arg-type]
