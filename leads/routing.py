"""Who gets a lead, by rules, with the reasons.

A `Router` reads rules and agents once; `decide` is pure and quick, so that a form's lead and a file's hundred thousand
are routed by the same code. Rules whose conditions hold are tried in order; among the rule's agents go those who take
leads, speak the language, aren't away, are on shift and have room today; the strategy picks one of them.
Nobody there: the next rule that holds is tried, unless this one waits. None left: the lead waits in the first one's pool,
where `leads.waiting` looks again every minute.

Turns and capacities are counted in `leads.distribution`: `assign` decides one lead under the locks of the agents it can go to;
a batch takes `hold`, many `decide` and `save`. Without `hold`, `decide` is a trial and nothing is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from clients.custom_fields.arrivals import named_of
from clients.segments.membership import segments_of
from crm.conditions import Condition, readable
from crm.conditions.fields import ADDED
from crm.models import Book, Brand
from leads.brand_policies import SCORE_THAT_ROUTES, RoutedBy
from leads.choices import DECLARED, NoAgent, OffShift, Strategy
from leads.distribution.agents import AgentState, agents_of
from leads.distribution.referrers import owners_of
from leads.distribution.turns import Counters
from leads.models import RoutingRule
from leads.vocabulary import LEAD, SEGMENTS


@dataclass(frozen=True, slots=True)
class Candidate:
    """What routing looks at. `custom`: values of the custom fields that rules ask for, by their names in conditions.

    `learned`: the second score, which the brand may have its rules compare.
    """

    language: str = ""
    country: str = ""
    source: str = ""
    campaign: str = ""
    score: int = 0
    custom: Mapping[str, Any] = field(default_factory=dict)
    referral_code: str = ""
    learned: int | None = None
    experience: str = ""
    intended_deposit: Decimal | None = None  # in the brand's base currency


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
    pool_id: int | None = None
    weights: Mapping[int, int] = field(default_factory=dict, compare=False)

    def weight(self, agent: AgentState) -> int:
        return self.weights.get(agent.pk, 1) if self.strategy == Strategy.WEIGHTED else 1

    @property
    def is_last(self) -> bool:
        """Whether no other rule is tried after this one."""
        return self.no_agent == NoAgent.WAIT or self.strategy == Strategy.POOL

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
    """Routing for one brand at one instant, for one transaction: what it has counted holds while its agents are held."""

    def __init__(self, brand: Brand, now: dt.datetime, rules: list[Rule] | None = None) -> None:
        self.brand, self.now = brand, now
        self.is_by_learned = SCORE_THAT_ROUTES.of(brand) == RoutedBy.LEARNED
        self.rules = [rule for _position, rule in read_rules(brand.pk)] if rules is None else rules
        self.custom_fields = frozenset(
            int(asked.name.removeprefix(ADDED))
            for rule in self.rules
            if rule.condition is not None
            for asked in rule.condition.fields()
            if asked.name.startswith(ADDED)
        )
        self.asks_segments = any(
            asked.name == SEGMENTS
            for rule in self.rules
            if rule.condition is not None
            for asked in rule.condition.fields()
        )
        self.agents = agents_of(brand, now)
        self.pools = _read_pools(brand.pk)
        self.counters: Counters | None = None
        self._members: dict[tuple[Any, ...], list[AgentState]] = {}
        self._on_shift: dict[int, bool] = {}
        self._away: dict[int, bool] = {}
        self._owners: dict[str, int] = {}

    def move_to(self, now: dt.datetime) -> None:
        """Go on to another instant, for a trial over leads of before: shifts and days are looked up again."""
        counters = self._counted()
        for agent in self.agents:
            if agent.day(now) != agent.day(self.now):
                agent.today = 0
        self.now = counters.now = now
        self._on_shift.clear()
        self._away.clear()

    def custom_of(self, client_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """Read what this brand's rules ask of clients: custom fields and segments, one query each, none where no rule asks."""
        ids = set(client_ids)
        found = named_of(ids, self.custom_fields)
        if self.asks_segments:
            for client_id, segments in segments_of(ids).items():
                found.setdefault(client_id, {})[SEGMENTS] = [str(pk) for pk, _name in segments]
        return found

    def assign(self, lead: Candidate, *, without: Iterable[int] = ()) -> Decision:
        """Decide for one lead and count it: exact, whatever is decided at the same time. In a transaction."""
        excluded, lead = frozenset(without), self._by_its_score(lead)
        self.read_referrers([lead.referral_code])
        fitting = [rule for rule in self.rules if rule.fits(lead, self.now)]
        decision = None
        if len(fitting) > 1 and not fitting[0].is_last:
            decision = self._assign_by_first(fitting[0], lead, excluded)
        if decision is None:
            self.hold(self._possible(fitting, lead, excluded), fitting)
            decision = self.decide(lead, without=excluded)
        self.save()
        return decision

    def _assign_by_first(self, rule: Rule, lead: Candidate, excluded: frozenset[int]) -> Decision | None:
        """Decide by the first rule alone, so that only its agents are locked; None where it has nobody, none of them locked.

        The savepoint lets go of the locks: those of several rules are only ever taken together, in the agents' order.
        """
        mark = transaction.savepoint()
        self.hold(self._possible([rule], lead, excluded), [rule])
        decision = self._by_rule(rule, lead, excluded, [])
        if decision is None:
            transaction.savepoint_rollback(mark)
        return decision

    def _possible(self, rules: Iterable[Rule], lead: Candidate, excluded: frozenset[int]) -> list[AgentState]:
        """List the agents whom these rules could choose, each once."""
        found = {agent.pk: agent for rule in rules for agent in self._members_of(rule, lead)}
        return [agent for agent in found.values() if agent.pk not in excluded and self._is_here(agent)]

    def hold(self, agents: Collection[AgentState] | None = None, rules: Collection[Rule] | None = None) -> None:
        """Lock what these agents have had (all agents': for a batch) and read it again."""
        self.counters = Counters(self.agents if agents is None else agents, self.now)
        rules = self.rules if rules is None else rules
        self.counters.hold([rule.pk for rule in rules], counts_waiting=_counts_waiting(rules))

    def save(self) -> None:
        """Write what the decisions since `hold` have counted."""
        assert self.counters is not None
        self.counters.save()

    def decide(self, lead: Candidate, *, without: Iterable[int] = ()) -> Decision:
        """Decide for a lead by the counters as they are here. without: agents who had it already and did not touch it."""
        excluded, lead = frozenset(without), self._by_its_score(lead)
        first: Rule | None = None
        reasons: list[dict[str, Any]] = []
        for rule in self.rules:
            if not rule.fits(lead, self.now):
                continue
            first = first or rule
            decision = self._by_rule(rule, lead, excluded, reasons)
            if decision is not None:
                return decision
            if rule.is_last:
                break
        if first is None:
            return Decision(self._pool(None), reasons=[{"code": "no_rule"}])
        reasons.append({"code": "pool"})
        return Decision(self._pool_of(first), None, first.pk, first.name, first.sla_seconds, reasons)

    def in_pool(self, lead: Candidate) -> Decision:
        """Find the pool where a lead waits that no agent gets: of the first rule that fits."""
        lead = self._by_its_score(lead)
        first = next((rule for rule in self.rules if rule.fits(lead, self.now)), None)
        if first is None:
            return Decision(self._pool(None))
        return Decision(self._pool_of(first), None, first.pk, first.name)

    def _by_its_score(self, lead: Candidate) -> Candidate:
        """Have the rules compare the learned score, where the brand says so and the lead has one."""
        return replace(lead, score=lead.learned) if self.is_by_learned and lead.learned is not None else lead

    def has_room(self) -> bool:
        """Tell whether any agent could take a lead now; without, nothing that waits needs a look."""
        self._counted()
        is_on_duty = any(rule.off_shift == OffShift.ASSIGN for rule in self.rules)
        return any(
            agent.today < agent.capacity and self._is_here(agent) and (is_on_duty or self._is_on(agent))
            for agent in self.agents
        )

    def _counted(self) -> Counters:
        if self.counters is None:
            self.counters = Counters(self.agents, self.now)
            self.counters.peek([rule.pk for rule in self.rules], counts_waiting=_counts_waiting(self.rules))
        return self.counters

    def read_referrers(self, codes: Iterable[str]) -> None:
        """Read the owners of the referring partners' records, where a rule asks for them: before a batch is decided."""
        if any(rule.strategy == Strategy.REFERRER for rule in self.rules):
            new = {code for code in codes if code} - self._owners.keys()
            self._owners.update(owners_of(self.brand.pk, new))

    def _members_of(self, rule: Rule, lead: Candidate) -> list[AgentState]:
        """List the rule's agents who speak the lead's language, if they have to."""
        if rule.strategy == Strategy.POOL:
            return []
        language = lead.language[:2] if rule.needs_language else ""
        key = (rule.pk, rule.desk_id, rule.agent_ids, language)
        if key not in self._members:
            self._members[key] = [
                agent
                for agent in self.agents
                if agent.desk_id == rule.desk_id
                and (not rule.agent_ids or agent.pk in rule.agent_ids)
                and (not language or language in agent.languages)
            ]
        return self._members[key]

    def _is_here(self, agent: AgentState) -> bool:
        if agent.pk not in self._away:
            self._away[agent.pk] = agent.is_away(agent.day(self.now))
        return not self._away[agent.pk]

    def _is_on(self, agent: AgentState) -> bool:
        if agent.pk not in self._on_shift:
            self._on_shift[agent.pk] = agent.is_on_shift(self.now)
        return self._on_shift[agent.pk]

    def _by_rule(
        self, rule: Rule, lead: Candidate, excluded: frozenset[int], reasons: list[dict[str, Any]]
    ) -> Decision | None:
        """Choose among the rule's agents, adding to `reasons`; None where none of them can take the lead."""
        counters = self._counted()
        reasons.append({"code": "rule", "rule": rule.name, "desk": rule.desk_name, **_why(rule, lead)})
        if rule.strategy == Strategy.POOL:
            return None
        left = self._members_of(rule, lead)
        if rule.needs_language and lead.language:
            of = len(self._members_of(rule, _ANY_LANGUAGE))
            reasons.append({"code": "language", "left": len(left), "of": of, "value": lead.language[:2]})
        left = self._narrow(left, reasons, "tried", lambda agent: agent.pk not in excluded)
        left = self._narrow(left, reasons, "away", self._is_here)
        left = self._narrow(left, reasons, "capacity", lambda agent: agent.today < agent.capacity)
        if rule.off_shift == OffShift.WAIT or any(map(self._is_on, left)):
            left = self._narrow(left, reasons, "shift", self._is_on)
        elif left:
            reasons.append({"code": "off_shift_all_the_same"})
        if not left:
            return None
        chosen = self._choose(rule, lead, left, reasons, counters)
        begins = chosen.at_work_from(self.now)
        return Decision(chosen.book_id, chosen.pk, rule.pk, rule.name, rule.sla_seconds, reasons, begins)

    @staticmethod
    def _narrow(
        agents: list[AgentState], reasons: list[dict[str, Any]], code: str, test: Callable[[AgentState], bool]
    ) -> list[AgentState]:
        """Keep who passes; say how many did not, and how many are left."""
        left = [agent for agent in agents if test(agent)]
        if len(left) < len(agents):
            reasons.append({"code": code, "left": len(left), "of": len(agents), "value": ""})
        return left

    def _choose(
        self,
        rule: Rule,
        lead: Candidate,
        agents: Sequence[AgentState],
        reasons: list[dict[str, Any]],
        counters: Counters,
    ) -> AgentState:
        """Pick an agent by the rule's strategy; among equals, who is next in turn. Count the lead for them."""
        turns = {agent.pk: counters.turns[rule.pk, agent.pk] for agent in agents}
        served = max(turn.served_at for turn in turns.values())
        starts = {pk: max(turn.position, served) for pk, turn in turns.items()}
        among, reason = _preferred(rule.strategy, lead, agents, self._owners)
        chosen = min(among, key=lambda agent: (starts[agent.pk], turns[agent.pk].served_at, agent.pk))
        reasons.append({**reason, "agent": chosen.name, "of": len(agents)})
        counters.take_turn(rule.pk, chosen, starts[chosen.pk], rule.weight(chosen))
        return chosen

    def _pool_of(self, rule: Rule) -> int:
        """Find where a rule's leads wait: its own pool while that is in use, else the desk's."""
        return rule.pool_id or self._pool(rule.desk_id)

    def _pool(self, desk_id: int | None) -> int:
        """Find the desk's pool, else the brand's, else create one: no lead is ever lost for want of a book."""
        pool_id = self.pools.get(desk_id) or self.pools.get(None) or next(iter(self.pools.values()), None)
        if pool_id is None:
            pool, _made = Book.objects.get_or_create(
                brand=self.brand, name=f"{self.brand.name} pool", defaults={"is_pool": True}
            )
            pool_id = self.pools[None] = pool.pk
        return pool_id


