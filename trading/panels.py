"""What trading puts on the menu, on the client's page and into the command palette."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.choices import Role
from crm.models import User
from crm.money.numbers import is_whole
from crm.ui import panels
from crm.ui.kpis import kpi_tile
from crm.ui.panels import Card, CreateEntry, MenuEntry, PaletteSource, RecordPart, SetupStep, Tab, Tile, register
from trading import queries
from trading.accounts import automation_steps, client_overview, home_cards  # noqa: F401  the steps register themselves
from trading.accounts.operation_decisions import OutcomeApproval
from trading.accounts.views.accounts import trading_tab
from trading.imports.client_proposals import ClientApproval
from trading.imports.login_proposals import LoginApproval
from trading.models import ReconcileBreak, TradingServer
from trading.servers import home_cards as server_cards
from trading.servers.addresses import AddressApproval
from trading.sync import breaks

approvals.register(OutcomeApproval, LoginApproval, AddressApproval, ClientApproval)


def find_accounts(user: User, query: str, limit: int) -> Iterator[panels.SearchResult]:
    """Find accounts by login: the beginning of a number is enough."""
    if not is_whole(query) or len(query) < 3:
        return
    accounts = queries.accounts_visible_to(user).filter(login__startswith=query).select_related("client", "server")
    for account in accounts.order_by("login")[:limit]:
        yield panels.SearchResult(
            label=f"{account.login} · {account.client.full_name}",
            url=reverse("trading_account", args=[account.pk]),
            hint=account.server.name,
            icon="chart-candlestick",
        )


def open_breaks(user: User) -> int | None:
    """Count open differences with platforms for the menu, up to 100; None for none."""
    return ReconcileBreak.objects.filter(state="open")[:100].count() or None


def waiting_requests(user: User) -> int | None:
    """Count clients' requests that wait for a decision and that the user sees, up to 100; None for none."""
    return queries.requests_visible_to(user).filter(state="waiting")[:100].count() or None


# Who looks at the book as a whole; agents look at their clients' accounts and deals.
DEALING = (Role.FINANCE, Role.MLRO, Role.AUDITOR, Role.ADMINISTRATOR)


def has_server(user: User) -> bool:
    """Check for a trading server in use."""
    return TradingServer.objects.filter(is_enabled=True).exists()


