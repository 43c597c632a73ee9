"""Stored answers in words, for the client and for staff."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from clients.countries import country_name
from crm.i18n import formats
from crm.money.amounts import Money
from kyc.questionnaires.choices import NoTinReason, QuestionType
from kyc.questionnaires.content import Question


def answer_text(question: Question, value: Any) -> str:
    """Write an answer in the reader's language; “–” for none."""
    if value is None:
        return "–"
    match question.type:
        case QuestionType.SINGLE | QuestionType.MULTIPLE:
            chosen = set(value) if isinstance(value, list) else {value}
            return ", ".join(choice.label for choice in question.choices if choice.id in chosen)
        case QuestionType.NUMBER:
            return formats.number(Decimal(value))
        case QuestionType.MONEY:
            return formats.money(Money(Decimal(value["amount"]), value["currency"]))
        case QuestionType.DATE:
            return formats.day(dt.date.fromisoformat(value))
        case QuestionType.COUNTRY:
            return country_name(value)
        case QuestionType.DECLARATION:
            return _("Confirmed")
        case QuestionType.TAX:
            return "; ".join(_residence(row) for row in value)
        case _:
            return str(value)


def _residence(row: dict[str, str]) -> str:
    country = country_name(row["country"])
    if row["tin"]:
        return f"{country}: {row['tin']}"
    reason = str(NoTinReason(row["reason"]).label)
    return f"{country}: {reason}" + (f" ({row['why']})" if row["why"] else "")