_ANY_LANGUAGE = Candidate()


def pool_for(brand: Brand, now: dt.datetime, lead: Candidate) -> Decision:
    """Keep a refused lead in the pool of the desk that would have had it: nobody gets it, and it isn't lost."""
    return Decision(Router(brand, now).in_pool(lead).book_id, reasons=[{"code": "refused"}])


def _preferred(
    strategy: str, lead: Candidate, agents: Sequence[AgentState], owners: Mapping[str, int]
) -> tuple[Sequence[AgentState], dict[str, Any]]:
    """Narrow to whom the strategy prefers, with the reason that the agent's page shows."""
    if strategy == Strategy.LEAST_LOADED:
        fewest = min(agent.waiting for agent in agents)
        return [agent for agent in agents if agent.waiting == fewest], {"code": "least_loaded", "waiting": fewest}
    if strategy == Strategy.LANGUAGE and (language := lead.language[:2]):
        ranks = [agent.languages.index(language) if language in agent.languages else 99 for agent in agents]
        best = min(ranks)
        if best < 99:
            among = [agent for agent, rank in zip(agents, ranks, strict=True) if rank == best]
            return among, {"code": "best_language", "value": language}
    if strategy == Strategy.REFERRER and lead.referral_code in owners:
        owner = [agent for agent in agents if agent.pk == owners[lead.referral_code]]
        if owner:
            return owner, {"code": "referrer", "value": lead.referral_code}
    return agents, {"code": "weighted" if strategy == Strategy.WEIGHTED else "round_robin"}


