"""Lists of accounts and deals."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm.ui import formats
from crm.ui.tables import AgoColumn, BadgeColumn, Column, Empty, MoneyColumn, NumberColumn, Table, TimeColumn
from trading import queries
from trading.choices import TRADES, AccountState, DealAction, DealEntry
from trading.models import Deal, TradingAccount

SIDES = {(0, 0): _("Buy in"), (1, 0): _("Sell in"), (0, 1): _("Buy out"), (1, 1): _("Sell out")}


def deal_kind(deal: Deal) -> str:
    """`Buy in`, `Sell out`, `Balance` … An action without a name shows its number."""
    if deal.action in TRADES:
        named = SIDES.get((deal.action, deal.entry))
        return str(named or f"{DealAction(deal.action).label} {DealEntry(deal.entry).label.lower()}")
    return str(DealAction(deal.action).label) if deal.action in DealAction.values else f"#{deal.action}"


def _level(row: TradingAccount, _table: Any) -> str:
    return f"{formats.number(row.margin_level, 0)} %" if row.margin else ""


class AccountFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=AccountState.choices, label=_("State"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    is_demo = django_filters.BooleanFilter(label=_("Demo"))

    class Meta:
        model = TradingAccount
        fields: ClassVar[list[str]] = ["state", "currency", "is_demo"]


class AccountTable(Table):
    name, title = "trading_accounts", _("Trading accounts")
    subtitle = _("Accounts on the trading platforms, as the platform last described them.")
    permission, export_permission = "trading.view_tradingaccount", "clients.export_client"
    columns = (
        Column("login", _("Login"), link=True, css="mono"),
        Column("client", _("Client"), value=lambda row: row.client.full_name or f"#{row.client_id}"),
        Column("type", _("Type"), value=lambda row: str(row.account_type or row.group)),
        Column("server", _("Server"), value="server.name", hidden=True),
        BadgeColumn("state", _("State")),
        MoneyColumn("balance", _("Balance")),
        MoneyColumn("equity", _("Equity")),
        MoneyColumn("equity_base", _("Equity (base)"), currency="client.brand.base_currency", sort=True, hidden=True),
        Column("margin_level", _("Margin level"), render=_level, css="end"),
        Column("leverage", _("Leverage"), value=lambda row: f"1:{row.leverage}", css="end"),
        AgoColumn("last_trade_at", _("Last trade")),
        TimeColumn("opened_at", _("Opened"), hidden=True),
    )
    filterset = AccountFilter
    search_hint = _("Login, or a client's name")
    default_order = "-id"
    row_url_name = "trading_account"
    empty = Empty(
        _("No trading accounts yet"),
        _("The first one opens by itself when a client is verified."),
        icon="chart-candlestick",
    )

    def queryset(self) -> QuerySet[TradingAccount]:
        return queries.accounts_visible_to(self.user).select_related("client__brand", "account_type", "server")

    def search(self, queryset: QuerySet[TradingAccount], words: str) -> QuerySet[TradingAccount]:
        text = words.strip().lower()
        if text.isdecimal():
            return queryset.filter(login=text)
        matches = Q()
        for word in text.split()[:6]:
            matches &= Q(client__search_text__contains=word)
        return queryset.filter(matches)


class DealFilter(django_filters.FilterSet):
    symbol = django_filters.CharFilter(lookup_expr="iexact", label=_("Symbol"))
    action = django_filters.ChoiceFilter(choices=DealAction.choices, label=_("Kind"))
    executed_at = django_filters.DateFromToRangeFilter(label=_("Executed"))

    class Meta:
        model = Deal
        fields: ClassVar[list[str]] = ["symbol", "action", "executed_at"]


class DealTable(Table):
    """Deals; with `scope={"account_id": …}` those of one account, with `client_id` those of one client."""

    name, title = "deals", _("Deals")
    subtitle = _("Every deal of your clients, as it came from the platform.")
    permission, export_permission = "trading.view_deal_list", "clients.export_client"
    columns = (
        TimeColumn("executed_at", _("Executed"), sort=True, seconds=True),
        Column("ticket", _("Ticket"), css="mono"),
        Column("login", _("Login"), css="mono"),
        Column("client", _("Client"), value=lambda row: row.account.client.full_name, hidden=True),
        Column("kind", _("Kind"), value=deal_kind),
        Column("symbol", _("Symbol")),
        NumberColumn("lots", _("Lots"), value=lambda row: row.lots or None, digits=2),
        NumberColumn("price", _("Price"), value=lambda row: row.price.normalize() if row.price else None),
        MoneyColumn("profit", _("Profit"), currency="account.currency", signed=True),
        MoneyColumn(
            "commission", _("Commission"), value=lambda row: row.commission or None, currency="account.currency"
        ),
        MoneyColumn("swap", _("Swap"), value=lambda row: row.swap or None, currency="account.currency"),
        Column("comment", _("Comment"), css="muted"),
        Column("position_id", _("Position"), css="mono", hidden=True),
    )
    filterset = DealFilter
    is_searchable = False
    default_order = "-executed_at"
    empty = Empty(_("No deals"), _("Deals show up here within seconds after the platform made them."), icon="activity")

    def queryset(self) -> QuerySet[Deal]:
        if account_id := self.scope.get("account_id"):
            found = queries.deals_of_account(self.user, account_id).order_by()
        elif client_id := self.scope.get("client_id"):
            ids = [account.pk for account in queries.accounts_of(self.user, client_id)]
            found = Deal.objects.only(*queries.DEAL_COLUMNS).filter(account_id__in=ids)
        else:
            found = queries.deals_visible_to(self.user)
        return found.select_related("account__client").only(
            *queries.DEAL_COLUMNS, "account__currency", "account__client__first_name", "account__client__last_name"
        )

    def row_url(self, row: Deal) -> str:
        return reverse("trading_account", args=[row.account_id]) if row.account_id else ""
