"""The agent's own explanation: asked for by the reviewer, answered on the agent's own page."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.db.locking import lock
from crm.due import DueKind, cancel, declare, due
from crm.errors import DomainError, WrongState
from crm.i18n import formats
from crm.i18n.localized_text import LocalizedText, phrase
from crm.models import DueRow, User
from crm.notices.notify import notify
from crm.security import audit, policies
from crm.security.policies import Decision, no
from monitoring.audit_codes import MonitoringAction
from monitoring.choices import AlertState, MonitoringNotice
from monitoring.models import Alert, Explanation
from monitoring.policies import can_decide, reaches

DUE_DAYS_MAX = 60
SHOWN_MAX = 20
MY_PAGE = "/monitoring/me/"


@transaction.atomic
def ask_explanation(*, alert_id: int, actor: User, question: str, due_on: dt.date) -> Explanation:
    """Ask the agent to explain a day in their own words, until a day.

    Who: who may decide the alert. Raises: NotAllowed, WrongState (decided, or a question is open), DomainError.
    """
    alert = lock(Alert, alert_id, "agent", "reviewer")
    policies.require(can_decide(actor, alert))
    policies.require(reaches(actor, alert.agent))
    if alert.state == AlertState.DECIDED:
        raise WrongState(_("This alert has already been decided."))
    if not question.strip():
        raise DomainError(_("Enter a question. The agent reads it, and nothing else of the alert."))
    today = timezone.localdate()
    if not today <= due_on <= today + dt.timedelta(days=DUE_DAYS_MAX):
        raise DomainError(
            _("Enter a day from today to %(last)s.") % {"last": formats.day(today + dt.timedelta(days=DUE_DAYS_MAX))}
        )
    if alert.explanations.filter(answered_at__isnull=True).exists():
        raise WrongState(_("The agent hasn't answered your last question yet."))
    row = Explanation.objects.create(
        alert=alert,
        agent_id=alert.agent_id,
        question=question.strip(),
        due_on=due_on,
        asked_by=actor,
        asked_at=timezone.now(),
    )
    due(LATE, key=row.pk, at=_end_of(due_on), brand_id=alert.brand_id)
    audit.record(
        actor=actor,
        action=MonitoringAction.EXPLANATION_ASKED,
        target=alert,
        brand_id=alert.brand_id,
        reason=row.question,
        after={"explanation": row.pk, "due": due_on.isoformat()},
    )
    notify(
        [alert.agent_id],
        kind=MonitoringNotice.EXPLANATION_ASKED,
        title=phrase("Please explain your activity on %(day)s") % {"day": alert.day},
        body=row.question,
        url=MY_PAGE,
        dedupe_key=f"monitoring.explanation:{row.pk}",
    )
    return row


def can_answer(user: User, explanation: Explanation) -> Decision:
    """Decide whether somebody may answer: the agent who was asked."""
    if user.pk != explanation.agent_id:
        return no(_("Only the person who was asked can answer."))
    return policies.YES


@transaction.atomic
def answer_explanation(*, explanation_id: int, actor: User, answer: str) -> Explanation:
    """Answer a question about one's own day; the answer isn't changed later. Who: the agent who was asked.

    Raises: NotAllowed, WrongState (answered, or the alert was decided), DomainError (no text).
    """
    row = lock(Explanation, explanation_id, "alert", "asked_by")
    policies.require(can_answer(actor, row))
    if row.answered_at is not None:
        raise WrongState(_("You have already answered this question."))
    if row.alert.state == AlertState.DECIDED:
        raise WrongState(_("The review has ended; your answer isn't needed any more."))
    if not answer.strip():
        raise DomainError(_("Enter your explanation."))
    row.answer, row.answered_at = answer.strip(), timezone.now()
    row.save(update_fields=["answer", "answered_at"])
    cancel(LATE, row.pk)
    audit.record(
        actor=actor,
        action=MonitoringAction.EXPLANATION_GIVEN,
        target=row.alert,
        brand_id=row.alert.brand_id,
        after={"explanation": row.pk},
    )
    _notify_reviewer(row, phrase("%(agent)s answered your question") % {"agent": actor}, "answered")
    return row


def my_questions(user: User) -> list[Explanation]:
    """List what somebody was asked about their own days, open ones first; nothing else of the alert goes with it."""
    rows = Explanation.objects.filter(agent=user).select_related("alert", "asked_by").order_by("-id")[:SHOWN_MAX]
    return sorted(rows, key=lambda row: row.answered_at is not None)


def my_question(user: User, explanation_id: int) -> Explanation:
    """Find a question to oneself, or 404."""
    row = Explanation.objects.filter(agent=user, pk=explanation_id).select_related("alert").first()
    if row is None:
        raise Http404
    return row


def _end_of(day: dt.date) -> dt.datetime:
    return timezone.make_aware(dt.datetime.combine(day + dt.timedelta(days=1), dt.time()))


def _remind(row: DueRow) -> None:
    """Notify the reviewer that the answer is late; they may decide without it."""
    asked = Explanation.objects.select_related("alert", "agent").filter(pk=row.key, answered_at__isnull=True).first()
    if asked is not None and asked.alert.state != AlertState.DECIDED:
        _notify_reviewer(asked, phrase("%(agent)s hasn't answered your question") % {"agent": asked.agent}, "late")


def _notify_reviewer(row: Explanation, title: LocalizedText, what: str) -> None:
    notify(
        [row.asked_by_id],
        kind=MonitoringNotice.EXPLANATION_GIVEN,
        title=title,
        body=row.answer[:200],
        url=row.alert.get_absolute_url(),
        dedupe_key=f"monitoring.explanation:{row.pk}:{what}",
    )


LATE = declare(DueKind("monitoring.explanation", gettext_lazy("Agent's explanation is due"), _remind))
