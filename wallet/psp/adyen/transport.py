"""The official SDK over our own HTTP door: our time-outs, our record of calls, no retries; its errors as our three."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from Adyen import AdyenClient
from Adyen.exceptions import AdyenAPIResponseError, AdyenError
from Adyen.services.base import AdyenServiceBase
from django.utils.translation import gettext as _

from wallet.models import Psp
from wallet.psp.errors import PspRefused, PspUnknown
from wallet.psp.http import UNREADABLE, PspHttp
from wallet.psp.values import PayoutOrder

# 408 and 429: the answer leaves open whether anything was done. Error 704: a request with the same idempotency key is at work, or
# was used for another one.
LEAVES_OPEN = frozenset({0, 408, 409, 429})
ERROR_IN_PROGRESS = "704"
Service = TypeVar("Service", bound=AdyenServiceBase)


class RecordedClient:
    """The SDK's plug for HTTP: called as its own client is. PspUnreachable and PspUnknown pass through as they are."""

    user_agent = "keelson adyen-python-api-library"

    def __init__(self, http: PspHttp) -> None:
        self._http = http

    def request(
        self,
        method: str,
        url: str,
        *,
        json: Any = None,
        xapikey: str = "",
        headers: Mapping[str, str] | None = None,
        **_unused: Any,
    ) -> tuple[str, Any, int, Mapping[str, str]]:
        """Send the SDK's request with its API key; a login by name and the SDK's own time-out aren't used."""
        response = self._http.send(
            method, url, json=json, headers={**(headers or {}), "x-api-key": xapikey, "Accept": "application/json"}
        )
        return response.text, json, response.status_code, response.headers


PREFIX = re.compile(r"[A-Za-z0-9-]{1,80}")


class Doors:
    """Makes the SDK's services for one PSP row, each with the key of the user that may call it."""

    def __init__(self, psp: Psp, http: PspHttp, *, live_prefix: str, is_live: bool) -> None:
        # It becomes a part of the host's name that keys are sent to; anything else would lead elsewhere.
        prefix = live_prefix if PREFIX.fullmatch(live_prefix) else ""
        self._psp, self._http, self._live_prefix, self._is_live = psp, http, prefix, is_live

    def open(self, service: type[Service], api_key: str) -> Service:
        """One service, at Adyen or wherever this PSP's API answers."""
        client = AdyenClient(
            xapikey=api_key or "missing",
            platform="live" if self._is_live and not self._http.base_url else "test",
            live_endpoint_prefix=self._live_prefix or None,
        )
        client.http_client, client.http_init = RecordedClient(self._http), True
        made: Service = service(client=client)
        if self._http.base_url:
            made.baseUrl = self._http.base_url + urlsplit(made.baseUrl).path
        return made


@contextmanager
def translate_errors(psp: Psp) -> Iterator[None]:
    """Translate the SDK's exceptions into PspRefused (certainly not done) or PspUnknown (may be done)."""
    try:
        yield
    except AdyenAPIResponseError as error:
        status = int(error.status_code or 0)
        detail = _error_text(error.message) if isinstance(error.message, dict) else ""
        message = f"{psp}: {detail or f'HTTP {status}'}"[:300]
        if status in LEAVES_OPEN or status >= 500 or str(error.error_code) == ERROR_IN_PROGRESS:
            raise PspUnknown(message) from error
        raise PspRefused(message, status=status) from error
    except AdyenError as error:  # the SDK itself refuses before anything is sent: a setting is missing
        raise PspRefused(f"{psp}: {error.message}"[:300]) from error
    except UNREADABLE as error:
        raise PspUnknown(_("%(psp)s sent a response that we can't read.") % {"psp": psp}) from error


def _error_text(answer: Mapping[str, Any]) -> str:
    """Read Adyen's error: a `message`, or the problem's `detail` with the fields and routes that it names. Never their values."""
    texts = [str(answer.get("message") or answer.get("detail") or answer.get("title") or "")]
    for part in answer.get("invalidFields") or ():
        if isinstance(part, Mapping):
            texts.append(f"{str(part.get('name') or '').rpartition('.')[2]}: {part.get('message') or ''}")
    for part in answer.get("routingDetails") or ():
        if isinstance(part, Mapping) and part.get("detail"):
            texts.append(str(part["detail"]))
    return "; ".join(dict.fromkeys(word.strip() for word in texts if word.strip()))


def bank_account_of(order: PayoutOrder) -> tuple[str, str]:
    """IBAN and its holder, which both ways to pay out need. Raises PspRefused where either is missing."""
    iban, holder = (str(order.destination.get(name, "")).strip() for name in ("iban", "holder"))
    iban = iban.replace(" ", "").upper()
    if not iban or not holder:
        raise PspRefused(_("A payout needs an IBAN and the account holder's name."))
    return iban, holder
