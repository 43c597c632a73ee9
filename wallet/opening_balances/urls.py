"""Addresses of the opening balances."""

from django.urls import path

from wallet.opening_balances import views

URLS = [
    path("money/opening-balances/", views.OpeningBalancesList.as_view(), name="opening_balances_list"),
    path("money/opening-balances/<int:pk>/", views.OpeningBalancesPage.as_view(), name="opening_balances"),
]
