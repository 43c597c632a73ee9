"""A report or bank statement that doesn't prove its own end: what was read, and the two answers to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.money.amounts import from_minor
from crm.security.policies import require, require_permission
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.bank.statement_ends import gaps_of
from wallet.choices.reconciliation import WaitingState
from wallet.core import queries
from wallet.models import BankFile, ReportToConfirm
from wallet.reconciliation import policies, report_confirmations
from wallet.reconciliation.settlement_import import AT_ONCE_BYTES_MAX
from wallet.reconciliation.views.reports import totals_shown


def _find(request: UserRequest, pk: int) -> ReportToConfirm:
    rows = queries.reports_to_confirm_visible_to(request.user).select_related(
        "psp", "uploaded_by", "decided_by", "report", "bank_file"
    )
    row = rows.defer("psp__sealed_credentials").filter(pk=pk).first()
    if row is None:
        raise Http404
    require_permission(request.user, "wallet.view_bankentry" if row.is_statement else "wallet.view_settlementimport")
    return row


@staff_page(policies.sees_waiting_reports)
def waiting_page(request: UserRequest, pk: int) -> HttpResponse:
    return _show(request, _find(request, pk))


def _show(request: UserRequest, waiting: ReportToConfirm, *, status: int = 200) -> HttpResponse:
    may_decide = waiting.state == WaitingState.WAITING and policies.can_confirm_report(request.user, waiting).allowed
    totals = _statement_totals(waiting) if waiting.is_statement else totals_shown(waiting.totals)
    context = {"waiting": waiting, "totals": totals, "may_decide": may_decide}
    return render(request, "wallet/reconciliation/report_to_confirm.html", context, status=status)


def _statement_totals(waiting: ReportToConfirm) -> list[dict[str, Any]]:
    """Balances are None where the file, or the statement before it, has none."""
    money = ("in", "out", "opening", "closing", "before")
    return [
        {
            "currency": currency,
            "rows": total["rows"],
            "follows": total["before"] is None or total["before"] == total["opening"],
        }
        | {name: None if total[name] is None else from_minor(total[name], currency) for name in money}
        for currency, total in sorted(waiting.totals.items())
    ]


@require_POST
@staff_page(policies.decides_waiting_reports)
def confirm(request: UserRequest, pk: int) -> HttpResponseBase:
    user = request.user
    waiting = _find(request, pk)
    require(policies.can_confirm_report(user, waiting))
    if waiting.size_bytes > AT_ONCE_BYTES_MAX:
        queued = run_action(
            request, lambda: report_confirmations.order_confirmation(waiting_id=pk, actor=user), show_forbidden=True
        )
        return redirect("job", pk=queued.result.pk) if queued else _show(request, _find(request, pk), status=422)
    done = run_action(
        request,
        lambda: report_confirmations.confirm_report(waiting_id=pk, actor=user),
        _("Statement confirmed and imported.") if waiting.is_statement else _("Report confirmed and imported."),
        show_forbidden=True,
    )
    if not done:
        return _show(request, _find(request, pk), status=422)
    if not isinstance(done.result, BankFile):
        return redirect("wallet:settlement", pk=done.result.pk)
    for gap in gaps_of(done.result):
        messages.warning(request, gap)
    return redirect("wallet:bank")


@require_POST
@staff_page(policies.decides_waiting_reports)
def discard(request: UserRequest, pk: int) -> HttpResponseBase:
    waiting = _find(request, pk)
    require(policies.can_confirm_report(request.user, waiting))
    if not run_action(
        request,
        lambda: report_confirmations.discard_report(waiting_id=waiting.pk, actor=request.user),
        _("Discarded. Nothing was imported."),
        show_forbidden=True,
    ):
        return _show(request, _find(request, pk), status=422)
    return redirect("wallet:bank" if waiting.is_statement else "wallet:reconciliation")
