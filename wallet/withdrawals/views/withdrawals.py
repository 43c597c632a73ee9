"""A withdrawal's page with its history, and the decisions about it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.ui.actions import run_action
from crm.ui.views import StaffView, TableView, staff_page
from crm.web.requests import UserRequest
from wallet.choices.withdrawals import WITHDRAWAL_OPEN, WithdrawalState
from wallet.core import queries
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.models import Withdrawal, WithdrawalCheck
from wallet.movements.history import story_of
from wallet.movements.views import note_view
from wallet.withdrawals import client_summary, policies, refund_claims
from wallet.withdrawals import queries as withdrawals_queries
from wallet.withdrawals.forms import FindingForm
from wallet.withdrawals.investigation_pages import findings_of
from wallet.withdrawals.payout_results import parts_of
from wallet.withdrawals.sending import ask_the_psp, take_refund_back
from wallet.withdrawals.tables import WithdrawalQueue, WithdrawalTable
from wallet.withdrawals.verbs import approve_withdrawal, reject_withdrawal


class WithdrawalQueuePage(TableView):
    table = WithdrawalQueue
    template_name = "wallet/withdrawals/withdrawal_queue.html"


class WithdrawalListPage(TableView):
    table = WithdrawalTable


class WithdrawalPage(StaffView):
    permission = "wallet.view_withdrawal"

    def get(self, request: UserRequest, withdrawal_id: int) -> HttpResponse:
        withdrawal = find_withdrawal(request, withdrawal_id)
        return show_withdrawal(request, withdrawal, OptionalReasonForm(prefix="approve"), ReasonForm(prefix="reject"))


def find_withdrawal(request: UserRequest, withdrawal_id: int) -> Withdrawal:
    rows = (
        queries.withdrawals_visible_to(request.user)
        .select_related(
            "client__brand",
            "psp",
            "method",
            "source_deposit",
            "requested_by",
            "reviewed_by",
            "approved_by",
            "rejected_by",
        )
        .defer("sealed_destination")
    )
    return queries.one_of(rows, withdrawal_id, request.user, "wallet.view_withdrawal")


def show_withdrawal(
    request: UserRequest,
    withdrawal: Withdrawal,
    approve_form: Any,
    reject_form: Any,
    status: int = 200,
    finding_form: FindingForm | None = None,
) -> HttpResponse:
    note_view(request, withdrawal)
    parts = parts_of(withdrawal)
    context = findings_of(request.user, withdrawal, finding_form) | {
        "withdrawal": withdrawal,
        "movement": withdrawal,
        "claim_may_be_closed": refund_claims.may_be_closed(withdrawal),
        "story": story_of(withdrawal),
        "parts": parts,
        "next_one": withdrawals_queries.next_to_decide(request.user, withdrawal),
        "may_look_up": policies.can_look_up(request.user, withdrawal),
        "checks": client_summary.checks_of(WithdrawalCheck.objects.filter(withdrawal=parts[0])),
        "summary": client_summary.summary_of(request.user, withdrawal),
        "is_open": withdrawal.state in WITHDRAWAL_OPEN,
        "may_approve": policies.can_approve(request.user, withdrawal),
        "may_reject": policies.can_reject(request.user, withdrawal),
        "decides": request.user.has_perm("wallet.approve_withdrawal"),
        "approve_form": approve_form,
        "reject_form": reject_form,
    }
    return render(request, "wallet/withdrawals/withdrawal.html", context, status=status)


@require_POST
@staff_page("wallet.approve_withdrawal")
def approve(request: UserRequest, withdrawal_id: int) -> HttpResponseBase:
    """Approve a withdrawal as the first or the second person."""
    withdrawal, form = find_withdrawal(request, withdrawal_id), OptionalReasonForm(request.POST, prefix="approve")
    done = run_action(
        request,
        lambda: approve_withdrawal(withdrawal_id=withdrawal.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        form=form,
        show_forbidden=True,
    )
    if done:
        if done.result.approvals_missing:
            messages.info(request, _("First approval recorded. A second person must release the payment."))
        else:
            messages.success(request, _("Released. The payout is being sent to the PSP."))
        return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
    return show_withdrawal(request, withdrawal, form, ReasonForm(prefix="reject"), status=422)


@require_POST
@staff_page("wallet.approve_withdrawal")
def reject(request: UserRequest, withdrawal_id: int) -> HttpResponseBase:
    withdrawal, form = find_withdrawal(request, withdrawal_id), ReasonForm(request.POST, prefix="reject")
    done = run_action(
        request,
        lambda: reject_withdrawal(withdrawal_id=withdrawal.pk, actor=request.user, reason=form.cleaned_data["reason"]),
        _("Rejected. The money is back in the client's wallet."),
        form=form,
        show_forbidden=True,
    )
    if done:
        return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
    return show_withdrawal(request, withdrawal, OptionalReasonForm(prefix="approve"), form, status=422)


@require_POST
@staff_page("wallet.approve_withdrawal")
def look_up(request: UserRequest, withdrawal_id: int) -> HttpResponseBase:
    """Look up a payout at the PSP now."""
    withdrawal = find_withdrawal(request, withdrawal_id)
    done = run_action(
        request, lambda: ask_the_psp(withdrawal_id=withdrawal.pk, actor=request.user), show_forbidden=True
    )
    if done:
        label = WithdrawalState(done.result).label
        messages.info(
            request, _("%(psp)s was queried: the payout is “%(state)s”.") % {"psp": withdrawal.psp, "state": label}
        )
    return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)


@require_POST
@staff_page("wallet.approve_withdrawal")
def claim_back(request: UserRequest, withdrawal_id: int) -> HttpResponseBase:
    """Close an unclaimed refund at the PSP, and return its money."""
    withdrawal = find_withdrawal(request, withdrawal_id)
    done = run_action(
        request,
        lambda: take_refund_back(
            withdrawal_id=withdrawal.pk, actor=request.user, reason=request.POST.get("reason", "")
        ),
        show_forbidden=True,
    )
    if done:
        messages.info(request, _("The refund is now “%(state)s”.") % {"state": WithdrawalState(done.result).label})
    return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
