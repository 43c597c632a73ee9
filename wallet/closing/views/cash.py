"""The cash dashboard: client money owed and held, payouts that wait, and thirty days of in and out."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from crm.models import Brand
from crm.security.scope import reach_of
from crm.ui.charts import Chart, Series
from crm.ui.views import staff_page
from crm.web.requests import UserRequest
from wallet.closing import cash


@staff_page("wallet.view_account")
def cash_page(request: UserRequest) -> HttpResponse:
    """Show a brand's cash; `?brand=` and `?currency=` choose, else the first brand and its base currency."""
    brands = list(Brand.objects.filter(pk__in=reach_of(request.user).whole_brands).order_by("name"))
    code = request.GET.get("brand", "")
    brand = next((brand for brand in brands if str(brand.pk) == code), None) if code else next(iter(brands), None)
    if code and brand is None:
        raise Http404
    currencies = cash.cash_of(brand) if brand else []
    codes = [cash.currency for cash in currencies]
    currency = request.GET.get("currency", "")
    currency = currency if currency in codes else next(iter(codes), "")
    context = {
        "brands": brands,
        "brand": brand,
        "currencies": currencies,
        "currency": currency,
        "positions": [cash for cash in currencies if cash.fx_position],
        "chart": _chart(cash.flow_of(brand, currency), currency) if brand and currency else None,
    }
    return render(request, "wallet/closing/cash.html", context)


def _chart(flow: cash.Flow, currency: str) -> Chart:
    return Chart(
        id="cash-flow",
        x=flow.days,
        series=[
            Series(_("Money in"), flow.money_in, tone="success", kind="bars", unit=currency),
            Series(_("Money out"), flow.money_out, tone="warning", kind="line", unit=currency),
        ],
    )
