"""A report that doesn't prove its own end: what was read, and the two answers to it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.errors import DomainError
from crm.ui.views import staff_page
from wallet import queries, report_confirmations
from wallet.choices import WaitingState
from wallet.models import ReportToConfirm
from wallet.settlement_import import AT_ONCE_BYTES_MAX
from wallet.views.reconciliation import totals_shown


def _find(request: HttpRequest, pk: int, permission: str) -> ReportToConfirm:
    rows = queries.reports_to_confirm_visible_to(request.user).select_related(
        "psp", "uploaded_by", "decided_by", "report"
    )
    return queries.one_of(rows.defer("psp__sealed_credentials"), pk, request.user, permission)


@staff_page("wallet.view_settlementimport")
def waiting_page(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, _find(request, pk, "wallet.view_settlementimport"))


def _show(request: HttpRequest, waiting: ReportToConfirm, error: str = "") -> HttpResponse:
    may_decide = waiting.state == WaitingState.WAITING and request.user.has_perm("wallet.run_reconciliation")
    context = {"waiting": waiting, "totals": totals_shown(waiting.totals), "error": error, "may_decide": may_decide}
    return render(request, "wallet/report_to_confirm.html", context, status=422 if error else 200)


@require_POST
@staff_page("wallet.run_reconciliation")
def confirm(request: HttpRequest, pk: int) -> HttpResponseBase:
    user: Any = request.user
    waiting = _find(request, pk, "wallet.run_reconciliation")
    try:
        if waiting.size_bytes > AT_ONCE_BYTES_MAX:
            return redirect("job", pk=report_confirmations.order_confirmation(waiting_id=pk, actor=user).pk)
        report = report_confirmations.confirm_report(waiting_id=pk, actor=user)
    except DomainError as error:
        return _show(request, _find(request, pk, "wallet.run_reconciliation"), error.message)
    messages.success(request, _("Report confirmed and imported."))
    return redirect("wallet:settlement", pk=report.pk)


@require_POST
@staff_page("wallet.run_reconciliation")
def discard(request: HttpRequest, pk: int) -> HttpResponseBase:
    waiting = _find(request, pk, "wallet.run_reconciliation")
    try:
        report_confirmations.discard_report(waiting_id=waiting.pk, actor=request.user)
    except DomainError as error:
        return _show(request, _find(request, pk, "wallet.run_reconciliation"), error.message)
    messages.success(request, _("Report discarded. Nothing of it was imported."))
    return redirect("wallet:reconciliation")
