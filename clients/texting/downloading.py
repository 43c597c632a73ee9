"""A file that came with a message: fetched from the hosts of its service alone, within bounds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx
from django.utils.translation import gettext as _

from clients.models import TextService
from crm.connections.protocol import ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.outside.outbound import AnswerTooLarge, Bounds, pieces_of, streamed

REDIRECTS_MAX: Final = 3
# Where Twilio keeps what its API gives: https://www.twilio.com/docs/messaging/api/media-resource
HOSTS: Final = (".twilio.com", ".twiliocdn.com")
MEDIA: Final = Bounds(bytes_max=2**25, seconds=60, timeout=httpx.Timeout(20, connect=3))


def download(service: TextService, url: str, *, headers: Mapping[str, str], bytes_max: int) -> bytes:
    """Read a file whose address we made ourselves, following the service to its own hosts, which get no keys of ours.

    Raises: as calls of a connection do; ServiceRefused for a redirect elsewhere, and for a file that is too large.
    """
    named = {"service": service}
    sent, home = dict(headers), urlsplit(url).netloc
    try:
        for _step in range(REDIRECTS_MAX + 1):
            with streamed("GET", url, bounds=MEDIA, headers=sent) as response:
                if not response.has_redirect_location:
                    return b"".join(_body(service, response, bytes_max))
                url, sent = urljoin(url, response.headers["location"]), {}
            if not is_own(url, home):
                raise ServiceRefused(_("%(service)s names another host for this file.") % named)
    except AnswerTooLarge as error:
        raise ServiceRefused(_("The file is larger than we accept.")) from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ServiceTemporary(_("%(service)s can't be reached.") % named) from error
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ServiceUnknown(_("%(service)s didn't respond.") % named) from error
    raise ServiceRefused(_("%(service)s names another host for this file.") % named)


def is_own(url: str, home: str) -> bool:
    """Check whether an address is at the host that we asked, or over TLS at one of the service's own."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    is_service = parts.scheme == "https" and parts.port in (None, 443) and host.endswith(HOSTS)
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and (parts.netloc == home or is_service)


def _body(service: TextService, response: httpx.Response, bytes_max: int) -> Iterator[bytes]:
    named = {"service": service}
    if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ServiceUnknown(_("%(service)s didn't respond.") % named)
    if not response.is_success:
        raise ServiceRefused(_("%(service)s doesn't give the file.") % named, status=response.status_code)
    return pieces_of(response, bytes_max=bytes_max)
