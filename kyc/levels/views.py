"""Pages of a brand's levels: all of them with what they require and allow, and the form of one with its preview."""

from __future__ import annotations

from dataclasses import replace

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from crm import approvals
from crm.brand_policies.registry import today
from crm.errors import outcome_of
from crm.models import Brand
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.brand_policies import KYC_LEVEL_REQUIRED
from kyc.levels import changes
from kyc.levels.changes import RIGHT
from kyc.levels.forms import LevelForm
from kyc.levels.ladder import LEVEL_MAX, Level, ladder_of, planned_ladder
from kyc.models.level_tables import LevelProposal, LevelTable

HISTORY_MAX = 50


@staff_page(RIGHT)
def levels(request: UserRequest) -> HttpResponseBase:
    """Lead to the levels of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "kyc/levels/list.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("kyc:brand_levels", brand_id=own.pk)


@staff_page(RIGHT)
def brand_levels(request: UserRequest, brand_id: int) -> HttpResponse:
    """Show the levels in force, what is planned or waits, and every earlier table."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    brand = next((row for row in brands if row.pk == brand_id), None)
    if brand is None:
        raise Http404
    ladder = ladder_of(brand)
    tables = list(LevelTable.objects.filter(brand=brand).select_related("set_by")[:HISTORY_MAX])
    waiting = approvals.kind_of(LevelProposal).awaiting(
        LevelProposal.objects.filter(brand=brand).select_related("requested_by")
    )
    may_change = bool(changes.can_change(request.user, brand.pk))
    context = {
        "brands": brands,
        "brand_shown": brand,
        "levels": [(level, changes.described(brand, level)[1:]) for level in ladder],
        "level_required": KYC_LEVEL_REQUIRED.of(brand),
        "is_default": not brand.kyc_level_table,
        "tables": tables,
        "planned": next((table for table in tables if table.pk > brand.kyc_level_table), None),
        "proposal": waiting.first(),
        "may_change": may_change,
        "may_add": may_change and len(ladder) <= LEVEL_MAX,
        "next_number": len(ladder),
        "day": today(brand),
    }
    return render(request, "kyc/levels/list.html", context)


@staff_page(RIGHT)
def level_change(request: UserRequest, brand_id: int, number: int) -> HttpResponse:
    """Change or add a level: the preview says who would move, then the change is proposed."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    ladder = planned_ladder(brand)
    if number > min(len(ladder), LEVEL_MAX):
        raise Http404
    added = replace(ladder[-1], number=number, names={}, requires=(), company_requires=())
    level = ladder[number] if number < len(ladder) else added
    form = LevelForm(request.POST or None, brand=brand, level=level)
    context = {"form": form, "brand_shown": brand, "level": level, "is_new": number == len(ladder)}
    if request.method == "POST" and form.is_valid():
        wanted = (*ladder[:number], form.wanted, *ladder[number + 1 :])
        if "preview" in request.POST:
            return _previewed(request, context, brand, form, wanted)
        if _propose(request, brand, wanted, form):
            return redirect("kyc:brand_levels", brand_id=brand.pk)
    return render(request, "kyc/levels/change.html", context, status=422 if form.errors else 200)


def _previewed(
    request: UserRequest, context: dict[str, object], brand: Brand, form: LevelForm, wanted: tuple[Level, ...]
) -> HttpResponse:
    possible = outcome_of(lambda: changes.check(wanted))
    if not possible:
        form.add_error(None, possible.message)
        return render(request, "kyc/levels/change.html", context, status=422)
    context["moves"] = changes.preview(brand, wanted)
    return render(request, "kyc/levels/change.html", context)


def _propose(request: UserRequest, brand: Brand, wanted: tuple[Level, ...], form: LevelForm) -> bool:
    done = run_action(
        request,
        lambda: changes.propose_levels(
            brand_id=brand.pk,
            levels=wanted,
            effective_on=form.day,
            actor=request.user,
            reason=form.cleaned_data["reason"],
        ),
        _("Change proposed. Another person must approve it."),
        form=form,
    )
    return bool(done)


@staff_page(RIGHT)
@require_POST
def level_remove(request: UserRequest, brand_id: int) -> HttpResponse:
    """Propose to remove the highest level; the lowest two stay."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    run_action(
        request,
        lambda: changes.propose_levels(
            brand_id=brand.pk,
            levels=planned_ladder(brand)[:-1],
            effective_on=changes.first_day(brand),
            actor=request.user,
            reason=request.POST.get("reason", "")[:300],
        ),
        _("Change proposed. Another person must approve it."),
    )
    return redirect("kyc:brand_levels", brand_id=brand.pk)
