"""Bonuses: granted on the client's page, decided by a second person, and the plans behind them."""

from __future__ import annotations

import secrets

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.queries import get_client
from clients.record.access import log_access
from clients.views import dialogs
from crm.security.scope import reach_of
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.bonuses import ending, granting, policies
from wallet.bonuses.forms import BonusReturnForm, GrantForm, PlanForm, RuleForm
from wallet.choices.bonuses import BonusState
from wallet.core import queries
from wallet.core.forms import OptionalReasonForm, ReasonForm
from wallet.disputes import bonus_disputes
from wallet.disputes.views.bonus_returns import return_form, returns_of
from wallet.models import BonusGrant, BonusLoss, BonusPlan
from wallet.movements.history import story_of_bonus


def find(request: UserRequest, pk: int, permission: str = "wallet.view_bonusgrant") -> BonusGrant:
    rows = queries.bonuses_visible_to(request.user).select_related(
        "client__brand", "rule__plan", "deposit", "requested_by", "decided_by"
    )
    return queries.one_of(rows, pk, request.user, permission)


@staff_page("wallet.view_bonusgrant")
def bonus_page(request: UserRequest, pk: int) -> HttpResponse:
    return _show(request, find(request, pk))


def _show(
    request: UserRequest, grant: BonusGrant, typed: dict[int, BonusReturnForm] | None = None, status: int = 200
) -> HttpResponse:
    log_access(request.user, grant.client, f"wallet.bonusgrant:{grant.pk}")
    context = {
        "grant": grant,
        "story": story_of_bonus(grant),
        "how": granting.how_it_becomes_free(grant),
        "may_decide": policies.can_decide_bonus(request.user, grant),
        "waits": grant.state == BonusState.PENDING,
        "may_take": grant.state == BonusState.ACTIVE and policies.can_take_bonus_away(request.user, grant),
        "approve_form": OptionalReasonForm(prefix="approve"),
        "refuse_form": ReasonForm(prefix="refuse"),
        **returns_of(request.user, grant, typed),
    }
    return render(request, "wallet/disputes/bonus.html", context, status=status)


@require_POST
@staff_page(bonus_disputes.PROPOSES)
def return_propose(request: UserRequest, pk: int) -> HttpResponseBase:
    """Propose what becomes of the lost credit of a loss; refused, its form stays as it was typed."""
    rows = BonusLoss.objects.filter(grant__in=queries.bonuses_visible_to(request.user).values("pk"))
    loss = queries.one_of(rows, pk, request.user, bonus_disputes.PROPOSES)
    form = return_form(loss.pk, request.POST)
    done = run_action(
        request,
        lambda: bonus_disputes.propose_return(loss_id=pk, actor=request.user, **form.cleaned_data),
        _("Proposal saved. Awaiting second approval."),
        form=form,
    )
    if done:
        return redirect("wallet:bonus", pk=loss.grant_id)
    return _show(request, find(request, loss.grant_id), {loss.pk: form}, status=422)


@staff_page("wallet.grant_bonus")
def give(request: UserRequest, client_id: int) -> HttpResponseBase:
    client = get_client(request.user, client_id)
    form = GrantForm(
        request.POST or None,
        brand=client.brand,
        initial={"currency": client.brand.base_currency, "request_key": secrets.token_urlsafe(12)},
    )

    def do() -> None:
        data = form.cleaned_data
        granting.grant_bonus(
            client_id=client.pk,
            plan_id=data["plan"].pk,
            amount=data["amount"],
            currency=data["currency"],
            reason=data["reason"],
            request_key=data["request_key"],
            actor=request.user,
        )

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("client_tab", args=[client.pk, "money"]),
        success_message=_("Bonus submitted."),
        title=_("Bonus for %(client)s") % {"client": client},
        submit=_("Grant bonus"),
    )