register(
    SetupStep(
        "platform",
        _("Trading platform"),
        _("Connect MetaTrader, cTrader, Match-Trader or Sirix and test the connection."),
        "server",
        "trading_servers",
        has_server,
        "trading.manage_servers",
        60,
    )
)
register(
    CreateEntry(
        _("Trading account"), "trading_open_account", "trading.open_account", "chart-candlestick", 30, for_client=True
    ),
    MenuEntry(
        "trading",
        _("Trading accounts"),
        "trading_accounts",
        "trading.view_tradingaccount",
        "chart-candlestick",
        10,
        words="mt4 mt5 ctrader sirix match-trader login leverage equity",
    ),
    MenuEntry(
        "trading", _("Deals"), "trading_deals", "trading.view_deal_list", "arrow-up-down", 20, words="trades tickets"
    ),
    MenuEntry(
        "trading",
        _("Dealing"),
        "trading_dealing",
        "trading.view_deal_list",
        "trending-up",
        25,
        words="winners losers profit desk results",
        group="desk",
        roles=DEALING,
    ),
    MenuEntry(
        "trading",
        _("Margin"),
        "trading_margin",
        "trading.view_deal_list",
        "gauge",
        35,
        words="margin call level stop-out alerts",
        group="desk",
        roles=(Role.SUPPORT, Role.DESK_HEAD, *DEALING),
    ),
    MenuEntry(
        "setup",
        _("Margin limits"),
        "trading_margin_policies",
        "trading.change_marginpolicy",
        "bell-ring",
        63,
        words="margin call stop-out alerts levels",
        group="trading",
    ),
    MenuEntry(
        "trading",
        _("Exposure"),
        "trading_exposure",
        "trading.view_deal_list",
        "chart-pie",
        30,
        words="positions dealing",
        group="desk",
        roles=DEALING,
    ),
    MenuEntry(
        "trading",
        _("Account requests"),
        "trading_requests",
        "trading.decide_request",
        "inbox",
        15,
        count=waiting_requests,
        words="leverage wishes archive type",
    ),
    MenuEntry(
        "trading",
        _("Platform health"),
        "trading_health",
        "trading.view_platform_health",
        "heart-pulse",
        40,
        words="servers lag sync mt4 mt5 ctrader sirix match-trader",
        group="platforms",
    ),
    MenuEntry(
        "trading",
        _("Platform breaks"),
        "trading_breaks",
        "trading.view_platform_health",
        "octagon-alert",
        42,
        count=open_breaks,
        words="breaks reconcile missing deleted balance gaps",
        group="platforms",
        count_permission=breaks.DECIDES,
    ),
    MenuEntry(
        "trading",
        _("Symbols"),
        "trading_symbols",
        "trading.view_symbolalias",
        "tags",
        44,
        words="alias mapping instruments groups contract size",
        group="platforms",
    ),
    MenuEntry(
        "setup",
        _("Trading servers"),
        "trading_servers",
        "trading.manage_servers",
        "server",
        60,
        words="mt4 mt5 ctrader sirix match-trader connect platform",
        group="trading",
    ),
    MenuEntry(
        "setup",
        _("Account types"),
        "trading_types",
        "trading.view_accounttype",
        "layers",
        61,
        words="retail pro vip islamic cent leverage ladder",
        group="trading",
    ),
    MenuEntry(
        "setup",
        _("Leverage caps"),
        "trading_caps",
        "trading.view_leveragecap",
        "sliders-horizontal",
        62,
        words="esma fca asic regulator",
        group="trading",
    ),
    MenuEntry(
        "trading",
        _("Account imports"),
        "trading_imports",
        "trading.import_accounts",
        "download",
        45,
        words="import existing logins attach",
        group="platforms",
    ),
    RecordPart("client", "figure", "equity", client_overview.equity_figure, "trading.view_tradingaccount", 10),
    RecordPart("client", "figure", "result", client_overview.result_figure, "trading.view_tradingaccount", 30),
    RecordPart("client", "step", "trading", client_overview.next_steps, "trading.view_tradingaccount", 30),
    RecordPart("client", "creation", "trading", client_overview.creations, "trading.open_account", 30),
    Card(
        "client",
        "accounts",
        "trading/accounts/_client_card.html",
        client_overview.accounts_card,
        "trading.view_tradingaccount",
        20,
        place="top",
    ),
    Tab("client", "trading", _("Trading"), trading_tab, "trading.view_tradingaccount", order=40),
    Tile(
        "near-margin-call",
        "crm/ui/_list_card.html",
        home_cards.near_margin_call,
        "trading.view_deal_list",
        30,
        title=_("Near a margin call"),
        roles=(Role.RETENTION,),
    ),
    Tile(
        "oldest-requests",
        "crm/ui/_list_card.html",
        home_cards.oldest_requests,
        "trading.decide_request",
        10,
        title=_("Requests, oldest first"),
        place="queue",
        roles=(Role.SUPPORT,),
    ),
    kpi_tile(
        "servers-in-sync",
        _("Trading servers in sync"),
        server_cards.in_sync,
        "trading.view_platform_health",
        2,
        roles=(Role.ADMINISTRATOR,),
    ),
    Tile(
        "servers",
        "crm/ui/_list_card.html",
        server_cards.servers,
        "trading.view_platform_health",
        20,
        title=_("Trading servers"),
        roles=(Role.ADMINISTRATOR,),
    ),
    PaletteSource("trading_accounts", _("Trading accounts"), find_accounts, "trading.view_tradingaccount", 40),
)
