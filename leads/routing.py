"""Who gets a lead, by rules, with the reasons.

A `Router` reads rules, agents and how much each has had, once; `decide` is pure and quick, so that a form's lead and a
file's hundred thousand are routed by the same code. The first rule whose conditions hold names the desk; among its
agents go those who take leads, speak the language, are on shift and have room today; the strategy picks one of them.
Nobody there: the next rule that holds is tried, unless this one waits. None left: the lead waits in the first one's pool,
where `leads.waiting` looks again every minute.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from clients.custom_fields.arrivals import named_of
from crm.conditions import Condition, readable
from crm.conditions.fields import ADDED
from crm.models import Book, Brand
from leads.choices import NoAgent, OffShift, Strategy
from leads.models import RoutingRule, Shift
from leads.vocabulary import LEAD

# What an agent has had is counted over a week; who has had none in a week is first in turn.
WINDOW = dt.timedelta(days=7)
LOCK_CLASS = 7401  # pg_advisory_xact_lock(class, brand): one live routing decision per brand at a time


@dataclass(frozen=True, slots=True)
class Candidate:
    """What routing looks at. `custom`: values of the custom fields that rules ask for, by their names in conditions."""

    language: str = ""
    country: str = ""
    source: str = ""
    campaign: str = ""
    score: int = 0
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class AgentState:
    """An agent who may take leads, and how much they have had. Counters move with each decision."""

    pk: int
    name: str
    book_id: int
    desk_id: int | None
    languages: frozenset[str]
    zone: zoneinfo.ZoneInfo
    capacity: int
    shifts: tuple[tuple[int, dt.time, dt.time], ...]
    today: int = 0
    waiting: int = 0
    last: dt.datetime = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

    def is_on_shift(self, now: dt.datetime) -> bool:
        if not self.shifts:
            return True
        local = now.astimezone(self.zone)
        return any(day == local.weekday() and start <= local.time() < end for day, start, end in self.shifts)

    def at_work_from(self, now: dt.datetime) -> dt.datetime:
        """Now, when on shift; else when the next shift begins."""
        if self.is_on_shift(now):
            return now
        today = now.astimezone(self.zone).date()
        begins = [
            dt.datetime.combine(today + dt.timedelta(days=ahead), start, self.zone)
            for ahead in range(8)
            for day, start, _end in self.shifts
            if day == (today.weekday() + ahead) % 7
        ]
        return min(at for at in begins if at > now)


@dataclass(frozen=True, slots=True)
class Rule:
    """A routing rule as plain values. Without a readable condition (a field of it is gone) it fits no lead."""

    pk: int
    name: str
    condition: Condition | None
    desk_id: int
    desk_name: str
    agent_ids: frozenset[int]
    strategy: str
    needs_language: bool
    off_shift: str
    sla_seconds: int
    no_agent: str = NoAgent.NEXT

    def fits(self, lead: Candidate, now: dt.datetime) -> bool:
        return self.condition is not None and self.condition.holds(lead, now)


@dataclass(frozen=True, slots=True)
class Decision:
    """Where a lead goes. `agent_id` None: it waits in the pool `book_id`. `clock_from`: when the agent is at work."""

    book_id: int
    agent_id: int | None = None
    rule_id: int | None = None
    rule_name: str = ""
    sla_seconds: int = 0
    reasons: list[dict[str, Any]] = field(default_factory=list)
    clock_from: dt.datetime | None = None

    @property
    def due_at(self) -> dt.datetime | None:
        """When the agent must have touched it; None in a pool, or by a rule without a clock."""
        if self.agent_id is None or not self.sla_seconds or self.clock_from is None:
            return None
        return self.clock_from + dt.timedelta(seconds=self.sla_seconds)


class Router:
    """Routing for one brand at one instant. `without`: agents who had the lead already and did not touch it."""

    def __init__(self, brand: Brand, now: dt.datetime) -> None:
        self.brand, self.now = brand, now
        self.rules = _read_rules(brand.pk)
        self.custom_fields = frozenset(
            int(asked.name.removeprefix(ADDED))
            for rule in self.rules
            if rule.condition is not None
            for asked in rule.condition.fields()
            if asked.name.startswith(ADDED)
        )
        self.agents = _read_agents(brand, now)
        self.pools = _read_pools(brand.pk)

    def custom_of(self, client_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Read what clients have in the custom fields that this brand's rules ask for: one query, none where no rule asks."""
        return named_of(client_ids, self.custom_fields)

    def decide(self, lead: Candidate, *, without: Iterable[int] = ()) -> Decision:
        excluded = frozenset(without)
        first: Rule | None = None
        reasons: list[dict[str, Any]] = []
        for rule in self.rules:
            if not rule.fits(lead, self.now):
                continue
            first = first or rule
            decision = self._by_rule(rule, lead, excluded, reasons)
            if decision is not None:
                return decision
            if rule.no_agent == NoAgent.WAIT:
                break
        if first is None:
            return Decision(self._pool(None), reasons=[{"code": "no_rule"}])
        reasons.append({"code": "pool"})
        return Decision(self._pool(first.desk_id), None, first.pk, first.name, first.sla_seconds, reasons)

    def _by_rule(
        self, rule: Rule, lead: Candidate, excluded: frozenset[int], reasons: list[dict[str, Any]]
    ) -> Decision | None:
        """Choose among the rule's agents, adding to `reasons`; None where none of them can take the lead."""
        reasons.append({"code": "rule", "rule": rule.name, "desk": rule.desk_name, **_why(rule, lead)})
        left = [a for a in self.agents if a.desk_id == rule.desk_id and (not rule.agent_ids or a.pk in rule.agent_ids)]
        if rule.needs_language and lead.language:
            left = self._narrow(
                left, reasons, "language", lambda a: lead.language[:2] in a.languages, lead.language[:2]
            )
        left = self._narrow(left, reasons, "tried", lambda a: a.pk not in excluded)
        left = self._narrow(left, reasons, "capacity", lambda a: a.today < a.capacity)
        on_shift = [a for a in left if a.is_on_shift(self.now)]
        if on_shift or rule.off_shift == OffShift.WAIT:
            left = self._narrow(left, reasons, "shift", lambda a: a.is_on_shift(self.now))
        elif left:
            reasons.append({"code": "off_shift_all_the_same"})
        if not left:
            return None
        chosen = self._choose(rule, left, reasons)
        return Decision(
            chosen.book_id, chosen.pk, rule.pk, rule.name, rule.sla_seconds, reasons, chosen.at_work_from(self.now)
        )

    @staticmethod
    def _narrow(
        agents: list[AgentState], reasons: list[dict[str, Any]], code: str, test: Any, value: str = ""
    ) -> list[AgentState]:
        """Keep who passes; say how many did not, and how many are left."""
        left = [agent for agent in agents if test(agent)]
        if len(left) < len(agents) or value:
            reasons.append({"code": code, "left": len(left), "of": len(agents), "value": value})
        return left

    def _choose(self, rule: Rule, agents: Sequence[AgentState], reasons: list[dict[str, Any]]) -> AgentState:
        if rule.strategy == Strategy.LEAST_LOADED:
            chosen = min(agents, key=lambda agent: (agent.waiting, agent.last, agent.pk))
            reasons.append({"code": "least_loaded", "agent": chosen.name, "waiting": chosen.waiting, "of": len(agents)})
        else:
            chosen = min(agents, key=lambda agent: (agent.last, agent.pk))
            reasons.append({"code": "round_robin", "agent": chosen.name, "of": len(agents)})
        chosen.today += 1
        chosen.waiting += 1
        # A microsecond apart, so that a batch decided at one instant still goes in turn.
        chosen.last = max(self.now, max(agent.last for agent in agents) + dt.timedelta(microseconds=1))
        return chosen

    def _pool(self, desk_id: int | None) -> int:
        """Find the desk's pool, else the brand's, else create one: no lead is ever lost for want of a book."""
        pool_id = self.pools.get(desk_id) or self.pools.get(None) or next(iter(self.pools.values()), None)
        if pool_id is None:
            pool, _made = Book.objects.get_or_create(
                brand=self.brand, name=f"{self.brand.name} pool", defaults={"is_pool": True}
            )
            pool_id = self.pools[None] = pool.pk
        return pool_id


