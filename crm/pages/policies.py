"""Pages of a brand's policies: all of them by area, and one with its form and history."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from crm.brand_policies import Policy, find
from crm.brand_policies.registry import segment_names, today
from crm.models import Brand, PolicyProposal, PolicyValue
from crm.money.numbers import is_whole
from crm.pages.policy_forms import PolicyForm
from crm.staff import policy_changes
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

QUERY_CHARS_MAX = 60


@staff_page("crm.propose_policies")
def policies(request: UserRequest, brand_id: int | None = None) -> HttpResponseBase:
    """List a brand's policies by area; without a brand in the address, those of the first one."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if brand_id is None:
        if len(brands) == 1 or (brands and request.user.brand_id is None):
            return redirect("brand_policies", brand_id=brands[0].pk)
        own = next((brand for brand in brands if brand.pk == request.user.brand_id), None)
        if own:
            return redirect("brand_policies", brand_id=own.pk)
        return render(request, "crm/pages/policies.html", {"brands": brands})
    brand = next((row for row in brands if row.pk == brand_id), None)
    if brand is None:
        raise Http404
    query = request.GET.get("q", "").strip()[:QUERY_CHARS_MAX]
    lines = [line for line in policy_changes.lines_of(request.user, brand) if _fits(line, query)]
    if request.GET.get("changed"):
        lines = [line for line in lines if not line.is_default or line.planned or line.proposal]
    areas = [(area.label, list(group)) for area, group in groupby(lines, key=lambda line: line.policy.area)]
    context = {"brands": brands, "brand_shown": brand, "areas": areas, "query": query}
    return render(request, "crm/pages/policies.html", context)


def _fits(line: policy_changes.Line, query: str) -> bool:
    text = f"{line.policy.label} {line.policy.help} {line.policy.key} {line.policy.area.label}".lower()
    return all(word in text for word in query.lower().split())


@staff_page("crm.propose_policies")
def policy(request: UserRequest, brand_id: int, key: str) -> HttpResponse:
    """Show one policy of a brand: what holds, its history, and the form that changes it."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    names = segment_names(brand)
    given = request.GET.get("segment", "")
    segment = int(given) if is_whole(given) else 0
    shown = find(key, segment)
    if shown is None or (segment and segment not in names):
        raise Http404
    form = PolicyForm(request.POST or None, policy=shown, brand=brand)

    def change() -> PolicyValue | PolicyProposal:
        return policy_changes.change_policy(
            brand_id=brand.pk,
            key=shown.key,
            value=form.cleaned_data["value"],
            effective_on=form.day,
            actor=request.user,
            reason=form.cleaned_data["reason"],
            segment=segment,
        )

    if request.method == "POST" and run_action(request, change, _saved, form=form):
        return redirect(policy_changes.address_of(brand.pk, key, segment))
    context = {
        "form": form,
        "brand_shown": brand,
        "policy": shown,
        "line": policy_changes.line_of(request.user, brand, shown),
        "default_shown": shown.kind.show(_inherited(brand, shown), brand),
        "segment_name": names.get(segment, ""),
        "segments": policy_changes.segment_lines_of(request.user, brand, shown) if shown.per_segment else [],
        "segment_names": sorted(names.items(), key=lambda row: row[1].casefold()),
        "history": policy_changes.history_of(brand, shown),
    }
    return render(request, "crm/pages/policy.html", context, status=422 if form.errors else 200)


def _inherited(brand: Brand, shown: Policy[Any]) -> Any:
    return shown.for_segment(0).stored(brand, today(brand)) if shown.segment else shown.default


def _saved(made: PolicyValue | PolicyProposal) -> str:
    if isinstance(made, PolicyProposal):
        return _("Change proposed. Another person must approve it.")
    return _("Policy changed.")
