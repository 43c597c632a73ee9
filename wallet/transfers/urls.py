"""Addresses of the transfers pages."""

from django.urls import path

from crm.ui.views import TableView
from wallet.transfers import views
from wallet.transfers import views as rates
from wallet.transfers.tables import ExchangeTable, TransferTable

URLS = [
    path("money/transfers/", TableView.as_view(table=TransferTable), name="transfers"),
    path("money/transfers/<int:transfer_id>/", views.transfer_page, name="transfer"),
    path("money/exchanges/", TableView.as_view(table=ExchangeTable), name="exchanges"),
    path("money/exchanges/<int:exchange_id>/", views.exchange_page, name="exchange"),
    path("money/rates/", rates.rates_page, name="rates"),
    path("money/rates/enter/", rates.enter_rate, name="rate_enter"),
]
