"""What a PSP charges us: the terms by their days, new ones by two people."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.views import dialogs
from crm.approvals.queries import proposal_of
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core import queries
from wallet.models import Psp, PspCost
from wallet.reconciliation import costs
from wallet.reconciliation.cost_forms import TermsForm


def _psp(request: UserRequest, pk: int, permission: str) -> Psp:
    rows = queries.psps_visible_to(request.user).select_related("brand").defer("sealed_credentials")
    return queries.one_of(rows, pk, request.user, permission)


@staff_page("wallet.view_psp")
def cost_page(request: UserRequest, pk: int) -> HttpResponse:
    return show(request, _psp(request, pk, "wallet.view_psp"))


def show(request: UserRequest, psp: Psp) -> HttpResponse:
    report = costs.last_report(psp)
    terms = costs.terms_of(psp, report)
    waiting, decided = costs.proposals_of(psp)
    context = {
        "psp": psp,
        "report": report,
        "terms": terms,
        "unspoken": costs.without_terms(psp, report, terms),
        "waiting": [proposal_of(proposal, request.user) for proposal in waiting],
        "decided": decided,
        "may_manage": request.user.has_perm("wallet.manage_psp"),
    }
    return render(request, "wallet/reconciliation/psp_costs.html", context)


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
        success_message=_("Proposal submitted. Awaiting second approval."),
        title=_("New cost terms for %(psp)s") % {"psp": psp},
        submit=_("Submit terms"),
        wide=True,
    )


@require_POST
@staff_page("wallet.manage_psp")
def cost_take_back(request: UserRequest, pk: int) -> HttpResponseBase:
    """Terms that two people agreed to and whose day is not here yet."""
    rows = PspCost.objects.filter(psp__in=queries.psps_visible_to(request.user).values("pk"))
    cost: PspCost = queries.one_of(rows, pk, request.user, "wallet.manage_psp")
    run_action(request, lambda: costs.withdraw_terms(cost_id=pk, actor=request.user), _("Terms withdrawn."))
    return redirect("wallet:psp_costs", pk=cost.psp_id)
