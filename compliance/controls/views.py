"""Pages of the controls reports: the months of a brand, one month, and its PDF."""

from __future__ import annotations

import datetime as dt

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render

from compliance.controls import months, pdf
from compliance.controls.showing import shown
from crm.brand_policies.registry import today
from crm.models import Brand, User
from crm.staff.company import brands_to_set_up
from crm.ui.views import staff_page
from crm.web.requests import UserRequest

SEES = "compliance.view_controlreport"


@staff_page(SEES)
def controls(request: UserRequest) -> HttpResponseBase:
    """Lead to the running month of one's own brand, else of the first one that the person reaches as a whole."""
    brands = list(brands_to_set_up(request.user).order_by("name"))
    if not brands:
        return render(request, "compliance/controls/month.html", {"brands": brands})
    own = next((brand for brand in brands if brand.pk == request.user.brand_id), brands[0])
    return redirect("compliance:control_month", brand_id=own.pk, month=f"{today(own):%Y-%m}")


def _month(user: User, brand_id: int, text: str) -> tuple[list[Brand], months.Month]:
    brands = list(brands_to_set_up(user).order_by("name"))
    brand = next((row for row in brands if row.pk == brand_id), None)
    try:
        first = dt.date.fromisoformat(f"{text}-01")
    except ValueError:
        raise Http404 from None
    found = months.month_of(brand, first) if brand is not None else None
    if found is None:
        raise Http404
    return brands, found


@staff_page(SEES)
def control_month(request: UserRequest, brand_id: int, month: str) -> HttpResponse:
    """Show a month's controls, what failed, and the other months."""
    brands, found = _month(request.user, brand_id, month)
    running = today(found.brand).replace(day=1)
    kept = months.kept_months(found.brand)
    context = {
        "brands": brands,
        "brand_shown": found.brand,
        "month": found,
        "figures": [shown(figure, request.user) for figure in found.figures],
        "months": [
            running,
            *([] if any(row.month == months.before(running) for row in kept) else [months.before(running)]),
        ],
        "kept": kept,
        "running": running,
    }
    return render(request, "compliance/controls/month.html", context)


@staff_page(SEES)
def control_pdf(request: UserRequest, brand_id: int, month: str) -> HttpResponse:
    """Send a month's controls as PDF."""
    _brands, found = _month(request.user, brand_id, month)
    answer = HttpResponse(pdf.write(found), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="controls-{found.brand.code}-{found.first:%Y-%m}.pdf"'
    return answer
