"""What conditions of a questionnaire may look at: earlier answers, and in outcomes the score."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from clients.countries import country_choices
from crm.conditions import Condition, Field, FieldType, Vocabulary, read
from kyc.questionnaires.choices import QuestionType
from kyc.questionnaires.content import Question

SCORE: Final = "score"
TYPES: Final[Mapping[str, FieldType]] = {
    QuestionType.SINGLE: FieldType.CHOICE,
    QuestionType.MULTIPLE: FieldType.SET,
    QuestionType.NUMBER: FieldType.DECIMAL,
    QuestionType.MONEY: FieldType.MONEY,
    QuestionType.DATE: FieldType.MOMENT,
    QuestionType.COUNTRY: FieldType.CHOICE,
    QuestionType.TEXT: FieldType.TEXT,
    QuestionType.DECLARATION: FieldType.YES_NO,
    QuestionType.TAX: FieldType.SET,
}
OF_COUNTRIES: Final = (QuestionType.COUNTRY, QuestionType.TAX)


def of_questions(questions: Iterable[Question], *, with_score: bool = False) -> Vocabulary:
    """Describe answers as fields; the values come from `subject_of`."""
    fields = [_field(question) for question in questions]
    if with_score:
        fields.append(Field(SCORE, _("Score"), FieldType.NUMBER))
    return Vocabulary("answers", fields)


def _field(question: Question) -> Field:
    def choices() -> list[tuple[str, str]]:
        if question.type in OF_COUNTRIES:
            return list(country_choices())
        return [(choice.id, choice.label) for choice in question.choices]

    has_choices = bool(question.choices) or question.type in OF_COUNTRIES
    return Field(question.id, question.label, TYPES[question.type], choices=choices if has_choices else None)


def condition_of(stored: Mapping[str, Any], questions: Iterable[Question], *, with_score: bool = False) -> Condition:
    """Read a stored condition. Raises: DomainError where it names what isn't asked before it."""
    return read(dict(stored), of_questions(questions, with_score=with_score))


def subject_of(questions: Iterable[Question], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Turn stored answers into what conditions compare; None for what wasn't answered."""
    return {question.id: _comparable(question, answers.get(question.id)) for question in questions}


def _comparable(question: Question, value: Any) -> Any:
    if value is None:
        return False if question.type == QuestionType.DECLARATION else None
    match question.type:
        case QuestionType.NUMBER:
            return Decimal(value)
        case QuestionType.MONEY:
            return Decimal(value["base"])
        case QuestionType.DATE:
            return dt.datetime.combine(dt.date.fromisoformat(value), dt.time(), tzinfo=dt.UTC)
        case QuestionType.TAX:
            return [residence["country"] for residence in value]
        case _:
            return value
