"""The review page's table: each field of the registration beside what the document says, with the issue between them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.i18n.formats import day
from kyc.choices import DocumentKind
from kyc.models import CheckRun, Document
from kyc.queries import ShownIssue

# field → (label, where the checks keep what they read)
IDENTITY_FIELDS = (
    ("first_name", _("First name"), "given_names"),
    ("last_name", _("Last name"), "surname"),
    ("date_of_birth", _("Date of birth"), "birth_date"),
    ("nationality", _("Nationality"), "nationality"),
    ("number", _("Document number"), "number"),
    ("expires_on", _("Valid until"), "expiry_date"),
    ("issuing_country", _("Issued by"), "issuing_country"),
)
ADDRESS_FIELDS = (
    ("last_name", _("Name"), "name"),
    ("address_line", _("Street"), "address_line"),
    ("postal_code", _("Postal code"), "postal_code"),
    ("city", _("City"), "city"),
    ("issued_on", _("Issued on"), "issued_on"),
)


@dataclass(frozen=True)
class Row:
    field: str
    label: Any
    registered: str
    found: str
    issue: ShownIssue | None = None

    @property
    def agrees(self) -> bool:
        """Both sides say something and no check objects."""
        return bool(self.registered and self.found) and self.issue is None


def rows_of(document: Document, issues: list[ShownIssue]) -> list[Row]:
    """Pair what the registration says with what was read on the document, with the issue of each field."""
    client, extracted = document.client, document.extracted
    by_field = {issue.field: issue for issue in reversed(issues) if issue.field}
    is_address = document.kind == DocumentKind.PROOF_OF_ADDRESS
    rows = []
    for field, label, key in ADDRESS_FIELDS if is_address else IDENTITY_FIELDS:
        issue = by_field.get(field)
        registered = client.full_name if is_address and field == "last_name" else _registered(client, field)
        found = _shown(extracted.get(key, "")) or (_shown(issue.found) if issue else "")
        if registered or found or issue:
            rows.append(Row(field, label, registered, found, issue))
    return rows


def _registered(client: Client, field: str) -> str:
    value = getattr(client, field, "")
    return day(value) if isinstance(value, dt.date) else str(value or "")


def _shown(value: str) -> str:
    """Write dates as the reader does; anything else as it is."""
    try:
        return day(dt.date.fromisoformat(value))
    except (ValueError, TypeError):
        return str(value or "")


def page_sizes(document: Document, run: CheckRun | None) -> list[dict[str, int]]:
    """List number, width and height of each page in pixels, as far as the checks read them."""
    sizes = (run.measures.get("pages") if run else None) or []
    return [
        {"number": number, "width": width, "height": height}
        for number, (width, height) in enumerate(sizes[: document.page_count], start=1)
    ]
