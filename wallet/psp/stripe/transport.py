"""The official SDK over our own HTTP door: our time-outs, our record of calls, no retries; its errors as our three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import stripe
from django.utils.translation import gettext as _

from wallet.models import Psp
from wallet.psp.errors import PspRefused, PspUnknown
from wallet.psp.http import UNREADABLE, PspHttp, address_of

LIVE_KEYS = ("sk_live_", "rk_live_")
# 408 and 429: the answer leaves open whether anything was done. 409: a request with the same idempotency key is still at work.
LEAVES_OPEN = frozenset({0, 408, 409, 429})


class RecordedClient(stripe.HTTPClient):
    """The SDK's plug for HTTP. PspUnreachable and PspUnknown pass through the SDK as they are."""

    name = "keelson"

    def __init__(self, http: PspHttp) -> None:
        super().__init__()
        self._http = http

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_usage: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        content = post_data.encode() if isinstance(post_data, str) else post_data
        response = self._http.send(method.upper(), url, content=content, headers=headers)
        return response.text, response.status_code, response.headers

    def close(self) -> None:
        """Nothing is kept open."""


def client_of(psp: Psp, api_key: str) -> tuple[stripe.StripeClient, PspHttp]:
    """Make the SDK's client for one PSP row, and the HTTP client that it uses."""
    http = PspHttp(psp, address_of(psp, "https://api.stripe.com"), explain=lambda answer: answer["error"]["message"])
    files = http.base_url if psp.base_url else "https://files.stripe.com"
    client = stripe.StripeClient(
        api_key or "sk_missing",
        http_client=RecordedClient(http),
        base_addresses={"api": http.base_url, "files": files},
        max_network_retries=0,
    )
    return client, http


@contextmanager
def translate_errors(psp: Psp) -> Iterator[None]:
    """Translate the SDK's exceptions into PspRefused (certainly not done) or PspUnknown (may be done)."""
    try:
        yield
    except stripe.StripeError as error:
        status = error.http_status or 0
        message = f"{psp}: {error.user_message or error}"[:300]
        is_open = status in LEAVES_OPEN or status >= 500 or 200 <= status < 300
        # The key was used before with other parameters: that earlier request may have been done.
        if is_open or isinstance(error, stripe.IdempotencyError | stripe.RateLimitError):
            raise PspUnknown(message) from error
        raise PspRefused(message, status=status) from error
    except UNREADABLE as error:
        raise PspUnknown(_("%(psp)s sent a response that we can't read.") % {"psp": psp}) from error
