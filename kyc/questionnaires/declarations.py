"""What answers declare of a client's means: read from the questions that are marked so, and kept beside the sealed answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from clients.declared.choices import AMOUNTS, CODES, DeclaredFact
from clients.declared.declaring import UNLIMITED, Declared, declare
from kyc.questionnaires.choices import CHOICE_TYPES, QuestionType
from kyc.questionnaires.content import Content, Question
from kyc.questionnaires.models import Submission

AMOUNT_TYPES = (QuestionType.SINGLE, QuestionType.MONEY, QuestionType.NUMBER)


def facts_for(kind: str) -> list[tuple[str, str]]:
    """List what a question of a type can declare."""
    return [
        (fact.value, str(fact.label))
        for fact in DeclaredFact
        if kind in (AMOUNT_TYPES if fact in AMOUNTS else CHOICE_TYPES)
    ]


def declared_in(content: Content, answers: Mapping[str, Any]) -> dict[DeclaredFact, Declared | None]:
    """Read what complete answers declare; None for a fact that is asked about and wasn't answered. Codes of several questions
    count together.
    """
    found: dict[DeclaredFact, Declared | None] = {}
    for question in content.questions():
        if not question.declares:
            continue
        fact = DeclaredFact(question.declares)
        said, before = _declared(question, answers.get(question.id)), found.get(fact)
        if said is not None and before is not None:
            said = Declared(codes=tuple({*before.codes, *said.codes}))
        found[fact] = said or before
    exposure = found.get(DeclaredFact.PEP)
    if exposure is not None and len(exposure.codes) > 1:
        found[DeclaredFact.PEP] = Declared(codes=tuple(code for code in exposure.codes if code != "none"))
    return found


def _declared(question: Question, answer: Any) -> Declared | None:
    if answer is None or answer in ("", []):
        return None
    if question.type in CHOICE_TYPES:
        chosen = [
            choice for choice in question.choices if choice.id in (answer if isinstance(answer, list) else [answer])
        ]
        if question.declares in AMOUNTS:
            return Declared(UNLIMITED if chosen[0].up_to is None else chosen[0].up_to) if chosen else None
        codes = tuple({choice.stands_for for choice in chosen if choice.stands_for})
        return Declared(codes=codes) if codes else None
    try:
        if question.type == QuestionType.MONEY:
            return Declared(Decimal(answer["base"]), Decimal(answer["amount"]), answer["currency"])
        amount = Decimal(str(answer))
    except (InvalidOperation, KeyError, TypeError):
        return None
    return Declared(amount, amount) if amount >= 0 else None


def keep_declarations(submission: Submission, content: Content, answers: Mapping[str, Any]) -> None:
    """Keep what a new submission declares. The caller holds the client's lock."""
    given = declared_in(content, answers)
    if given:
        declare(
            client_id=submission.client_id, source=f"submission:{submission.pk}", given=given, at=submission.given_at
        )


def problems_in(content: Content) -> Iterator[str]:
    """Say what is wrong with questions that declare a fact."""
    asked: dict[str, str] = {}
    for question in content.questions():
        fact = question.declares
        if not fact:
            continue
        name, label = question.label or question.id, DeclaredFact(fact).label
        if fact not in dict(facts_for(question.type)):
            yield _("“%(part)s” can't declare: %(fact)s.") % {"part": name, "fact": label}
        elif fact in AMOUNTS:
            if fact in asked:
                yield _("Two questions declare the same: %(fact)s.") % {"fact": label}
            if question.type == QuestionType.SINGLE and sum(choice.up_to is None for choice in question.choices) > 1:
                yield _("“%(part)s”: only one answer can be without an upper limit.") % {"part": name}
        elif any(choice.stands_for not in CODES[fact].values for choice in question.choices):
            yield _("“%(part)s”: choose what each answer stands for.") % {"part": name}
        asked[fact] = question.id
