"""The list of accounts near a margin call."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, PersonColumn, Table
from crm.web.requests import UserRequest
from trading.choices import MarginSeverity
from trading.models import TradingAccount, TradingServer
from trading.risk import margin


def _level(row: TradingAccount, _table: Table) -> str:
    return f"{formats.number(row.margin_level, 0)} %"


def _alert(row: Any) -> MarginSeverity | str:
    return MarginSeverity(row.alert_severity) if row.alert_severity else ""


def _servers(_request: UserRequest) -> QuerySet[TradingServer]:
    return TradingServer.objects.order_by("name")


class NearFilter(django_filters.FilterSet):
    server = django_filters.ModelChoiceFilter(queryset=_servers, label=_("Server"))
    is_demo = django_filters.BooleanFilter(label=_("Demo"))
    alert_severity = django_filters.ChoiceFilter(choices=MarginSeverity.choices, label=_("Alert"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))

    class Meta:
        model = TradingAccount
        fields: ClassVar[list[str]] = ["server", "is_demo", "currency"]


class MarginTable(Table):
    """Open accounts with margin in use, the lowest level first."""

    name, title = "margin_watch", _("Margin")
    subtitle = _("Accounts with open positions and a margin level below 200 %, lowest first.")
    permission, export_permission = "trading.view_deal_list", "clients.export_client"
    columns: ClassVar[Any] = (
        Column("margin_level", _("Margin level"), render=_level, sort=True, css="end num"),
        BadgeColumn("alert", _("Alert"), value=_alert),
        AgoColumn("alert_at", _("Since")),
        Column("login", _("Login"), link=True, css="mono"),
        PersonColumn(
            "client", _("Client"), value=lambda row: row.client.full_name or f"#{row.client_id}", key="client_id"
        ),
        Column("agent", _("Agent"), value=lambda row: str(row.client.owner or "")),
        MoneyColumn("equity", _("Equity")),
        MoneyColumn("margin", _("Margin")),
        MoneyColumn("floating", _("Floating"), signed=True),
        MoneyColumn("margin_free", _("Free margin"), hidden=True),
        Column("server", _("Server"), value="server.name", css="nowrap"),
        AgoColumn("synced_at", _("As of")),
    )
    filterset = NearFilter
    is_searchable = False
    default_order = "margin_level"
    row_url_name = "trading_account"
    empty = Empty(
        _("No accounts near a margin call"),
        _("Accounts appear here when their margin level falls below 200 % with open positions."),
        icon="gauge",
    )

    def queryset(self) -> QuerySet[TradingAccount]:
        return margin.accounts_near(self.user).select_related("client__owner", "server")
