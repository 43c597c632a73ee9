"""Addresses of the books: months, manual journals, cash."""

from django.urls import path

from wallet.views import periods

BOOKS = [
    path("money/periods/", periods.period_list, name="periods"),
    path("money/periods/<int:pk>/", periods.period_page, name="period"),
    path("money/periods/<int:pk>/close/", periods.period_close, name="period_close"),
    path("money/periods/<int:pk>/reopen/", periods.reopening_ask, name="reopening_ask"),
    path("money/periods/<int:pk>/trial-balance/", periods.trial_balance_export, name="trial_balance"),
    path("money/reopenings/<int:pk>/decide/", periods.reopening_decide, name="reopening_decide"),
    path("money/reopenings/<int:pk>/withdraw/", periods.reopening_withdraw, name="reopening_withdraw"),
]
