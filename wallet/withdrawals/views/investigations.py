"""The form for a payout's result, which one person proposes and another one books."""

from __future__ import annotations

from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.withdrawals import investigations
from wallet.withdrawals.investigation_pages import finding_form
from wallet.withdrawals.views.withdrawals import find_withdrawal, show_withdrawal

PERMISSION = investigations.DECIDES


@require_POST
@staff_page(PERMISSION)
def propose(request: UserRequest, withdrawal_id: int) -> HttpResponseBase:
    """Propose the result of a payout; refused, the page shows the form again as it was typed."""
    withdrawal = find_withdrawal(request, withdrawal_id)
    form = finding_form(withdrawal, investigations.possible(withdrawal), request.POST)
    done = run_action(
        request,
        lambda: investigations.propose_outcome(withdrawal_id=withdrawal.pk, actor=request.user, **form.proposal),
        _("Result proposed. Awaiting second approval."),
        form=form,
    )
    if done:
        return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
    empty = OptionalReasonForm(prefix="approve"), ReasonForm(prefix="reject")
    return show_withdrawal(request, withdrawal, *empty, status=422, finding_form=form)
