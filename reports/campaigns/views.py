"""Pages of campaigns: the list with what each brought, and one campaign."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.choices import AccessKind
from crm.models import User
from crm.security import access_log
from crm.security.policies import require_permission
from crm.ui.charts import Chart, Series
from crm.ui.exports import defuse
from crm.ui.views import may_open, staff_page, wants_fragment
from crm.web.requests import UserRequest
from leads.models import Campaign
from reports import origins
from reports.campaigns import page as campaign_page
from reports.campaigns import rows as campaigns
from reports.campaigns.returns import DAYS_MAX, Attribution, Dimension, ReturnRow, returns_of
from reports.campaigns.returns_form import ReturnsForm
from reports.filters import EARLIEST, FilterForm, Selection, Span
from reports.sorting import sort_links
from risk.retention.lifetime import of_campaign

HEADS = [
    ("leads", gettext_lazy("Leads")),
    ("registrations", gettext_lazy("Registrations")),
    ("verified", gettext_lazy("Verified")),
    ("ftds", gettext_lazy("FTDs")),
    ("deposits", gettext_lazy("Deposits")),
    ("net", gettext_lazy("Net")),
    ("cost", gettext_lazy("Cost")),
    ("per_lead", gettext_lazy("Per lead")),
    ("per_registration", gettext_lazy("Per registration")),
    ("per_ftd", gettext_lazy("Per FTD")),
    ("roas", gettext_lazy("ROAS")),
    ("revenue", gettext_lazy("Revenue")),
    ("roi", gettext_lazy("ROI")),
]
EARNED = ("revenue", "roi")


@staff_page("leads.view_campaign")
def campaign_list(request: UserRequest) -> HttpResponse:
    """List campaigns with what they cost and brought in a period, and the same as CSV."""
    form = FilterForm(request.GET, user=request.user)
    chosen = form.selection()
    sort = request.GET.get("sort", campaigns.DEFAULT_SORT)
    sort = sort if sort.removeprefix("-") in campaigns.SORTS else campaigns.DEFAULT_SORT
    heads = HEADS if chosen.has_revenue else [head for head in HEADS if head[0] not in EARNED]
    rows = campaigns.rows_of(chosen, chosen.span, form.today, sort=sort)
    if request.GET.get("export") == "csv":
        require_permission(request.user, "leads.change_campaign")
        access_log.note(
            user=request.user,
            kind=AccessKind.EXPORT,
            target="reports.campaigns",
            rows=len(rows),
            reason=f"{chosen.span.first} – {chosen.span.last}",
        )
        return _as_csv(rows, chosen)
    context = {
        "form": form,
        "selection": chosen,
        "has_period": True,
        "path": request.path,
        "rows": rows,
        "totals": campaigns.totals_of(rows),
        "kept": {"sort": sort} if sort != campaigns.DEFAULT_SORT else {},
        "heads": sort_links(heads, sort, lambda name: chosen.query(sort=name)),
        "query": chosen.query(),
        "csv_query": chosen.query(export="csv", sort=sort),
        "may_export": request.user.has_perm("leads.change_campaign"),
        "refreshed_at": origins.refreshed_at(),
    }
    return _answer(request, "reports/campaigns.html", "reports/_campaigns.html", context)


@staff_page("leads.view_campaign")
def campaign_returns(request: UserRequest) -> HttpResponse:
    """Set what campaigns cost against what they brought, by campaign, source, country, cohort or day."""
    form = ReturnsForm(request.GET, user=request.user, narrows=("brand", "campaign"))
    chosen, by, attribution, segment = (
        form.selection(),
        form.chosen_dimension,
        form.chosen_attribution,
        form.chosen_segment,
    )
    is_too_long = (attribution != Attribution.FIRST or segment is not None) and len(chosen.span.days) > DAYS_MAX
    if is_too_long:
        attribution, segment = Attribution.FIRST, None
    rows, totals = returns_of(chosen, by, attribution, form.today, segment_id=segment.pk if segment else None)
    context = {
        "form": form,
        "selection": chosen,
        "has_period": True,
        "path": request.path,
        "by": by,
        "attribution": attribution,
        "segment": segment,
        "is_too_long": is_too_long,
        "rows": rows,
        "totals": totals,
        "digits": 1 if attribution == Attribution.LINEAR and by != Dimension.COHORT else 0,
        "chart": _return_chart(rows, totals, has_revenue=chosen.has_revenue) if by == Dimension.DAY else None,
        "kept": {
            "by": by if by != Dimension.CAMPAIGN else "",
            "attribution": form.chosen_attribution if form.chosen_attribution != Attribution.FIRST else "",
            "segment": str(form.chosen_segment.pk) if form.chosen_segment else "",
        },
        "query": chosen.query(),
        "refreshed_at": origins.refreshed_at(),
    }
    return _answer(request, "reports/campaign_returns.html", "reports/_campaign_returns.html", context)


def _return_chart(rows: Sequence[ReturnRow], totals: Sequence[ReturnRow], *, has_revenue: bool) -> Chart | None:
    """Draw cost, net deposits and revenue by day; nothing where brands have different currencies."""
    if len(totals) != 1 or len(rows) < 2:
        return None
    days, currency = list(reversed(rows)), totals[0].currency
    series = [Series(_("Net deposits"), [row.sums.net for row in days], tone="teal", unit=currency)]
    if has_revenue:
        series.append(Series(_("Revenue"), [row.sums.revenue for row in days], tone="success", unit=currency))
    if totals[0].cost is not None:
        series.insert(0, Series(_("Cost"), [row.cost for row in days], kind="bars", tone="warning", unit=currency))
    return Chart(
        id="campaign-returns",
        title=_("Cost, net deposits and revenue by day") if has_revenue else _("Cost and net deposits by day"),
        x=[row.key for row in days],
        series=series,
    )


@staff_page("leads.view_campaign")
def campaign_detail(request: UserRequest, pk: int) -> HttpResponse:
    """Show one campaign: its figures with their change, curves, funnel, and where its leads come from."""
    form = FilterForm(request.GET, user=request.user, narrows=("desk", "country"))
    chosen = form.selection()
    campaign = campaigns.in_reach(replace(chosen, reach=form.reach), pk)
    if campaign is None:
        raise Http404
    chosen = _of_campaign(chosen, campaign.code, campaign.brand_id)
    page = campaign_page.page_of(request.user, campaign, chosen, form.today)
    leads_url = f"{reverse('leads')}?campaign={campaign.code}"
    context = {
        "form": form,
        "selection": chosen,
        "has_period": True,
        "has_comparison": True,
        "path": request.path,
        "campaign": campaign,
        "page": page,
        **_lifetime(request.user, campaign, chosen, form.today),
        "leads_url": leads_url if may_open(request.user, leads_url) else "",
        "refreshed_at": origins.refreshed_at(),
    }
    return _answer(request, "reports/campaign.html", "reports/_campaign.html", context)


def _lifetime(user: User, campaign: Campaign, chosen: Selection, today: dt.date) -> dict[str, Any]:
    """Read what the campaign's clients are worth and how many times its whole cost that is; neither depends on the period."""
    value = of_campaign(user, campaign.code, campaign.brand)
    cost = campaigns.costs_of(replace(chosen, country=""), [campaign], Span(EARLIEST, today), today)[campaign.pk]
    return {"value": value, "times": value.times(cost), "has_cost": cost is not None, "is_campaign": True}


