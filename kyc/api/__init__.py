"""The status of documents in the API: what was sent in and decided, never the file, its name or what was read from it."""

from __future__ import annotations

from typing import Final

from ninja import Router

from clients.api import CLIENTS
from crm.api.fields import day, integer, text, time
from crm.api.reading import register
from crm.api.resources import Resource
from kyc.choices import DocumentKind, DocumentState
from kyc.queries import documents_visible_to

router = Router()
DOCUMENTS: Final = Resource(
    "documents",
    "document",
    scope="kyc:read",
    permission="kyc.view_document",
    rows=documents_visible_to,
    summary="Documents of clients: their kind, state and decision.",
    client="client_id",
    fields=(
        integer("id"),
        integer("client_id"),
        text("kind", choices=DocumentKind.values),
        text("side"),
        text("state", choices=DocumentState.values),
        text("issuing_country"),
        day("expires_on"),
        time("uploaded_at"),
        time("reviewed_at"),
        text("reason_code"),
    ),
    filters=("client_id", "kind", "state", "uploaded_at", "reviewed_at", "expires_on"),
    expand={"client": CLIENTS},
)
register(router, DOCUMENTS)
