"""Addresses of month-end: sources and their daily runs, client money, the month itself."""

from django.urls import path

from wallet.views import client_money, month_end, sources

MONTH_END = [
    path("money/sources/", sources.sources_page, name="money_sources"),
    path("money/sources/run/", sources.source_run, name="source_run"),
    path("money/sources/daily/<int:pk>/", sources.daily_fetch, name="daily_fetch"),
    path("money/client-money/", client_money.client_money_start, name="client_money_start"),
    path("money/client-money/<slug:brand>/", client_money.client_money_page, name="client_money"),
    path("money/client-money/<slug:brand>/compute/", client_money.month_compute, name="client_money_compute"),
    path("money/client-money/<slug:brand>/report/", client_money.month_report, name="client_money_report"),
    path("money/client-money/<slug:brand>/<str:day>/", client_money.day_page, name="client_money_day"),
    path("money/client-money/<slug:brand>/<str:day>/again/", client_money.day_again, name="client_money_again"),
    path("money/month-end/", month_end.month_start, name="month_end_start"),
    path("money/month-end/<slug:brand>/<str:month>/", month_end.month_page, name="month_end"),
    path("money/month-end/<slug:brand>/<str:month>/sign/", month_end.month_sign, name="month_sign"),
    path("money/month-end/<slug:brand>/<str:month>/revalue/", month_end.month_revalue, name="month_revalue"),
    path("money/month-end/<slug:brand>/<str:month>/pack/", month_end.month_pack, name="month_pack"),
    path("money/signatures/<int:pk>/withdraw/", month_end.signature_withdraw, name="signature_withdraw"),
]