def pool_for(brand: Brand, now: dt.datetime, lead: Candidate) -> Decision:
    """Keep a refused lead in the pool of the desk that would have had it: nobody gets it, and it isn't lost."""
    router = Router(brand, now)
    pool = router.decide(lead, without=[agent.pk for agent in router.agents])
    return Decision(pool.book_id, reasons=[{"code": "refused"}])


def lock_routing(brand_id: int) -> None:
    """Live decisions of a brand wait for each other for the rest of the transaction, so that turns are fair."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, brand_id])


def _why(rule: Rule, lead: Candidate) -> dict[str, Any]:
    """Say what the rule looked at and found; of custom fields only that it looked: their values go with the client's key."""
    looked_at = rule.condition.fields() if rule.condition is not None else []
    own = {field.name: field.value_of(lead) for field in looked_at if not field.name.startswith(ADDED)}
    added = [str(field.label) for field in looked_at if field.name.startswith(ADDED)]
    return {**own, "custom": added} if added else own


def _read_rules(brand_id: int) -> list[Rule]:
    rows = (
        RoutingRule.objects.filter(brand_id=brand_id, is_active=True).select_related("desk").order_by("position", "pk")
    )
    members: dict[int, set[int]] = {}
    for rule_id, user_id in RoutingRule.agents.through.objects.filter(routingrule__brand_id=brand_id).values_list(
        "routingrule_id", "user_id"
    ):
        members.setdefault(rule_id, set()).add(user_id)
    return [
        Rule(
            pk=rule.pk,
            name=rule.name,
            condition=readable(rule.condition, LEAD),
            desk_id=rule.desk_id,
            desk_name=rule.desk.name,
            agent_ids=frozenset(members.get(rule.pk, ())),
            strategy=rule.strategy,
            needs_language=rule.needs_language,
            off_shift=rule.off_shift,
            sla_seconds=rule.sla_seconds,
            no_agent=rule.no_agent,
        )
        for rule in rows
    ]


