"""Lists of accounts and deals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, ClassVar

import django_filters
from django.db.models import F, Q, QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from crm.i18n import formats
from crm.money.numbers import is_whole
from crm.templatetags.keelson import badge_html
from crm.ui.tables import (
    AgoColumn,
    BadgeColumn,
    Column,
    Empty,
    MoneyColumn,
    NumberColumn,
    PersonColumn,
    Table,
    TimeColumn,
)
from crm.web.requests import UserRequest
from trading import queries
from trading.accounts.request_rules import what
from trading.choices import (
    OPEN_REQUESTS,
    TRADES,
    AccountState,
    DealAction,
    DealEntry,
    HeldBecause,
    MissingBecause,
    RequestKind,
    RequestState,
)
from trading.models import AccountRequest, Deal, SymbolInfo, TradingAccount, TradingServer

SIDES = {(0, 0): _("Buy in"), (1, 0): _("Sell in"), (0, 1): _("Buy out"), (1, 1): _("Sell out")}


def deal_kind(deal: Deal) -> str:
    """`Buy in`, `Sell out`, `Balance` … An action without a name shows its number."""
    if deal.action in TRADES:
        named = SIDES.get((deal.action, deal.entry))
        return str(named or f"{DealAction(deal.action).label} {DealEntry(deal.entry).label.lower()}")
    return str(DealAction(deal.action).label) if deal.action in DealAction.values else f"#{deal.action}"


def _level(row: TradingAccount, _table: Table) -> str:
    return f"{formats.number(row.margin_level, 0)} %" if row.margin else ""


def _servers(_request: UserRequest) -> QuerySet[TradingServer]:
    return TradingServer.objects.order_by("name")


class AccountFilter(django_filters.FilterSet):
    server = django_filters.ModelChoiceFilter(queryset=_servers, label=_("Server"))
    state = django_filters.ChoiceFilter(choices=AccountState.choices, label=_("State"))
    currency = django_filters.CharFilter(lookup_expr="iexact", label=_("Currency"))
    is_demo = django_filters.BooleanFilter(label=_("Demo"))
    missing = django_filters.ChoiceFilter(
        field_name="missing_because", choices=MissingBecause.choices, label=_("No longer listed")
    )
    taken_over = django_filters.BooleanFilter(
        field_name="imported_at", lookup_expr="isnull", exclude=True, label=_("Imported from the platform")
    )

    class Meta:
        model = TradingAccount
        fields: ClassVar[list[str]] = ["server", "state", "currency", "is_demo", "missing", "taken_over"]


class AccountTable(Table):
    name, title = "trading_accounts", _("Trading accounts")
    subtitle = _("Accounts on the trading platforms with their latest data.")
    permission, export_permission = "trading.view_tradingaccount", "clients.export_client"
    columns = (
        Column("login", _("Login"), link=True, css="mono"),
        PersonColumn(
            "client", _("Client"), value=lambda row: row.client.full_name or f"#{row.client_id}", key="client_id"
        ),
        Column("type", _("Type"), value=lambda row: str(row.account_type or row.group)),
        Column("server", _("Server"), value="server.name", css="nowrap"),
        BadgeColumn("state", _("State")),
        BadgeColumn("presence", _("On the platform"), value=lambda row: row.presence),
        MoneyColumn("balance", _("Balance")),
        MoneyColumn("equity", _("Equity")),
        MoneyColumn("equity_base", _("Equity (base)"), currency="client.brand.base_currency", sort=True, hidden=True),
        Column("margin_level", _("Margin level"), render=_level, css="end"),
        Column("leverage", _("Leverage"), value=lambda row: f"1:{row.leverage}", css="end"),
        AgoColumn("last_trade_at", _("Last trade")),
        TimeColumn("opened_at", _("Opened"), hidden=True),
    )
    filterset = AccountFilter
    search_hint = _("Login or client name")
    default_order = "-id"
    row_url_name = "trading_account"
    empty = Empty(
        _("No trading accounts yet"),
        _("The first account opens automatically once a client is verified."),
        icon="chart-candlestick",
    )

    def queryset(self) -> QuerySet[TradingAccount]:
        return queries.accounts_visible_to(self.user).select_related("client__brand", "account_type", "server")

    def search(self, queryset: QuerySet[TradingAccount], words: str) -> QuerySet[TradingAccount]:
        text = words.strip().lower()
        if is_whole(text):
            return queryset.filter(login=text)
        matches = Q()
        for word in text.split()[:6]:
            matches &= Q(client__search_text__contains=word)
        return queryset.filter(matches)


class RequestFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(choices=RequestState.choices, label=_("State"), empty_label=_("Pending"))
    kind = django_filters.ChoiceFilter(choices=RequestKind.choices, label=_("Kind"))

    class Meta:
        model = AccountRequest
        fields: ClassVar[list[str]] = ["state", "kind"]


class RequestTable(Table):
    """What waits for a decision, the oldest first; with the filter also what was decided."""

    name, title = "account_requests", _("Account requests")
    subtitle = _("Account requests from clients that weren't approved automatically.")
    permission, export_permission = "trading.decide_request", "clients.export_client"
    columns = (
        AgoColumn("asked_at", _("Requested"), sort=True),
        Column("what", _("Request"), value=lambda row: str(what(row)), link=True),
        PersonColumn(
            "client",
            _("Client"),
            value=lambda row: row.account.client.full_name or f"#{row.account.client_id}",
            key="account.client_id",
        ),
        Column("login", _("Login"), value="account.login", css="mono"),
        Column(
            "held",
            _("Reason for review"),
            value=lambda row: " ".join(str(HeldBecause(h).label) for h in row.held_because),
        ),
        BadgeColumn("state", _("State")),
        Column("claimed_by", _("Claimed by"), value=lambda row: str(row.claimed_by or "")),
    )
    filterset = RequestFilter
    is_searchable = False
    default_order = "asked_at"
    row_url_name = "trading_request"
    empty = Empty(
        _("No pending requests"),
        _("Requests within the rules are approved automatically; the others appear here."),
        icon="inbox",
    )

    def queryset(self) -> QuerySet[AccountRequest]:
        requests = queries.requests_visible_to(self.user).select_related(
            "account__client", "account_type", "claimed_by"
        )
        return requests if self.params.get("state") else requests.filter(state__in=OPEN_REQUESTS)


class DealFilter(django_filters.FilterSet):
    symbol = django_filters.CharFilter(lookup_expr="iexact", label=_("Symbol"))
    action = django_filters.ChoiceFilter(choices=DealAction.choices, label=_("Kind"))
    executed_at = django_filters.DateFromToRangeFilter(label=_("Executed"))

    class Meta:
        model = Deal
        fields: ClassVar[list[str]] = ["symbol", "action", "executed_at"]


def _price(row: Deal, table: DealTable) -> str:
    return formats.number(row.price, table.price_digits.get((row.server_id, row.symbol), 5)) if row.price else ""


@lru_cache(maxsize=256)
def _deals_at(server_id: int) -> str:
    """Build the address of a server's deals up to the ticket, once for a page of fifty rows."""
    return reverse("trading_deal", args=[server_id, 0]).removesuffix("0/")


