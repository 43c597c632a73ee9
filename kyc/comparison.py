"""The review page's table: each field of the registration beside what the document says, with the issue between them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from clients.models import Client
from crm.i18n.formats import day
from kyc.choices import ISSUE_SHORT, DocumentKind
from kyc.corrections.fields import corrections_of, fields_of, values_of
from kyc.corrections.marks import Piece, in_words, marked
from kyc.models import CheckRun, Document, FieldCorrection
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

FIELD_LABELS = {field: label for field, label, _key in (*ADDRESS_FIELDS, *IDENTITY_FIELDS)}


@dataclass(frozen=True)
class Row:
    field: str
    label: Any
    registered: str
    found: str
    issue: ShownIssue | None = None
    printed: str = ""
    correction: FieldCorrection | None = None
    # How it is entered where it can be corrected ("text", "day", …), and its value as the checks write it.
    form: str = ""
    raw: str = ""

    @property
    def agrees(self) -> bool:
        """Both sides say something and no check objects."""
        return bool(self.registered and self.found) and self.issue is None

    @property
    def against(self) -> str:
        """What the document's value is compared with: its print where that differs, else the registration."""
        return (self.printed or self.registered) if self.issue is not None else ""

    @property
    def found_pieces(self) -> list[Piece]:
        return marked(self.found, self.against) if self.against else [Piece(self.found)]

    @property
    def registered_pieces(self) -> list[Piece]:
        is_compared = self.against and not self.printed
        return marked(self.registered, self.found) if is_compared else [Piece(self.registered)]

    @property
    def printed_pieces(self) -> list[Piece]:
        return marked(self.printed, self.found)

    @property
    def difference(self) -> str:
        """The difference in words."""
        return in_words(self.found, self.against) if self.against else ""

    @property
    def machine_value(self) -> str:
        """What the checks had read, where an officer corrected it."""
        return _shown(self.correction.machine_value) if self.correction else ""


@dataclass(frozen=True)
class IssueGroup:
    """What one check found, in as many fields as it found it: an address of three lines is one issue to read."""

    issues: list[ShownIssue]

    @property
    def first(self) -> ShownIssue:
        return self.issues[0]

    @property
    def label(self) -> str:
        """The issue's own sentence; of several fields a few words and which."""
        if len(self.issues) == 1:
            return self.first.label
        fields = [str(FIELD_LABELS.get(shown.field, shown.field)) for shown in self.issues if shown.field]
        return f"{ISSUE_SHORT[self.first.code]}: {', '.join(dict.fromkeys(fields))}" if fields else self.first.label

    @property
    def lines(self) -> list[tuple[str, ShownIssue]]:
        """What each field says beside the registration, under its name where there are several."""
        several = len(self.issues) > 1
        compared = [shown for shown in self.issues if shown.found or shown.expected]
        return [(str(FIELD_LABELS.get(shown.field, "")) if several else "", shown) for shown in compared]


def grouped(issues: list[ShownIssue]) -> list[IssueGroup]:
    """Put equal findings together, in the order of the first of each."""
    by_code: dict[str, list[ShownIssue]] = {}
    for shown in issues:
        by_code.setdefault(shown.code, []).append(shown)
    return [IssueGroup(same) for same in by_code.values()]


PRINT_CODES = ("PRINT_MISMATCH", "PRINT_NEAR")


def rows_of(document: Document, issues: list[ShownIssue]) -> list[Row]:
    """Pair what the registration says with what was read on the document, with the issue and the correction of each field."""
    corrections = corrections_of(document)
    return compared(document, issues, values_of(document, corrections.values()), corrections)


def compared(
    document: Document, issues: list[ShownIssue], values: Mapping[str, Any], corrections: Mapping[str, FieldCorrection]
) -> list[Row]:
    """Pair the registration with values that were read already. No query."""
    client, extracted = document.client, values
    by_field = {issue.field: issue for issue in reversed(issues) if issue.field}
    printed = {issue.field: issue.found for issue in issues if issue.code in PRINT_CODES and issue.found}
    correctable = fields_of(document.kind)
    is_address = document.kind == DocumentKind.PROOF_OF_ADDRESS
    rows = []
    for field, label, key in ADDRESS_FIELDS if is_address else IDENTITY_FIELDS:
        issue = by_field.get(field)
        registered = client.full_name if is_address and field == "last_name" else _registered(client, field)
        found = _shown(extracted.get(key, "")) or (_shown(issue.found) if issue else "")
        if registered or found or issue:
            form = correctable[field].form if field in correctable else ""
            raw = str(extracted.get(key, ""))
            paper = _shown(printed.get(field, ""))
            rows.append(Row(field, label, registered, found, issue, paper, corrections.get(field), form, raw))
    return rows


def registration_of(document: Document) -> list[tuple[str, str]]:
    """List what the registration says of the fields that a document of this kind proves, without what was read on it."""
    is_address = document.kind == DocumentKind.PROOF_OF_ADDRESS
    return [
        (str(label), document.client.full_name if is_address and field == "last_name" else value)
        for field, label, _key in (ADDRESS_FIELDS if is_address else IDENTITY_FIELDS)
        if (value := _registered(document.client, field))
    ]


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
