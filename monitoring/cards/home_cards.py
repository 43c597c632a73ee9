"""The auditor's cards of what staff looked at: views, exports and reveals by week, and alerts without a decision."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q, Sum
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from crm.i18n import formats
from crm.models import User
from crm.ui.cards import ListCard, ListRow
from crm.ui.day_counts import CURVE_DAYS, last_days
from crm.ui.kpis import Kpi, once_per_page
from monitoring.choices import AlertState, Severity
from monitoring.models import AgentDay
from monitoring.queries import agent_name, agents_visible_to, alerts_visible_to
from monitoring.reasons import in_words

ROWS = 5
FIGURES = ("views", "outside_views", "exports", "export_rows", "reveals", "reveals_without_call")
SEVERITY_TONES = {Severity.SEVERE: "danger", Severity.HIGH: "danger"}


def _days(user: User) -> list[dict[str, int]]:
    """Sum the figures of all agents in reach over each of the last fourteen days."""

    def read() -> list[dict[str, int]]:
        days = last_days(CURVE_DAYS)
        rows = AgentDay.objects.filter(agent__in=agents_visible_to(user), day__gte=days[0], day__lte=days[-1])
        sums = rows.order_by().values_list("day").annotate(*(Sum(name) for name in FIGURES))
        by_day: dict[dt.date, dict[str, int]] = {
            day: dict(zip(FIGURES, (value or 0 for value in values), strict=True)) for day, *values in sums
        }
        return [by_day.get(day, dict.fromkeys(FIGURES, 0)) for day in days]

    return once_per_page(user, "monitoring.days", read)  # type: ignore[no-any-return]


def _week(days: list[dict[str, int]], *names: str) -> int:
    return sum(day[name] for day in days for name in names)


def client_views(user: User) -> Kpi:
    """Make the card of the client records viewed in seven days, beside the seven days before."""
    days = _days(user)
    now, outside = _week(days[-7:], "views"), _week(days[-7:], "outside_views")
    return Kpi(
        label=_("Client views in 7 days"),
        value=formats.number(now, 0),
        url=reverse("monitoring_agents"),
        icon="eye",
        now=now,
        before=_week(days[:7], "views"),
        versus=_("vs the 7 days before"),
        is_more_better=None,
        hint=_("%(count)s outside the agent's own book") % {"count": formats.number(outside, 0)},
        trend=[day["views"] for day in days],
        tone="accent",
    )


def exports_and_reveals(user: User) -> Kpi:
    """Make the card of the exports and revealed contacts of seven days, beside the seven days before."""
    days = _days(user)
    now, rows = _week(days[-7:], "exports", "reveals"), _week(days[-7:], "export_rows")
    return Kpi(
        label=_("Exports and reveals in 7 days"),
        value=formats.number(now, 0),
        url=f"{reverse('compliance:access_log')}?kind=reveal",
        icon="download",
        now=now,
        before=_week(days[:7], "exports", "reveals"),
        versus=_("vs the 7 days before"),
        is_more_better=None,
        hint=_("%(rows)s rows exported · %(count)s contacts revealed without a call")
        % {"rows": formats.number(rows, 0), "count": _week(days[-7:], "reveals_without_call")},
        trend=[day["exports"] + day["reveals"] for day in days],
        tone="warning",
    )


def open_alerts(user: User) -> ListCard:
    """List the newest alerts about agents that nobody has decided; without the right to names, as pseudonyms."""
    waiting = alerts_visible_to(user).filter(~Q(state=AlertState.DECIDED)).select_related("agent").order_by("-id")
    return ListCard(
        title=_("Undecided agent alerts"),
        rows=[
            ListRow(
                title=agent_name(user, row.agent),
                url=row.get_absolute_url(),
                note=capfirst(in_words(row.reasons[0])) if row.reasons else "",
                end=str(row.get_severity_display()),
                end_note=formats.day(row.day),
                tone=SEVERITY_TONES.get(Severity(row.severity), "warning"),
            )
            for row in waiting[:ROWS]
        ],
        icon="radar",
        url=reverse("monitoring_alerts"),
        empty=_("No undecided alerts"),
        empty_text=_("Days far from an agent's baseline appear here until somebody has decided them."),
        empty_icon="radar",
    )