def _of_campaign(chosen: Selection, code: str, brand_id: int) -> Selection:
    """Narrow what is chosen to one campaign of one brand."""
    brands = tuple(brand for brand in chosen.brands if brand.pk == brand_id)
    reach = replace(chosen.reach, brands=chosen.reach.brands & {brand_id})
    return replace(chosen, campaign=code, brands=brands, brand=brands[0] if brands else None, reach=reach)


def _answer(request: UserRequest, page: str, part: str, context: dict[str, Any]) -> HttpResponse:
    response = render(request, part if wants_fragment(request) else page, context)
    patch_vary_headers(response, ["HX-Request"])
    if wants_fragment(request):
        query = context["selection"].query(**context.get("kept", {}))
        response["HX-Push-Url"] = f"{request.path}{'?' if query else ''}{query}"
    return response


def _as_csv(rows: Sequence[campaigns.Row], chosen: Selection) -> HttpResponse:
    out, span = io.StringIO(), chosen.span
    writer = csv.writer(out)
    labels = [str(label) for name, label in HEADS if chosen.has_revenue or name not in EARNED]
    writer.writerow([_("Campaign"), _("Code"), _("Brand"), *labels, _("Currency")])
    for row in rows:
        total = row.totals
        optional = [row.cost, row.per_lead, row.per_registration, row.per_ftd, row.roas]
        optional += [row.revenue, row.roi] if chosen.has_revenue else []
        figures = [total.leads, total.registrations, total.verified, total.first_deposits, row.deposits, row.net]
        figures += ["" if value is None else round(value, 2) for value in optional]
        writer.writerow(
            [defuse(row.campaign.name), row.campaign.code, defuse(row.campaign.brand.name), *figures, row.currency]
        )
    response = HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="campaigns-{span.first}-{span.last}.csv"'
    return response