@require_POST
@staff_page("wallet.approve_bonus")
def decide(request: UserRequest, pk: int) -> HttpResponseBase:
    """Approve or refuse as the second person; a refusal needs a reason."""
    grant, approve = find(request, pk, "wallet.approve_bonus"), "approve" in request.POST
    prefix = "approve" if approve else "refuse"
    form = OptionalReasonForm(request.POST, prefix=prefix) if approve else ReasonForm(request.POST, prefix=prefix)

    def do() -> None:
        granting.decide_bonus(
            grant_id=grant.pk, approve=approve, actor=request.user, reason=form.cleaned_data["reason"]
        )

    message = _("Bonus granted as credit.") if approve else _("Bonus refused.")
    return dialogs.run(
        request,
        form,
        do,
        url=reverse("wallet:bonus", args=[grant.pk]),
        success_message=message,
        title=str(grant),
        submit=_("Decide"),
    )


@staff_page("wallet.approve_bonus")
def take_away(request: UserRequest, pk: int) -> HttpResponseBase:
    grant, form = find(request, pk, "wallet.approve_bonus"), ReasonForm(request.POST or None)

    def do() -> None:
        ending.take_bonus_away(grant_id=grant.pk, actor=request.user, reason=form.cleaned_data["reason"])

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("wallet:bonus", args=[grant.pk]),
        success_message=_("Bonus revoked."),
        title=_("Revoke bonus"),
        submit=_("Revoke bonus"),
        tone="danger",
    )


# ── plans ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@staff_page("wallet.view_bonusplan")
def plan_list(request: UserRequest) -> HttpResponse:
    """Show every plan of the brands in reach, with the terms in force today and those to come."""
    today = timezone.now().date()
    plans = BonusPlan.objects.filter(brand_id__in=reach_of(request.user).whole_brands)
    rows = []
    for plan in plans.select_related("brand").prefetch_related("rules")[:100]:
        rules = list(plan.rules.all())
        now = next((rule for rule in rules if rule.valid_from <= today), None)
        later = [rule for rule in rules if rule.valid_from > today]
        rows.append({"plan": plan, "now": now, "later": later[::-1], "before": len(rules) - len(later) - bool(now)})
    context = {"rows": rows, "may_manage": request.user.has_perm("wallet.manage_bonus")}
    return render(request, "wallet/disputes/bonus_plans.html", context)


@staff_page("wallet.manage_bonus")
def plan_new(request: UserRequest) -> HttpResponseBase:
    form = PlanForm(request.POST or None, user=request.user)

    def do() -> None:
        granting.create_plan(brand=form.cleaned_data["brand"], name=form.cleaned_data["name"], actor=request.user)

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("wallet:bonus_plans"),
        success_message=_("Plan created. Add its terms next."),
        title=_("New bonus plan"),
        submit=_("Create plan"),
    )


def _plan(request: UserRequest, pk: int) -> BonusPlan:
    plans = BonusPlan.objects.filter(brand_id__in=reach_of(request.user).whole_brands).select_related("brand")
    return queries.one_of(plans, pk, request.user, "wallet.manage_bonus")


@staff_page("wallet.manage_bonus")
def rule_new(request: UserRequest, pk: int) -> HttpResponseBase:
    plan = _plan(request, pk)
    form = RuleForm(request.POST or None, plan=plan)

    def do() -> None:
        granting.write_rule(plan_id=plan.pk, actor=request.user, **form.terms())

    return dialogs.run(
        request,
        form,
        do,
        url=reverse("wallet:bonus_plans"),
        success_message=_("Terms saved."),
        wide=True,
        title=_("Terms of %(plan)s") % {"plan": plan},
        submit=_("Save terms"),
    )


@require_POST
@staff_page("wallet.manage_bonus")
def plan_switch(request: UserRequest, pk: int) -> HttpResponseBase:
    plan = _plan(request, pk)
    run_action(
        request,
        lambda: granting.switch_plan(plan_id=plan.pk, on=not plan.is_enabled, actor=request.user),
        _("Campaign paused. Bonuses already granted stay in effect.") if plan.is_enabled else _("Campaign resumed."),
        show_forbidden=True,
    )
    return dialogs.back(request, reverse("wallet:bonus_plans"))
