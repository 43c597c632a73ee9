"""Exactly what somebody reads before they agree: a text with its values, by its hash, and the row that proves it later."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils import timezone

from crm.models import Brand, TextWording
from crm.texts.catalogue import DeclaredText
from crm.texts.reading import InForce, written_for


@dataclass(frozen=True, slots=True)
class Wording:
    """A text as one reader sees it now. `sha256` names these very words."""

    brand: Brand
    declared: DeclaredText
    language: str
    heading: str
    body: str
    version: InForce | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(f"{self.heading}\n\n{self.body}".encode()).hexdigest()


def wording_of(declared: DeclaredText, brand: Brand, language: str, values: Mapping[str, object]) -> Wording:
    """Write a text as a reader of this language sees it. No row is written."""
    written = written_for(declared, brand, language)
    text = written.text.filled(values)
    return Wording(brand, declared, written.language, text.heading, text.body, written.version)


def store(wording: Wording) -> TextWording:
    """Return the row of a wording that somebody agrees to; written when it is the first time."""
    row, _created = TextWording.objects.get_or_create(
        brand=wording.brand,
        key=wording.declared.key,
        language=wording.language,
        version_id=wording.version.pk if wording.version else None,
        sha256=wording.sha256,
        defaults={"heading": wording.heading, "body": wording.body, "first_read_at": timezone.now()},
    )
    return row
