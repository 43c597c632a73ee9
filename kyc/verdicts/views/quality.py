"""How much is decided without a person, how fast, and how often an officer disagrees."""

from __future__ import annotations

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from crm.brand_policies.registry import today
from crm.staff.company import brands_to_set_up
from crm.ui.charts import Chart, Series
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from kyc.verdicts import quality as figures
from kyc.verdicts import versions
from kyc.verdicts.policies import sees_policy
from kyc.verdicts.views.policy import brand_for


@staff_page(sees_policy)
def quality(request: UserRequest) -> HttpResponseBase:
    """Lead to the figures of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "kyc/verdicts/quality.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("kyc:brand_quality", brand_id=own.pk)


@staff_page(sees_policy)
def brand_quality(request: UserRequest, brand_id: int) -> HttpResponse:
    """Show the figures of a brand over the last twelve weeks."""
    brands, brand = brand_for(request.user, brand_id)
    weeks = figures.by_week(brand)
    context = {
        "brands": brands,
        "brand_shown": brand,
        "weeks_count": figures.WEEKS,
        "all": figures.overall(brand),
        "times": figures.times(brand),
        "looks": figures.looks(brand),
        "chart": Chart(
            id="kyc-quality",
            x=[week for week, _shares in weeks],
            series=[
                Series(
                    _("Approved automatically"), [shares.approve for _week, shares in weeks], kind="bars", decimals=0
                ),
                Series(
                    _("Sent back to the client"), [shares.ask for _week, shares in weeks], tone="warning", decimals=0
                ),
                Series(_("Decided by officers"), [shares.queue for _week, shares in weeks], tone="teal", decimals=0),
            ],
            height=260,
        ),
        "weeks": weeks[::-1],
        "kinds": figures.by_kind(brand),
        "countries": figures.by_country(brand),
        "corrections": figures.corrections(brand),
        "reasons": figures.queue_reasons(brand),
        "version": versions.version_on(brand, today(brand)),
    }
    return render(request, "kyc/verdicts/quality.html", context)
