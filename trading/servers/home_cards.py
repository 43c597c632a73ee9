"""The administrator's cards of trading servers: how many are in sync, and how each of them is read."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ListCard, ListRow
from crm.ui.kpis import Kpi, once_per_page
from trading.models import SyncCursor, TradingServer
from trading.queries import ServerHealth

ROWS = 7
LATE_MS = 5_000


def _servers(user: User) -> list[ServerHealth]:
    """Read the servers in use with their cursors; what the health page counts beside them isn't shown here."""

    def read() -> list[ServerHealth]:
        servers = list(TradingServer.objects.filter(is_enabled=True).order_by("name"))
        cursors: dict[int, list[SyncCursor]] = {}
        for cursor in SyncCursor.objects.filter(server__in=servers).order_by("kind"):
            cursors.setdefault(cursor.server_id, []).append(cursor)
        return [ServerHealth(server, cursors.get(server.pk, []), 0, 0) for server in servers]

    return once_per_page(user, "trading.servers", read)  # type: ignore[no-any-return]


def _is_in_sync(health: ServerHealth) -> bool:
    return health.is_well and health.silent_since is None


def in_sync(user: User) -> Kpi | None:
    """Make the card of the servers in sync; None before the first server is connected."""
    servers = _servers(user)
    if not servers:
        return None
    well = [health for health in servers if _is_in_sync(health)]
    lags = [(health.lag_ms, health.server.name) for health in well if health.lag_ms is not None]
    return Kpi(
        label=_("Trading servers in sync"),
        value=formats.number(len(well), 0),
        url=reverse("trading_health"),
        icon="server",
        now=len(well),
        target=len(servers),
        target_text=_("%(now)s of %(all)s servers") % {"now": len(well), "all": len(servers)},
        hint=_("Largest lag %(lag)s: %(server)s") % {"lag": _lag(max(lags)[0]), "server": max(lags)[1]} if lags else "",
        tone="success" if len(well) == len(servers) else "danger",
    )


def _lag(lag_ms: int) -> str:
    return formats.duration(dt.timedelta(milliseconds=lag_ms)) if lag_ms >= 1000 else _("%(n)s ms") % {"n": lag_ms}


def servers(user: User) -> ListCard:
    """List the servers, those with a problem first, with what the last reading said."""
    rows = sorted(_servers(user), key=lambda health: (_is_in_sync(health), health.server.name))
    return ListCard(
        title=_("Trading servers"),
        rows=[_row(health) for health in rows[:ROWS]],
        icon="server",
        url=reverse("trading_health"),
        url_text=_("Platform health"),
        empty=_("No trading servers yet"),
        empty_text=_("Connect the first server in the set-up."),
        empty_icon="server",
    )


def _row(health: ServerHealth) -> ListRow:
    read_at = max((cursor.read_at for cursor in health.cursors if cursor.read_at), default=None)
    failing = next((cursor for cursor in health.cursors if cursor.failures), None)
    if failing is not None:
        state, tone, note = _("Problem"), "danger", failing.error
    elif not health.cursors or read_at is None:
        state, tone, note = _("Not read yet"), "warning", str(health.server.get_kind_display())
    elif health.silent_since is not None:
        state, tone, note = _("Not read"), "danger", str(health.server.get_kind_display())
    else:
        state, tone, note = _("In sync"), "success", str(health.server.get_kind_display())
    is_slow = health.lag_ms is not None and health.lag_ms > LATE_MS and tone == "success"
    return ListRow(
        title=health.server.name,
        url=reverse("trading_server_steps", args=[health.server.pk]),
        note=note,
        end=state,
        end_note=formats.ago(read_at, timezone.now()) if read_at else "",
        tone="warning" if is_slow else tone,
    )