def _ticket(row: Deal, _table: Table) -> str:
    badge = format_html(" {}", badge_html(str(_("Deleted on platform")), "orange")) if row.deleted_at else ""
    return SafeString(f'<a href="{_deals_at(row.server_id)}{row.ticket:d}/">{row.ticket:d}</a>{badge}')


TIME = TimeColumn("executed_at", _("Executed"), sort=True, seconds=True)
WHOSE = (Column("login", _("Login"), css="mono"), PersonColumn("client", _("Client"), value="account.client.full_name"))
FIGURES = (
    Column("ticket", _("Ticket"), css="mono", render=_ticket),
    Column("kind", _("Kind"), value=deal_kind),
    Column("symbol", _("Symbol")),
    NumberColumn("lots", _("Lots"), value=lambda row: row.lots or None, digits=2),
    Column("price", _("Price"), render=_price, css="end num"),
    MoneyColumn("profit", _("Profit"), value=lambda row: row.profit or None, signed=True),
    MoneyColumn("commission", _("Commission"), value=lambda row: row.commission or None),
    MoneyColumn("swap", _("Swap"), value=lambda row: row.swap or None),
    MoneyColumn("fee", _("Fee"), value=lambda row: row.fee or None),
    Column("comment", _("Comment"), css="muted"),
    Column("position_id", _("Position"), css="mono", hidden=True),
)


class DealTable(Table):
    """Deals of all clients that a user sees."""

    name, title = "deals", _("Deals")
    subtitle = _("All deals of your clients as reported by the platform.")
    permission, export_permission = "trading.view_deal_list", "clients.export_client"
    columns: ClassVar[Sequence[Column]] = (TIME, *WHOSE, *FIGURES)
    filterset = DealFilter
    is_searchable = False
    default_order = "-executed_at"
    empty = Empty(_("No deals"), _("Deals appear here within seconds of execution on the platform."), icon="activity")

    def deals(self) -> QuerySet[Deal]:
        return queries.deals_visible_to(self.user)

    def queryset(self) -> QuerySet[Deal]:
        return (
            self.deals()
            .annotate(currency=F("account__currency"))
            .select_related("account__client")
            .only(*queries.DEAL_COLUMNS, "account__client__first_name", "account__client__last_name")
        )

    def row_url(self, row: Deal) -> str:
        return reverse("trading_account", args=[row.account_id]) if row.account_id else ""

    @cached_property
    def price_digits(self) -> dict[tuple[int, str], int]:
        """Digits of the symbols on this page, in one query."""
        rows: list[Any] = list(self.page.rows)
        known = SymbolInfo.objects.filter(
            server_id__in={row.server_id for row in rows}, name__in={row.symbol for row in rows}
        )
        return {(server, name): digits for server, name, digits in known.values_list("server_id", "name", "digits")}


class AccountDealTable(DealTable):
    """Deals of one account: `scope={"account_id": …}`."""

    name = "account_deals"
    columns: ClassVar[Sequence[Column]] = (TIME, *FIGURES)

    def deals(self) -> QuerySet[Deal]:
        return queries.deals_of_account(self.user, self.scope["account_id"]).order_by()

    def queryset(self) -> QuerySet[Deal]:
        return self.deals().annotate(currency=F("account__currency"))
