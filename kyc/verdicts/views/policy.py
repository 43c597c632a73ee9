"""The policy of a brand: as it reads today, its versions, and a change with its preview."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from crm import approvals
from crm.approvals.queries import proposal_of
from crm.brand_policies.registry import today
from crm.models import Brand, User
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.choices import DocumentKind
from kyc.models import VerdictPolicy, VerdictPolicyProposal
from kyc.verdicts import policies, versions
from kyc.verdicts.changes import propose_policy
from kyc.verdicts.forms import PolicyForm
from kyc.verdicts.preview import preview
from kyc.verdicts.rules import KINDS, RISKS, KindRule, Rules, check_label, differences, flaw_label, shipped, sides_of


def brand_for(user: User, brand_id: int | None) -> tuple[list[Brand], Brand]:
    """Find the brands that a person reaches as a whole, and the one that is shown: the one asked for, or their own.

    Raises: Http404 when it isn't among them.
    """
    brands = list(brands_to_set_up(user).order_by("name"))
    wanted = user.brand_id if brand_id is None else brand_id
    brand = next((row for row in brands if row.pk == wanted), brands[0] if brands and brand_id is None else None)
    if brand is None:
        raise Http404
    return brands, brand


def shown_kinds(rules: Rules) -> list[dict[str, Any]]:
    """Write a policy out for a reader, kind by kind."""
    return [_shown_kind(kind, rules.kinds[kind]) for kind in KINDS if kind in rules.kinds]


def _shown_kind(kind: DocumentKind, rule: KindRule) -> dict[str, Any]:
    return {
        "label": kind.label,
        "is_identity": kind != DocumentKind.PROOF_OF_ADDRESS,
        "is_licence": kind == DocumentKind.DRIVING_LICENCE,
        "risks": [(risk.label, rule.approves(risk), rule.sample_percent(risk)) for risk in RISKS],
        "sides": [
            (side.label if len(sides_of(kind)) > 1 else "", [check_label(name) for name in rule.required.get(side, ())])
            for side in sides_of(kind)
        ],
        "asks": [flaw_label(code) for code in sorted(rule.asks)],
        "asks_in_a_row": rule.asks_in_a_row,
    }


@staff_page(policies.sees_policy)
def policy(request: UserRequest) -> HttpResponseBase:
    """Lead to the policy of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "kyc/verdicts/policy.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("kyc:brand_policy", brand_id=own.pk)


@staff_page(policies.sees_policy)
def brand_policy(request: UserRequest, brand_id: int) -> HttpResponse:
    """Show what the machine may decide at a brand today, what is planned, what waits, and the versions."""
    brands, brand = brand_for(request.user, brand_id)
    day = today(brand)
    history = list(versions.history_of(brand))
    waiting = approvals.kind_of(VerdictPolicyProposal).awaiting(
        VerdictPolicyProposal.objects.filter(brand=brand).select_related("requested_by", "brand")
    )
    proposal = waiting.first()
    version = versions.version_on(brand, day)
    context = {
        "brands": brands,
        "brand_shown": brand,
        "version": version if version is not None and not _is_outdated(version) else None,
        "planned": [row for row in history if row.effective_on > day],
        "kinds": shown_kinds(versions.rules_on(brand, day)),
        "proposal": proposal_of(proposal, request.user) if proposal is not None else None,
        "history": _with_changes(history),
        "may_change": bool(policies.can_change_policy(request.user, brand.pk)),
    }
    return render(request, "kyc/verdicts/policy.html", context)


def _is_outdated(version: VerdictPolicy) -> bool:
    """Whether a release has changed the shipped policy since this version was written down."""
    return version.is_shipped and version.rules != shipped().body()


def _with_changes(history: list[VerdictPolicy]) -> list[tuple[VerdictPolicy, list[Any]]]:
    """Pair each version with what it changed in the one before."""
    shown = []
    for place, row in enumerate(history):
        before = Rules.read(history[place + 1].rules) if place + 1 < len(history) else None
        shown.append((row, differences(before, Rules.read(row.rules)) if before is not None else []))
    return shown


@staff_page(policies.sees_policy)
def policy_version(request: UserRequest, brand_id: int, number: int) -> HttpResponse:
    """Show one version as it was, for whoever reads a decision made under it."""
    brands, brand = brand_for(request.user, brand_id)
    version = get_object_or_404(VerdictPolicy.objects.select_related("set_by"), brand=brand, number=number)
    context = {
        "brands": brands,
        "brand_shown": brand,
        "version": version,
        "kinds": shown_kinds(Rules.read(version.rules)),
    }
    return render(request, "kyc/verdicts/version.html", context)


@staff_page(policies.RIGHT)
def change_policy(request: UserRequest, brand_id: int) -> HttpResponse:
    """Enter a new version; first see what it would have decided otherwise, then propose it."""
    _brands, brand = brand_for(request.user, brand_id)
    before = versions.rules_on(brand, today(brand))
    form = PolicyForm(request.POST or None, brand=brand, start=before)
    shown, lines = None, []
    if request.method == "POST" and form.is_valid():
        lines = differences(before, form.rules)
        if "preview" in request.POST:
            shown = preview(brand, before, form.rules)
        elif run_action(
            request,
            lambda: propose_policy(
                brand_id=brand.pk,
                rules=form.rules,
                effective_on=form.day,
                actor=request.user,
                reason=form.cleaned_data["reason"],
            ),
            _("Policy proposed. Another person must approve it."),
            form=form,
        ):
            return redirect("kyc:brand_policy", brand_id=brand.pk)
    context = {"form": form, "brand_shown": brand, "preview": shown, "lines": lines}
    return render(request, "kyc/verdicts/change.html", context, status=422 if form.errors else 200)
