"""A deposit's page, from which it is released and refunded."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.money.amounts import Money, from_minor
from crm.ui.actions import run_action
from crm.ui.views import StaffView, staff_page
from crm.web.requests import UserRequest
from wallet.choices.deposits import DepositState
from wallet.core import queries
from wallet.core.forms import ReasonForm
from wallet.deposits import policies
from wallet.deposits.verbs import release_held_deposit
from wallet.disputes.forms import RefundForm
from wallet.disputes.refunds import start_refund
from wallet.models import Deposit
from wallet.movements.history import story_of
from wallet.movements.views import note_view
from wallet.withdrawals.refundable_deposits import left_of


class DepositPage(StaffView):
    permission = "wallet.view_deposit"

    def get(self, request: UserRequest, deposit_id: int) -> HttpResponse:
        return self.show(request, self.find(request, deposit_id), ReasonForm())

    def find(self, request: UserRequest, deposit_id: int) -> Deposit:
        rows = queries.deposits_visible_to(request.user).select_related(
            "client__brand", "psp", "wallet", "journal", "reversal"
        )
        return queries.one_of(rows, deposit_id, request.user, "wallet.view_deposit")

    def show(
        self, request: UserRequest, deposit: Deposit, form: ReasonForm, status: int = 200, refund_form: Any = None
    ) -> HttpResponse:
        note_view(request, deposit)
        may_refund = policies.can_refund_deposit(request.user, deposit)
        left = left_of(deposit) if may_refund or deposit.refunded_minor else 0
        start = {"amount": from_minor(left, deposit.received_currency), "request_key": secrets.token_urlsafe(12)}
        context = {
            "may_refund": may_refund and left > 0,
            "left": Money.of_minor(left, deposit.received_currency),
            "refund_form": refund_form or RefundForm(initial=start, prefix="refund"),
            "refunds": deposit.refunds.select_related("requested_by").defer("sealed_destination").order_by("-pk")[:20],
            "disputes": list(deposit.disputes.all()[:10]) if request.user.has_perm("wallet.view_dispute") else [],
            "deposit": deposit,
            "movement": deposit,
            "story": story_of(deposit),
            "form": form,
            "may_release": policies.can_release_deposit(request.user, deposit) and deposit.state == DepositState.HELD,
        }
        return render(request, "wallet/deposits/deposit.html", context, status=status)

    def post(self, request: UserRequest, deposit_id: int) -> HttpResponse:
        """Release a held deposit."""
        deposit, form = self.find(request, deposit_id), ReasonForm(request.POST)
        done = run_action(
            request,
            lambda: release_held_deposit(deposit_id=deposit.pk, actor=request.user, reason=form.cleaned_data["reason"]),
            _("%(reference)s released to the wallet.") % {"reference": deposit.reference},
            form=form,
            show_forbidden=True,
        )
        if done:
            return redirect("wallet:deposit", deposit_id=deposit.pk)
        return self.show(request, deposit, form, status=422)


@require_POST
@staff_page("wallet.refund_deposit")
def refund(request: UserRequest, deposit_id: int) -> HttpResponseBase:
    """Request the refund of a deposit; somebody else approves it."""
    page = DepositPage()
    deposit, form = page.find(request, deposit_id), RefundForm(request.POST, prefix="refund")
    asked = run_action(
        request,
        lambda: start_refund(deposit_id=deposit.pk, actor=request.user, **form.cleaned_data),
        _("Refund requested. Awaiting approval by a second person."),
        form=form,
        show_forbidden=True,
    )
    if asked:
        return redirect("wallet:withdrawal", withdrawal_id=asked.result.pk)
    return page.show(request, deposit, ReasonForm(), status=422, refund_form=form)
