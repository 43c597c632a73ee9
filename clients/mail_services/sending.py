"""Sending e-mails to clients: over the API of the brand's mail service where it has an API key, else as the deployment sends."""

from __future__ import annotations

from typing import Any, Final

import httpx
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

from clients.mail_services.adapters import MARK, adapter_of
from clients.messages.tokens import message_id_of
from clients.models import MailService
from crm.connections.http import Line, watched
from crm.connections.protocol import ServiceRefused, ServiceUnknown
from crm.outside.outbound import Bounds

ANSWER: Final = Bounds(bytes_max=256 * 1024, seconds=60, timeout=httpx.Timeout(20))
# The key, the plan or the domain isn't in order: it may be in a while.
ACCOUNT_STATUSES: Final = (401, 402, 403, 404)


def send(email: EmailMessage, *, brand_id: int, message_id: int) -> None:
    """Send one e-mail, with our mark for the service's reports.

    Raises: ServiceRefused (this e-mail or its recipient; the same again brings the same answer), ServiceTemporary and
    ServiceUnknown (tried again), SMTPException or OSError where it goes over SMTP.
    """
    from anymail.exceptions import AnymailError, AnymailRecipientsRefused, AnymailRequestsAPIError

    service = MailService.objects.filter(brand=brand_id, is_enabled=True).first()
    try:
        if service is None:
            email.send()
        else:
            _send_by(service, email, message_id_of(message_id, MARK))
    except AnymailRecipientsRefused as error:
        raise ServiceRefused(_("The mail service refuses this address.")) from error
    except AnymailRequestsAPIError as error:  # an answer that can't be read, or that of a deployment's own backend
        if (
            error.status_code is not None
            and 400 <= error.status_code < 429
            and error.status_code not in ACCOUNT_STATUSES
        ):
            raise ServiceRefused(_said(error)) from error
        raise ServiceUnknown(_said(error)) from error
    except AnymailError as error:  # what this service can't express
        raise ServiceRefused(_said(error)) from error


def _send_by(service: MailService, email: EmailMessage, mark: str) -> None:
    adapter = adapter_of(service)
    if not service.credentials.get("api_key"):
        email.extra_headers |= adapter.headers_for(mark)
        email.send()
        return
    from clients.mail_services.api_line import backend_over

    email.metadata = {MARK: mark}  # type: ignore[attr-defined]  # anymail's own
    email.extra_headers |= adapter.api_headers
    line = Line(service, ANSWER, explain=_explained, account=ACCOUNT_STATUSES)
    keys = {adapter.api_setting: service.credentials["api_key"], "api_url": adapter.address}
    email.connection = backend_over(line, name=service.adapter, **keys)
    with watched(service):
        email.send()
    status = email.anymail_status  # type: ignore[attr-defined]
    if status.message_id is None and "unknown" in (status.status or ()):  # refused in words that anymail doesn't know
        raise ServiceRefused(_("The mail service refuses this address."))


def _explained(answer: Any) -> str:
    return str(answer.get("Message") or answer["message"])


def _said(error: Exception) -> str:
    return str(error).partition("\n")[0][:300]
