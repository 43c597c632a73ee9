"""Pages of a review: asking the agent, their answer, the case pack, and what the reporting officer decides."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.pages.work import AssignSelected
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from monitoring.models import Escalation
from monitoring.queries import get_alert, shown_name
from monitoring.reasons import in_words
from monitoring.reviewing import explanations, pack
from monitoring.reviewing.escalating import RIGHT, decide_escalation, get_escalation
from monitoring.reviewing.forms import AnswerForm, EscalationForm, QuestionForm
from monitoring.reviewing.tables import EscalationTable


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


@staff_page("monitoring.view_alert")
def case_pack(request: UserRequest, alert_id: int) -> HttpResponse:
    """Download the case pack of an alert; who does is in the access log and the audit log."""
    alert = get_alert(request.user, alert_id)
    access_log.note(
        user=request.user, kind=AccessKind.DOWNLOAD, brand_id=alert.brand_id, target=f"monitoring.case_pack:{alert.pk}"
    )
    content = pack.write(alert, reader=request.user, name=shown_name(request, alert.agent))
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="alert-{alert.pk}-{alert.day:%Y-%m-%d}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


class EscalationList(TableView):
    table = EscalationTable


class AssignEscalations(AssignSelected):
    table = EscalationTable


class EscalationPage(StaffView):
    """One escalated alert with the officer's decision. Reading it is logged."""

    permission = RIGHT

    def get(self, request: UserRequest, escalation_id: int) -> HttpResponse:
        row = get_escalation(request.user, escalation_id)
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            brand_id=row.alert.brand_id,
            target=f"monitoring.escalation:{row.pk}",
        )
        return self._page(request, row, EscalationForm())

    def post(self, request: UserRequest, escalation_id: int) -> HttpResponse:
        row = get_escalation(request.user, escalation_id)
        form = EscalationForm(request.POST)
        done = run_action(
            request,
            lambda: decide_escalation(escalation_id=row.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        return redirect(row) if done else self._page(request, row, form)

    @staticmethod
    def _page(request: UserRequest, row: Escalation, form: EscalationForm) -> HttpResponse:
        context = {
            "escalation": row,
            "alert": row.alert,
            "work": work_of(request.user, row.work_id),
            "reasons": [in_words(reason) for reason in row.alert.reasons],
            "decision": row.alert.decisions.select_related("reviewer").first(),
            "explanations": row.alert.explanations.select_related("asked_by"),
            "is_decided": True,
            "form": form,
        }
        return render(request, "monitoring/escalation.html", context)
