"""What monitoring puts on other pages: its menu, and a tile for those who review."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm import approvals
from crm.choices import Role
from crm.models import User
from crm.ui.kpis import kpi_tile
from crm.ui.panels import Card, MenuEntry, Tile, register
from monitoring.anomalies.queue import RIGHT as DECIDES_ANOMALIES
from monitoring.anomalies.queue import SEES as SEES_ANOMALIES
from monitoring.anomalies.queue import anomalies_visible_to
from monitoring.cards import home_cards
from monitoring.choices import AlertState, AnomalyState
from monitoring.leaving.offboarding import RIGHT as OFFBOARDS
from monitoring.leaving.views import staff_card
from monitoring.queries import alerts_visible_to
from monitoring.reviewing.confirming import MisuseApproval
from monitoring.reviewing.escalating import RIGHT

approvals.register(MisuseApproval)


def open_alerts(user: User) -> int | None:
    """Count the alerts that wait, up to a hundred."""
    waiting = alerts_visible_to(user).exclude(state=AlertState.DECIDED).order_by()
    return len(waiting.values_list("pk", flat=True)[:100])


def open_anomalies(user: User) -> int | None:
    """Count the anomalies that wait, up to a hundred."""
    waiting = anomalies_visible_to(user).filter(state=AnomalyState.OPEN).order_by()
    return len(waiting.values_list("pk", flat=True)[:100])


register(
    MenuEntry(
        "insight",
        _("Anomalies"),
        "monitoring_anomalies",
        SEES_ANOMALIES,
        "activity",
        25,
        count=open_anomalies,
        words="unusual outage declined latency spike",
        group="figures",
        count_permission=DECIDES_ANOMALIES,
    ),
    MenuEntry(
        "insight",
        _("Escalated agent alerts"),
        "monitoring_escalations",
        RIGHT,
        "triangle-alert",
        35,
        words="reporting officer MLRO",
        group="agents",
    ),
    MenuEntry(
        "insight",
        _("Agent alerts"),
        "monitoring_alerts",
        "monitoring.view_alert",
        "radar",
        30,
        count=open_alerts,
        words="behaviour monitoring insider",
        group="agents",
        count_permission="monitoring.decide_alert",
    ),
    MenuEntry(
        "insight",
        _("Baselines"),
        "monitoring_agents",
        "monitoring.view_baselines",
        "chart-bar",
        40,
        words="baseline",
        group="agents",
    ),
    MenuEntry(
        "insight",
        _("Agent watchlist"),
        "monitoring_watchlist",
        "monitoring.manage_watchlist",
        "user-search",
        50,
        words="leavers",
        group="agents",
    ),
    MenuEntry("", _("My activity"), "monitoring_me", None, "user-check", 90, words="own baseline what is counted"),
    Card("staff", "offboarding", "monitoring/_offboarding_card.html", staff_card, OFFBOARDS, 10),
    Tile(
        "monitoring-alerts",
        "crm/ui/_list_card.html",
        home_cards.open_alerts,
        "monitoring.decide_alert",
        50,
        title=_("Undecided agent alerts"),
        place="queue",
    ),
)

AUDITOR, SEES = (Role.AUDITOR,), "monitoring.view_baselines"
register(
    kpi_tile("audit-views", _("Client views in 7 days"), home_cards.client_views, SEES, 2, roles=AUDITOR),
    kpi_tile(
        "audit-reveals", _("Exports and reveals in 7 days"), home_cards.exports_and_reveals, SEES, 3, roles=AUDITOR
    ),
    Tile(
        "audit-alerts",
        "crm/ui/_list_card.html",
        home_cards.open_alerts,
        "monitoring.view_alert",
        22,
        title=_("Undecided agent alerts"),
        roles=AUDITOR,
    ),
)
