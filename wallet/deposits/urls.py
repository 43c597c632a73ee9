"""Addresses of the deposits pages."""

from django.urls import path

from crm.ui.views import TableView
from wallet.deposits.tables import DepositTable, HeldTable
from wallet.deposits.views import offers, unverified

URLS = [
    path("money/deposits/", TableView.as_view(table=DepositTable), name="deposits"),
    path("money/held/", TableView.as_view(table=HeldTable), name="held"),
    path("money/methods/", offers.MethodListPage.as_view(), name="methods"),
    path("money/methods/try/", offers.try_out, name="methods_try"),
    path("money/unverified/", unverified.unverified_page, name="unverified"),
    path("money/unverified/new/", unverified.rule_new, name="unverified_rule_new"),
]