# Who takes leads: an active agent whose role says so, who is accepting, and who owns a book of the brand.
AGENTS = """
SELECT DISTINCT ON (u.id) u.id, u.first_name, u.last_name, b.id, u.desk_id, u.languages, u.time_zone, u.lead_capacity_per_day
FROM crm_user u
JOIN crm_book b ON b.owner_id = u.id AND b.brand_id = %(brand)s AND NOT b.is_pool
JOIN crm_user_groups m ON m.user_id = u.id
JOIN auth_group_permissions gp ON gp.group_id = m.group_id
JOIN auth_permission p ON p.id = gp.permission_id AND p.codename = 'receive_lead'
JOIN django_content_type ct ON ct.id = p.content_type_id AND ct.app_label = 'leads'
WHERE u.is_active AND u.kind = 'staff' AND u.is_accepting_leads
ORDER BY u.id, b.id
"""
# What each has had: today (the brand's day), still untouched, and when last.
HAD = """
SELECT assigned_to_id, count(*) FILTER (WHERE assigned_at >= %(day)s), count(*) FILTER (WHERE touched_at IS NULL),
  max(assigned_at)
FROM leads_lead
WHERE assigned_to_id = ANY(%(agents)s) AND assigned_at >= %(since)s AND NOT is_duplicate
GROUP BY assigned_to_id
"""


def _read_agents(brand: Brand, now: dt.datetime) -> list[AgentState]:
    with connection.cursor() as cursor:
        cursor.execute(AGENTS, {"brand": brand.pk})
        rows = cursor.fetchall()
        ids = [row[0] for row in rows]
        midnight = now.astimezone(_zone(brand.time_zone)).replace(hour=0, minute=0, second=0, microsecond=0)
        cursor.execute(HAD, {"agents": ids, "day": midnight, "since": now - WINDOW})
        had = {row[0]: row[1:] for row in cursor.fetchall()}
    shifts: dict[int, list[tuple[int, dt.time, dt.time]]] = {}
    for agent_id, weekday, starts, ends in Shift.objects.filter(agent_id__in=ids).values_list(
        "agent_id", "weekday", "starts", "ends"
    ):
        shifts.setdefault(agent_id, []).append((weekday, starts, ends))
    agents = []
    for pk, first, last, book_id, desk_id, languages, zone, capacity in rows:
        state = AgentState(
            pk,
            f"{first} {last}".strip(),
            book_id,
            desk_id,
            frozenset(code[:2] for code in languages),
            _zone(zone),
            capacity,
            tuple(shifts.get(pk, ())),
        )
        if pk in had:
            state.today, state.waiting, state.last = had[pk]
        agents.append(state)
    return agents


def _read_pools(brand_id: int) -> dict[int | None, int]:
    pools: dict[int | None, int] = {}
    for desk_id, pk in (
        Book.objects.filter(brand_id=brand_id, is_pool=True, archived_at=None)
        .order_by("pk")
        .values_list("desk_id", "pk")
    ):
        pools.setdefault(desk_id, pk)
    return pools


@lru_cache(maxsize=256)
def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name or "UTC")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return zoneinfo.ZoneInfo("UTC")


def explain(reasons: Iterable[dict[str, Any]]) -> list[str]:
    """Translate a routing decision into sentences, for the agent and the desk head."""
    return [line for line in (_sentence(reason) for reason in reasons) if line]


def _sentence(reason: dict[str, Any]) -> str:
    code = reason.get("code")
    if code == "rule":
        met = ", ".join(
            [
                *(
                    str(reason[name])
                    for name in ("language", "country", "source", "campaign", "score")
                    if name in reason
                ),
                *reason.get("custom", ()),
            ]
        )
        line = _("Rule “%(rule)s” routes the lead to %(desk)s") % reason
        return f"{line} ({met})" if met else line
    texts = {
        "refused": _("Refused: the brand doesn't accept leads from this country"),
        "no_rule": _("No rule matches: the lead waits in the brand's pool"),
        "language": _("%(left)s of %(of)s agents speak %(value)s"),
        "tried": _("%(left)s of %(of)s haven't had this lead yet"),
        "capacity": _("%(left)s of %(of)s have capacity today"),
        "shift": _("%(left)s of %(of)s are on shift"),
        "off_shift_all_the_same": _("No agent is on shift; the rule assigns anyway"),
        "pool": _("No agent is available: the lead waits in the desk's pool"),
        "round_robin": _("%(agent)s is next in turn"),
        "least_loaded": _("%(agent)s has the fewest waiting leads (%(waiting)s)"),
        "owner": _("Known client: stays with %(agent)s"),
        "manual": _("Assigned by %(agent)s"),
        "sla": _("Not contacted by %(agent)s for %(minutes)s minutes"),
        "sla_pool": _("Not contacted in time: returned to the pool, desk head notified"),
        "own_book": _("%(agent)s entered the lead and keeps it"),
    }
    return texts[code] % reason if code in texts else ""
