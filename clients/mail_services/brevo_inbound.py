"""E-mails that Brevo hands over in parts, with links to their files: put together again as raw e-mails.

Source: https://developers.brevo.com/docs/inbound-parse-webhooks. A file is fetched with the API key, within our bounds. One that
can't be had is named in a small text in its place: the e-mail comes in without it, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx
from django.utils.translation import gettext as _

from clients.messages.reading import ATTACHMENT_BYTES_MAX, ATTACHMENTS_MAX
from clients.models import MailService
from crm.connections.http import Line, watched
from crm.connections.protocol import ServiceRefused
from crm.errors import OutsideWorldError
from crm.outside.outbound import Bounds

FILE: Final = Bounds(bytes_max=ATTACHMENT_BYTES_MAX, seconds=60, timeout=httpx.Timeout(20))
# The key or the plan isn't in order: it may be in a while. 404 is a file that Brevo keeps no longer.
ACCOUNT_STATUSES: Final = (401, 402, 403)
LINE_BREAKS: Final = re.compile(r"[\r\n]+[ \t]*")
# A file by its token: its content, or why it can't be had.
Files = Mapping[str, bytes | str]


def fetch_files(service: MailService, event: Mapping[str, Any], *, address: str, is_last: bool) -> Files:
    """Fetch the files of the e-mails in a webhook. is_last: what fails now isn't tried again.

    Raises: ServiceTemporary, ServiceUnknown (unless it is the last time), one of UNREADABLE.
    """
    key = service.credentials.get("api_key")
    line = Line(service, FILE, explain=lambda answer: answer["message"], account=ACCOUNT_STATUSES)
    files: dict[str, bytes | str] = {}
    for item in event["items"]:
        for part in (item.get("Attachments") or [])[:ATTACHMENTS_MAX]:
            token = str(part["DownloadToken"])
            if not key:
                files[token] = _("The mail service has no API key, so its files can’t be fetched.")
            elif int(part.get("ContentLength") or 0) > ATTACHMENT_BYTES_MAX:
                files[token] = _("The file is too large.")
            else:
                url = f"{address}inbound/attachments/{quote(token, safe='')}"
                files[token] = _fetch(service, line, url, key, is_last=is_last)
    return files


def _fetch(service: MailService, line: Line, url: str, key: str, *, is_last: bool) -> bytes | str:
    try:
        with watched(service):
            return line.send("GET", url, headers={"api-key": key}).content
    except ServiceRefused as error:
        return error.message
    except OutsideWorldError as error:
        if not is_last:
            raise
        return error.message


def raw_mails(event: Mapping[str, Any], files: Files) -> list[bytes]:
    """Put the e-mails of a webhook together from their headers, texts and fetched files. Raises: one of UNREADABLE."""
    from anymail.inbound import AnymailInboundMessage
    from anymail.webhooks.brevo import BrevoInboundWebhookView

    class View(BrevoInboundWebhookView):
        def _fetch_attachment(self, attachment: Mapping[str, Any]) -> Any:
            content, name = files.get(str(attachment["DownloadToken"]), ""), attachment.get("Name") or _("File")
            if isinstance(content, bytes):
                return AnymailInboundMessage.construct_attachment(
                    content_type=attachment.get("ContentType") or "application/octet-stream",
                    content=content,
                    filename=name,
                    content_id=attachment.get("ContentID"),
                )
            why = content or _("Too many files.")
            return AnymailInboundMessage.construct_attachment(
                content_type="text/plain; charset=utf-8", content=f"{name}: {why}", filename=f"{name}.txt"
            )

    view = View(webhook_secret="-", api_key="-")  # noqa: S106 (neither is used: it was judged, and files were fetched)
    return [view.esp_to_anymail_event(_unfolded(item)).message.as_bytes() for item in event["items"]]


def _unfolded(item: Mapping[str, Any]) -> dict[str, Any]:
    """Copy an e-mail with each header on one line, as a header that is written has to be."""
    headers = {
        name: [LINE_BREAKS.sub(" ", str(value)) for value in ([values] if isinstance(values, str) else values)]
        for name, values in (item.get("Headers") or {}).items()
    }
    return {**item, "Headers": headers, "Attachments": item.get("Attachments") or []}
