"""Addresses of the wallet, room by room."""

from django.urls import path

from wallet import client_tab
from wallet.bank import urls as bank
from wallet.closing import urls as closing
from wallet.deposits import urls as deposits
from wallet.disputes import urls as disputes
from wallet.documents import urls as documents
from wallet.ledger import urls as ledger
from wallet.movements import urls as movements
from wallet.opening_balances import urls as opening_balances
from wallet.reconciliation import urls as reconciliation
from wallet.transfers import urls as transfers
from wallet.webhooks import urls as webhooks
from wallet.withdrawals import urls as withdrawals

app_name = "wallet"
urlpatterns = [
    path("clients/<int:client_id>/statement/", client_tab.statement, name="client_statement"),
    *webhooks.URLS,
    *deposits.URLS,
    *disputes.URLS,
    *withdrawals.URLS,
    *transfers.URLS,
    *ledger.URLS,
    *opening_balances.URLS,
    *reconciliation.URLS,
    *movements.URLS,
    *closing.URLS,
    *bank.URLS,
    *documents.URLS,
]
