"""What was asked of a client: for the review, the client's record and the portal."""

from __future__ import annotations

import datetime as dt
from typing import Final

from clients.models import Client
from crm.brand_policies.registry import today
from kyc.choices import RequestState
from kyc.forms import RequestForm
from kyc.models import Document, DocumentRequest

SHOWN_MAX: Final = 20
DEFAULT_DAYS: Final = 7


def requests_about(document: Document) -> list[DocumentRequest]:
    """List what was asked while this document was under review, newest first. The caller may see the document."""
    rows = DocumentRequest.objects.filter(document=document).select_related("requested_by", "answer")
    return list(rows[:SHOWN_MAX])


def requests_of(client: Client) -> list[DocumentRequest]:
    """List what a client was asked for, newest first. The caller has got the client through a scoped read."""
    rows = DocumentRequest.objects.filter(client=client).select_related("requested_by", "answer", "document")
    return list(rows[:SHOWN_MAX])


def open_requests(client: Client) -> list[DocumentRequest]:
    """List what a client still has to send, the most urgent first. One query."""
    rows = DocumentRequest.objects.filter(client=client, state=RequestState.OPEN)
    return list(rows.order_by("due_on", "pk")[:SHOWN_MAX])


def request_form(document: Document) -> RequestForm:
    """Offer the same document again, within a week."""
    initial = {"kind": document.kind, "due_on": today(document.client.brand) + dt.timedelta(days=DEFAULT_DAYS)}
    return RequestForm(initial=initial, language=document.client.language)
