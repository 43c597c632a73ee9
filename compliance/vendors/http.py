"""HTTP to a screening vendor, with every failure as one of three: refused, temporary, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from compliance.models import ScreeningVendor
from compliance.vendors.protocol import VendorRefused, VendorTemporary, VendorUnknown
from crm.outside.outbound import AnswerTooLarge, Bounds, request

SECONDS: Final = 20
ANSWER: Final = Bounds(bytes_max=8 * 2**20, seconds=SECONDS, timeout=httpx.Timeout(15, connect=3))
WAIT_SECONDS_MAX: Final = 3_600
# What reading an answer of another shape than ours raises.
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
# The account isn't in order: it may be in a while, and the question is a good one.
ACCOUNT: Final = {httpx.codes.UNAUTHORIZED, httpx.codes.PAYMENT_REQUIRED, httpx.codes.FORBIDDEN, httpx.codes.NOT_FOUND}


def address_of(vendor: ScreeningVendor, default: str) -> str:
    """Return where a vendor's API answers: as set up, or its own. `sandbox:` is the sandbox, wherever it runs."""
    is_sandbox = vendor.base_url.startswith("sandbox:")
    return (settings.SANDBOX_SCREENING_URL if is_sandbox else vendor.base_url or default).rstrip("/")


def send(
    vendor: ScreeningVendor,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    explain: Callable[[Any], str],
    content: bytes = b"",
    accepts: frozenset[int] = frozenset(),
) -> httpx.Response:
    """Send one request, never repeated, and return an accepting answer, or one with a status that the caller accepts too.

    Raises: VendorRefused (4xx), VendorTemporary (not sent, the account, or 429), VendorUnknown (no answer, too large, 5xx).
    """
    try:
        response = request(method, url, bounds=ANSWER, headers=dict(headers), content=content or None)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise VendorTemporary(_("%(vendor)s can't be reached.") % {"vendor": vendor}) from error
    except AnswerTooLarge as error:
        raise VendorUnknown(_("%(vendor)s sent a response larger than we accept.") % {"vendor": vendor}) from error
    except httpx.HTTPError as error:
        raise VendorUnknown(_("%(vendor)s didn't respond.") % {"vendor": vendor}) from error
    if response.is_success or response.status_code in accepts:
        return response
    raise _refusal(vendor, response, explain)


def read_json(vendor: ScreeningVendor, response: httpx.Response) -> Any:
    """Read an answer as JSON. Raises: VendorUnknown."""
    try:
        return response.json()
    except UNREADABLE as error:
        raise unreadable(vendor) from error


def unreadable(vendor: ScreeningVendor) -> VendorUnknown:
    """Build the error of an answer in another form than agreed."""
    return VendorUnknown(_("%(vendor)s sent a response that we can't read.") % {"vendor": vendor})


def _refusal(
    vendor: ScreeningVendor, response: httpx.Response, explain: Callable[[Any], str]
) -> VendorRefused | VendorTemporary | VendorUnknown:
    status = response.status_code
    if status == httpx.codes.TOO_MANY_REQUESTS:
        asked = response.headers.get("retry-after", "")
        wait = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
        words = _("%(vendor)s asks us to slow down.") % {"vendor": vendor}
        return VendorTemporary(words, wait_seconds=min(wait, WAIT_SECONDS_MAX), is_answer=True)
    try:
        said = str(explain(response.json()))
    except UNREADABLE:
        said = response.reason_phrase
    words = f"{vendor}: {said}"[:300]
    if status in ACCOUNT:
        return VendorTemporary(words, wait_seconds=600)
    if response.is_client_error and status != httpx.codes.REQUEST_TIMEOUT:
        return VendorRefused(words)
    return VendorUnknown(words)
