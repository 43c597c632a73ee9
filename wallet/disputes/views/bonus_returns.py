"""Credit that a won chargeback had taken away: proposed by one person, approved by another."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.approvals.queries import proposal_of
from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.bonuses import policies as bonuses_policies
from wallet.bonuses.forms import BonusReturnForm
from wallet.core import queries
from wallet.disputes import bonus_disputes
from wallet.models import BonusGrant, BonusLoss


def returns_of(user: User, grant: BonusGrant) -> dict[str, Any]:
    """List for the bonus's page each loss that a person can decide on, who may, and what was decided before."""
    rows, before = [], []
    may_propose = bool(bonuses_policies.can_grant_bonus(user, grant.client))
    for loss in bonus_disputes.losses_of(grant):
        loss.grant = grant
        before += [one for one in loss.proposals.all() if one.decided_at]
        if not bonus_disputes.is_undecided(loss):
            continue
        waiting, why_not = bonus_disputes.waiting_of(loss), bonus_disputes.why_not(loss)
        if waiting is not None:
            waiting.loss = loss
        rows.append(
            {
                "loss": loss,
                "waiting": waiting,
                "why_not": why_not,
                "form": BonusReturnForm(prefix=f"return-{loss.pk}", auto_id=f"id_{loss.pk}_%s")
                if may_propose and not waiting
                else None,
                "proposal": proposal_of(waiting, user) if waiting else None,
            }
        )
    return {"returns": rows, "returns_before": before}


@require_POST
@staff_page(bonus_disputes.PROPOSES)
def propose(request: UserRequest, pk: int) -> HttpResponseBase:
    """Propose what becomes of lost credit. pk: of the loss."""
    rows = BonusLoss.objects.filter(grant__in=queries.bonuses_visible_to(request.user).values("pk"))
    loss = queries.one_of(rows, pk, request.user, bonus_disputes.PROPOSES)
    form = BonusReturnForm(request.POST, prefix=f"return-{loss.pk}")
    if form.is_valid():
        run_action(
            request,
            lambda: bonus_disputes.propose_return(loss_id=pk, actor=request.user, **form.cleaned_data),
            _("Written down. A second person decides."),
        )
    else:
        messages.error(request, _("Enter a reason."))
    return redirect("wallet:bonus", pk=loss.grant_id)
