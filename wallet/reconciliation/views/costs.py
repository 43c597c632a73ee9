"""What a PSP charges us: the terms by their days, new ones by two people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.views import dialogs
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core import policies, queries
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.models import Psp, PspCost, PspCostProposal
from wallet.reconciliation import costs
from wallet.reconciliation import policies as reconciliation_policies
from wallet.reconciliation.cost_forms import TermsForm


def _psp(request: UserRequest, pk: int, permission: str) -> Psp:
    rows = queries.psps_visible_to(request.user).select_related("brand").defer("sealed_credentials")
    return queries.one_of(rows, pk, request.user, permission)


@staff_page("wallet.view_psp")
def cost_page(request: UserRequest, pk: int) -> HttpResponse:
    return show(request, _psp(request, pk, "wallet.view_psp"))


def show(
    request: UserRequest, psp: Psp, wrong: dict[int, dict[str, Any]] | None = None, status: int = 200
) -> HttpResponse:
    report = costs.last_report(psp)
    terms = costs.terms_of(psp, report)
    waiting, decided = costs.proposals_of(psp)
    context = {
        "psp": psp,
        "report": report,
        "terms": terms,
        "unspoken": costs.without_terms(psp, report, terms),
        "waiting": [
            {
                "proposal": one,
                "may_decide": reconciliation_policies.can_decide_cost(request.user, one),
                "may_withdraw": policies.can_withdraw(request.user, one),
                "refuse_form": ReasonForm(prefix=f"refuse-{one.pk}"),
                "approve_form": OptionalReasonForm(prefix=f"approve-{one.pk}"),
                **((wrong or {}).get(one.pk) or {}),
            }
            for one in waiting
        ],
        "decided": decided,
        "may_manage": request.user.has_perm("wallet.manage_psp"),
    }
    return render(request, "wallet/reconciliation/psp_costs.html", context, status=status)


@staff_page("wallet.manage_psp")
def cost_new(request: UserRequest, pk: int) -> HttpResponseBase:
    """Terms from a day on; a second person agrees to them. The form starts with the currency asked for in the address."""
    psp = _psp(request, pk, "wallet.manage_psp")
    start = {"currency": request.GET.get("currency", "")[:5] or psp.brand.base_currency}
    form = TermsForm(request.POST or None, today=timezone.now().date(), initial=start)

    def do() -> None:
        costs.propose_terms(psp_id=psp.pk, terms=form.terms(), reason=form.cleaned_data["reason"], actor=request.user)

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("wallet:psp_costs", args=[psp.pk]),
        success_message=_("It waits for a second person."),
        title=_("What %(psp)s charges from a day on") % {"psp": psp},
        submit=_("Write down"),
        wide=True,
    )


def _proposal(request: UserRequest, pk: int, permission: str) -> PspCostProposal:
    rows = PspCostProposal.objects.filter(psp__in=queries.psps_visible_to(request.user).values("pk"))
    return queries.one_of(rows.select_related("psp"), pk, request.user, permission)


def _do(
    request: UserRequest, one: PspCostProposal, name: str, form: forms.Form, work: Callable[[str], Any], done: str
) -> HttpResponseBase:
    """Form → verb → back to the page; what is wrong stays in its form."""
    if run_action(request, lambda: work(form.cleaned_data["reason"]), done, form=form):
        return redirect("wallet:psp_costs", pk=one.psp_id)
    return show(request, _psp(request, one.psp_id, "wallet.view_psp"), {one.pk: {name: form}}, status=422)


@require_POST
@staff_page("wallet.approve_pspcost")
def cost_approve(request: UserRequest, pk: int) -> HttpResponseBase:
    one = _proposal(request, pk, "wallet.approve_pspcost")
    return _do(
        request,
        one,
        "approve_form",
        OptionalReasonForm(request.POST, prefix=f"approve-{one.pk}"),
        lambda note: costs.approve_terms(proposal_id=pk, actor=request.user, note=note),
        _("The terms are agreed."),
    )


@require_POST
@staff_page("wallet.approve_pspcost")
def cost_refuse(request: UserRequest, pk: int) -> HttpResponseBase:
    one = _proposal(request, pk, "wallet.approve_pspcost")
    return _do(
        request,
        one,
        "refuse_form",
        ReasonForm(request.POST, prefix=f"refuse-{one.pk}"),
        lambda note: costs.refuse_terms(proposal_id=pk, actor=request.user, note=note),
        _("Refused."),
    )


@require_POST
@staff_page("wallet.manage_psp")
def cost_withdraw(request: UserRequest, pk: int) -> HttpResponseBase:
    """What somebody wrote down and nobody agreed to yet."""
    one = _proposal(request, pk, "wallet.manage_psp")
    run_action(request, lambda: costs.withdraw_proposal(proposal_id=pk, actor=request.user), _("Withdrawn."))
    return redirect("wallet:psp_costs", pk=one.psp_id)


@require_POST
@staff_page("wallet.manage_psp")
def cost_take_back(request: UserRequest, pk: int) -> HttpResponseBase:
    """Terms that two people agreed to and whose day is not here yet."""
    rows = PspCost.objects.filter(psp__in=queries.psps_visible_to(request.user).values("pk"))
    cost: PspCost = queries.one_of(rows, pk, request.user, "wallet.manage_psp")
    run_action(request, lambda: costs.withdraw_terms(cost_id=pk, actor=request.user), _("Withdrawn."))
    return redirect("wallet:psp_costs", pk=cost.psp_id)
