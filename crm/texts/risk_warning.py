"""The risk warning below a brand's pages and e-mails: the regulator's standard text, until a brand publishes its own.

ESMA's wording: https://eur-lex.europa.eu/eli/dec_esma/2018/796/oj, Annex II; CySEC keeps it in its product intervention measures.
A provider without figures of the last twelve months uses the sentence without one.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from crm.models import Brand
from crm.texts.catalogue import DeclaredText, Text, TextKind, Variable, declare_text, names_in
from crm.texts.reading import Written, written_for

PERCENT: Final = "percent"
WITHOUT_FIGURE: Final = {
    "en": "CFDs are complex instruments and come with a high risk of losing money rapidly due to leverage. The vast majority of "
    "retail client accounts lose money when trading in CFDs. You should consider whether you can afford to take the high risk "
    "of losing your money.",
    "de": "CFDs sind komplexe Instrumente und gehen wegen der Hebelwirkung mit dem hohen Risiko einher, schnell Geld zu "
    "verlieren. Die allermeisten Kleinanlegerkonten verlieren Geld beim CFD-Handel. Sie sollten überlegen, ob Sie es sich "
    "leisten können, das hohe Risiko einzugehen, Ihr Geld zu verlieren.",
}
RISK_WARNING: Final = declare_text(
    DeclaredText(
        "crm.risk_warning",
        TextKind.RISK_WARNING,
        _("Risk warning"),
        {
            "en": Text(
                "",
                "CFDs are complex instruments and come with a high risk of losing money rapidly due to leverage. "
                "{{ percent }}% of retail investor accounts lose money when trading CFDs with this provider. You should consider "
                "whether you understand how CFDs work and whether you can afford to take the high risk of losing your money.",
            ),
            "de": Text(
                "",
                "CFDs sind komplexe Instrumente und gehen wegen der Hebelwirkung mit dem hohen Risiko einher, schnell Geld zu "
                "verlieren. {{ percent }} % der Kleinanlegerkonten verlieren Geld beim CFD-Handel mit diesem Anbieter. Sie "
                "sollten überlegen, ob Sie verstehen, wie CFDs funktionieren, und ob Sie es sich leisten können, das hohe Risiko "
                "einzugehen, Ihr Geld zu verlieren.",
            ),
        },
        common=(Variable(PERCENT, _("Share of retail accounts that lose money, from the brand's details"), "74"),),
    )
)


def risk_warning_of(brand: Brand, language: str) -> str:
    """Write a brand's risk warning in a language where there is one, with the percentage filled in."""
    return worded(brand, written_for(RISK_WARNING, brand, language))


def worded(brand: Brand, written: Written) -> str:
    """Fill the percentage in; without a figure, a text that needs one gives way to the standard text without."""
    if brand.loss_percentage is not None:
        return written.text.filled({PERCENT: brand.loss_percentage}).body
    if PERCENT in names_in(written.text):
        return WITHOUT_FIGURE.get(written.language[:2], WITHOUT_FIGURE["en"])
    return written.text.body
