"""The dashboards' figures as tiles on everybody's home, and the menu."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.ui.panels import MenuEntry, Tile, register
from reports import dashboards
from reports.views import sees_any_board


def sales_tile(user: User) -> dict[str, Any]:
    """Show the sales board's figures, without its charts, on the home page."""
    board = dashboards.sales(user)
    return {"url": "/reports/sales/", "stats": board.stats, "title": board.title, "icon": "trending-up"}


def money_tile(user: User) -> dict[str, Any] | None:
    """Show the net deposits of thirty days per currency."""
    board = dashboards.money(user)
    stats = [stat for number, stat in enumerate(board.stats) if number % 3 == 2]
    if not stats:
        return None
    return {"url": "/reports/money/", "stats": stats, "title": _("Net deposits, 30 days"), "icon": "scale"}


def compliance_tile(user: User) -> dict[str, Any]:
    """Show how long documents have been waiting, on the home page."""
    board = dashboards.compliance(user)
    return {
        "url": "/reports/compliance/",
        "ages": board.ages,
        "stats": [],
        "title": _("Documents by waiting time"),
        "icon": "hourglass",
    }


register(
    MenuEntry(
        "insight",
        _("Dashboards"),
        "reports",
        sees_any_board,
        icon="chart-column",
        order=10,
        words="reports figures kpi",
    ),
    MenuEntry(
        "insight",
        _("Performance"),
        "reports_performance",
        "reports.view_performance",
        icon="gauge",
        order=20,
        words="agents desks ftd conversion",
    ),
    Tile(
        "reports-sales",
        "reports/_tile.html",
        sales_tile,
        "reports.view_sales",
        5,
        title=_("Sales"),
        place="main",
        lazy=True,
    ),
    Tile(
        "reports-money", "reports/_tile.html", money_tile, "reports.view_money", 35, title=_("Net deposits"), lazy=True
    ),
    Tile(
        "reports-compliance",
        "reports/_tile.html",
        compliance_tile,
        "reports.view_compliance",
        15,
        title=_("Documents by waiting time"),
        lazy=True,
    ),
)
