"""Pages of automations: one with its figures, making one from a template, its draft and steps, and the runs of a client."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from clients.models import Client
from crm.choices import AccessKind, ApprovalState
from crm.errors import DomainError, outcome_of
from crm.security import access_log
from crm.ui.actions import run_action
from crm.ui.panels import cards_html
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from leads.automations import by_rule, queries, shipped, verbs
from leads.automations.actions import ACTIONS
from leads.automations.choices import AutomationState, TriggerKind
from leads.automations.definition import Definition, read_definition, read_draft
from leads.automations.dry_run import DAYS, rehearse
from leads.automations.forms import AutomationForm, NewAutomationForm, StepForm
from leads.automations.policies import MAKES, SEES, automations_visible_to, brands_for, can_manage
from leads.brand_policies import AUTOMATIONS_NEED_APPROVAL
from leads.models import Automation, AutomationActivation, RoutingRule

RUNS_SHOWN: Final = 20


def _automation(request: UserRequest, pk: int) -> Automation:
    rows = automations_visible_to(request.user).select_related("brand", "version", "created_by")
    return get_object_or_404(rows, pk=pk)


@staff_page(SEES)
def automation(request: UserRequest, pk: int) -> HttpResponse:
    """Show an automation: what it does as a sentence, counts per step and group, and its newest runs among those in reach."""
    row = _automation(request, pk)
    if "cards" in request.GET:
        return HttpResponse("".join(cards_html(request, "automation", row)))
    runs = queries.runs_visible_to(request.user).filter(automation=row).select_related("client", "version")
    newest = list(runs.defer("client__search_text").order_by("-id")[:RUNS_SHOWN])
    if newest:
        access_log.note(
            user=request.user, kind=AccessKind.SEARCH, target="automation", rows=len(newest), reason=row.name
        )
    draft = outcome_of(lambda: read_draft(row.draft, row.brand))
    is_changed = row.version is None or row.version.definition != row.draft
    waiting = AutomationActivation.objects.filter(automation=row, state=ApprovalState.PENDING).first()
    may_manage = bool(can_manage(request.user, row.brand_id))
    context: dict[str, Any] = {
        "automation": row,
        "sentence": _sentence_in_force(row),
        "draft_sentence": (draft.result.sentence() if draft.result.steps else "") if draft else "",
        "problem": "" if draft else draft.message,
        "is_changed": is_changed,
        "steps": queries.step_figures(row.version) if row.version else [],
        "figures": queries.run_figures(row.pk),
        "runs": newest,
        "waiting": waiting,
        "may_manage": may_manage and row.state != AutomationState.ARCHIVED,
        "needs_approval": AUTOMATIONS_NEED_APPROVAL.of(row.brand),
        "states": AutomationState,
        "can_activate": may_manage and waiting is None and (is_changed or row.state == AutomationState.DRAFT),
        "days": DAYS,
    }
    return render(request, "leads/automations/automation.html", context)


def _sentence_in_force(row: Automation) -> str:
    version = row.version
    if version is None:
        return ""
    found = outcome_of(lambda: read_definition(version.definition, row.brand).sentence())
    return found.result if found else _("Can't be used: %(reason)s") % {"reason": found.message}


@staff_page(MAKES)
def automation_new(request: UserRequest) -> HttpResponse:
    """Make an automation from a shipped template, or an empty one."""
    template = request.POST.get("template", "")
    rule = _number(request.POST.get("rule"))
    is_given = bool(template or rule)
    form = NewAutomationForm(None if is_given else request.POST or None, user=request.user)

    def create() -> Automation:
        if template:
            brand = brands_for(request.user).filter(pk=_number(request.POST.get("brand"))).first()
            if brand is None:
                raise DomainError(_("Choose a brand."))
            return shipped.make_from_template(brand_id=brand.pk, template=template, actor=request.user)
        if rule:
            row = get_object_or_404(RoutingRule, pk=rule, brand_id__in=brands_for(request.user))
            draft = by_rule.draft_for(row)
            return verbs.create_automation(brand_id=row.brand_id, name=row.name, actor=request.user, draft=draft)
        return verbs.create_automation(
            brand_id=form.cleaned_data["brand"].pk, name=form.cleaned_data["name"], actor=request.user
        )

    if request.method == "POST":
        done = run_action(request, create, _("Draft created."), form=None if is_given else form)
        if done:
            return redirect("automation_edit", pk=done.result.pk)
    context = {"form": form, "templates": shipped.SHIPPED.values(), "brands": brands_for(request.user)}
    return render(request, "leads/automations/new.html", context, status=422 if form.errors else 200)


def _number(given: str | None) -> int:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 18 else 0


@staff_page(MAKES)
def automation_edit(request: UserRequest, pk: int) -> HttpResponse:
    """Change a draft: what starts it, for whom, when it ends; and its steps in rows."""
    row = _automation(request, pk)
    kind = request.GET.get("kind", row.draft["trigger"]["kind"])
    if kind not in TriggerKind.values:
        raise Http404
    form = AutomationForm(request.POST or None, automation=row, kind=kind, user=request.user)

    def save() -> Automation:
        return verbs.save_automation(
            automation_id=row.pk,
            name=form.cleaned_data["name"],
            draft=form.draft(),
            actor=request.user,
            seen=request.GET.get("seen", ""),
        )

    if request.method == "POST" and run_action(request, save, _("Draft saved."), form=form):
        return redirect("automation_edit", pk=row.pk)
    draft = outcome_of(lambda: read_draft(row.draft, row.brand))
    context = {
        "automation": row,
        "form": form,
        "kind": kind,
        "kinds": TriggerKind.choices,
        "steps": _shown_steps(row, draft.result if draft else None),
        "problem": "" if draft else draft.message,
        "step_kinds": list(ACTIONS.values()),
    }
    return render(request, "leads/automations/edit.html", context, status=422 if form.errors else 200)


def _shown_steps(row: Automation, definition: Definition | None) -> list[dict[str, Any]]:
    """List the draft's steps in words; where the draft can't be used, by the names of what they do."""
    if definition is not None:
        return [{"words": step.words(), "icon": step.kind.icon} for step in definition.steps]
    known = [ACTIONS.get(step["action"]) for step in row.draft["steps"]]
    return [{"words": kind.label if kind else "–", "icon": kind.icon if kind else "x"} for kind in known]


@staff_page(MAKES)
def automation_step(request: UserRequest, pk: int, place: int) -> HttpResponse:
    """Add a step of a kind (`?action=`) at the end of the draft, or change the one at a place."""
    row = _automation(request, pk)
    steps = row.draft["steps"]
    if place > len(steps):
        raise Http404
    step = steps[place] if place < len(steps) else None
    kind = ACTIONS.get(step["action"] if step else request.GET.get("action", ""))
    if kind is None:
        raise Http404
    form = StepForm(request.POST or None, automation=row, kind=kind, user=request.user, row=step)

    def save() -> Automation:
        changed = [*steps[:place], form.row(), *steps[place + 1 :]]
        return verbs.save_automation(
            automation_id=row.pk,
            name=row.name,
            draft={**row.draft, "steps": changed},
            actor=request.user,
            seen=request.GET.get("seen", ""),
        )

    if request.method == "POST" and run_action(request, save, _("Step saved."), form=form):
        return redirect("automation_edit", pk=row.pk)
    context = {"automation": row, "form": form, "kind": kind, "number": place + 1, "is_new": step is None}
    return render(request, "leads/automations/step.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page(MAKES)
def automation_step_do(request: UserRequest, pk: int, place: int, action: str) -> HttpResponseBase:
    """Move a step of the draft up or down, or remove it."""
    row = _automation(request, pk)
    steps = list(row.draft["steps"])
    if place >= len(steps) or action not in ("up", "down", "remove"):
        raise Http404
    step = steps.pop(place)
    if action != "remove":
        steps.insert(max(0, place - 1) if action == "up" else place + 1, step)
    run_action(
        request,
        lambda: verbs.save_automation(
            automation_id=row.pk,
            name=row.name,
            draft={**row.draft, "steps": steps},
            actor=request.user,
            seen=request.GET.get("seen", ""),
        ),
        _("Step removed.") if action == "remove" else _("Step moved."),
    )
    return redirect("automation_edit", pk=row.pk)


@require_POST
@staff_page(MAKES)
def automation_do(request: UserRequest, pk: int, action: str) -> HttpResponseBase:
    """Activate, pause, resume or archive an automation."""
    row = _automation(request, pk)
    actor, reason = request.user, request.POST.get("reason", "")[:300]
    needs_approval = AUTOMATIONS_NEED_APPROVAL.of(row.brand)
    works: dict[str, tuple[Any, str]] = {
        "activate": (
            lambda: verbs.activate_automation(automation_id=pk, actor=actor, reason=reason),
            _("Activation proposed. Someone else must approve it.") if needs_approval else _("Automation activated."),
        ),
        "pause": (
            lambda: verbs.pause_automation(automation_id=pk, actor=actor, reason=reason),
            _("Automation paused."),
        ),
        "resume": (lambda: verbs.resume_automation(automation_id=pk, actor=actor), _("Automation resumed.")),
        "archive": (lambda: verbs.archive_automation(automation_id=pk, actor=actor), _("Automation archived.")),
    }
    if action not in works:
        raise Http404
    run_action(request, *works[action], show_forbidden=True)
    return redirect("automation", pk=pk)


@staff_page(MAKES)
def automation_dry_run(request: UserRequest, pk: int) -> HttpResponse:
    """Show who would have entered in the last month and what would have been done, by the draft; nothing is written."""
    row = _automation(request, pk)
    found = outcome_of(lambda: rehearse(row, read_definition(row.draft, row.brand), request.user))
    if found and found.result.sample:
        access_log.note(
            user=request.user,
            kind=AccessKind.SEARCH,
            target="automation",
            rows=len(found.result.sample),
            reason=row.name,
        )
    context = {
        "automation": row,
        "result": found.result if found else None,
        "problem": "" if found else found.message,
        "days": DAYS,
    }
    return render(request, "leads/automations/_dry_run.html", context)


def automations_card(request: UserRequest, client: Client) -> dict[str, Any] | None:
    """Show a client's runs step by step; None, so no card, where there is none."""
    runs = queries.runs_of(client.pk)
    return {"runs": runs} if runs else None
