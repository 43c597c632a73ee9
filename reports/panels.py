"""The dashboards' figures as tiles on everybody's home, and the menu."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.choices import Role
from crm.ui.kpis import kpi_tile
from crm.ui.panels import Card, MenuEntry, Tile, register
from reports.behaviour.rows import sees_behaviour
from reports.campaigns.reached import returns_card, sees_returns
from reports.homes import desk, finance, marketing, retention, sales, support
from reports.views import sees_any_board

register(
    MenuEntry(
        "insight",
        _("Dashboards"),
        "reports",
        sees_any_board,
        "layout-dashboard",
        10,
        words="reports figures kpi",
        group="figures",
    ),
    MenuEntry(
        "insight",
        _("Performance"),
        "reports_performance",
        "reports.view_performance",
        "chart-line",
        20,
        words="agents desks ftd conversion",
        group="figures",
    ),
    MenuEntry(
        "insight",
        _("Leaderboard"),
        "reports_leaderboard",
        "reports.view_performance",
        "thumbs-up",
        21,
        words="agents ranking places ftd talk time response time conversion",
        group="figures",
    ),
    MenuEntry(
        "insight",
        _("Performance and behaviour"),
        "reports_behaviour",
        sees_behaviour,
        "rows-2",
        22,
        words="agents desks brands conversion ftd talk time signals alerts",
        group="figures",
    ),
    MenuEntry(
        "insight",
        _("Targets"),
        "reports_targets",
        "reports.set_target",
        "target",
        25,
        words="goals quota calls ftd month",
        group="figures",
    ),
)

register(
    *(
        Card(page, "returns", "reports/_reached_returns.html", returns_card, sees_returns)
        for page in ("automation", "bulk change")
    )
)

AGENT, RETENTION, HEAD = (Role.AGENT,), (Role.RETENTION,), (Role.DESK_HEAD,)
MARKETING, SUPPORT = (Role.MARKETING,), (Role.SUPPORT,)
CHART, FUNNEL, LIST = "crm/ui/_chart_card.html", "crm/ui/_funnel_card.html", "crm/ui/_list_card.html"
SEES_CLIENTS, SEES_SALES = "clients.view_client", "reports.view_sales"

register(
    kpi_tile("agent-calls", _("Calls today"), sales.calls_today, "clients.log_call", 1, roles=AGENT),
    kpi_tile("agent-ftds", _("FTDs this month"), sales.my_ftds, SEES_CLIENTS, 2, roles=AGENT),
    kpi_tile("agent-net", _("Net deposits this month"), sales.my_net_deposits, SEES_CLIENTS, 3, roles=AGENT),
    kpi_tile("agent-contact", _("Time to first contact"), sales.my_first_contact, "leads.view_lead", 4, roles=AGENT),
    Tile(
        "agent-funnel", FUNNEL, sales.funnel, SEES_CLIENTS, 5, title=_("My leads this month"), place="main", roles=AGENT
    ),
    Tile(
        "agent-leaderboard", LIST, sales.leaderboard, SEES_CLIENTS, 31, title=_("Leaderboard of my desk"), roles=AGENT
    ),
    kpi_tile("retention-risk", _("Value at risk"), retention.value_at_risk, SEES_CLIENTS, 1, roles=RETENTION),
    kpi_tile("retention-silent", _("Silent for 14 days"), retention.silent_clients, SEES_CLIENTS, 2, roles=RETENTION),
    kpi_tile(
        "retention-margin",
        _("Near a margin call"),
        retention.near_margin_call,
        "trading.view_deal_list",
        3,
        roles=RETENTION,
    ),
    kpi_tile("retention-net", _("Net deposits this month"), retention.net_deposits, SEES_CLIENTS, 4, roles=RETENTION),
    Tile(
        "retention-days",
        CHART,
        retention.net_by_day,
        "wallet.view_deposit",
        5,
        title=_("Net deposits of my book"),
        place="main",
        roles=RETENTION,
    ),
    kpi_tile("desk-leads", _("Leads today"), desk.leads_today, SEES_SALES, 1, roles=HEAD),
    kpi_tile("desk-ftds", _("FTDs this month"), desk.ftds, SEES_SALES, 2, roles=HEAD),
    kpi_tile("desk-net", _("Net deposits this month"), desk.net_deposits, SEES_SALES, 3, roles=HEAD),
    kpi_tile("desk-contact", _("Time to first contact"), desk.first_contact, SEES_SALES, 4, roles=HEAD),
    Tile(
        "desk-days",
        CHART,
        desk.sales_by_day,
        SEES_SALES,
        5,
        title=_("Leads, registrations and FTDs by day"),
        place="main",
        roles=HEAD,
    ),
    Tile("desk-agents", LIST, desk.ranking, "reports.view_performance", 30, title=_("Agents this month"), roles=HEAD),
    kpi_tile("marketing-leads", _("Leads this month"), marketing.leads, SEES_SALES, 1, roles=MARKETING),
    kpi_tile(
        "marketing-registrations",
        _("Registrations this month"),
        marketing.registrations,
        SEES_SALES,
        2,
        roles=MARKETING,
    ),
    kpi_tile("marketing-ftds", _("FTDs this month"), marketing.ftds, SEES_SALES, 3, roles=MARKETING),
    kpi_tile(
        "marketing-cost",
        _("Cost per FTD this month"),
        marketing.cost_per_ftd,
        "leads.view_campaign",
        4,
        roles=MARKETING,
    ),
    Tile(
        "marketing-days",
        CHART,
        marketing.leads_by_day,
        SEES_SALES,
        5,
        title=_("Leads by campaign and day"),
        place="main",
        roles=MARKETING,
    ),
    Tile(
        "marketing-campaigns",
        LIST,
        marketing.campaigns_by_return,
        "leads.view_campaign",
        30,
        title=_("Campaigns by return on ad spend"),
        roles=MARKETING,
    ),
    Tile(
        "marketing-countries", LIST, marketing.countries, SEES_CLIENTS, 31, title=_("FTDs by country"), roles=MARKETING
    ),
    kpi_tile(
        "support-requests",
        _("Open account requests"),
        support.open_requests,
        "trading.decide_request",
        1,
        roles=SUPPORT,
    ),
    kpi_tile(
        "support-documents",
        _("Clients with documents in review"),
        support.documents_waiting,
        "kyc.view_document",
        2,
        roles=SUPPORT,
    ),
    kpi_tile(
        "support-failed", _("Failed payments today"), support.failed_payments, "wallet.view_deposit", 3, roles=SUPPORT
    ),
    kpi_tile(
        "support-rejected",
        _("Clients with a rejected document"),
        support.documents_rejected,
        "kyc.view_document",
        4,
        roles=SUPPORT,
    ),
    Tile(
        "support-days",
        CHART,
        support.requests_by_day,
        "trading.decide_request",
        5,
        title=_("Account requests by day"),
        place="main",
        roles=SUPPORT,
    ),
)

FINANCE, SEES_MONEY = (Role.FINANCE,), "reports.view_money"
register(
    kpi_tile("finance-deposits", _("Deposits today"), finance.deposits_today, SEES_MONEY, 2, roles=FINANCE),
    Tile(
        "finance-days",
        CHART,
        finance.money_by_day,
        SEES_MONEY,
        5,
        title=_("Money in and out by day"),
        place="main",
        roles=FINANCE,
    ),
)
