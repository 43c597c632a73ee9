"""What monitoring puts on other pages: its menu, and a tile for those who review."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm.models import User
from crm.ui.panels import MenuEntry, Tile, register
from monitoring.choices import AlertState
from monitoring.queries import alerts_visible_to
from monitoring.reasons import in_words
from monitoring.tables import agent_name


def open_alerts(user: User) -> int | None:
    """Count the alerts that wait, up to a hundred."""
    waiting = alerts_visible_to(user).exclude(state=AlertState.DECIDED).order_by()
    return len(waiting.values_list("pk", flat=True)[:100])


def alerts_tile(user: User) -> dict[str, Any] | None:
    """List the five newest undecided alerts in reach, each with its strongest reason."""
    waiting = alerts_visible_to(user).exclude(state=AlertState.DECIDED).select_related("agent").order_by("-id")[:5]
    return {
        "rows": [
            {"alert": row, "name": agent_name(user, row.agent), "why": in_words(row.reasons[0]) if row.reasons else ""}
            for row in waiting
        ]
    }


register(
    MenuEntry(
        "insight",
        _("Agent alerts"),
        "monitoring_alerts",
        "monitoring.view_alert",
        icon="radar",
        order=30,
        count=open_alerts,
        words="behaviour monitoring insider",
    ),
    MenuEntry(
        "insight",
        _("Baselines"),
        "monitoring_agents",
        "monitoring.view_baselines",
        icon="activity",
        order=40,
        words="baseline",
    ),
    MenuEntry(
        "insight",
        _("Agent watchlist"),
        "monitoring_watchlist",
        "monitoring.manage_watchlist",
        icon="eye",
        order=50,
        words="leavers",
    ),
    MenuEntry(
        "insight",
        _("My activity"),
        "monitoring_me",
        None,
        icon="user-search",
        order=90,
        words="own baseline what is counted",
    ),
    Tile(
        "monitoring-alerts",
        "monitoring/_tile.html",
        alerts_tile,
        "monitoring.decide_alert",
        50,
        title=_("Agent alerts to review"),
        place="queue",
    ),
)
