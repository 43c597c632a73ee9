"""HTTP to an outside service, with every failure as one of three: refused, temporary, or unknown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.connections.models import Connection
from crm.connections.protocol import Adapter, ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.outside.outbound import AnswerTooLarge, Bounds, request

WAIT_SECONDS_MAX: Final = 3_600
ACCOUNT_WAIT_SECONDS: Final = 600
# What reading an answer of another shape than ours raises.
UNREADABLE: Final = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
SANDBOX: Final = "sandbox:"


def address_of(connection: Connection, default: str, sandbox: str) -> str:
    """Return where a service's API answers: as set up, or its own. `sandbox:` is the sandbox, wherever it runs."""
    address = sandbox if connection.base_url.startswith(SANDBOX) else connection.base_url or default
    return address.rstrip("/")


@dataclass(frozen=True, slots=True)
class Line:
    """Requests of one connection. explain: finds the service's own words in an answer that refuses.

    account: statuses that say that our account isn't in order; it may be in a while.
    """

    connection: Connection
    bounds: Bounds
    explain: Callable[[Any], str]
    account: Collection[int] = ()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
        accepts: Collection[int] = (),
        bounds: Bounds | None = None,
    ) -> httpx.Response:
        """Send one request, never repeated, and return an accepting answer, or one with a status that the caller `accepts` too.

        Raises: ServiceRefused (4xx), ServiceTemporary (not sent, the account, or 429), ServiceUnknown (no answer, too large, 5xx).
        """
        named = {"service": self.connection}
        try:
            response = request(
                method, url, bounds=bounds or self.bounds, headers=dict(headers), content=content or None
            )
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise ServiceTemporary(_("%(service)s can't be reached.") % named) from error
        except AnswerTooLarge as error:
            raise ServiceUnknown(_("%(service)s sent a response larger than we accept.") % named) from error
        except httpx.HTTPError as error:
            raise ServiceUnknown(_("%(service)s didn't respond.") % named) from error
        if response.is_success or response.status_code in accepts:
            return response
        raise self._refusal(response)

    def _refusal(self, response: httpx.Response) -> ServiceRefused | ServiceTemporary | ServiceUnknown:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS:
            asked = response.headers.get("retry-after", "")
            wait = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
            words = _("%(service)s asks us to slow down.") % {"service": self.connection}
            return ServiceTemporary(words, wait_seconds=min(wait, WAIT_SECONDS_MAX), is_answer=True)
        try:
            said = str(self.explain(response.json()))
        except UNREADABLE:
            said = response.reason_phrase
        words = f"{self.connection}: {said}"[:300]
        if status in self.account:
            return ServiceTemporary(words, wait_seconds=ACCOUNT_WAIT_SECONDS)
        if response.is_client_error and status != httpx.codes.REQUEST_TIMEOUT:
            return ServiceRefused(words, status=status)
        return ServiceUnknown(words)


def read_json(connection: Connection, response: httpx.Response) -> Any:
    """Read an answer as JSON; an empty one is an empty object. Raises: ServiceUnknown."""
    try:
        return response.json() if response.content else {}
    except UNREADABLE as error:
        raise unreadable(connection) from error


def unreadable(connection: Connection) -> ServiceUnknown:
    """Build the error of an answer in another form than agreed: what was asked for may be done."""
    return ServiceUnknown(_("%(service)s sent a response that we can't read.") % {"service": connection})


@contextmanager
def watched(connection: Connection) -> Iterator[None]:
    """Note whether a call was answered: since when has none been? A refusal is an answer, and so is being asked to slow down."""
    try:
        yield
    except ServiceRefused:
        _answered(connection)
        raise
    except (ServiceTemporary, ServiceUnknown) as error:
        if getattr(error, "is_answer", False):
            _answered(connection)
        else:
            rows = type(connection)._default_manager.filter(pk=connection.pk)
            rows.filter(failing_since=None).update(failing_since=timezone.now())
            rows.update(problem=error.message[:300])
            connection.failing_since = connection.failing_since or timezone.now()
        raise
    _answered(connection)


def _answered(connection: Connection) -> None:
    if connection.failing_since is not None or connection.problem:
        type(connection)._default_manager.filter(pk=connection.pk).update(failing_since=None, problem="")
        connection.failing_since, connection.problem = None, ""


def probe(connection: Connection, adapter: Adapter) -> str:
    """Ask a service for something harmless, watched; returns what is wrong, or nothing. Raises: as its calls."""
    with watched(connection):
        return adapter.check_connection()
