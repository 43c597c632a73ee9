"""Filling in a questionnaire step by step: a section is a step, and what isn't asked disappears from it.

The client portal and the preview for staff use the same steps. Nothing is saved here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.models import Brand
from kyc.questionnaires.choices import QuestionType
from kyc.questionnaires.content import Content, Question, Section
from kyc.questionnaires.fields import field_for, name_of
from kyc.questionnaires.scoring import asked_questions, asked_sections, is_asked
from kyc.questionnaires.wording import answer_text


class StepForm(forms.Form):
    """The questions of one section. `answers` are those given so far, to this and all other sections."""

    def __init__(
        self, content: Content, section: Section, answers: Mapping[str, Any], brand: Brand, data: Any = None
    ) -> None:
        self.content, self.section, self.answers = content, section, dict(answers)
        initial = {name_of(question): answers.get(question.id) for question in section.questions}
        super().__init__(data, initial=initial)
        for question in section.questions:
            self.fields[name_of(question)] = field_for(question, brand)
        self.asked: set[str] = {question.id for question in asked_questions(content, self.answers)}

    def clean(self) -> dict[str, Any]:
        """Find out what is asked, question by question, and what of that is missing. Errors elsewhere are dropped."""
        given = dict(self.answers)
        now = timezone.now()
        self.asked = set()
        for question in self.section.questions:
            name = name_of(question)
            value = _or_none(self.cleaned_data.get(name))
            given.pop(question.id, None)
            if not is_asked(question, self.content.before(question.id), given, now):
                self.errors.pop(name, None)
                continue
            self.asked.add(question.id)
            if value is not None:
                given[question.id] = value
            elif question.is_required and name not in self.errors:
                self.add_error(name, missing_text(question))
        self.given = given
        return self.cleaned_data

    def shown(self) -> Iterator[BoundField]:
        """Yield the fields of the questions that are asked."""
        for question in self.section.questions:
            if question.id in self.asked:
                field = self[name_of(question)]
                field.field.required = question.is_required
                yield field

    @property
    def shown_names(self) -> str:
        """Name the questions that are asked: what the page compares with what it shows."""
        return " ".join(question.id for question in self.section.questions if question.id in self.asked)


def _or_none(value: Any) -> Any:
    return None if value in ("", [], False) else value


def missing_text(question: Question) -> str:
    """Write what to do about a question that wasn't answered."""
    if question.type == QuestionType.DECLARATION:
        return _("Tick this box to continue.")
    if question.type in (QuestionType.SINGLE, QuestionType.MULTIPLE, QuestionType.COUNTRY):
        return _("Choose an answer.")
    return _("Answer this question.")


@dataclass(frozen=True)
class Line:
    """A question with its answer in words."""

    question: Question
    text: str


@dataclass(frozen=True)
class Walk:
    """Where somebody is in a questionnaire: its steps, and the last one, on which all answers are checked."""

    content: Content
    answers: Mapping[str, Any]
    steps: list[Section]
    number: int

    @property
    def is_last(self) -> bool:
        return self.number >= len(self.steps)

    @property
    def section(self) -> Section:
        return self.steps[self.number]

    @property
    def labels(self) -> list[str]:
        return [section.label for section in self.steps] + [_("Check your answers")]

    @property
    def total(self) -> int:
        return len(self.steps) + 1

    def lines(self) -> list[tuple[Section, int, list[Line]]]:
        """List the answers by section, each with the number of its step."""
        asked = {question.id for question in asked_questions(self.content, self.answers)}
        return [
            (
                section,
                number,
                [
                    Line(question, answer_text(question, self.answers.get(question.id)))
                    for question in section.questions
                    if question.id in asked
                ],
            )
            for number, section in enumerate(self.steps)
        ]

    def first_gap(self) -> int | None:
        """Find the first step with a required question that wasn't answered."""
        for question in asked_questions(self.content, self.answers):
            if question.is_required and question.id not in self.answers:
                return next(n for n, section in enumerate(self.steps) if question in section.questions)
        return None


def walk(content: Content, answers: Mapping[str, Any], step: str) -> Walk:
    """Find a step by its number in an address; the first one for anything else."""
    steps = asked_sections(content, answers)
    number = int(step) if step.isascii() and step.isdigit() and len(step) < 4 else 0
    return Walk(content, answers, steps, min(number, len(steps)))


def only_asked(content: Content, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the answers to questions that are asked: what a condition took away isn't submitted."""
    return {q.id: answers[q.id] for q in asked_questions(content, answers) if q.id in answers}
