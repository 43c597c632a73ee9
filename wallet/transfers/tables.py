"""Lists of transfers and exchanges."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, PersonColumn, TimeColumn
from wallet.choices.transfers import Direction, TransferState
from wallet.core import queries
from wallet.models import Exchange, Transfer
from wallet.movements.tables import MovementTable, reference_of


class TransferFilter(django_filters.FilterSet):
    state = django_filters.MultipleChoiceFilter(choices=TransferState.choices, label=_("State"))
    direction = django_filters.ChoiceFilter(choices=Direction.choices, label=_("Direction"))

    class Meta:
        model = Transfer
        fields: list[str] = []


class TransferTable(MovementTable):
    name, title, permission = "transfers", _("Transfers"), "wallet.view_transfer"
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        BadgeColumn("state", _("State")),
        MoneyColumn("amount_minor", _("Amount"), minor=True, total=True),
        Column("direction", _("Direction"), value="get_direction_display"),
        Column("trading_account_label", _("Trading account")),
        AgoColumn("created_at", _("Started")),
        TimeColumn("finished_at", _("Finished")),
    ]
    filterset = TransferFilter
    row_url_name = "wallet:transfer"
    empty = Empty(
        _("No transfers yet"), _("Transfers between wallets and trading accounts appear here."), "arrow-left-right"
    )

    def queryset(self) -> QuerySet[Transfer]:
        return queries.transfers_visible_to(self.user).select_related("client").defer("client__search_text")


class ExchangeTable(MovementTable):
    name, title, permission = "exchanges", _("Currency exchanges"), "wallet.view_transfer"
    subtitle = _("Exchanges between a client's own wallets, at the quoted rate.")
    columns = [
        Column("reference", _("Reference"), render=reference_of, link=True, css="nowrap"),
        PersonColumn("client", _("Client"), value="client.full_name"),
        MoneyColumn("amount_minor", _("Sold"), minor=True, total=True),
        MoneyColumn("got_minor", _("Received"), minor=True, currency="got_currency", total=True),
        Column("rate", _("Rate"), value=lambda row: f"{row.quote.rate:.6f}", css="end num"),
        Column("rate_on", _("Rate date"), value="quote.rate_on", css="nowrap"),
        Column("markup", _("Markup"), value=lambda row: f"{row.quote.markup_basis_points / 100:.2f} %", css="end num"),
        AgoColumn("created_at", _("Booked")),
    ]
    row_url_name = "wallet:exchange"
    empty = Empty(_("No currency exchanges yet"), _("Exchanges between clients' wallets appear here."), "repeat")

    def queryset(self) -> QuerySet[Exchange]:
        return queries.exchanges_visible_to(self.user).select_related("client", "quote").defer("client__search_text")
