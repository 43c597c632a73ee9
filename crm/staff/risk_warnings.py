"""The risk warning of a brand: the regulator's standard text, and the share of losing accounts that is filled into it.

ESMA's wording: https://eur-lex.europa.eu/eli/dec_esma/2018/796/oj, Annex II; CySEC keeps it in its product intervention measures.
"""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from crm.errors import DomainError
from crm.models.people import PERCENT

STANDARD: Final = {
    "en": "CFDs are complex instruments and come with a high risk of losing money rapidly due to leverage. {percent}% of "
    "retail investor accounts lose money when trading CFDs with this provider. You should consider whether you understand "
    "how CFDs work and whether you can afford to take the high risk of losing your money.",
    "de": "CFDs sind komplexe Instrumente und gehen wegen der Hebelwirkung mit dem hohen Risiko einher, schnell Geld zu "
    "verlieren. {percent} % der Kleinanlegerkonten verlieren Geld beim CFD-Handel mit diesem Anbieter. Sie sollten überlegen, "
    "ob Sie verstehen, wie CFDs funktionieren, und ob Sie es sich leisten können, das hohe Risiko einzugehen, Ihr Geld zu "
    "verlieren.",
}
WRITTEN_OTHERWISE = re.compile(r"[{}]|%\(\w*\)s?")


def require_fillable(text: str, loss_percentage: int | None) -> None:
    """Check that `{percent}` is the only placeholder of a text, and that there is a figure for it. Raises: DomainError."""
    rest = text.replace(PERCENT, "")
    if WRITTEN_OTHERWISE.search(rest):
        raise DomainError(
            _(
                "Write %(placeholder)s where the percentage goes. The risk warning takes no other placeholders or braces."
            )
            % {"placeholder": PERCENT},
            code="placeholder",
        )
    if rest != text and loss_percentage is None:
        raise DomainError(
            _(
                "The risk warning contains %(placeholder)s: enter the percentage of losing accounts. A new provider without"
                " figures writes: “The vast majority of retail client accounts lose money when trading in CFDs.”"
            )
            % {"placeholder": PERCENT},
            code="no_percentage",
        )
