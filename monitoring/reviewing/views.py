"""Pages of a review: asking the agent, and the agent's answer on their own page."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from monitoring.queries import get_alert
from monitoring.reviewing import explanations
from monitoring.reviewing.forms import AnswerForm, QuestionForm


@staff_page("monitoring.decide_alert")
def ask(request: UserRequest, alert_id: int) -> HttpResponse:
    """Ask the agent to explain the day."""
    alert = get_alert(request.user, alert_id)
    form = QuestionForm(request.POST or None)
    if request.method == "POST" and run_action(
        request,
        lambda: explanations.ask_explanation(
            alert_id=alert.pk,
            actor=request.user,
            question=form.cleaned_data["question"],
            due_on=form.cleaned_data["due_on"],
        ),
        _("Question sent."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(alert)
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form,
            "title": _("Ask for an explanation"),
            "back": alert.get_absolute_url(),
            "action": _("Send question"),
            "text": _(
                "The agent reads your question and the day, on their own page. They don't see the alert or its evidence."
            ),
        },
    )


@require_POST
@staff_page()
def answer(request: UserRequest, explanation_id: int) -> HttpResponse:
    """Answer a question about one's own day."""
    row = explanations.my_question(request.user, explanation_id)
    form = AnswerForm(request.POST)
    if run_action(
        request,
        lambda: explanations.answer_explanation(
            explanation_id=row.pk, actor=request.user, answer=form.cleaned_data["answer"]
        ),
        _("Your explanation was sent."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("monitoring_me")
    return render(
        request,
        "monitoring/form.html",
        {
            "form": form,
            "title": _("Your explanation"),
            "text": row.question,
            "back": explanations.MY_PAGE,
            "action": _("Send explanation"),
        },
    )
