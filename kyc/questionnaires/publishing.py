"""Publishing a questionnaire by four eyes: from then on the version is asked for, and nothing changes it any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clients.vocabulary import CLIENT
from crm import approvals, conditions
from crm.approvals import Change
from crm.approvals.deciding import require_text
from crm.brand_policies.registry import new_version
from crm.db.locking import lock
from crm.errors import DomainError, WrongState, outcome_of
from crm.i18n.languages import base_of
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import Actor, Brand, User
from crm.security import audit
from crm.security.policies import require
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.levels.reaching import move_all
from kyc.questionnaires import policies
from kyc.questionnaires.choices import CHOICE_TYPES, AskedAt
from kyc.questionnaires.content import Content, Outcome, Question, Words, read
from kyc.questionnaires.declarations import problems_in
from kyc.questionnaires.drafts import current_version, edited_content
from kyc.questionnaires.models import Questionnaire, QuestionnaireDraft, QuestionnaireProposal, QuestionnaireVersion
from kyc.questionnaires.proofs import is_kind_required, is_last_for_levels
from kyc.questionnaires.vocabulary import condition_of


class NotReady(DomainError):
    """A questionnaire that can't be published, with each problem."""

    code = "not_ready"

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems[0])
        self.reasons = list(problems)


# ── what prevents publishing ─────────────────────────────────────────────────────────────────────────────────────────


def languages_of(brand: Brand) -> list[str]:
    """List the languages that a brand's clients read."""
    return list(dict.fromkeys(base_of(code) for code in (brand.default_language, *brand.languages)))


def problems_of(content: Content, languages: Sequence[str]) -> list[str]:
    """List what keeps a draft from being published, each with the part that it is about. languages: those it must have."""
    return list(_problems(content, languages))


def required_languages(brand: Brand) -> list[str]:
    """List the languages that a questionnaire must have: the brand's default. Who reads another one sees English without it."""
    return [base_of(brand.default_language)]


def untranslated(content: Content, brand: Brand) -> list[str]:
    """List the brand's other languages in which texts are missing."""
    return [
        language
        for language in languages_of(brand)
        if language not in required_languages(brand) and any(not words.get(language) for words in _all_words(content))
    ]


def _all_words(content: Content) -> Iterator[Words]:
    """Yield every text that clients read, where there is one."""
    yield content.title
    for section in content.sections:
        yield section.title
    for question in content.questions():
        yield question.text
        for choice in question.choices:
            yield choice.text
    for outcome in content.outcomes:
        yield outcome.title
        if outcome.has_warning:
            yield outcome.warning


def _problems(content: Content, languages: Sequence[str]) -> Iterator[str]:
    yield from _missing(content.title, languages, _("Title"))
    if not any(True for _question in content.questions()):
        yield _("There are no questions yet.")
    for section in content.sections:
        yield from _missing(section.title, languages, section.label or _("Section without a title"))
        for question in section.questions:
            yield from _of_question(content, question, languages)
    yield from problems_in(content)
    yield from _of_outcomes(content, languages)
    if content.settings.audience is not None:
        found = outcome_of(lambda: conditions.read(dict(content.settings.audience or {}), CLIENT))
        if not found:
            yield _("Who is asked: %(problem)s") % {"problem": found.message}


def _missing(words: Words, languages: Sequence[str], name: str) -> Iterator[str]:
    lacking = [language for language in languages if not words.get(language)]
    if lacking:
        yield _("“%(part)s” has no text in: %(languages)s.") % {"part": name, "languages": ", ".join(lacking)}


def _of_question(content: Content, question: Question, languages: Sequence[str]) -> Iterator[str]:
    name = question.label or _("Question without a text")
    yield from _missing(question.text, languages, name)
    if question.type in CHOICE_TYPES and len(question.choices) < 2:
        yield _("“%(part)s” needs at least two answers to choose from.") % {"part": name}
    for choice in question.choices:
        yield from _missing(choice.text, languages, f"{name}: {choice.label or choice.id}")
    if question.when is not None:
        earlier = content.before(question.id)
        found = outcome_of(lambda: condition_of(question.when or {}, earlier))
        if not found:
            yield _("Condition of “%(part)s”: %(problem)s") % {"part": name, "problem": found.message}


