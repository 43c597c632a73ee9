"""Pages of a brand's country rules: all countries, the form for one or many, and one country with its history."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from clients.choices import CountryBand, Gate, Stage
from clients.countries import country_name
from clients.country_rules import changes, exemptions, listing
from clients.country_rules.changes import RIGHT
from clients.country_rules.forms import CountryRulesForm
from clients.country_rules.groups import GROUPS
from clients.country_rules.preview import preview
from clients.country_rules.rules import Limits, default_of
from clients.models import CountryRuleProposal
from crm.choices import AccessKind
from crm.models import Brand
from crm.security import access_log
from crm.staff.company import brands_to_set_up
from crm.ui.actions import run_action
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

QUERY_CHARS_MAX = 60
COUNTRIES_SHOWN = 12


@staff_page(RIGHT)
def country_rules(request: UserRequest) -> HttpResponseBase:
    """Lead to the rules of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "clients/country_rules/list.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("brand_countries", brand_id=own.pk)


@staff_page(RIGHT)
def brand_countries(request: UserRequest, brand_id: int) -> HttpResponse:
    """List all countries with their band and what is accepted, by name, band and state."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    brand = next((row for row in brands if row.pk == brand_id), None)
    if brand is None:
        raise Http404
    query = request.GET.get("q", "").strip()[:QUERY_CHARS_MAX]
    band, state = request.GET.get("band", ""), request.GET.get("state", "")
    lines = listing.filtered(listing.lines_of(brand), query=query, band=band, state=state)
    context = {
        "brands": brands,
        "brand_shown": brand,
        "lines": lines,
        "gates": Gate.labels,
        "bands": CountryBand.choices,
        "states": _state_labels(),
        "groups": [(key, label) for key, (label, _codes) in GROUPS.items()],
        "query": query,
        "band": band,
        "state": state,
        "may_change": bool(changes.can_change(request.user, brand.pk)),
        "may_exempt": request.user.has_perm(exemptions.RIGHT),
    }
    return render(request, "clients/country_rules/list.html", context)


def _state_labels() -> list[tuple[str, str]]:
    return [
        ("own", _("Own rule")),
        ("default", _("Default")),
        ("refused", _("Not accepted everywhere")),
        ("planned", _("Change planned")),
        ("waiting", _("Awaiting second approval")),
    ]


@staff_page(RIGHT)
def brand_countries_change(request: UserRequest, brand_id: int) -> HttpResponse:
    """Propose a rule for the countries that were chosen on the list, or for a group of them."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    known = dict(listing.choices())
    slugs = [slug for slug in dict.fromkeys(request.GET.getlist("country")) if slug in known]
    slugs += sorted(GROUPS.get(request.GET.get("group", ""), ("", frozenset()))[1])
    form = CountryRulesForm(request.POST or None, brand=brand, slugs=slugs)

    def propose() -> CountryRuleProposal:
        return changes.propose_country_rules(
            brand_id=brand.pk,
            countries=form.codes,
            band=form.cleaned_data["band"],
            accepted=form.cleaned_data["accepted"],
            effective_on=form.day,
            actor=request.user,
            reason=form.cleaned_data["reason"],
            limits=form.limits,
        )

    done = _("Change proposed. Another person must approve it.")
    is_preview = "preview" in request.POST
    if is_preview:
        form.fields["reason"].required = False
    elif request.method == "POST" and run_action(request, propose, done, form=form):
        return redirect("brand_countries", brand_id=brand.pk)
    context = {"form": form, "brand_shown": brand, "is_one": len(slugs) == 1}
    if is_preview and form.is_valid():
        context |= _preview_of(request, brand, form)
    return render(request, "clients/country_rules/change.html", context, status=422 if form.errors else 200)


def _preview_of(request: UserRequest, brand: Brand, form: CountryRulesForm) -> dict[str, Any]:
    """Compute what the entered rule would do today; whom the sample names is logged like a search."""
    shown = preview(brand, form.codes, form.terms, request.user)
    access_log.note(user=request.user, kind=AccessKind.SEARCH, target="country rule preview", rows=len(shown.sample))
    named = [(country_name(code) or _("No country"), *counts) for code, *counts in shown.countries[:COUNTRIES_SHOWN]]
    return {
        "preview": shown,
        "countries": named,
        "stages": [(Stage(stage).label, *counts) for stage, *counts in shown.stages],
        "currency": brand.base_currency,
    }


@staff_page(RIGHT)
def brand_country(request: UserRequest, brand_id: int, slug: str) -> HttpResponse:
    """Show one country: what holds today, what is planned or waits, and its history."""
    brand = get_object_or_404(brands_to_set_up(request.user), pk=brand_id)
    line = next((row for row in listing.lines_of(brand) if row.slug == slug), None)
    if line is None:
        raise Http404
    context = {
        "brand_shown": brand,
        "line": line,
        "default": default_of(brand, listing.code_of(slug)),
        "history": [
            (row, _accepted(row.accepted), listing.limit_lines(Limits.of(row)))
            for row in listing.history_of(brand, listing.code_of(slug))
        ],
        "may_change": bool(changes.can_change(request.user, brand.pk)),
    }
    return render(request, "clients/country_rules/country.html", context)


def _accepted(gates: list[str]) -> str:
    return ", ".join(str(Gate(gate).label) for gate in gates) or _("Nothing")
