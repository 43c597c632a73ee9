"""Lists of opening balances and of their lines."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.ui.tables import (
    BadgeColumn,
    Column,
    DateColumn,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    Table,
    TimeColumn,
)
from wallet.core import queries
from wallet.models import OpeningBalances, OpeningLine


class OpeningBalancesTable(Table):
    name, title, permission = "opening_balances", _("Opening balances"), "wallet.view_manualjournal"
    subtitle = _("Balances of clients who came from another system: imported by one person, posted by another.")
    export_permission = "wallet.export_money"
    columns = (
        Column("reference", _("Reference"), link=True, css="mono nowrap"),
        BadgeColumn("state", _("State")),
        Column("brand", _("Brand"), value="brand.name"),
        NumberColumn("line_count", _("Wallets")),
        NumberColumn("client_count", _("Clients")),
        Column("reason", _("Reason"), css="clip"),
        Column("requested_by", _("Imported by"), css="nowrap"),
        TimeColumn("requested_at", _("Proposed")),
        Column("decided_by", _("Decided by"), css="nowrap"),
        TimeColumn("posted_at", _("Posted")),
    )
    row_url_name = "wallet:opening_balances"
    is_searchable = False
    empty = Empty(
        _("No opening balances"),
        _("Balances that an administrator imports from another system appear here for approval."),
        "landmark",
    )

    def queryset(self) -> QuerySet[OpeningBalances]:
        return queries.opening_balances_visible_to(self.user).select_related("brand", "requested_by", "decided_by")


class OpeningLineTable(Table):
    """The lines of one import's balances: `scope={"import_id": …}`."""

    name, title, permission = "opening_lines", _("Lines"), "wallet.view_manualjournal"
    export_permission = "wallet.export_money"
    columns = (
        NumberColumn("line", _("Line in the file"), sort=True),
        PersonColumn("client", _("Client")),
        MoneyColumn("amount", _("Opening balance"), currency="currency"),
        DateColumn("business_on", _("As of"), value="part.business_on"),
    )
    search_fields = ("client__search_text",)
    search_hint = _("Client")
    default_order = "line"

    def queryset(self) -> QuerySet[OpeningLine]:
        rows = queries.opening_lines_visible_to(self.user).filter(data_import_id=self.scope["import_id"])
        return rows.select_related("client", "part").defer("client__search_text")

    def row_url(self, row: OpeningLine) -> str:
        return row.client.get_absolute_url()