def _of_outcomes(content: Content, languages: Sequence[str]) -> Iterator[str]:
    outcomes = content.outcomes
    if not outcomes or not outcomes[-1].is_fallback:
        yield _("The last outcome must apply without a score or condition, so that every client gets one.")
    questions = list(content.questions())
    for outcome in outcomes[:-1]:
        if outcome.is_fallback:
            yield _("“%(part)s” always applies: the outcomes after it are never reached.") % {"part": outcome.label}
    for outcome in outcomes:
        name = outcome.label or _("Outcome without a title")
        yield from _missing(outcome.title, languages, name)
        if outcome.has_warning:
            yield from _missing(outcome.warning, languages, _("Warning of “%(part)s”") % {"part": name})
        if outcome.when is not None:
            stored = outcome.when
            found = outcome_of(lambda stored=stored: condition_of(stored, questions, with_score=True))  # type: ignore[misc]
            if not found:
                yield _("Condition of “%(part)s”: %(problem)s") % {"part": name, "problem": found.message}


# ── verbs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def propose_version(
    *, questionnaire_id: int, revision: int, actor: User, reason: str, asks_again: bool = False
) -> QuestionnaireProposal:
    """Propose the draft as the next version. asks_again: answers to earlier versions no longer count.

    Who: `kyc.manage_questionnaires` on the whole brand. Raises: NotAllowed, NotReady, DomainError (no reason),
    WrongState (a colleague changed the draft, a proposal waits, or nothing changed).
    """
    questionnaire = lock(Questionnaire, questionnaire_id, "brand")
    require(policies.can_write(actor, questionnaire.brand_id))
    data, current = edited_content(questionnaire)
    if current != revision:
        raise WrongState(
            _("A colleague changed this questionnaire after you opened it. Reload the page and try again."),
            code="draft_changed",
        )
    _require_ready(questionnaire, data)
    latest = current_version(questionnaire)
    if latest is not None and latest.content == data and not asks_again:
        raise WrongState(_("Nothing has changed since the published version."))
    proposal = QuestionnaireProposal(questionnaire=questionnaire, content=data, asks_again=asks_again, reason=reason)
    return approvals.propose(proposal, actor=actor)


@transaction.atomic
def propose_retirement(*, questionnaire_id: int, actor: User, reason: str) -> QuestionnaireProposal:
    """Propose that a questionnaire is asked of no one any more; given answers stay.

    Who: as `propose_version`. Raises: NotAllowed, DomainError (no reason), WrongState (not published, a proposal waits, or a
    KYC level asks for it).
    """
    questionnaire = lock(Questionnaire, questionnaire_id, "brand")
    require(policies.can_write(actor, questionnaire.brand_id))
    latest = current_version(questionnaire)
    if latest is None or latest.is_retired:
        raise WrongState(_("This questionnaire isn't published."))
    _refuse_what_levels_require(questionnaire)
    proposal = QuestionnaireProposal(questionnaire=questionnaire, is_retired=True, reason=reason)
    return approvals.propose(proposal, actor=actor)


def _refuse_what_levels_require(questionnaire: Questionnaire) -> None:
    """Keep the last questionnaire of a kind that a KYC level asks for: no client could reach that level any more."""
    if is_last_for_levels(questionnaire.brand, questionnaire.pk, questionnaire.kind):
        raise WrongState(_("A KYC level requires this questionnaire. Change the levels first."))


def _require_ready(questionnaire: Questionnaire, data: dict[str, Any]) -> None:
    problems = problems_of(read(data), required_languages(questionnaire.brand))
    if problems:
        raise NotReady(problems)


def write_version(
    questionnaire: Questionnaire, source: QuestionnaireProposal, *, actor: Actor, approved_by: User | None
) -> QuestionnaireVersion:
    """Write a version, in force from now on; the caller holds the questionnaire's lock."""
    require_text(source.reason)
    brand = lock(Brand, questionnaire.brand_id)
    last = questionnaire.versions.aggregate(last=Max("number"))["last"] or 0
    version = QuestionnaireVersion.objects.create(
        questionnaire=questionnaire,
        number=last + 1,
        content=source.content,
        is_retired=source.is_retired,
        asks_again=source.asks_again,
        published_by=actor,
        approved_by=approved_by,
        published_at=timezone.now(),
        reason=source.reason,
    )
    brand.questionnaires_version = new_version()
    brand.save(update_fields=["questionnaires_version"])
    QuestionnaireDraft.objects.filter(questionnaire=questionnaire, content=source.content).delete()
    audit.record(
        actor=actor,
        action=KycAction.QUESTIONNAIRE_PUBLISHED,
        target=questionnaire,
        brand_id=brand.pk,
        after={
            "version": version.number,
            "retired": version.is_retired,
            "asks_again": version.asks_again,
            "content": version.content,
        },
        reason=source.reason,
    )
    if version.asks_again and is_kind_required(brand, questionnaire.kind):
        move_all(brand)
    return version


