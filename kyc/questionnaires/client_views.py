"""Answers on staff pages: one submission with its score by question, the client's section on the KYC tab, asking again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients.models import Client
from clients.queries import clients_visible_to, get_client
from clients.record.access import log_access
from crm.i18n.languages import language_name
from crm.models import User
from crm.pages.work import AssignSelected, ClaimNext
from crm.ui.actions import run_action
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from kyc.questionnaires import edd, obligations, policies, submissions
from kyc.questionnaires.choices import ReviewState
from kyc.questionnaires.content import Content, Outcome, Question, Section, read
from kyc.questionnaires.models import Submission
from kyc.questionnaires.obligations import Standing, State
from kyc.questionnaires.scoring import asked_questions, score_of
from kyc.questionnaires.tables import ReviewTable
from kyc.questionnaires.wording import answer_text

HISTORY_MAX: Final = 50
STATE_BADGES: Final = {
    State.NOT_ASKED: ("neutral", gettext_lazy("Not asked")),
    State.DUE: ("warning", gettext_lazy("Not answered")),
    State.WARNING: ("warning", gettext_lazy("Warning not acknowledged")),
    State.IN_REVIEW: ("info", gettext_lazy("Under review")),
    State.DECLINED: ("danger", gettext_lazy("Declined")),
    State.DONE: ("success", gettext_lazy("Answered")),
}


def outcome_label(submission: Submission) -> str:
    """Name the outcome of answers, by the version that they were given to."""
    outcome = read(submission.version.content).outcome(submission.outcome)
    return outcome.label if outcome is not None else submission.outcome


@dataclass(frozen=True)
class Row:
    """One questionnaire on the client's KYC tab."""

    standing: Standing
    tone: str
    state: str
    outcome: str


def section_of(user: User, client: Client) -> dict[str, Any]:
    """Describe a client's questionnaires for their KYC tab: how each stands, and all that was ever given."""
    standings = obligations.standings_of(client)
    history = list(
        Submission.objects.filter(client=client)
        .select_related("questionnaire", "version")
        .defer("answers_sealed")[:HISTORY_MAX]
    )
    labels = {one.pk: outcome_label(one) for one in history}
    rows = [
        Row(
            standing,
            STATE_BADGES[standing.state][0],
            str(STATE_BADGES[standing.state][1]),
            labels.get(standing.submission.pk, "") if standing.submission else "",
        )
        for standing in standings.rows
    ]
    return {
        "rows": rows,
        "history": [(one, labels[one.pk]) for one in history],
        "can_read": user.has_perm(policies.READS),
        "can_request": bool(policies.can_request(user, client)),
    }


@dataclass(frozen=True)
class Answer:
    question: Question
    text: str
    score: int


def answers_of(content: Content, answers: dict[str, Any]) -> list[tuple[Section, list[Answer]]]:
    """List the answers by section, each with what it scored."""
    asked = {question.id for question in asked_questions(content, answers)}
    return [
        (
            section,
            [
                Answer(
                    question,
                    answer_text(question, answers.get(question.id)),
                    score_of(question, answers.get(question.id)),
                )
                for question in section.questions
                if question.id in asked
            ],
        )
        for section in content.sections
        if any(question.id in asked for question in section.questions)
    ]


def found(request: UserRequest, submission_id: int) -> Submission:
    """Find answers of a client in reach, or 404."""
    rows = Submission.objects.select_related(
        "client__brand",
        "client__book",
        "questionnaire",
        "version",
        "given_by",
        "acknowledgement",
        "review__work__claimed_by",
        "review__client__book",
        "review__decided_by",
    )
    row = rows.filter(pk=submission_id, client__in=clients_visible_to(request.user)).first()
    if row is None:
        raise Http404
    return row


@staff_page(policies.READS)
def submission(request: UserRequest, submission_id: int) -> HttpResponse:
    """Show what a client answered, the score by question, the outcome, and the review that it called for."""
    row = found(request, submission_id)
    return _page(request, row)


def _page(request: UserRequest, row: Submission, *, reason: str = "", status: int = 200) -> HttpResponse:
    log_access(request.user, row.client, f"kyc.submission:{row.pk}")
    content, answers = read(row.version.content), row.answers
    review = getattr(row, "review", None)
    outcome: Outcome | None = content.outcome(row.outcome)
    context = {
        "submission": row,
        "client": row.client,
        "content": content,
        "outcome": outcome,
        "language": language_name(row.language),
        "sections": answers_of(content, answers) if answers else [],
        "is_erased": not answers,
        "acknowledgement": getattr(row, "acknowledgement", None),
        "review": review,
        "may_decide": policies.can_decide(request.user, review) if review else None,
        "work": work_of(request.user, review.work_id) if review else None,
        "reason": reason,
        "others": Submission.objects.filter(client=row.client, questionnaire=row.questionnaire)
        .exclude(pk=row.pk)
        .select_related("version")
        .defer("answers_sealed", "version__content")[:HISTORY_MAX],
    }
    return render(request, "kyc/questionnaires/submission.html", context, status=status)


@require_POST
@staff_page(policies.DECIDES)
def decide(request: UserRequest, submission_id: int) -> HttpResponse:
    """Clear or decline a client after enhanced due diligence."""
    row = found(request, submission_id)
    review, outcome = getattr(row, "review", None), request.POST.get("outcome", "")
    if review is None or outcome not in (ReviewState.CLEARED, ReviewState.DECLINED):
        raise Http404
    reason = request.POST.get("reason", "")[:2_000]
    done = run_action(
        request,
        lambda: edd.decide_review(review_id=review.pk, actor=request.user, outcome=outcome, reason=reason),
        _("Decision saved."),
        show_forbidden=True,
    )
    return (
        redirect(row.get_absolute_url())
        if done
        else _page(request, found(request, submission_id), reason=reason, status=422)
    )


@require_POST
@staff_page(policies.REQUESTS)
def ask(request: UserRequest, client_id: int, questionnaire_id: int) -> HttpResponse:
    """Ask a client for a questionnaire, or take that back."""
    client = get_client(request.user, client_id)
    is_withdrawn = request.POST.get("act") == "withdraw"
    verb = submissions.withdraw_request if is_withdrawn else submissions.request_answers
    run_action(
        request,
        lambda: verb(
            client_id=client.pk,
            questionnaire_id=questionnaire_id,
            actor=request.user,
            reason=request.POST.get("reason", "")[:300],
        ),
        _("Request withdrawn.") if is_withdrawn else _("Requested. The client is notified."),
    )
    return redirect(f"{client.get_absolute_url()}?tab=kyc")


class Reviews(TableView):
    """The queue of enhanced reviews; open ones first."""

    table = ReviewTable

    def get(self, request: UserRequest, **kwargs: Any) -> Any:
        if not request.GET:
            return redirect(f"{request.path}?state={ReviewState.OPEN.value}")
        return super().get(request, **kwargs)


class NextReview(ClaimNext):
    kind, permission = edd.EDD, policies.DECIDES
    empty = gettext_lazy("There are no unclaimed reviews.")


class AssignReviews(AssignSelected):
    table = ReviewTable
