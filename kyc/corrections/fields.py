"""Which fields an officer may correct, how each is written, and what holds for a document with its corrections."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _

from crm.errors import DomainError
from kyc.choices import IDENTITY_KINDS, DocumentKind
from kyc.examination import states
from kyc.models import Document, FieldCorrection

VALUE_MAX: Final = 120
NUMBER: Final = re.compile(r"[A-Z0-9]{3,30}")


@dataclass(frozen=True)
class CorrectableField:
    """A field of a document: where the checks keep what they read, and what it may look like."""

    name: str
    key: str
    form: str = "text"

    def cleaned(self, given: str) -> str:
        """Write a value as the checks do. Raises: DomainError, which says what to enter."""
        text = re.sub(r"\s+", " ", given).strip()
        if not text or len(text) > VALUE_MAX or not text.isprintable():
            raise DomainError(
                _("Enter the value as on the document, in at most %(count)s characters.") % {"count": VALUE_MAX}
            )
        if self.form == "day":
            return self._day(text)
        if self.form == "number":
            number = re.sub(r"[\s./-]", "", text.upper())
            if not NUMBER.fullmatch(number):
                raise DomainError(_("Enter the number as printed: 3 to 30 letters and digits."))
            return number
        if self.form == "state":
            code = text.upper()
            if code not in states.SPECIMEN_STATES and not states.exists(code):
                raise DomainError(_("Enter the country's three-character code as on the document, for example POL."))
            return code
        return text

    @staticmethod
    def _day(text: str) -> str:
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            raise DomainError(_("Enter a date.")) from None
        if not 1900 <= day.year <= 2100:
            raise DomainError(_("Enter a date."))
        return day.isoformat()


OF_IDENTITY: Final = (
    CorrectableField("first_name", "given_names"),
    CorrectableField("last_name", "surname"),
    CorrectableField("date_of_birth", "birth_date", "day"),
    CorrectableField("nationality", "nationality", "state"),
    CorrectableField("number", "number", "number"),
    CorrectableField("expires_on", "expiry_date", "day"),
    CorrectableField("issuing_country", "issuing_country", "state"),
)
OF_ADDRESS: Final = (
    CorrectableField("last_name", "name"),
    CorrectableField("address_line", "address_line"),
    CorrectableField("postal_code", "postal_code"),
    CorrectableField("city", "city"),
    CorrectableField("issued_on", "issued_on", "day"),
)


def fields_of(kind: str) -> Mapping[str, CorrectableField]:
    """List the fields that can be corrected on documents of a kind, by name."""
    if kind in IDENTITY_KINDS:
        return {field.name: field for field in OF_IDENTITY}
    return {field.name: field for field in OF_ADDRESS} if kind == DocumentKind.PROOF_OF_ADDRESS else {}


def corrections_of(document: Document) -> dict[str, FieldCorrection]:
    """Find the correction that holds for each field. One query; they know their document, so that opening them takes none."""
    rows = FieldCorrection.objects.filter(document=document).select_related("corrected_by").order_by("pk")
    for row in (newest := {row.field: row for row in rows}).values():
        row.document = document
    return newest


def values_of(document: Document, corrections: Iterable[FieldCorrection]) -> dict[str, Any]:
    """Return what holds: what the checks read, with the officer's values in place of the machine's."""
    fields = fields_of(document.kind)
    return {**document.extracted, **{fields[row.field].key: row.value for row in corrections if row.field in fields}}
