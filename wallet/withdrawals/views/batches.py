"""Approve many withdrawals with one confirmation: choose in the queue, preview, confirm, read the results."""

from __future__ import annotations

import secrets

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.money.numbers import is_whole
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.core.queries import withdrawals_visible_to
from wallet.models import ApprovalBatch
from wallet.withdrawals import batches
from wallet.withdrawals.tables import WithdrawalQueue


@require_POST
@staff_page("wallet.approve_withdrawal")
def preview(request: UserRequest) -> HttpResponseBase:
    """Show per request what an approval would do, or why it can't; totals; what the PSPs hold."""
    chosen = list(WithdrawalQueue.selected(request)[: batches.BATCH_MAX])
    if not chosen:
        messages.info(request, _("Choose at least one withdrawal."))
        return redirect("wallet:withdrawal_queue")
    lines = batches.preview(chosen, actor=request.user)
    access_log.note(user=request.user, kind=AccessKind.VIEW, target="wallet.withdrawal_batch", rows=len(lines))
    context = {
        "lines": lines,
        "totals": batches.totals(lines),
        "sums": batches.currency_totals(lines),
        "key": secrets.token_urlsafe(16),
        "can_go": sum(bool(line.plan) for line in lines),
    }
    return render(request, "wallet/withdrawals/batch_preview.html", context)


@require_POST
@staff_page("wallet.approve_withdrawal")
def confirm(request: UserRequest) -> HttpResponseBase:
    """Carry out what the preview showed, once."""
    marks: dict[int, str] = {}
    for item in request.POST.getlist("lines"):
        pk, _colon, mark = item.partition(":")
        if is_whole(pk):
            marks[int(pk)] = mark
    seen = withdrawals_visible_to(request.user).filter(pk__in=list(marks)[: batches.BATCH_MAX + 1])
    marks = {pk: marks[pk] for pk in seen.values_list("pk", flat=True)}
    done = run_action(
        request,
        lambda: batches.confirm(key=request.POST.get("key", "")[:60], marks=marks, actor=request.user),
        show_forbidden=True,
    )
    if not done:
        return redirect("wallet:withdrawal_queue")
    return redirect("wallet:withdrawal_batch_result", pk=done.result.pk)


@staff_page("wallet.approve_withdrawal")
def result(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the result of each request of one's own batch."""
    batch = ApprovalBatch.objects.filter(pk=pk, actor_id=request.user.pk).first()
    if batch is None:
        raise Http404
    done = sum(line["result"] in (batches.FIRST, batches.RELEASE) for line in batch.lines)
    return render(request, "wallet/withdrawals/batch_result.html", {"batch": batch, "done": done})
