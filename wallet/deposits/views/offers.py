"""Payment methods: the list, and which of them a client is offered."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from clients.queries import get_client
from clients.record.access import log_access
from crm.ui.views import TableView, staff_page
from crm.web.requests import UserRequest
from wallet.deposits import method_offers
from wallet.deposits.forms import TryOutForm
from wallet.deposits.tables import MethodTable


class MethodListPage(TableView):
    table = MethodTable
    template_name = "wallet/deposits/methods.html"


@staff_page("wallet.view_psp")
def try_out(request: UserRequest) -> HttpResponse:
    """Show every method of the brand with the reason why this client is (not) offered it."""
    form = TryOutForm(request.GET or None)
    context: dict[str, Any] = {"form": form}
    if form.is_bound and form.is_valid():
        client = get_client(request.user, form.cleaned_data["client"])
        log_access(request.user, client, f"wallet.offers:{client.pk}")
        currency, amount = form.cleaned_data["currency"], form.cleaned_data["amount"] or None
        context |= {
            "client": client,
            "currency": currency,
            "ways": [
                (_("Deposits"), method_offers.judge(client, currency, amount=amount)),
                (
                    _("Withdrawals"),
                    method_offers.judge(client, currency, way=method_offers.Direction.OUT, amount=amount),
                ),
            ],
        }
    return render(request, "wallet/deposits/try_out.html", context)
