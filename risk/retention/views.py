"""The retention queue, the page of one case, and the flags on the client's page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from clients import policies as client_policies
from clients.models import Client
from clients.record.access import log_access
from clients.telephony.policies import can_call
from crm.models import User
from crm.pages.work import AssignSelected, ClaimNext
from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from risk.retention.choices import CaseState, FlagKind
from risk.retention.churn.features import FEATURES
from risk.retention.deciding import decide_retention, note_no_answer, snooze_retention
from risk.retention.effect import DAYS, effects
from risk.retention.forms import DecisionForm, SnoozeForm
from risk.retention.kind import RETENTION, SEES, WORKS, awake, cases_visible_to, get_case
from risk.retention.models import ChurnModel, RetentionCase
from risk.retention.playbook import play_for
from risk.retention.queries import briefing, open_flags
from risk.retention.tables import CaseTable

COUNTED = 100
VERSIONS = 10


class CaseList(TableView):
    """The queue; what isn't snoozed first."""

    table, template_name = CaseTable, "risk/retention/queue.html"

    def get(self, request: UserRequest, **kwargs: Any) -> Any:
        if not request.GET:
            return redirect(f"{request.path}?snoozed=no")
        return super().get(request, **kwargs)


class NextCase(ClaimNext):
    kind, permission = RETENTION, WORKS
    empty = gettext_lazy("There are no unclaimed clients at risk.")


class AssignCases(AssignSelected):
    table = CaseTable


class CasePage(StaffView):
    """One client who may leave: what says so, what to know before the call, and its outcome. Every view is logged."""

    permission = SEES

    def get(self, request: UserRequest, case_id: int) -> HttpResponse:
        case = get_case(request.user, case_id)
        log_access(request.user, case.client, f"risk.retentioncase:{case.pk}")
        return _page(request, case, DecisionForm())

    def post(self, request: UserRequest, case_id: int) -> HttpResponse:
        case, form = get_case(request.user, case_id), DecisionForm(request.POST)
        done = run_action(
            request,
            lambda: decide_retention(case_id=case.pk, actor=request.user, **form.cleaned_data),
            _("Decision recorded."),
            form=form,
            show_forbidden=True,
        )
        return redirect("risk_retention") if done else _page(request, case, form)


def _page(
    request: UserRequest, case: RetentionCase, form: DecisionForm, snoozing: SnoozeForm | None = None
) -> HttpResponse:
    flags = open_flags(case.client)
    context = {
        "case": case,
        "client": case.client,
        "flags": flags,
        "score": outlook_of(case.client),
        "plays": [play_for(FlagKind(shown.flag.kind), case.brand) for shown in flags],
        "work": work_of(request.user, case.work_id),
        "may_work": RETENTION.may_work(request.user, case),
        "can_call": bool(can_call(request.user, case.client)),
        "can_log": bool(client_policies.can_log(request.user, case.client)),
        "form": form,
        "snoozing": snoozing or SnoozeForm(),
        **briefing(request.user, case.client),
    }
    return render(request, "risk/retention/case.html", context)


@require_POST
@staff_page(WORKS)
def snooze(request: UserRequest, case_id: int) -> HttpResponse:
    """Set a case aside for some days, with a reason."""
    case, form = get_case(request.user, case_id), SnoozeForm(request.POST)
    done = run_action(
        request,
        lambda: snooze_retention(case_id=case.pk, actor=request.user, **form.cleaned_data),
        _("Case snoozed."),
        form=form,
        show_forbidden=True,
    )
    return redirect("risk_retention") if done else _page(request, case, DecisionForm(), form)


@require_POST
@staff_page(WORKS)
def no_answer(request: UserRequest, case_id: int) -> HttpResponse:
    """Note a call without an answer: the case comes back tomorrow."""
    case = get_case(request.user, case_id)
    done = run_action(
        request,
        lambda: note_no_answer(case_id=case.pk, actor=request.user),
        _("Attempt recorded. The case returns to you tomorrow."),
        show_forbidden=True,
    )
    return redirect("risk_retention") if done else redirect(case)


@staff_page(SEES)
def score(request: UserRequest) -> HttpResponse:
    """Show the churn score in use: how good it is on months that it hadn't seen, what it weighs, and how value is counted."""
    versions = list(ChurnModel.objects.order_by("-pk")[:VERSIONS])
    model = next((row for row in versions if row.is_active), None)
    context = {
        "model": model,
        "versions": versions,
        "weights": [(FEATURES[name], weight) for name, weight in model.by_weight if name in FEATURES] if model else [],
    }
    return render(request, "risk/retention/score.html", context)


@staff_page(SEES)
def effect(request: UserRequest) -> HttpResponse:
    """Show what calls achieve: clients with a case beside those of the control group."""
    return render(request, "risk/retention/effect.html", {"effects": effects(request.user), "days": DAYS})


def outlook_of(client: Client) -> dict[str, Any] | None:
    """Describe a client's score with its reasons; None where they have none."""
    outlook = getattr(client, "outlook", None)
    if outlook is None:
        return None
    return {
        "outlook": outlook,
        "percent": 100 * outlook.probability,
        "reasons": [FEATURES[name] for name in outlook.reasons or () if name in FEATURES],
    }


def flags_card(_request: HttpRequest, client: Client) -> dict[str, Any] | None:
    """Show a client's open flags on their page; None where there are none."""
    flags = open_flags(client)
    if not flags:
        return None
    case = RetentionCase.objects.filter(client=client, state=CaseState.OPEN).first()
    return {"flags": flags, "case": case}


def waiting_count(user: User) -> int | None:
    """Count what waits in the queue, up to a hundred; None where there is nothing."""
    rows = cases_visible_to(user).filter(awake(), state=CaseState.OPEN).order_by()
    return len(rows.values_list("pk", flat=True)[:COUNTED]) or None
