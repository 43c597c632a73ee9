"""Staff pages: plans, their versions, and the second pair of eyes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm.models import User
from crm.money.numbers import is_whole
from crm.security import policies
from crm.ui.actions import run_action
from crm.ui.tables import Table
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from ib import plans
from ib.agreements.cards import CARD, RateCard, limit_sentences, rate_card
from ib.choices import VersionState
from ib.forms import ReasonForm
from ib.models import PartnerPlan, Plan, PlanVersion, WhatIf
from ib.plan_editor.editor import EDITS, check_of, editor_of, without_removed
from ib.plan_editor.forms import EntryForm, PlanForm, PreviewForm, WhatIfForm
from ib.plan_editor.rows import card_initial
from ib.plan_editor.templates import TEMPLATES
from ib.plan_editor.version_form import VersionForm, initial_of
from ib.policies import can_decide_version, can_try_version, can_write_plans
from ib.queries import plans_visible_to
from ib.tables import PlanTable
from trading.choices import SymbolGroup

VERSIONS_SHOWN = 20
WHAT_IFS_SHOWN = 60


class PlanList(TableView):
    table = PlanTable
    template_name = "ib/plans.html"

    def get_context(self, table: Table) -> dict[str, Any]:
        """Add the versions that wait: to those who may approve with a way to review, to their makers as a reminder."""
        user = self.request.user
        pending = PlanVersion.objects.filter(state=VersionState.PENDING, plan__in=plans_visible_to(user))
        waiting = [
            {"version": version, "may_decide": bool(can_decide_version(user, version))}
            for version in pending.select_related("plan__brand", "made_by").order_by("starts_at", "pk")[:20]
            if version.made_by_id == user.pk or can_decide_version(user, version)
        ]
        return {"may_write": user.has_perm("ib.propose_plan"), "waiting": waiting}


def get_plan(user: User, plan_id: int) -> Plan:
    plan = plans_visible_to(user).select_related("brand").filter(pk=plan_id).first()
    if plan is None:
        raise Http404
    return plan


def get_version(user: User, version_id: int) -> PlanVersion:
    version = (
        PlanVersion.objects.select_related("plan", "plan__brand", "made_by", "decided_by")
        .filter(pk=version_id, plan__in=plans_visible_to(user))
        .first()
    )
    if version is None:
        raise Http404
    return version


def matrix(card: RateCard) -> dict[str, Any]:
    """Arrange a rate card as rows for a template: per symbol group what each level gets per lot."""
    levels = card.levels()
    rows = []
    for group in card.groups():
        cells = [
            {"level": level, "amount": card.of_level(group, level), "is_fixed": (group, level) in card.overrides}
            for level in levels
        ]
        rows.append(
            {
                "label": SymbolGroup(group).label,
                "rate": card.rates.get(group),
                "cells": cells,
                "total": sum(cell["amount"] or 0 for cell in cells),
            }
        )
    return {"levels": [(level, card.shares.get(level)) for level in levels], "rows": rows}


@staff_page("ib.view_plan")
def plan_page(request: UserRequest, plan_id: int) -> HttpResponse:
    """Show a plan with its versions, newest first; what waits for a second person is on top."""
    return _plan_page(request, get_plan(request.user, plan_id))


@staff_page("ib.propose_plan")
@require_POST
def set_entry(request: UserRequest, plan_id: int) -> HttpResponse:
    """Make a plan a level of the brand's partners, or none."""
    plan, form = get_plan(request.user, plan_id), EntryForm(request.POST)
    if run_action(
        request,
        lambda: plans.set_entry(plan_id=plan.pk, actor=request.user, **form.cleaned_data),
        _("Partner level saved."),
        form=form,
        show_forbidden=True,
    ):
        return redirect(plan)
    return _plan_page(request, plan, form)


@staff_page("ib.propose_plan")
@require_POST
def open_to_sub_partners(request: UserRequest, plan_id: int) -> HttpResponse:
    """Open a plan to sub-partners, or close it."""
    plan = get_plan(request.user, plan_id)
    run_action(
        request,
        lambda: plans.open_to_sub_partners(plan_id=plan.pk, is_open=not plan.is_for_sub_partners, actor=request.user),
        _("Saved."),
        show_forbidden=True,
    )
    return redirect(plan)


def _plan_page(request: UserRequest, plan: Plan, entry_form: EntryForm | None = None) -> HttpResponse:
    versions = list(
        plan.versions.select_related("made_by", "decided_by")
        .prefetch_related(*CARD)
        .order_by("-number")[:VERSIONS_SHOWN]
    )
    for version in versions:
        version.plan = plan
    tried: dict[int, list[WhatIf]] = {}
    for kept in (
        WhatIf.objects.filter(version__in=versions, partner=None).defer("lines").order_by("-pk")[:WHAT_IFS_SHOWN]
    ):
        tried.setdefault(kept.version_id, []).append(kept)
    may_try = bool(versions) and bool(can_try_version(request.user, versions[0]))
    what_if_form = WhatIfForm(version=versions[0]) if may_try else None
    return render(
        request,
        "ib/plan.html",
        {
            "plan": plan,
            "versions": [
                {
                    "version": version,
                    "matrix": matrix(rate_card(version)),
                    "components": [
                        *rate_card(version).sentences(version.currency, plan.brand.base_currency),
                        *limit_sentences(version),
                    ],
                    "may_decide": can_decide_version(request.user, version),
                    "is_maker": version.made_by_id == request.user.pk,
                    "tried": tried.get(version.pk, []) if may_try else [],
                }
                for version in versions
            ],
            "may_write": bool(can_write_plans(request.user, plan.brand_id)),
            "partners": PartnerPlan.objects.filter(plan=plan, ends_at__isnull=True)
            .select_related("partner")
            .order_by("partner__name")[:50],
            "form": ReasonForm(),
            "entry_form": entry_form or EntryForm.of(plan),
            "what_if_form": what_if_form,
        },
        status=422 if entry_form else 200,
    )


