"""Exchange rates: each currency's newest rate with its source and age, the feeds, and what brands add."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from crm.models import Brand
from crm.money import Money
from crm.scope import reach_of
from crm.ui.views import staff_page
from wallet import exchange, limits, rate_watch


@staff_page("wallet.view_account")
def rates_page(request: HttpRequest) -> HttpResponse:
    brands = Brand.objects.filter(pk__in=reach_of(request.user).whole_brands).order_by("name")
    terms = [
        {
            "brand": brand, "percent": exchange.markup_of(brand) / 100,
            "bank_days": limits.limit(brand, "fx_rate_bank_days_max"),
            "once": Money.of_minor(limits.limit(brand, "fx_exchange_max_minor"), brand.base_currency),
            "daily": Money.of_minor(limits.limit(brand, "fx_exchange_per_day_minor"), brand.base_currency),
        }
        for brand in brands
    ]  # fmt: skip
    context = {
        "feeds": [(feed, rate_watch.is_stale(feed)) for feed in rate_watch.feeds()],
        "rates": rate_watch.current_rates(
            bank_days_max=min((limits.limit(brand, "fx_rate_bank_days_max") for brand in brands), default=1)
        ),
        "terms": terms,
    }
    return render(request, "wallet/rates.html", context)
