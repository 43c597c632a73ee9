"""Clients' answers: kept while they type, submitted once and for all, a warning acknowledged, and asked for again.

A submission is never changed. It refers to the version that it was given to, and to nothing that a later version says.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clients import timeline
from clients.choices import TimelineKind
from clients.identifiers import learn_many
from clients.models import Client
from crm import due
from crm.approvals.deciding import require_text
from crm.db.locking import lock
from crm.errors import DomainError, WrongState
from crm.events import QuestionnaireAnswered, publish
from crm.i18n.localized_text import phrase
from crm.models import Actor, User
from crm.notices.notify import notify
from crm.security import audit
from crm.security.policies import require
from crm.security.request_context import current
from kyc.audit_codes import KycAction
from kyc.choices import KycNotice
from kyc.fingerprints import sightings_of_answers
from kyc.questionnaires import policies
from kyc.questionnaires.content import Content, Outcome, read, say
from kyc.questionnaires.declarations import keep_declarations
from kyc.questionnaires.edd import open_review
from kyc.questionnaires.filling import only_asked, walk
from kyc.questionnaires.models import (
    AnswersDraft,
    AnswersRequest,
    Questionnaire,
    Submission,
    WarningAcknowledgement,
    sealed,
)
from kyc.questionnaires.obligations import Published, Standing, State, standings_of
from kyc.questionnaires.proofs import note_answers
from kyc.questionnaires.renewals import EXPIRED, RENEWAL, months_later, notice_at
from kyc.questionnaires.scoring import Result, result_of


def standing_of(client: Client, questionnaire_id: int) -> Standing:
    """Find how a questionnaire stands with a client. Raises: WrongState where the brand doesn't ask for it."""
    for row in standings_of(client).rows:
        if row.published.questionnaire_id == questionnaire_id:
            return row
    raise WrongState(_("This questionnaire is no longer asked for."))


def require_open(standing: Standing, now: dt.datetime) -> None:
    """Refuse answers that nobody asked for, and another try before its time. Raises: WrongState.

    ESMA's guidelines on appropriateness (ESMA35-43-3006, guideline 5) ask firms to prevent repeated attempts.
    """
    if standing.state in (State.DUE, State.NOT_ASKED):
        return
    retake_at = standing.retake_at()
    if retake_at is None or retake_at > now or standing.state == State.IN_REVIEW:
        raise WrongState(_("You've already completed this questionnaire."))


def answers_so_far(client: Client, published: Published) -> dict[str, Any]:
    """Return what the client has typed, as far as the version in force still asks it."""
    draft = AnswersDraft.objects.filter(client=client, questionnaire=published.questionnaire_id).first()
    if draft is None:
        return {}
    known = {question.id for question in published.content.questions()}
    return {name: value for name, value in draft.answers.items() if name in known}


@transaction.atomic
def keep_answers(*, client_id: int, questionnaire_id: int, answers: dict[str, Any], actor: Actor) -> None:
    """Keep what a client has typed so far, cleaned by its form. Who: the client. Raises: NotAllowed, WrongState."""
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_answer(actor, client))
    require_open(standing_of(client, questionnaire_id), timezone.now())
    AnswersDraft.objects.update_or_create(
        client=client,
        questionnaire_id=questionnaire_id,
        defaults={"answers_sealed": sealed(client.pk, answers), "changed_at": timezone.now()},
    )


