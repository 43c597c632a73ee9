"""What compliance puts on pages it does not own: menu, the client's compliance tab, a tile."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from compliance import client_overview, queries
from compliance.choices import HitState
from compliance.restrictions import LiftApproval
from compliance.views.client import compliance_tab
from crm import approvals
from crm.models import User
from crm.ui.panels import MenuEntry, RecordPart, Tab, Tile, register

approvals.register(LiftApproval)


def open_hits(user: User) -> int | None:
    """Count the open matches in reach for the menu; None hides the badge."""
    return queries.open_hit_count(user) or None


def hits_tile(user: User) -> dict[str, Any]:
    """Count the matches that hold an account, and the requests to lift that wait for a second person."""
    hits = list(
        queries.hits_visible_to(user)
        .filter(state=HitState.OPEN)
        .order_by("found_at")
        .values_list("found_at", flat=True)[:100]
    )
    asked = queries.restrictions_visible_to(user).filter(lifted_at__isnull=True, lift_requested_by__isnull=False)
    return {
        "hits": len(hits),
        "oldest": hits[0] if hits else None,
        "asked": len(asked.values_list("pk", flat=True)[:100]),
    }


register(
    MenuEntry(
        "compliance",
        _("Possible matches"),
        "compliance:hits",
        "compliance.view_hit",
        "scan-search",
        30,
        count=open_hits,
        words="sanctions screening watchlist pep",
    ),
    MenuEntry(
        "compliance",
        _("Restrictions"),
        "compliance:restrictions",
        "compliance.place_restriction",
        "lock",
        40,
        words="freeze block",
    ),
    MenuEntry(
        "compliance",
        _("Watchlists"),
        "compliance:watchlists",
        "compliance.view_watchlistsource",
        "list-checks",
        50,
        words="sanctions lists ofac un eu import",
    ),
    MenuEntry(
        "compliance", _("Audit log"), "compliance:audit", "crm.view_audit", "history", 60, words="trail regulator seal"
    ),
    MenuEntry(
        "compliance", _("Access log"), "compliance:access_log", "crm.view_access_log", "eye", 70, words="who saw viewed"
    ),
    RecordPart("client", "step", "compliance", client_overview.next_steps, "compliance.view_hit", 15),
    Tab("client", "compliance", _("Compliance"), compliance_tab, "compliance.view_screening", order=60),
    Tile(
        "compliance-hits",
        "compliance/_tile.html",
        hits_tile,
        "compliance.decide_hit",
        15,
        title=_("Possible matches"),
        place="kpi",
    ),
)