class QuestionnaireApproval(approvals.ApprovalKind[QuestionnaireProposal]):
    """A version of a questionnaire, or its end. Who decides holds the same right as who proposes, on the whole brand."""

    model = QuestionnaireProposal
    code = "questionnaire"
    label = gettext_lazy("Questionnaire")
    asks = decides = policies.WRITES
    proposed, approved = KycAction.QUESTIONNAIRE_PROPOSED, KycAction.QUESTIONNAIRE_APPROVED
    rejected, withdrawn = KycAction.QUESTIONNAIRE_REJECTED, KycAction.QUESTIONNAIRE_WITHDRAWN
    notice = KycNotice.QUESTIONNAIRE_PROPOSED
    brand_path = "questionnaire__brand_id"
    related = ("questionnaire__brand",)
    one_open = ("questionnaire",)
    done = gettext_lazy("Questionnaire published.")

    def apply(self, item: QuestionnaireProposal, actor: User, **given: Any) -> None:
        """Publish it. Raises: NotReady where it no longer fits the brand's languages."""
        questionnaire = lock(Questionnaire, item.questionnaire_id, "brand")
        if item.is_retired:
            _refuse_what_levels_require(questionnaire)
        else:
            _require_ready(questionnaire, item.content)
        write_version(questionnaire, item, actor=item.requested_by, approved_by=actor)

    def title(self, item: QuestionnaireProposal) -> LocalizedText:
        words = phrase("End “%(name)s” of %(brand)s") if item.is_retired else phrase("“%(name)s” of %(brand)s")
        return words % {"name": item.questionnaire.name, "brand": item.questionnaire.brand.name}

    def url(self, item: QuestionnaireProposal) -> str:
        return item.questionnaire.get_absolute_url()

    def changes(self, item: QuestionnaireProposal) -> Sequence[Change]:
        latest = current_version(item.questionnaire)
        before = read(latest.content) if latest is not None and not latest.is_retired else None
        if item.is_retired:
            return [Change(_("Asked"), _("no longer"), asked_text(before) if before else None)]
        after = read(item.content)
        lines = [
            Change(_("Asked"), asked_text(after), asked_text(before) if before else None),
            Change(_("Questions"), question_count(after), question_count(before) if before else None),
            *(Change(outcome.label, effects_text(outcome)) for outcome in after.outcomes),
        ]
        if item.asks_again:
            lines.append(Change(_("Clients must answer again"), _("Yes")))
        return lines

    def after(self, item: QuestionnaireProposal) -> dict[str, Any]:
        return {"questionnaire": item.questionnaire_id, "retired": item.is_retired, "asks_again": item.asks_again}


# ── in words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def question_count(content: Content) -> int:
    """Count the questions."""
    return sum(1 for _question in content.questions())


def asked_text(content: Content) -> str:
    """Write when a questionnaire is asked for."""
    settings = content.settings
    text = str(settings.asked_at.label)
    if settings.asked_at == AskedAt.DEPOSIT:
        text = _("Before deposits above %(amount)s") % {"amount": f"{settings.over:f}"}
    if settings.renew_months:
        text += " · " + _("again after %(months)s months") % {"months": settings.renew_months}
    return text


def effects_text(outcome: Outcome) -> str:
    """Write what an outcome does."""
    parts = []
    if outcome.has_warning:
        parts.append(_("warning to acknowledge"))
    if outcome.cooling_off_days:
        parts.append(_("cooling-off of %(days)s days") % {"days": outcome.cooling_off_days})
    if outcome.leverage_max:
        parts.append(_("leverage up to 1:%(leverage)s") % {"leverage": outcome.leverage_max})
    if outcome.account_kinds:
        parts.append(_("accounts: %(kinds)s") % {"kinds": ", ".join(kind_labels(outcome.account_kinds))})
    if outcome.is_enhanced:
        parts.append(_("enhanced due diligence"))
    return ", ".join(parts) or _("nothing")


_account_kinds: dict[str, Any] = {}


def offer_account_kinds(choices: Sequence[tuple[str, Any]]) -> None:
    """Make the kinds of trading accounts known that an outcome may allow; the app that has accounts calls this."""
    _account_kinds.update(choices)


def account_kinds() -> list[tuple[str, str]]:
    """List the kinds of trading accounts."""
    return [(code, str(label)) for code, label in _account_kinds.items()]


def kind_labels(codes: Sequence[str]) -> list[str]:
    """Name kinds of accounts; an unknown one is its own name."""
    return [str(_account_kinds.get(code, code)) for code in codes]
