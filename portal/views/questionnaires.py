"""Questionnaires in the client portal: what is to be answered, step by step, and the result."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from clients.models import Client
from crm.errors import outcome_of
from crm.money.numbers import is_whole
from crm.ui.actions import run_action
from crm.ui.views import wants_fragment
from crm.web.requests import UserRequest
from kyc.questionnaires import obligations, submissions
from kyc.questionnaires.content import read
from kyc.questionnaires.filling import StepForm, walk
from kyc.questionnaires.models import Submission
from kyc.questionnaires.obligations import Standing
from kyc.questionnaires.proofs import is_kind_required
from portal.guards import client_required

GIVEN_SHOWN = 50


@client_required
@require_safe
def questionnaire_list(request: UserRequest, client: Client) -> HttpResponse:
    """List what the client has to answer, and what they answered."""
    standings = obligations.standings_of(client)
    given = Submission.objects.filter(client=client).select_related("version", "acknowledgement")
    context = {
        "client": client,
        "due": [row for row in standings.rows if row.needs_client or _is_for_a_level(client, row)],
        "waiting": [row for row in standings.rows if row.state == obligations.State.IN_REVIEW],
        "given": [(row, read(row.version.content).label) for row in given.defer("answers_sealed")[:GIVEN_SHOWN]],
    }
    return render(request, "portal/questionnaires/list.html", context)


def _is_for_a_level(client: Client, row: Standing) -> bool:
    """Tell whether a questionnaire that the client isn't asked for is one that a KYC level requires."""
    return row.state == obligations.State.NOT_ASKED and is_kind_required(client.brand, row.published.kind)


def _standing(client: Client, questionnaire_id: int) -> Standing:
    """Find a questionnaire that the client may answer now, or 404."""
    found = outcome_of(lambda: submissions.standing_of(client, questionnaire_id))
    if not found:
        raise Http404
    return found.result


@client_required
def fill(request: UserRequest, client: Client, questionnaire_id: int) -> HttpResponse:
    """One step: the questions of a section, or at the end all answers to check and submit."""
    standing = _standing(client, questionnaire_id)
    if not outcome_of(lambda: submissions.require_open(standing, timezone.now())):
        assert standing.submission is not None
        return redirect("portal_answers", submission_id=standing.submission.pk)
    content = standing.content
    answers = submissions.answers_so_far(client, standing.published)
    here = walk(content, answers, request.GET.get("step", ""))
    if request.method == "POST" and here.is_last:
        return _submit(request, client, standing)
    form = None
    if not here.is_last:
        sent = request.POST if request.method == "POST" else None
        form = StepForm(content, here.section, answers, client.brand, sent)
        if sent is not None:
            return _next_step(request, client, standing, form, here.number)
    return _page(request, client, standing, {"walk": here, "form": form})


def _next_step(request: UserRequest, client: Client, standing: Standing, form: StepForm, number: int) -> HttpResponse:
    """Keep what was typed and go on, or back; what is wrong is shown at its field."""
    is_complete = form.is_valid()
    _keep(request, client, standing, form)
    step = number
    if "back" in request.POST:
        step = max(number - 1, 0)
    elif is_complete and "stay" not in request.POST:
        step = number + 1
    elif not is_complete:
        here = walk(standing.content, form.given, str(number))
        return _page(request, client, standing, {"walk": here, "form": form}, status=422)
    return redirect(f"{reverse('portal_questionnaire', args=[standing.published.questionnaire_id])}?step={step}")


def _keep(request: UserRequest, client: Client, standing: Standing, form: StepForm) -> None:
    submissions.keep_answers(
        client_id=client.pk,
        questionnaire_id=standing.published.questionnaire_id,
        answers=form.given,
        actor=request.user,
    )


def _submit(request: UserRequest, client: Client, standing: Standing) -> HttpResponse:
    sent = request.POST.get("version", "")
    done = run_action(
        request,
        lambda: submissions.submit(
            client_id=client.pk,
            questionnaire_id=standing.published.questionnaire_id,
            version_id=int(sent) if is_whole(sent) else 0,
            actor=request.user,
        ),
        _("Thank you. We've received your answers."),
    )
    if done:
        return redirect("portal_answers", submission_id=done.result.pk)
    return redirect(f"{request.path}?step=0")


def _page(
    request: UserRequest, client: Client, standing: Standing, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    published = standing.published
    context |= {
        "client": client,
        "content": standing.content,
        "published": published,
        "is_renewal": standing.is_renewal,
        "save_url": reverse("portal_questionnaire_save", args=[published.questionnaire_id]),
        "gap": context["walk"].first_gap() if context["walk"].is_last else None,
    }
    return render(request, "portal/questionnaires/fill.html", context, status=status)


@client_required
@require_POST
def save(request: UserRequest, client: Client, questionnaire_id: int) -> HttpResponse:
    """Keep what was typed so far. Where other questions are asked now, the step is shown again; else nothing is."""
    standing = _standing(client, questionnaire_id)
    if not outcome_of(lambda: submissions.require_open(standing, timezone.now())):
        raise Http404
    answers = submissions.answers_so_far(client, standing.published)
    here = walk(standing.content, answers, request.GET.get("step", ""))
    if here.is_last:
        return HttpResponse(status=204)
    form = StepForm(standing.content, here.section, answers, client.brand, request.POST)
    form.is_valid()
    _keep(request, client, standing, form)
    if form.shown_names == request.POST.get("shown", "") or not wants_fragment(request):
        return HttpResponse(status=204)
    fresh = StepForm(standing.content, here.section, form.given, client.brand)
    now = walk(standing.content, form.given, str(here.number))
    return render(
        request,
        "kyc/questionnaires/_step.html",
        {
            "walk": now,
            "form": fresh,
            "content": standing.content,
            "published": standing.published,
            "save_url": request.path,
        },
    )


@client_required
def answers(request: UserRequest, client: Client, submission_id: int) -> HttpResponse:
    """Show the result of answers, and take the yes to a warning."""
    row = get_object_or_404(
        Submission.objects.select_related("version", "acknowledgement", "review"), pk=submission_id, client=client
    )
    content = read(row.version.content)
    if request.method == "POST":
        sent = request.POST.get("sha256", "")[:64]
        if request.POST.get("read") != "on":
            sent = ""
        if run_action(
            request,
            lambda: submissions.acknowledge(submission_id=row.pk, shown_sha256=sent, actor=request.user),
            _("Thank you. Your confirmation is recorded."),
        ):
            return redirect("portal_answers", submission_id=row.pk)
        return redirect(request.path)
    warning = submissions.warning_text(content, row.outcome) if row.needs_acknowledgement else ""
    context = {
        "client": client,
        "submission": row,
        "content": content,
        "outcome": content.outcome(row.outcome),
        "warning": warning,
        "sha256": submissions.hash_of(warning),
        "acknowledgement": getattr(row, "acknowledgement", None),
        "review": getattr(row, "review", None),
        "is_cooling": row.cooling_off_until is not None and row.cooling_off_until > timezone.now(),
        "walk": walk(content, row.answers, "99"),
    }
    return render(request, "portal/questionnaires/result.html", context)