def _counts_waiting(rules: Iterable[Rule]) -> bool:
    return any(rule.strategy == Strategy.LEAST_LOADED for rule in rules)


def _why(rule: Rule, lead: Candidate) -> dict[str, Any]:
    """Say what the rule looked at and found.

    Of custom fields and what the lead declared only that it looked: their values go with the client's key.
    """
    looked_at = rule.condition.fields() if rule.condition is not None else []
    plain = [
        field for field in looked_at if not field.name.startswith(ADDED) and field.name not in (SEGMENTS, *DECLARED)
    ]
    own = {field.name: field.value_of(lead) for field in plain}
    added = [str(field.label) for field in looked_at if field not in plain]
    return {**own, "custom": added} if added else own


def read_rules(brand_id: int, *, without: int = 0) -> list[tuple[int, Rule]]:
    """Read a brand's active rules with their positions, in the order in which they are tried."""
    rows = (
        RoutingRule.objects.filter(brand_id=brand_id, is_active=True).exclude(pk=without).select_related("desk", "pool")
    )
    members: dict[int, set[int]] = {}
    for rule_id, user_id in RoutingRule.agents.through.objects.filter(routingrule__brand_id=brand_id).values_list(
        "routingrule_id", "user_id"
    ):
        members.setdefault(rule_id, set()).add(user_id)
    return [(row.position, rule_of(row, members.get(row.pk, ()))) for row in rows.order_by("position", "pk")]


