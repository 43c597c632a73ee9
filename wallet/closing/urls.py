"""Addresses of the closing pages."""

from django.urls import path

from wallet.closing.views import cash, client_money, month_end, periods

URLS = [
    path("money/cash/", cash.cash_page, name="cash"),
    path("money/periods/", periods.period_list, name="periods"),
    path("money/periods/<int:pk>/", periods.period_page, name="period"),
    path("money/periods/<int:pk>/close/", periods.period_close, name="period_close"),
    path("money/periods/<int:pk>/reopen/", periods.reopening_ask, name="reopening_ask"),
    path("money/periods/<int:pk>/trial-balance/", periods.trial_balance_export, name="trial_balance"),
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
