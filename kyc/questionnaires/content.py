"""What a questionnaire asks, as typed data: sections, questions, scores, outcomes, and when it is asked for.

Stored as JSON with a schema version. Texts are one per language: `{"en": "…", "de": "…"}`. `read` refuses what has the wrong
shape or exceeds a bound; whether it can be published is for `kyc.questionnaires.publishing.problems_of`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext as _

from clients.declared.choices import CODES, DeclaredFact
from crm.errors import DomainError
from crm.i18n.languages import base_of
from kyc.questionnaires.choices import CHOICE_TYPES, AskedAt, QuestionType

VERSION: Final = 1
SECTIONS_MAX, QUESTIONS_MAX, CHOICES_MAX, OUTCOMES_MAX = 12, 60, 30, 8
LINE_MAX, TEXT_MAX = 300, 6_000
SCORE_MAX, DAYS_MAX, MONTHS_MAX, LEVERAGE_MAX = 1_000, 365, 120, 3_000
CHARS_MAX, RESIDENCES_MAX = 2_000, 5
IDENTIFIER: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")

CODE_VALUES: Final = frozenset(code for choices in CODES.values() for code in choices.values)

Words = Mapping[str, str]


def say(words: Words, language: str = "") -> str:
    """Pick a text in a language (the reader's by default), else in English, else in any."""
    base = base_of(language or translation.get_language() or "en")
    return words.get(base) or words.get("en") or next((text for text in words.values() if text), "")


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer to choose from. up_to: the upper end of a band that declares an amount, None without one; stands_for: the code
    that it declares.
    """

    id: str
    text: Words
    score: int
    up_to: Decimal | None = None
    stands_for: str = ""

    @property
    def label(self) -> str:
        return say(self.text)


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `when`: a stored condition over earlier answers; None where it is always asked. declares: the fact that an
    answer is kept as (`clients.declared.choices.DeclaredFact`); empty for none.
    """

    id: str
    type: QuestionType
    text: Words
    help: Words
    is_required: bool
    when: Mapping[str, Any] | None
    choices: tuple[Choice, ...]
    minimum: Decimal | None
    maximum: Decimal | None
    chars_max: int
    declares: str = ""

    @property
    def label(self) -> str:
        return say(self.text)

    @property
    def declares_label(self) -> str:
        return str(DeclaredFact(self.declares).label) if self.declares else ""

    @property
    def hint(self) -> str:
        return say(self.help)

    @property
    def score_max(self) -> int:
        scores = [choice.score for choice in self.choices]
        if self.type == QuestionType.MULTIPLE:
            return sum(score for score in scores if score > 0)
        return max(scores, default=0)


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Words
    text: Words
    questions: tuple[Question, ...]

    @property
    def label(self) -> str:
        return say(self.title)

    @property
    def intro(self) -> str:
        return say(self.text)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result, and what follows from it. Outcomes are tried in their order; the last one has no condition.

    from_score: the least score for it; None where the score doesn't matter. leverage_max: 1:n. account_kinds: those that may
    still be opened; empty for all. is_enhanced: compliance reviews the answers before an account may be opened.
    """

    id: str
    title: Words
    from_score: int | None
    when: Mapping[str, Any] | None
    warning: Words
    cooling_off_days: int
    leverage_max: int | None
    account_kinds: tuple[str, ...]
    is_enhanced: bool

    @property
    def label(self) -> str:
        return say(self.title)

    @property
    def is_fallback(self) -> bool:
        return self.from_score is None and self.when is None

    @property
    def has_warning(self) -> bool:
        return any(self.warning.values())


@dataclass(frozen=True, slots=True)
class Settings:
    """When it is asked for.

    over: the deposit from which on it is needed, in the brand's base currency. audience: a stored condition over facts of the
    client. renew_months: answers count that long; 0 without an end. retake_days: after how many days a client may answer again
    of their own accord; 0 never.
    """

    asked_at: AskedAt
    over: Decimal
    audience: Mapping[str, Any] | None
    renew_months: int
    retake_days: int


@dataclass(frozen=True, slots=True)
class Content:
    title: Words
    intro: Words
    settings: Settings
    sections: tuple[Section, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def label(self) -> str:
        return say(self.title)

    @property
    def intro_label(self) -> str:
        return say(self.intro)

    def questions(self) -> Iterator[Question]:
        for section in self.sections:
            yield from section.questions

    def question(self, question_id: str) -> Question | None:
        return next((question for question in self.questions() if question.id == question_id), None)

    def outcome(self, outcome_id: str) -> Outcome | None:
        return next((outcome for outcome in self.outcomes if outcome.id == outcome_id), None)

    def before(self, question_id: str) -> list[Question]:
        """List the questions that a condition of this one may look at."""
        earlier: list[Question] = []
        for question in self.questions():
            if question.id == question_id:
                break
            earlier.append(question)
        return earlier


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(data: Any) -> Content:
    """Read stored content with all checks of its shape. Raises: DomainError that names the part."""
    root = _mapping(data, _("the questionnaire"))
    if root.get("version") != VERSION:
        raise DomainError(_("This questionnaire was written by another version of Keelson."))
    content = Content(
        _words(root.get("title"), LINE_MAX),
        _words(root.get("intro"), TEXT_MAX),
        _settings(root.get("settings", {})),
        tuple(_section(part) for part in _items(root, "sections", SECTIONS_MAX)),
        tuple(_outcome(part) for part in _items(root, "outcomes", OUTCOMES_MAX)),
    )
    questions = list(content.questions())
    if len(questions) > QUESTIONS_MAX:
        raise _too_many(QUESTIONS_MAX)
    groups: list[Sequence[Section | Question | Outcome | Choice]] = [
        content.sections,
        questions,
        content.outcomes,
        *(question.choices for question in questions),
    ]
    for parts in groups:
        names = [part.id for part in parts]
        if len(set(names)) != len(names):
            raise DomainError(_("Two parts have the same name."))
    return content


def _settings(data: Any) -> Settings:
    part = _mapping(data, _("the settings"))
    asked_at = part.get("asked_at", AskedAt.REQUEST)
    if asked_at not in AskedAt.values:
        raise DomainError(_("Choose one of the options."))
    over = _decimal(part.get("over"))
    return Settings(
        AskedAt(asked_at),
        max(over or Decimal(0), Decimal(0)),
        _condition(part.get("audience")),
        _whole(part.get("renew_months", 0), 0, MONTHS_MAX),
        _whole(part.get("retake_days", 0), 0, DAYS_MAX),
    )


def _section(data: Any) -> Section:
    part = _mapping(data, _("a section"))
    return Section(
        _id(part),
        _words(part.get("title"), LINE_MAX),
        _words(part.get("text"), TEXT_MAX),
        tuple(_question(item) for item in _items(part, "questions", QUESTIONS_MAX)),
    )


def _question(data: Any) -> Question:
    part = _mapping(data, _("a question"))
    kind = part.get("type")
    if kind not in QuestionType.values:
        raise DomainError(_("Choose one of the options."))
    choices = tuple(_choice(item) for item in _items(part, "choices", CHOICES_MAX)) if kind in CHOICE_TYPES else ()
    return Question(
        _id(part),
        QuestionType(kind),
        _words(part.get("text"), LINE_MAX * 4),
        _words(part.get("help"), LINE_MAX * 4),
        part.get("is_required", True) is True,
        _condition(part.get("when")),
        choices,
        _decimal(part.get("minimum")),
        _decimal(part.get("maximum")),
        _whole(part.get("chars_max", 300), 1, CHARS_MAX),
        _one_of(part.get("declares", ""), DeclaredFact.values),
    )


def _choice(data: Any) -> Choice:
    part = _mapping(data, _("a choice"))
    return Choice(
        _id(part),
        _words(part.get("text"), LINE_MAX),
        _whole(part.get("score", 0), -SCORE_MAX, SCORE_MAX),
        _decimal(part.get("up_to")),
        _one_of(part.get("stands_for", ""), CODE_VALUES),
    )


def _outcome(data: Any) -> Outcome:
    part = _mapping(data, _("an outcome"))
    from_score, leverage = part.get("from_score"), part.get("leverage_max")
    kinds = part.get("account_kinds", [])
    if not isinstance(kinds, list) or len(kinds) > CHOICES_MAX or not all(_is_name(kind) for kind in kinds):
        raise DomainError(_("Choose one of the options."))
    return Outcome(
        _id(part),
        _words(part.get("title"), LINE_MAX),
        None if from_score is None else _whole(from_score, -SCORE_MAX * QUESTIONS_MAX, SCORE_MAX * QUESTIONS_MAX),
        _condition(part.get("when")),
        _words(part.get("warning"), TEXT_MAX),
        _whole(part.get("cooling_off_days", 0), 0, DAYS_MAX),
        None if leverage is None else _whole(leverage, 1, LEVERAGE_MAX),
        tuple(kinds),
        part.get("is_enhanced") is True,
    )


def _mapping(data: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise DomainError(_("%(what)s can't be read.") % {"what": what[:1].upper() + what[1:]})
    return data


def _items(data: Mapping[str, Any], name: str, most: int) -> list[Any]:
    items = data.get(name, [])
    if not isinstance(items, list):
        raise DomainError(_("A list is expected."))
    if len(items) > most:
        raise _too_many(most)
    return items


def _too_many(most: int) -> DomainError:
    return DomainError(_("At most %(count)s are possible.") % {"count": most})


def _one_of(value: Any, known: Collection[str]) -> str:
    if value == "" or (isinstance(value, str) and value in known):
        return str(value)
    raise DomainError(_("Choose one of the options."))


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(IDENTIFIER.fullmatch(value))


def _id(data: Mapping[str, Any]) -> str:
    name = data.get("id")
    if not isinstance(name, str) or not _is_name(name):
        raise DomainError(_("A part has no name."))
    return name


def _words(data: Any, most: int) -> Words:
    if data is None:
        return {}
    if not isinstance(data, dict) or len(data) > 20:
        raise DomainError(_("A text can't be read."))
    for language, text in data.items():
        if not isinstance(text, str) or not re.fullmatch(r"[a-z]{2,3}", str(language)) or "\x00" in text:
            raise DomainError(_("A text can't be read."))
        if len(text) > most:
            raise DomainError(_("A text is too long: at most %(count)s characters.") % {"count": most})
    return {language: text for language, text in data.items() if text.strip()}


def _whole(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise DomainError(_("Enter a number from %(least)s to %(most)s.") % {"least": least, "most": most})
    return value


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value)) if len(str(value)) <= 20 else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or (number and not -8 <= number.adjusted() <= 15):
        raise DomainError(_("Enter a number."))
    return number


def _condition(data: Any) -> Mapping[str, Any] | None:
    """Take a stored condition as it is; `vocabulary` reads it, with the questions it may look at."""
    if data is None:
        return None
    part = _mapping(data, _("a condition"))
    return None if part.get("all") == [] else part
