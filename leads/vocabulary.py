"""What a routing rule's conditions may speak of: a lead as routing sees it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from babel import Locale
from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from crm.conditions import Field, FieldType, Vocabulary
from crm.i18n import formats


def language_choices() -> Iterable[tuple[str, str]]:
    """List languages by their two letters, by name in the reader's language."""
    return _languages(str(formats.locale()))


@lru_cache(maxsize=16)
def _languages(_locale: str) -> tuple[tuple[str, str], ...]:
    names = formats.locale().languages
    codes = [str(code) for code in Locale("en").languages if len(str(code)) == 2]
    return tuple(sorted(((code, names.get(code, code)) for code in codes), key=lambda pair: pair[1].lower()))


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
    ],
    preview="lead_condition",
)
