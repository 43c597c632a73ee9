"""HTTP to a provider, with every failure as one of the three that matter to money."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict, TypeVar, Unpack
from urllib.parse import urlsplit

import httpx
from django.conf import settings
from django.utils.translation import gettext as _

from crm.outside.outbound import AnswerTooLarge, Bounds, pieces_of, request, streamed, whole
from wallet.models import Psp
from wallet.psp.calls import operation_of, recorded, refuse_when_late
from wallet.psp.errors import ForeignAddress, PspRefused, PspUnknown, PspUnreachable

ANSWER = Bounds(bytes_max=8 * 2**20, seconds=30, timeout=httpx.Timeout(10, connect=3))
REPORT = Bounds(bytes_max=128 * 2**20, seconds=600, timeout=httpx.Timeout(120, connect=3))
DOWNLOAD_SECONDS = 1_800
# What reading a message of another shape than ours raises: lists in lists without end, and numbers that are none, too.
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, ArithmeticError, IndexError, RecursionError)
Read = TypeVar("Read")


class Body(TypedDict, total=False):
    """What a request carries, in one of httpx's forms."""

    json: Any
    content: bytes | None
    data: Mapping[str, Any] | None
    files: Any


class PspHttp:
    """Requests to one PSP. `explain` finds the provider's own message in an answer that refuses; `hosts` are the provider's
    own, from which files may be downloaded."""

    def __init__(self, psp: Psp, base_url: str, *, explain: Callable[[Any], str], hosts: Sequence[str] = ()) -> None:
        self.psp, self.base_url, self._explain, self._hosts = psp, base_url.rstrip("/"), explain, hosts

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        bounds: Bounds = ANSWER,
        **body: Unpack[Body],
    ) -> httpx.Response:
        """Send one request, never repeated.

        Raises: PspUnreachable (nothing was sent), PspUnknown (no answer came, or one that is larger or slower than `bounds`).
        """
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        try:
            with recorded(self.psp, f"{method} {operation_of(url)}") as call:
                parts = (body.get("json"), body.get("data"), body.get("content"))
                call.request = next((part for part in parts if part is not None), None)
                response = request(
                    method,
                    url,
                    bounds=bounds,
                    headers=dict(headers or {}),
                    extensions={"trace": refuse_when_late},
                    **body,
                )
                call.note_status(response.status_code)
                call.answer = response.content
                return response
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PspUnreachable(
                _("%(psp)s can't be reached. Nothing was sent; try again.") % {"psp": self.psp}
            ) from error
        except AnswerTooLarge as error:
            raise PspUnknown(
                _("%(psp)s sent a response larger than we accept, so the result isn't known yet.") % {"psp": self.psp}
            ) from error
        except httpx.HTTPError as error:
            raise PspUnknown(_("%(psp)s didn't respond, so the result isn't known yet.") % {"psp": self.psp}) from error

    def download(self, url: str, *, headers: Mapping[str, str], bytes_max: int) -> Iterator[bytes]:
        """Download a file, piece by piece as it comes; a redirect is not followed.

        Raises: as `send` and `call`, and PspRefused for a file that is too large.
        """
        self.require_own(url)
        bounds = replace(REPORT, bytes_max=bytes_max, seconds=DOWNLOAD_SECONDS)
        try:
            with (
                recorded(self.psp, f"GET {operation_of(url)}") as call,
                streamed("GET", url, bounds=bounds, headers=dict(headers)) as response,
            ):
                call.note_status(response.status_code)
                if not response.is_success:
                    raise self.refusal(whole(response, bytes_max=ANSWER.bytes_max))
                yield from pieces_of(response, bytes_max=bytes_max)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise PspUnreachable(
                _("%(psp)s can't be reached. Nothing was sent; try again.") % {"psp": self.psp}
            ) from error
        except AnswerTooLarge as error:
            raise PspRefused(_("The file is larger than %(size)s MB.") % {"size": bytes_max // 2**20}) from error
        except httpx.HTTPError as error:
            raise PspUnknown(
                _("%(psp)s ended the transfer before the file was complete.") % {"psp": self.psp}
            ) from error

    def require_own(self, url: str) -> None:
        """Refuse an address that isn't one of the provider's own.

        Its own are https at one of its hosts, and the address where this PSP is set up to answer (a sandbox's). Raises:
        ForeignAddress.
        """
        own = self.own_origins
        # As text, before anybody parses it: two parsers may see two hosts in one odd address.
        if any(url.startswith(f"{host}/") for host in own) and url.isascii() and url.isprintable() and "\\" not in url:
            return
        raise ForeignAddress(
            _("%(host)s isn't one of %(psp)s's hosts (%(own)s). Nothing was fetched.")
            % {"host": _host_of(url), "psp": self.psp, "own": ", ".join(own)}
        )

    @property
    def own_origins(self) -> list[str]:
        if self.base_url:
            parts = urlsplit(self.base_url)
            return [f"{parts.scheme}://{parts.netloc}"]
        return [f"https://{host}" for host in self._hosts]

    def call(self, method: str, path: str, **options: Any) -> Any:
        """Send a request whose answer is JSON.

        Raises: PspRefused for 4xx; PspUnknown for 5xx, which may have been booked.
        """
        response = self.send(method, path, **options)
        if not response.is_success:
            raise self.refusal(response)
        try:
            return response.json() if response.content else {}
        except UNREADABLE as error:
            raise self.unreadable() from error

    def look_up(self, path: str, **options: Any) -> Any | None:
        """Send a GET whose 404 means "not known here": None."""
        try:
            return self.call("GET", path, **options)
        except PspRefused as refused:
            if refused.status == httpx.codes.NOT_FOUND:
                return None
            raise

    def read(self, reader: Callable[[Any], Read], answer: Any) -> Read:
        """Read an accepting answer; one in an unknown form leaves the outcome open.

        Raises: PspUnknown.
        """
        try:
            return reader(answer)
        except UNREADABLE as error:
            raise self.unreadable() from error

    def unreadable(self) -> PspUnknown:
        return PspUnknown(_("%(psp)s sent a response that we can't read.") % {"psp": self.psp})

    def refusal(self, response: httpx.Response) -> PspRefused | PspUnknown:
        try:
            message = str(self._explain(response.json()))
        except UNREADABLE:
            message = response.reason_phrase
        if response.is_client_error and response.status_code not in (408, 429):
            return PspRefused(f"{self.psp}: {message}"[:300], status=response.status_code)
        return PspUnknown(f"{self.psp}: {message}"[:300])


def address_of(psp: Psp, default: str) -> str:
    """Return where a PSP's API answers: as set up, or the provider's own. `sandbox:<code>` is that PSP of the sandbox, wherever
    the sandbox runs."""
    scheme, colon, code = psp.base_url.partition(":")
    if colon and scheme == "sandbox":
        return f"{settings.SANDBOX_PSP_URL.rstrip('/')}/{code}"
    return (psp.base_url or default).rstrip("/")


def _host_of(url: str) -> str:
    """Shorten an address to its host for an error message, whatever it is."""
    try:
        parts = urlsplit(url)
        return f"“{parts.scheme}://{parts.netloc.rpartition('@')[2]}”"[:120] if parts.netloc else f"“{url[:80]}”"
    except ValueError:
        return f"“{url[:80]}”"
