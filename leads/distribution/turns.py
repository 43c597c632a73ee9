"""Turns and capacities, exact at any number of decisions at a time: counters under locks of the agents that a lead can go to.

An agent's counter is locked in the order of the agents' ids, before anything is counted, and kept until the transaction
ends: decisions that could choose the same agent wait for each other, those of other desks don't. An import decides batch
by batch, each in a short transaction.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from crm.models import User
from leads.distribution.agents import AgentState, zone_named
from leads.models import AgentCount

# One turn of an agent of weight 1; divisible by every weight up to 20 and by 25, 30, 40, 50, 60, 75, 80, 100.
STRIDE: Final = 69_837_768_000
WEIGHT_MAX: Final = 100

MAKE = """
INSERT INTO leads_agentcount (agent_id, day, given) SELECT agent, '2000-01-01', 0 FROM unnest(%s::bigint[]) agent
ON CONFLICT DO NOTHING
"""
HOLD = "SELECT agent_id, day, given FROM leads_agentcount WHERE agent_id = ANY(%s) ORDER BY agent_id FOR NO KEY UPDATE"
TURNS = (
    "SELECT rule_id, agent_id, position, served_at FROM leads_ruleturn WHERE rule_id = ANY(%s) AND agent_id = ANY(%s)"
)
KEEP = """
WITH counts AS (
  UPDATE leads_agentcount c SET day = n.day, given = n.given
  FROM unnest(%s::bigint[], %s::date[], %s::int[]) n(agent_id, day, given) WHERE c.agent_id = n.agent_id
)
INSERT INTO leads_ruleturn (rule_id, agent_id, position, served_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (rule_id, agent_id) DO UPDATE SET position = excluded.position, served_at = excluded.served_at
"""
GIVE = """
INSERT INTO leads_agentcount AS c (agent_id, day, given)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::int[]) n(agent_id, day, given) ORDER BY n.agent_id
ON CONFLICT (agent_id) DO UPDATE SET day = greatest(c.day, excluded.day),
  given = CASE WHEN c.day = excluded.day THEN c.given + excluded.given
    WHEN c.day < excluded.day THEN excluded.given ELSE c.given END
"""
# Untouched leads of an agent.
WAITING = """
SELECT assigned_to_id, count(*) FROM leads_lead
WHERE assigned_to_id = ANY(%s) AND touched_at IS NULL AND NOT is_duplicate GROUP BY assigned_to_id
"""


@dataclass(slots=True)
class Turn:
    position: int = 0
    served_at: int = 0


class Counters:
    """What agents have had, read with or without a lock; moved by each decision and written at the end."""

    def __init__(self, agents: Collection[AgentState], now: dt.datetime) -> None:
        self.agents, self.now = {agent.pk: agent for agent in agents}, now
        self.turns: defaultdict[tuple[int, int], Turn] = defaultdict(Turn)
        self.given: Counter[int] = Counter()
        self.moved: set[tuple[int, int]] = set()

    def hold(self, rule_ids: Collection[int], *, counts_waiting: bool) -> None:
        """Lock the agents' counters until the transaction ends and read them."""
        self._read(_hold(self.agents), rule_ids, counts_waiting)

    def peek(self, rule_ids: Collection[int], *, counts_waiting: bool) -> None:
        """Read the counters without a lock, for a trial."""
        counts = AgentCount.objects.filter(agent_id__in=self.agents).values_list("agent_id", "day", "given")
        self._read(list(counts), rule_ids, counts_waiting)

    def _read(
        self, counts: Iterable[tuple[int, dt.date, int]], rule_ids: Collection[int], counts_waiting: bool
    ) -> None:
        for agent_id, day, given in counts:
            agent = self.agents[agent_id]
            agent.today = given if day == agent.day(self.now) else 0
        with connection.cursor() as cursor:
            cursor.execute(TURNS, [list(rule_ids), list(self.agents)])
            for rule_id, agent_id, position, served_at in cursor.fetchall():
                self.turns[rule_id, agent_id] = Turn(position, served_at)
        if counts_waiting:
            for agent_id, waiting in waiting_of(self.agents).items():
                self.agents[agent_id].waiting = waiting

    def take_turn(self, rule_id: int, agent: AgentState, start: int, weight: int) -> None:
        """Count a lead for an agent. start: the position at which the agent was chosen."""
        turn = self.turns[rule_id, agent.pk]
        stride = STRIDE // weight
        turn.position, turn.served_at = max(turn.position, start) + stride, start
        self.moved.add((rule_id, agent.pk))
        self.given[agent.pk] += 1
        agent.today += 1
        agent.waiting += 1

    def save(self) -> None:
        """Write what moved. The agents have to be held."""
        if not self.given:
            return
        counts = [(pk, self.agents[pk].day(self.now), self.agents[pk].today) for pk in sorted(self.given)]
        turns = [(*key, self.turns[key].position, self.turns[key].served_at) for key in sorted(self.moved)]
        with connection.cursor() as cursor:
            cursor.execute(KEEP, _columns(counts, 3) + _columns(turns, 4))
        self.given.clear()
        self.moved.clear()


def count_given(by_agent: Mapping[int, int], now: dt.datetime) -> None:
    """Count leads that agents got without a turn: by hand, or with their own entry. They use the day's capacity."""
    agents = [pk for pk in sorted(by_agent) if by_agent[pk]]
    if not agents:
        return
    zones = dict(User.objects.filter(pk__in=agents).values_list("pk", "time_zone"))
    rows = [(pk, now.astimezone(zone_named(zones[pk])).date(), by_agent[pk]) for pk in agents]
    with connection.cursor() as cursor:
        cursor.execute(GIVE, _columns(rows, 3))


def waiting_of(agent_ids: Collection[int]) -> Counter[int]:
    """Count the leads that wait for each agent's first contact."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, [list(agent_ids)])
        return Counter(dict(cursor.fetchall()))


def _hold(agent_ids: Iterable[int]) -> list[tuple[int, dt.date, int]]:
    ids = sorted(agent_ids)
    with connection.cursor() as cursor:
        cursor.execute(HOLD, [ids])
        rows: list[tuple[int, dt.date, int]] = cursor.fetchall()
        if len(rows) < len(ids):
            cursor.execute(MAKE, [ids])
            cursor.execute(HOLD, [ids])
            rows = cursor.fetchall()
    return rows


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _place in range(width)]