@staff_page("ib.propose_plan")
def new_plan(request: UserRequest) -> HttpResponse:
    """Create a plan and go on to its first version, started from a template or a copy."""
    form = PlanForm(request.POST or None, user=request.user)
    done = run_action(
        request, lambda: plans.create_plan(actor=request.user, **form.details()), form=form, show_forbidden=True
    )
    if done:
        return redirect(f"{reverse('ib_version_new', args=[done.result.pk])}?{form.start_query}")
    return render(request, "ib/plan_form.html", {"form": form}, status=422 if form.errors else 200)


@staff_page("ib.propose_plan")
def new_version(request: UserRequest, plan_id: int) -> HttpResponse:
    """Write the next version, starting from the newest one; the first from the template or version in the address."""
    plan = get_plan(request.user, plan_id)
    policies.require(can_write_plans(request.user, plan.brand_id))
    form = VersionForm(_sent(request), initial=_start(request, plan))
    done = not _is_edit(request) and run_action(
        request,
        lambda: plans.draft_version(plan_id=plan.pk, actor=request.user, terms=form.terms()),
        form=form,
        show_forbidden=True,
    )
    if done:
        return _after_draft(request, done.result)
    return _version_form(request, plan, form, _("New version of %(plan)s") % {"plan": plan})


def _start(request: UserRequest, plan: Plan) -> dict[str, Any]:
    """Find what a new version starts from."""
    copied, template = request.GET.get("copy", ""), TEMPLATES.get(request.GET.get("start", ""))
    if is_whole(copied):
        return initial_of(get_version(request.user, int(copied)))
    newest = plan.versions.order_by("-number").first()
    if newest is not None:
        return initial_of(newest)
    start: dict[str, Any] = {"currency": plan.brand.base_currency}
    if template is not None:
        start |= {**card_initial(template.card), "is_pool": template.is_pool}
    return start


@staff_page("ib.propose_plan")
def change_draft(request: UserRequest, version_id: int) -> HttpResponse:
    version = get_version(request.user, version_id)
    form = VersionForm(_sent(request), like=version)
    done = not _is_edit(request) and run_action(
        request,
        lambda: plans.change_draft(version_id=version.pk, actor=request.user, terms=form.terms()),
        form=form,
        show_forbidden=True,
    )
    if done:
        return _after_draft(request, done.result)
    return _version_form(request, version.plan, form, _("Edit %(version)s") % {"version": version})


def _is_edit(request: UserRequest) -> bool:
    """Say whether the form was sent to be checked or to show more, not to be saved."""
    return any(name in request.POST for name in EDITS)


def _sent(request: UserRequest) -> QueryDict | None:
    return without_removed(request.POST) if request.method == "POST" else None


def _after_draft(request: UserRequest, version: PlanVersion) -> HttpResponse:
    if "propose" in request.POST:
        run_action(
            request,
            lambda: plans.propose_version(version_id=version.pk, actor=request.user),
            _("Version proposed. Awaiting second approval."),
        )
    else:
        messages.success(request, _("Draft saved. It has no effect until it's activated."))
    return redirect(version.plan)


def _version_form(request: UserRequest, plan: Plan, form: VersionForm, title: str) -> HttpResponse:
    """Render the editor with its check; after a failed save with what is wrong, after an edit without."""
    sent = _sent(request)
    trade = PreviewForm(sent)
    is_edit = _is_edit(request)
    context = {
        "form": form,
        "plan": plan,
        "title": title,
        "editor": editor_of(form, sent),
        "trade": trade,
        "check": check_of(form, trade, plan.brand),
        "errors": [] if is_edit else [*form.non_field_errors(), *(form.cell_errors() if form.is_bound else [])],
    }
    return render(request, "ib/version_form.html", context, status=422 if form.errors and not is_edit else 200)


@staff_page("ib.view_plan")
def decide(request: UserRequest, version_id: int) -> HttpResponse:
    """Propose (the maker), activate or reject (somebody else)."""
    version = get_version(request.user, version_id)
    if request.method != "POST":
        return redirect(version.plan)
    reason = request.POST.get("reason", "").strip()[:300]
    about: dict[str, Any] = {"version_id": version.pk, "actor": request.user}
    actions: dict[str, tuple[Callable[[], Any], str]] = {
        "propose": (lambda: plans.propose_version(**about), _("Version proposed. Awaiting second approval.")),
        "activate": (
            lambda: plans.activate_version(**about, reason=reason),
            _("%(version)s activated.") % {"version": version},
        ),
        "reject": (
            lambda: plans.reject_version(**about, reason=reason),
            _("Version rejected. The author was notified of the reason."),
        ),
    }
    button = next((name for name in actions if name in request.POST), None)
    if button is not None:
        run_action(request, *actions[button], show_forbidden=True)
    return redirect(version.plan)