@transaction.atomic
def submit(*, client_id: int, questionnaire_id: int, version_id: int, actor: User) -> Submission:
    """Submit what the client has typed: it is scored, sealed and has its outcome from now on.

    version_id: the version that the client read; another one in force since is read again first.
    Who: the client. Raises: NotAllowed, WrongState (not asked for, another version), DomainError (an answer is missing).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_answer(actor, client))
    now = timezone.now()
    standing = standing_of(client, questionnaire_id)
    require_open(standing, now)
    published, content = standing.published, standing.content
    if published.version_id != version_id:
        raise WrongState(_("The questions have changed since you started. Please check your answers."))
    answers = only_asked(content, answers_so_far(client, published))
    if walk(content, answers, "").first_gap() is not None:
        raise DomainError(_("Some questions aren't answered yet."), code="incomplete")
    result = result_of(content, answers, now)
    submission = _write(client, published, answers, result, actor, now)
    keep_declarations(submission, content, answers)
    AnswersDraft.objects.filter(client=client, questionnaire=questionnaire_id).delete()
    learn_many(sightings_of_answers(client.pk, answers, now))
    if result.outcome.is_enhanced:
        open_review(submission, client)
    _schedule_renewal(submission)
    _tell(client, submission, published, result, actor)
    note_answers(client, published.kind)
    return submission


def _write(
    client: Client, published: Published, answers: dict[str, Any], result: Result, actor: User, now: dt.datetime
) -> Submission:
    outcome, settings = result.outcome, published.content.settings
    return Submission.objects.create(
        client=client,
        questionnaire_id=published.questionnaire_id,
        version_id=published.version_id,
        given_by=actor,
        given_at=now,
        language=translation.get_language() or client.language,
        ip=current().ip,
        answers_sealed=sealed(client.pk, answers),
        score=result.score,
        score_max=result.score_max,
        outcome=outcome.id,
        needs_acknowledgement=outcome.has_warning,
        cooling_off_until=now + dt.timedelta(days=outcome.cooling_off_days) if outcome.cooling_off_days else None,
        leverage_max=outcome.leverage_max,
        account_kinds=list(outcome.account_kinds),
        valid_until=months_later(now, settings.renew_months) if settings.renew_months else None,
    )


def _schedule_renewal(submission: Submission) -> None:
    key = f"{submission.client_id}:{submission.questionnaire_id}"
    if submission.valid_until is None:
        due.cancel(RENEWAL, key)
        due.cancel(EXPIRED, key)
        return
    for kind, at in ((RENEWAL, notice_at(submission)), (EXPIRED, submission.valid_until)):
        due.due(kind, key=key, at=at, client_id=submission.client_id, brand_id=submission.client.brand_id)


def _tell(client: Client, submission: Submission, published: Published, result: Result, actor: User) -> None:
    """Leave the evidence: audit, timeline, event. None of them has an answer in it."""
    audit.record(
        actor=actor,
        action=KycAction.ANSWERS_GIVEN,
        target=submission,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={
            "questionnaire": published.name,
            "version": published.number,
            "score": result.score,
            "outcome": result.outcome.id,
        },
        evidence={"answers_sha256": hashlib.sha256(bytes(submission.answers_sealed)).hexdigest()},
    )
    timeline.add_entry(
        client_id=client.pk,
        kind=TimelineKind.COMPLIANCE,
        title=phrase("Questionnaire completed: %(name)s") % {"name": published.name},
        actor=actor,
        dedupe_key=f"kyc.submission:{submission.pk}",
    )
    publish(
        QuestionnaireAnswered(
            client_id=client.pk,
            brand_id=client.brand_id,
            submission_id=submission.pk,
            kind=published.kind,
            outcome=result.outcome.id,
            is_enhanced=result.outcome.is_enhanced,
        ),
        actor=actor,
    )


def warning_text(content: Content, outcome_id: str, language: str = "") -> str:
    """Write the warning of an outcome for a reader."""
    outcome: Outcome | None = content.outcome(outcome_id)
    return say(outcome.warning, language) if outcome is not None else ""


def hash_of(text: str) -> str:
    """Name the very words of a warning."""
    return hashlib.sha256(text.encode()).hexdigest()


@transaction.atomic
def acknowledge(*, submission_id: int, shown_sha256: str, actor: User) -> WarningAcknowledgement:
    """Record that the client read the warning: the very words that were shown. Twice is once.

    Who: the client. Raises: NotAllowed, WrongState (there is no warning), DomainError (other words than those in force).
    """
    submission = Submission.objects.select_related("version", "client", "questionnaire").get(pk=submission_id)
    client = lock(Client, submission.client_id, "brand", no_key=True)
    require(policies.can_answer(actor, client))
    if not submission.needs_acknowledgement:
        raise WrongState(_("There is nothing to confirm."))
    known = WarningAcknowledgement.objects.filter(submission=submission).first()
    if known is not None:
        return known
    if not shown_sha256:
        raise DomainError(_("Tick the box to confirm that you have read the warning."))
    language = translation.get_language() or client.language
    text = warning_text(read(submission.version.content), submission.outcome, language)
    if hash_of(text) != shown_sha256:
        raise DomainError(_("Please read the warning again: it was shown in another language."))
    row = WarningAcknowledgement.objects.create(
        submission=submission,
        acknowledged_by=actor,
        acknowledged_at=timezone.now(),
        language=language,
        sha256=shown_sha256,
        ip=current().ip,
    )
    audit.record(
        actor=actor,
        action=KycAction.WARNING_ACKNOWLEDGED,
        target=submission,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"outcome": submission.outcome},
        evidence={"text_sha256": shown_sha256, "language": language},
    )
    note_answers(client, submission.questionnaire.kind)
    return row


@transaction.atomic
def request_answers(*, client_id: int, questionnaire_id: int, actor: User, reason: str) -> AnswersRequest:
    """Ask a client to answer a questionnaire, again where they have; they are notified.

    Who: `kyc.request_answers` in reach. Raises: NotAllowed, DomainError (no reason), WrongState (requested already, retired).
    """
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_request(actor, client))
    require_text(reason)
    standing = standing_of(client, questionnaire_id)
    if standing.is_requested:
        raise WrongState(_("This was already requested and isn't answered yet."))
    row = _note_request(client, questionnaire_id, actor, reason, is_withdrawn=False)
    if client.user_id is not None:
        notify(
            [client.user_id],
            kind=KycNotice.ANSWERS_REQUESTED,
            title=phrase("Please complete: %(title)s") % {"title": say(standing.content.title, client.language)},
            url=f"/portal/questionnaires/{questionnaire_id}/",
            dedupe_key=f"kyc.answers_requested:{row.pk}",
        )
    return row


@transaction.atomic
def withdraw_request(*, client_id: int, questionnaire_id: int, actor: User, reason: str) -> AnswersRequest:
    """Take back a request that isn't answered yet. Who: as `request_answers`. Raises: NotAllowed, DomainError, WrongState."""
    client = lock(Client, client_id, "brand", no_key=True)
    require(policies.can_request(actor, client))
    require_text(reason)
    if not standing_of(client, questionnaire_id).is_requested:
        raise WrongState(_("There is no open request."))
    return _note_request(client, questionnaire_id, actor, reason, is_withdrawn=True)


def _note_request(
    client: Client, questionnaire_id: int, actor: User, reason: str, *, is_withdrawn: bool
) -> AnswersRequest:
    row = AnswersRequest.objects.create(
        client=client,
        questionnaire=Questionnaire.objects.get(pk=questionnaire_id),
        is_withdrawn=is_withdrawn,
        reason=reason.strip()[:300],
        requested_by=actor,
        requested_at=timezone.now(),
    )
    audit.record(
        actor=actor,
        action=KycAction.ANSWERS_REQUEST_WITHDRAWN if is_withdrawn else KycAction.ANSWERS_REQUESTED,
        target=row,
        client_id=client.pk,
        brand_id=client.brand_id,
        after={"questionnaire": row.questionnaire.name},
        reason=row.reason,
    )
    return row
