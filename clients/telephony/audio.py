"""A recording's sound from an exchange: within bounds, and with each failure as one of the three of every connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import httpx
from django.utils.translation import gettext as _

from clients.models import PhoneExchange
from crm.connections.protocol import ServiceRefused, ServiceTemporary, ServiceUnknown
from crm.outside.outbound import AnswerTooLarge, Bounds, pieces_of, streamed

MEDIA: Final = Bounds(bytes_max=2**26, seconds=300, timeout=httpx.Timeout(30, connect=3))


@contextmanager
def open_audio(
    exchange: PhoneExchange, url: str, *, headers: Mapping[str, str], bytes_max: int
) -> Iterator[Iterator[bytes]]:
    """Open the sound at an address. Raises: as calls of a connection do; ServiceRefused where it isn't audio or too large."""
    named = {"service": exchange}
    try:
        with streamed("GET", url, bounds=MEDIA, headers=dict(headers)) as response:
            if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
                raise ServiceUnknown(_("%(service)s didn't respond.") % named)
            if not response.is_success:
                refusal = _("%(service)s doesn't give the recording.") % named
                raise ServiceRefused(refusal, status=response.status_code)
            if not response.headers.get("content-type", "").startswith("audio/"):
                raise ServiceRefused(_("%(service)s sent something else than a recording.") % named)
            yield pieces_of(response, bytes_max=bytes_max)
    except AnswerTooLarge as error:
        raise ServiceRefused(_("The recording is larger than we accept.")) from error
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ServiceTemporary(_("%(service)s can't be reached.") % named) from error
    except httpx.HTTPError as error:
        raise ServiceUnknown(_("%(service)s didn't respond.") % named) from error


def basic(username: str, password: str) -> dict[str, str]:
    """Write the header of HTTP's basic authentication."""
    return {"Authorization": httpx.BasicAuth(username, password)._auth_header}
