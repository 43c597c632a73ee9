"""What a routing rule's conditions may speak of: a lead as routing sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Final

from babel import Locale
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from clients.custom_fields.registry import AddedVocabulary, as_field, name_of, numbered, seen_by
from clients.models import CustomField
from clients.segments.membership import open_segments
from crm.conditions import Field, FieldType, Vocabulary
from crm.i18n import formats
from crm.models import Brand, User
from crm.security.scope import reach_of
from leads.choices import Experience


def language_choices() -> Iterable[tuple[str, str]]:
    """List languages by their two letters, by name in the reader's language."""
    return _languages(str(formats.locale()))


@lru_cache(maxsize=16)
def _languages(_locale: str) -> tuple[tuple[str, str], ...]:
    names = formats.locale().languages
    codes = [str(code) for code in Locale("en").languages if len(str(code)) == 2]
    return tuple(sorted(((code, names.get(code, code)) for code in codes), key=lambda pair: pair[1].lower()))


SEGMENTS: Final = "segments"

LEAD = Vocabulary(
    "lead",
    [
        Field(
            "language", _("Language"), FieldType.CHOICE, choices=language_choices, read=lambda lead: lead.language[:2]
        ),
        Field("country", _("Country"), FieldType.CHOICE, choices=country_choices),
        Field("source", _("Source"), FieldType.TEXT),
        Field("campaign", _("Campaign code"), FieldType.TEXT),
        Field("score", _("Score"), FieldType.NUMBER),
        Field("experience", _("Trading experience"), FieldType.CHOICE, choices=lambda: Experience.choices),
        Field("intended_deposit", _("Intended deposit"), FieldType.MONEY),
        Field(
            SEGMENTS,
            _("Segments"),
            FieldType.SET,
            choices=lambda: open_segments(Brand.objects.values_list("pk", flat=True)),
            read=lambda lead: lead.custom.get(SEGMENTS, []),
        ),
    ],
    preview="lead_condition",
)


def lead_field(field: CustomField) -> Field:
    """Describe a custom field as routing sees it: among the values that the lead arrived with."""
    name = name_of(field)
    return replace(as_field(field), lookup="", rows=None, read=lambda lead: lead.custom.get(name))


def _find(name: str) -> Field | None:
    field = numbered(name).filter(archived_at=None, for_leads=True).first()
    return None if field is None else lead_field(field)


def _name_lost(name: str) -> str:
    field = numbered(name).first()
    return "" if field is None else field.label


class OfBrands(AddedVocabulary):
    """A lead's vocabulary with the segments of some brands only."""

    def _offer_segments(self, brands: Iterable[int]) -> None:
        offered = lru_cache(maxsize=1)(lambda: open_segments(brands))
        self._fields[SEGMENTS] = replace(self._fields[SEGMENTS], choices=offered)


class SeenLeadVocabulary(OfBrands):
    """A lead's vocabulary as one person may use it in a rule: with the custom fields of leads that they see."""

    def __init__(self, user: User) -> None:
        brands = reach_of(user).brands
        super().__init__(LEAD, seen_by(user).filter(for_leads=True), brands, lead_field)
        self._offer_segments(brands)


class ShownLeadVocabulary(OfBrands):
    """A lead's vocabulary to show the rules of some brands: with every custom field that a rule may ask."""

    def __init__(self, brands: Iterable[int]) -> None:
        rows = CustomField.objects.filter(brand_id__in=brands, archived_at=None, for_leads=True)
        super().__init__(LEAD, rows.select_related("brand").prefetch_related("choices"), brands, lead_field)
        self._offer_segments(brands)


LEAD.find, LEAD.name_lost = _find, _name_lost
