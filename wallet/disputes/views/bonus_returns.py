"""What becomes of credit that a chargeback took away once it is won: written down by one person, agreed to by another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.models import User
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.bonuses import policies as bonuses_policies
from wallet.bonuses.forms import BonusReturnForm
from wallet.core import policies, queries
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.disputes import bonus_disputes
from wallet.models import BonusGrant, BonusLoss, BonusProposal


def returns_of(user: User, grant: BonusGrant) -> dict[str, Any]:
    """For the bonus's page: each loss that a person can decide on, who may, and what was decided before."""
    rows, before = [], []
    may_say = bool(bonuses_policies.can_grant_bonus(user, grant.client))
    for loss in bonus_disputes.losses_of(grant):
        loss.grant = grant
        before += [one for one in loss.proposals.all() if one.decided_at]
        if not bonus_disputes.is_undecided(loss):
            continue
        waiting, why_not = bonus_disputes.waiting_of(loss), bonus_disputes.why_not(loss)
        rows.append(
            {
                "loss": loss,
                "waiting": waiting,
                "why_not": why_not,
                "form": BonusReturnForm(prefix=f"return-{loss.pk}", auto_id=f"id_{loss.pk}_%s")
                if may_say and not waiting
                else None,
                "may_decide": bonuses_policies.can_decide_bonus_return(user, waiting, grant) if waiting else None,
                "may_withdraw": policies.can_withdraw(user, waiting) if waiting else None,
            }
        )
    return {
        "returns": rows,
        "returns_before": before,
        "agree_return": OptionalReasonForm(prefix="agree"),
        "refuse_return": ReasonForm(prefix="refuse", auto_id="id_refuse_%s"),
    }


def _reached(request: UserRequest, pk: int) -> BonusProposal:
    rows = BonusProposal.objects.filter(loss__grant__in=queries.bonuses_visible_to(request.user).values("pk"))
    return queries.one_of(rows.select_related("loss"), pk, request.user, bonus_disputes.DECIDES)


def _do(
    request: HttpRequest, grant_id: int, form: forms.Form | None, work: Callable[[], Any], done: str
) -> HttpResponseBase:
    if form is not None and not form.is_valid():
        messages.error(request, _("Say why."))
    else:
        run_action(request, work, done)
    return redirect("wallet:bonus", pk=grant_id)


@require_POST
@staff_page(bonus_disputes.PROPOSES)
def say(request: UserRequest, pk: int) -> HttpResponseBase:
    """pk: of the loss."""
    rows = BonusLoss.objects.filter(grant__in=queries.bonuses_visible_to(request.user).values("pk"))
    loss = queries.one_of(rows, pk, request.user, bonus_disputes.PROPOSES)
    form = BonusReturnForm(request.POST, prefix=f"return-{loss.pk}")
    return _do(
        request,
        loss.grant_id,
        form,
        lambda: bonus_disputes.say(loss_id=pk, actor=request.user, **form.cleaned_data),
        _("Written down. A second person decides."),
    )


@require_POST
@staff_page(bonus_disputes.DECIDES)
def agree(request: UserRequest, pk: int) -> HttpResponseBase:
    one, form = _reached(request, pk), OptionalReasonForm(request.POST, prefix="agree")
    return _do(
        request,
        one.loss.grant_id,
        form,
        lambda: bonus_disputes.agree(proposal_id=pk, actor=request.user, note=form.cleaned_data["reason"]),
        _("Booked: it is held again.") if one.restores else _("Decided: it stays lost."),
    )


@require_POST
@staff_page(bonus_disputes.DECIDES)
def refuse(request: UserRequest, pk: int) -> HttpResponseBase:
    one, form = _reached(request, pk), ReasonForm(request.POST, prefix="refuse")
    return _do(
        request,
        one.loss.grant_id,
        form,
        lambda: bonus_disputes.refuse(proposal_id=pk, actor=request.user, note=form.cleaned_data["reason"]),
        _("Refused."),
    )


@require_POST
@staff_page(bonus_disputes.PROPOSES)
def withdraw(request: UserRequest, pk: int) -> HttpResponseBase:
    """What somebody wrote down and nobody agreed to yet."""
    rows = BonusProposal.objects.filter(loss__grant__in=queries.bonuses_visible_to(request.user).values("pk"))
    one = queries.one_of(rows.select_related("loss"), pk, request.user, bonus_disputes.PROPOSES)
    return _do(
        request,
        one.loss.grant_id,
        None,
        lambda: bonus_disputes.withdraw(proposal_id=pk, actor=request.user),
        _("Withdrawn."),
    )
