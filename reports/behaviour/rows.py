"""Results beside behaviour: what agents, desks and brands brought in, and what monitoring saw of the same people and days.

Behaviour is of the staff whose days the reader may see in monitoring, and never the reader's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Count, Q, Sum

from crm.models import Desk, User
from monitoring.choices import AlertState, Family, Verdict
from monitoring.engine.signals import FAMILIES
from monitoring.models import AgentDay, Alert, Decision
from monitoring.queries import agents_visible_to
from reports import people
from reports.filters import Selection
from reports.people import Line

# Names belong to the results, so who sees agents under pseudonyms only has no page that joins both.
RIGHTS = ("reports.view_performance", "monitoring.view_baselines", "monitoring.see_agent_names")
COUNTED = ("clients", "outside_clients", "reveals", "exports", "off_hours")
# A day below it is one in a hundred.
UNUSUAL = 0.01
DEFAULT_SORT = "-net"
UNUSUAL_DAYS = """
SELECT s.agent_id, count(DISTINCT s.day) FILTER (WHERE s.probability <= %(unusual)s),
  (array_agg(f.family ORDER BY f.p))[1], min(f.p)
FROM monitoring_dayscore s CROSS JOIN LATERAL unnest(s.family_p) WITH ORDINALITY AS f(p, family)
WHERE s.agent_id = ANY(%(agents)s) AND s.day >= %(first)s AND s.day <= %(last)s AND s.is_final
GROUP BY s.agent_id
"""


def sees_behaviour(user: User) -> bool:
    """Check whether somebody may see results and behaviour together."""
    return all(user.has_perm(right) for right in RIGHTS)


@dataclass
class Behaviour:
    """What monitoring has of one agent, or of all of a desk or brand, in the period."""

    agents: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    unusual_days: int = 0
    alerts: int = 0
    open_alerts: int = 0
    confirmed: int = 0
    family: str = ""
    probability: float = 1.0

    def add(self, other: Behaviour) -> None:
        for name in COUNTED:
            self.counts[name] += other.counts[name]
        self.agents += other.agents
        self.unusual_days += other.unusual_days
        self.alerts += other.alerts
        self.open_alerts += other.open_alerts
        self.confirmed += other.confirmed
        if other.probability < self.probability:
            self.family, self.probability = other.family, other.probability

    @property
    def stands_out(self) -> str:
        """Name the family of signals that was the most unusual, where one was."""
        return self.family if self.probability <= UNUSUAL else ""


@dataclass
class Row:
    """A line of results with the behaviour beside it; no behaviour where the reader may not see it, or none is kept."""

    line: Line
    behaviour: Behaviour | None
    agent_id: int | None = None


def _of_line(sort: str) -> Callable[[Row], Any]:
    """Sort by a column of the performance page."""
    return lambda row: people.SORTS[sort](row.line)


def _of_behaviour(value: Callable[[Behaviour], int]) -> Callable[[Row], Any]:
    """Sort by what monitoring has; what it has nothing of comes after nothing seen."""
    return lambda row: -1 if row.behaviour is None else value(row.behaviour)


SORTS: dict[str, Callable[[Row], Any]] = {
    **{name: _of_line(name) for name in ("name", "leads", "ftds", "rate", "net", "calls")},
    "talk": lambda row: row.line.totals.call_seconds,
    "clients": _of_behaviour(lambda seen: seen.counts["clients"]),
    "outside": _of_behaviour(lambda seen: seen.counts["outside_clients"]),
    "reveals": _of_behaviour(lambda seen: seen.counts["reveals"]),
    "exports": _of_behaviour(lambda seen: seen.counts["exports"]),
    "unusual": _of_behaviour(lambda seen: seen.unusual_days),
    "alerts": _of_behaviour(lambda seen: seen.alerts),
}


def behaviour_of(reader: User, selection: Selection) -> dict[int, Behaviour]:
    """Read what monitoring has of the agents whose days the reader may see, in four statements."""
    span = selection.span
    ids = list(agents_visible_to(reader).order_by().values_list("pk", flat=True))
    found: dict[int, Behaviour] = {}

    def of(agent_id: int) -> Behaviour:
        return found.setdefault(agent_id, Behaviour(agents=1))

    days = AgentDay.objects.filter(agent__in=ids, day__gte=span.first, day__lte=span.last).order_by()
    sums = days.values_list("agent_id").annotate(**{f"sum_{name}": Sum(name) for name in COUNTED})
    for agent_id, *values in sums:
        of(agent_id).counts = dict(zip(COUNTED, values, strict=True))
    alerts = Alert.objects.filter(agent__in=ids, day__gte=span.first, day__lte=span.last).order_by()
    is_open = ~Q(state=AlertState.DECIDED)
    for agent_id, count, waiting in alerts.values_list("agent_id").annotate(
        n=Count("pk"), waiting=Count("pk", filter=is_open)
    ):
        of(agent_id).alerts, of(agent_id).open_alerts = count, waiting
    confirmed = Decision.objects.filter(alert__in=alerts.values("pk"), verdict=Verdict.CONFIRMED).order_by()
    for agent_id, count in confirmed.values_list("agent_id").annotate(n=Count("alert", distinct=True)):
        of(agent_id).confirmed = count
    with connection.cursor() as cursor:
        cursor.execute(UNUSUAL_DAYS, {"agents": ids, "first": span.first, "last": span.last, "unusual": UNUSUAL})
        for agent_id, unusual, family, p in cursor.fetchall():
            seen = of(agent_id)
            seen.unusual_days, seen.probability = unusual, p
            seen.family = str(Family(FAMILIES[family - 1]).label)
    return found


def rows_of(reader: User, selection: Selection, *, by: str, sort: str) -> tuple[list[Row], str]:
    """Put results and behaviour side by side per agent, desk or brand; returns the order that was taken, too.

    Results stay with the desk of their day; behaviour is that of the people who are on the desk now.
    """
    seen = behaviour_of(reader, selection)
    key_of = _group_of(by, seen)
    grouped: dict[Any, Behaviour] = {}
    for pk, behaviour in seen.items():
        if (group := key_of.get(pk)) is not None:
            grouped.setdefault(group, Behaviour()).add(behaviour)
    rows = []
    for line in people.lines_of(selection, by):
        agent_id = line.key[0] if by == "agent" else None
        rows.append(Row(line, grouped.get(line.key[0]), agent_id))
    key = sort.removeprefix("-")
    if key not in SORTS:
        sort, key = DEFAULT_SORT, "net"
    rows.sort(key=lambda row: row.line.name)
    rows.sort(key=SORTS[key], reverse=sort.startswith("-"))
    return rows, sort


def _group_of(by: str, agent_ids: Iterable[int]) -> Mapping[int, Any]:
    """Return for each agent the first part of the key of their line: themselves, or their desk or brand of today."""
    if by == "agent":
        return {agent_id: agent_id for agent_id in agent_ids}
    rows = User.objects.filter(pk__in=list(agent_ids))
    if by == "desk":
        return dict(rows.values_list("pk", "desk_id"))
    brands = dict(Desk.objects.values_list("pk", "brand_id"))
    return {
        pk: brand_id or brands.get(desk_id) for pk, brand_id, desk_id in rows.values_list("pk", "brand_id", "desk_id")
    }
