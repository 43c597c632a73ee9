"""One movement's whole story on one page, and the decisions that people take about it."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.queries import is_in_own_book
from crm import access_log
from crm.choices import AccessKind
from crm.errors import DomainError
from crm.money import Money, from_minor
from crm.ui.verbs import attempt
from crm.ui.views import StaffView, TableView, staff_page
from wallet import claims, policies, queries
from wallet.choices import WITHDRAWAL_OPEN, DepositState, WithdrawalState
from wallet.deposits import release_held_deposit
from wallet.findings_shown import findings_of
from wallet.forms import FindingForm, OptionalReasonForm, ReasonForm, RefundForm
from wallet.models import Deposit, Exchange, Transfer, Withdrawal, WithdrawalCheck
from wallet.outcomes import parts_of
from wallet.payouts import ask_the_psp, take_refund_back
from wallet.refunds import start_refund
from wallet.sources import left_of
from wallet.story import story_of
from wallet.tables import WithdrawalQueue, WithdrawalTable
from wallet.withdrawals import approve_withdrawal, reject_withdrawal


def _note_view(request: HttpRequest, movement: Any) -> None:
    client = movement.client
    access_log.note(
        user=request.user, kind=AccessKind.VIEW, client_id=client.pk, brand_id=client.brand_id,
        target=f"wallet.{movement._meta.model_name}:{movement.pk}", in_book=is_in_own_book(request.user, client),
    )  # fmt: skip


class DepositPage(StaffView):
    permission = "wallet.view_deposit"

    def get(self, request: HttpRequest, deposit_id: int) -> HttpResponse:
        return self.show(request, self.find(request, deposit_id), ReasonForm())

    def find(self, request: HttpRequest, deposit_id: int) -> Deposit:
        rows = queries.deposits_visible_to(request.user).select_related(
            "client__brand", "psp", "wallet", "journal", "reversal"
        )
        return queries.one_of(rows, deposit_id, request.user, "wallet.view_deposit")

    def show(
        self, request: HttpRequest, deposit: Deposit, form: ReasonForm, status: int = 200, refund_form: Any = None
    ) -> HttpResponse:
        _note_view(request, deposit)
        may_refund = policies.can_refund_deposit(request.user, deposit)
        left = left_of(deposit) if may_refund or deposit.refunded_minor else 0
        start = {"amount": from_minor(left, deposit.received_currency), "request_key": secrets.token_urlsafe(12)}
        context = {
            "may_refund": may_refund and left > 0, "left": Money.of_minor(left, deposit.received_currency),
            "refund_form": refund_form or RefundForm(initial=start, prefix="refund"),
            "refunds": deposit.refunds.select_related("requested_by").defer("sealed_destination").order_by("-pk")[:20],
            "disputes": list(deposit.disputes.all()[:10]) if request.user.has_perm("wallet.view_dispute") else [],
            "deposit": deposit, "movement": deposit, "story": story_of(deposit), "form": form,
            "may_release": policies.can_release_deposit(request.user, deposit) and deposit.state == DepositState.HELD,
        }  # fmt: skip
        return render(request, "wallet/deposit.html", context, status=status)

    def post(self, request: HttpRequest, deposit_id: int) -> HttpResponse:
        """Release a held deposit."""
        deposit, form = self.find(request, deposit_id), ReasonForm(request.POST)
        done = attempt(
            request,
            lambda: release_held_deposit(
                deposit_id=deposit.pk, actor=request.user, reason=form.cleaned_data["reason"]
            ),
            _("%(reference)s is in the wallet.") % {"reference": deposit.reference}, form=form, forbidden_is_said=True,
        )  # fmt: skip
        if done:
            return redirect("wallet:deposit", deposit_id=deposit.pk)
        return self.show(request, deposit, form, status=422)


@require_POST
@staff_page("wallet.refund_deposit")
def refund(request: HttpRequest, deposit_id: int) -> HttpResponseBase:
    """Ask for a deposit to be given back; somebody else approves it."""
    page = DepositPage()
    deposit, form = page.find(request, deposit_id), RefundForm(request.POST, prefix="refund")
    asked = attempt(
        request, lambda: start_refund(deposit_id=deposit.pk, actor=request.user, **form.cleaned_data),
        _("Asked for. Somebody else approves it before it goes."), form=form, forbidden_is_said=True,
    )  # fmt: skip
    if asked:
        return redirect("wallet:withdrawal", withdrawal_id=asked.result.pk)
    return page.show(request, deposit, ReasonForm(), status=422, refund_form=form)


class WithdrawalQueuePage(TableView):
    table = WithdrawalQueue
    template_name = "wallet/withdrawal_queue.html"


class WithdrawalListPage(TableView):
    table = WithdrawalTable


class WithdrawalPage(StaffView):
    permission = "wallet.view_withdrawal"

    def get(self, request: HttpRequest, withdrawal_id: int) -> HttpResponse:
        withdrawal = find_withdrawal(request, withdrawal_id)
        return show_withdrawal(request, withdrawal, OptionalReasonForm(prefix="approve"), ReasonForm(prefix="reject"))


def find_withdrawal(request: HttpRequest, withdrawal_id: int) -> Withdrawal:
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
    request: HttpRequest, withdrawal: Withdrawal, approve_form: Any, reject_form: Any, status: int = 200,
    finding_form: FindingForm | None = None,
) -> HttpResponse:  # fmt: skip
    _note_view(request, withdrawal)
    parts = parts_of(withdrawal)
    context = findings_of(request.user, withdrawal, finding_form) | {
        "withdrawal": withdrawal, "movement": withdrawal, "claim_may_be_closed": claims.may_be_closed(withdrawal),
        "story": story_of(withdrawal), "parts": parts,
        "next_one": queries.next_to_decide(request.user, withdrawal),
        "may_look_up": policies.can_look_up(request.user, withdrawal),
        "checks": list(WithdrawalCheck.objects.filter(withdrawal=parts[0])), "is_open": withdrawal.state in WITHDRAWAL_OPEN,
        "may_approve": policies.can_approve(request.user, withdrawal),
        "may_reject": policies.can_reject(request.user, withdrawal),
        "decides": request.user.has_perm("wallet.approve_withdrawal"),
        "approve_form": approve_form, "reject_form": reject_form,
    }  # fmt: skip
    return render(request, "wallet/withdrawal.html", context, status=status)


@require_POST
@staff_page("wallet.approve_withdrawal")
def approve(request: HttpRequest, withdrawal_id: int) -> HttpResponseBase:
    """The first or the second yes."""
    withdrawal, form = find_withdrawal(request, withdrawal_id), OptionalReasonForm(request.POST, prefix="approve")
    if form.is_valid():
        try:
            done = approve_withdrawal(
                withdrawal_id=withdrawal.pk, actor=request.user, reason=form.cleaned_data["reason"]
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            if done.approvals_missing:
                messages.info(request, _("Your approval is noted. A second person releases the payment."))
            else:
                messages.success(request, _("Released: the PSP is being told to pay."))
            return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
    return show_withdrawal(request, withdrawal, form, ReasonForm(prefix="reject"), status=422)


@require_POST
@staff_page("wallet.approve_withdrawal")
def reject(request: HttpRequest, withdrawal_id: int) -> HttpResponseBase:
    withdrawal, form = find_withdrawal(request, withdrawal_id), ReasonForm(request.POST, prefix="reject")
    done = attempt(
        request,
        lambda: reject_withdrawal(
            withdrawal_id=withdrawal.pk, actor=request.user, reason=form.cleaned_data["reason"]
        ),
        _("Rejected: the money is in the client's wallet again."), form=form, forbidden_is_said=True,
    )  # fmt: skip
    if done:
        return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)
    return show_withdrawal(request, withdrawal, OptionalReasonForm(prefix="approve"), form, status=422)


@require_POST
@staff_page("wallet.approve_withdrawal")
def look_up(request: HttpRequest, withdrawal_id: int) -> HttpResponseBase:
    """Ask the PSP now how a payment stands."""
    withdrawal = find_withdrawal(request, withdrawal_id)
    try:
        state = ask_the_psp(withdrawal_id=withdrawal.pk, actor=request.user)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        label = WithdrawalState(state).label
        messages.info(request, _("%(psp)s was asked: it is “%(state)s”.") % {"psp": withdrawal.psp, "state": label})
    return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)


@require_POST
@staff_page("wallet.approve_withdrawal")
def claim_back(request: HttpRequest, withdrawal_id: int) -> HttpResponseBase:
    """A refund that the client did not claim: closed at the PSP, then back where it was."""
    withdrawal = find_withdrawal(request, withdrawal_id)
    try:
        state = take_refund_back(withdrawal_id=withdrawal.pk, actor=request.user, reason=request.POST.get("reason", ""))
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.info(request, _("The refund is “%(state)s” now.") % {"state": WithdrawalState(state).label})
    return redirect("wallet:withdrawal", withdrawal_id=withdrawal.pk)


@staff_page("wallet.view_transfer")
def transfer_page(request: HttpRequest, transfer_id: int) -> HttpResponse:
    rows = queries.transfers_visible_to(request.user).select_related("client__brand", "requested_by", "quote")
    transfer: Transfer = queries.one_of(rows, transfer_id, request.user, "wallet.view_transfer")
    _note_view(request, transfer)
    context = {"transfer": transfer, "movement": transfer, "story": story_of(transfer)}
    return render(request, "wallet/transfer.html", context)


@staff_page("wallet.view_transfer")
def exchange_page(request: HttpRequest, exchange_id: int) -> HttpResponse:
    rows = queries.exchanges_visible_to(request.user).select_related("client__brand", "requested_by", "quote")
    exchange: Exchange = queries.one_of(rows, exchange_id, request.user, "wallet.view_transfer")
    _note_view(request, exchange)
    context = {"exchange": exchange, "movement": exchange, "quote": exchange.quote, "story": story_of(exchange)}
    return render(request, "wallet/exchange.html", context)
