"""Staff pages of disputes: the queue, and one with its evidence, the messages, and how it is resolved."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.choices import AccessKind
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from crm.work.queries import work_of
from ib.choices import DisputeState
from ib.forms import AdjustmentForm, AnswerForm
from ib.models import Accrual, CommissionDispute
from ib.policies import can_run, can_settle
from ib.queries import partners_visible_to
from ib.settlements import disputes
from ib.settlements.dispute_effect import effect_of
from ib.settlements.dispute_work import DISPUTE
from ib.settlements.evidence import evidence_of
from ib.tables import DisputeTable


class DisputeList(TableView):
    table = DisputeTable


@staff_page("ib.view_settlement")
def dispute_page(request: UserRequest, dispute_id: int) -> HttpResponse:
    """Show what is in dispute, and resolve it with an answer that the partner reads."""
    dispute = _visible(request, dispute_id)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and run_action(
        request,
        lambda: disputes.resolve_dispute(dispute_id=dispute.pk, answer=form.cleaned_data["answer"], actor=request.user),
        _("Dispute resolved. What waited is in the partner's next settlement."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_dispute", dispute.pk)
    return _page(request, dispute, form, AdjustmentForm(currency=dispute.partner.currency))


@staff_page("ib.view_settlement")
@require_POST
def propose_adjustment(request: UserRequest, dispute_id: int) -> HttpResponse:
    """Propose to resolve a dispute with an adjustment; a second person approves it."""
    dispute = _visible(request, dispute_id)
    form = AdjustmentForm(request.POST, currency=dispute.partner.currency)
    if run_action(
        request,
        lambda: disputes.propose_adjustment(
            dispute_id=dispute.pk,
            amount=form.cleaned_data["amount"],
            answer=form.cleaned_data["answer"],
            actor=request.user,
        ),
        _("Adjustment proposed. It's paid, and the partner is answered, once a second person approves it."),
        form=form,
        show_forbidden=True,
    ):
        return redirect("ib_dispute", dispute.pk)
    return _page(request, dispute, AnswerForm(), form)


@staff_page("ib.view_settlement")
@require_POST
def message(request: UserRequest, dispute_id: int) -> HttpResponse:
    """Write to the partner about their dispute."""
    dispute = _visible(request, dispute_id)
    run_action(
        request,
        lambda: disputes.add_message(dispute_id=dispute.pk, text=request.POST.get("text", ""), actor=request.user),
        _("Message sent."),
        show_forbidden=True,
    )
    return redirect("ib_dispute", dispute.pk)


def _visible(request: UserRequest, dispute_id: int) -> CommissionDispute:
    dispute = (
        CommissionDispute.objects.select_related("partner__brand", "opened_by", "resolved_by")
        .filter(pk=dispute_id, partner__in=partners_visible_to(request.user))
        .first()
    )
    if dispute is None:
        raise Http404
    return dispute


def _page(
    request: UserRequest, dispute: CommissionDispute, answer: AnswerForm, adjustment: AdjustmentForm
) -> HttpResponse:
    dispute.refresh_from_db(fields=["state"])
    is_open = dispute.state == DisputeState.OPEN
    item = work_of(request.user, dispute.work_id) if dispute.work_id else None
    may_work = is_open and bool(DISPUTE.may_work(request.user, dispute))
    awaits = bool(item and item.item.awaits_second)
    evidence = evidence_of(dispute)
    if evidence is not None and evidence.client_id is not None:
        access_log.note(
            user=request.user,
            kind=AccessKind.VIEW,
            client_id=evidence.client_id,
            brand_id=dispute.partner.brand_id,
            target=f"ib.dispute:{dispute.pk}",
        )
    context: dict[str, Any] = {
        "dispute": dispute,
        "work": item,
        "form": answer if is_open and not awaits and can_settle(request.user, dispute.partner.brand_id) else None,
        "adjustment_form": adjustment if may_work and item and not awaits else None,
        "adjustment": Accrual.objects.filter(pk=dispute.adjustment_id).first() if dispute.adjustment_id else None,
        "thread": dispute.messages.select_related("author"),
        "may_write": may_work and dispute.deal_id is not None,
        "evidence": evidence,
        "effect": effect_of(dispute),
        "may_replay": bool(can_run(request.user, dispute.partner.brand_id)),
    }
    return render(request, "ib/dispute.html", context, status=422 if answer.errors or adjustment.errors else 200)
