"""Where an exchange's webhooks go: our public address, the exchange's code, and the call's reference where there is one."""

from __future__ import annotations

import re
from typing import Final

from django.conf import settings
from django.urls import reverse

from clients.models import PhoneExchange

# Under this name a webhook's own address is judged beside its headers; no header's name begins with a colon.
URL_HEADER: Final = ":url"
REFERENCE: Final = re.compile(r"/([0-9a-f]{32})/$")


def events_url(exchange: PhoneExchange, reference: str) -> str:
    """Name the address for reports on one call."""
    return public(reverse("phone_call_webhook", kwargs={"code": exchange.code, "reference": reference}))


def public(path: str) -> str:
    """Name a path of ours as the outside world sees it, whatever a proxy in front passes on."""
    return f"{settings.BASE_URL.rstrip('/')}{path}"


def reference_in(url: str) -> str:
    """Find the reference in an address that was judged; "" where it holds none."""
    match = REFERENCE.search(url)
    return match[1] if match else ""