def rule_of(row: RoutingRule, agent_ids: Iterable[int]) -> Rule:
    """Return a routing rule as plain values; an unsaved one has the number 0."""
    return Rule(
        pk=row.pk or 0,
        name=row.name,
        condition=readable(row.condition, LEAD),
        desk_id=row.desk_id,
        desk_name=row.desk.name,
        agent_ids=frozenset(agent_ids),
        strategy=row.strategy,
        needs_language=row.needs_language,
        off_shift=row.off_shift,
        sla_seconds=row.sla_seconds,
        no_agent=row.no_agent,
        pool_id=row.pool_id if row.pool is not None and row.pool.archived_at is None else None,
        weights={int(pk): weight for pk, weight in row.weights.items()},
    )


def _read_pools(brand_id: int) -> dict[int | None, int]:
    pools: dict[int | None, int] = {}
    for desk_id, pk in (
        Book.objects.filter(brand_id=brand_id, is_pool=True, archived_at=None)
        .order_by("pk")
        .values_list("desk_id", "pk")
    ):
        pools.setdefault(desk_id, pk)
    return pools


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
        "away": _("%(left)s of %(of)s aren't absent today"),
        "capacity": _("%(left)s of %(of)s have capacity today"),
        "shift": _("%(left)s of %(of)s are on shift"),
        "off_shift_all_the_same": _("No agent is on shift; the rule assigns anyway"),
        "pool": _("No agent is available: the lead waits in the desk's pool"),
        "round_robin": _("%(agent)s is next in turn"),
        "weighted": _("%(agent)s is next by weighted shares"),
        "best_language": _("%(agent)s speaks %(value)s best"),
        "referrer": _("%(agent)s owns the record of the referring partner (%(value)s)"),
        "least_loaded": _("%(agent)s has the fewest waiting leads (%(waiting)s)"),
        "owner": _("Known client: stays with %(agent)s"),
        "manual": _("Assigned by %(agent)s"),
        "sla": _("Not contacted by %(agent)s for %(minutes)s minutes"),
        "sla_pool": _("Not contacted in time: returned to the pool, desk head notified"),
        "own_book": _("%(agent)s entered the lead and keeps it"),
    }
    return texts[code] % reason if code in texts else ""
