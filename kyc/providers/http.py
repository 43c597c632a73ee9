"""HTTP to a KYC provider, with every failure as one of three: refused, temporary, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from crm.outside.outbound import AnswerTooLarge, Bounds, request
from kyc.models import KycProvider
from kyc.providers.protocol import ProviderRefused, ProviderTemporary, ProviderUnknown

# Shorter than the minute after which a check without an answer is looked up: by then nothing is under way.
SECONDS: Final = 20
ANSWER: Final = Bounds(bytes_max=2 * 2**20, seconds=SECONDS, timeout=httpx.Timeout(10, connect=3))
WAIT_SECONDS_MAX: Final = 3_600
# What reading an answer of another shape than ours raises.
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)


def address_of(provider: KycProvider, default: str) -> str:
    """Return where a provider's API answers: as set up, or its own. `sandbox:` is the sandbox, wherever it runs."""
    address = settings.SANDBOX_KYC_URL if provider.base_url.startswith("sandbox:") else provider.base_url or default
    return address.rstrip("/")


def send(
    provider: KycProvider,
    method: str,
    url: str,
    *,
    content: bytes = b"",
    headers: Mapping[str, str],
    explain: Callable[[Any], str],
    bounds: Bounds = ANSWER,
) -> httpx.Response:
    """Send one request, never repeated, and return an accepting answer.

    Raises: ProviderRefused (4xx), ProviderTemporary (not sent, or 429), ProviderUnknown (no answer, too large a one, 5xx).
    """
    try:
        response = request(method, url, bounds=bounds, headers=dict(headers), content=content or None)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ProviderTemporary(_("%(provider)s can't be reached.") % {"provider": provider}) from error
    except AnswerTooLarge as error:
        raise ProviderUnknown(
            _("%(provider)s sent a response larger than we accept.") % {"provider": provider}
        ) from error
    except httpx.HTTPError as error:
        raise ProviderUnknown(_("%(provider)s didn't respond.") % {"provider": provider}) from error
    if response.is_success:
        return response
    raise _refusal(provider, response, explain)


def read_json(provider: KycProvider, response: httpx.Response) -> Any:
    """Read an answer as JSON. Raises: ProviderUnknown."""
    try:
        return response.json() if response.content else {}
    except UNREADABLE as error:
        raise unreadable(provider) from error


def unreadable(provider: KycProvider) -> ProviderUnknown:
    """Build the error of an answer in another form than ours: what was asked for may be done."""
    return ProviderUnknown(_("%(provider)s sent a response that we can't read.") % {"provider": provider})


def _refusal(
    provider: KycProvider, response: httpx.Response, explain: Callable[[Any], str]
) -> ProviderRefused | ProviderTemporary | ProviderUnknown:
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        asked = response.headers.get("retry-after", "")
        wait = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
        return ProviderTemporary(
            _("%(provider)s asks us to slow down.") % {"provider": provider},
            wait_seconds=min(wait, WAIT_SECONDS_MAX),
            is_answer=True,
        )
    try:
        words = str(explain(response.json()))
    except UNREADABLE:
        words = response.reason_phrase
    if response.is_client_error and response.status_code != httpx.codes.REQUEST_TIMEOUT:
        return ProviderRefused(f"{provider}: {words}"[:300], status=response.status_code)
    return ProviderUnknown(f"{provider}: {words}"[:300])
