"""Which questions are asked, what the answers score, and the outcome that follows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from kyc.questionnaires.choices import QuestionType
from kyc.questionnaires.content import Content, Outcome, Question, Section
from kyc.questionnaires.vocabulary import SCORE, condition_of, subject_of


def is_asked(question: Question, earlier: list[Question], answers: Mapping[str, Any], now: dt.datetime) -> bool:
    """Evaluate a question's condition over the answers to the earlier ones that are asked themselves."""
    if question.when is None:
        return True
    return condition_of(question.when, earlier).holds(subject_of(earlier, answers), now)


def asked_questions(content: Content, answers: Mapping[str, Any], now: dt.datetime | None = None) -> list[Question]:
    """List the questions that these answers lead to. An answer to a question that isn't asked counts for nothing."""
    now = now or timezone.now()
    earlier: list[Question] = []
    asked: list[Question] = []
    counted: dict[str, Any] = {}
    for question in content.questions():
        if is_asked(question, earlier, counted, now):
            asked.append(question)
            if question.id in answers:
                counted[question.id] = answers[question.id]
        earlier.append(question)
    return asked


def asked_sections(content: Content, answers: Mapping[str, Any]) -> list[Section]:
    """List the sections with at least one question that is asked: the client's steps."""
    asked = {question.id for question in asked_questions(content, answers)}
    return [section for section in content.sections if any(question.id in asked for question in section.questions)]


def score_of(question: Question, value: Any) -> int:
    """Add up what an answer scores; 0 for types without choices."""
    if value is None or not question.choices:
        return 0
    chosen = set(value) if question.type == QuestionType.MULTIPLE else {value}
    return sum(choice.score for choice in question.choices if choice.id in chosen)


@dataclass(frozen=True, slots=True)
class Result:
    """The score of answers, the most that the asked questions could have scored, and the outcome."""

    score: int
    score_max: int
    outcome: Outcome


def result_of(content: Content, answers: Mapping[str, Any], now: dt.datetime | None = None) -> Result:
    """Score complete answers and find the first outcome that they meet. A published version always has one."""
    now = now or timezone.now()
    asked = asked_questions(content, answers, now)
    score = sum(score_of(question, answers.get(question.id)) for question in asked)
    counted = {question.id: answers.get(question.id) for question in asked}
    outcome = next(outcome for outcome in content.outcomes if _meets(content, outcome, counted, score, now))
    return Result(score, sum(question.score_max for question in asked), outcome)


def _meets(content: Content, outcome: Outcome, answers: Mapping[str, Any], score: int, now: dt.datetime) -> bool:
    if outcome.from_score is not None and score < outcome.from_score:
        return False
    if outcome.when is None:
        return True
    questions = list(content.questions())
    condition = condition_of(outcome.when, questions, with_score=True)
    return condition.holds({**subject_of(questions, answers), SCORE: score}, now)
