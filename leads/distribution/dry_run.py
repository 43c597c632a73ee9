"""What a routing rule would have changed: the leads of the last days given out twice, as the rules are and as they would be.

Nothing is written and no agent is held. Both runs begin with empty counters and go through the leads in the order in
which they came, with each lead's own time for shifts, absences and days; so their difference is the rule's.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from django.utils import timezone

from crm.models import Brand, User
from leads.assignment import candidate_of
from leads.distribution.turns import Counters
from leads.models import Lead, RoutingRule
from leads.routing import Router, Rule, read_rules, rule_of

DAYS: Final = 7
LEADS_MAX: Final = 3_000


@dataclass(frozen=True, slots=True)
class Share:
    """How many leads an agent had, and would have by the rules as they are and as they would be. Without an agent: the pool."""

    agent: str
    had: int
    before: int
    after: int

    @property
    def difference(self) -> int:
        return self.after - self.before


@dataclass(frozen=True, slots=True)
class DryRun:
    """The result over `leads` of `total` that came since `since`; `fitting`: leads that the rule would decide."""

    since: dt.datetime
    leads: int
    total: int
    fitting: int
    shares: list[Share]


def rules_with(rule: RoutingRule, agents: Collection[User]) -> list[Rule]:
    """Return the brand's rules as they would be with this one, saved or new, in the order in which they are tried."""
    saved = read_rules(rule.brand_id, without=rule.pk or 0)
    if not rule.is_active:
        return [row for _position, row in saved]
    own = rule_of(rule, {agent.pk for agent in agents})
    ordered = [*((position, row.pk, row) for position, row in saved), (rule.position, rule.pk or 2**62, own)]
    return [row for _position, _pk, row in sorted(ordered, key=lambda entry: entry[:2])]


def try_out(brand: Brand, rules: list[Rule], *, rule_pk: int) -> DryRun:
    """Give out the last days' leads by the brand's rules and by these; the newest `LEADS_MAX` of them."""
    since = timezone.now() - dt.timedelta(days=DAYS)
    found = Lead.objects.filter(brand=brand, captured_at__gte=since, is_duplicate=False, refusal="")
    newest = found.select_related("client", "campaign").order_by("-pk")[: LEADS_MAX + 1]
    leads = list(newest)
    total = len(leads) if len(leads) <= LEADS_MAX else found.count()
    leads = sorted(leads[:LEADS_MAX], key=lambda lead: (lead.captured_at, lead.pk))
    before, _decided = _simulate(Router(brand, timezone.now()), leads)
    after, decided = _simulate(Router(brand, timezone.now(), rules), leads)
    had = Counter(lead.assigned_to_id for lead in leads)
    names = {user.pk: str(user) for user in User.objects.filter(pk__in=[pk for pk in {*before, *after, *had} if pk])}
    shares = [
        Share(names.get(agent_id or 0, ""), had[agent_id], before[agent_id], after[agent_id])
        for agent_id in {*before, *after, *had}
    ]
    shares.sort(key=lambda share: (share.agent == "", -abs(share.difference), share.agent))
    return DryRun(since, len(leads), total, decided[rule_pk], shares)


def _simulate(router: Router, leads: Sequence[Lead]) -> tuple[Counter[int | None], Counter[int | None]]:
    """Count leads by agent and by the rule that decided."""
    router.counters = Counters(router.agents, router.now)
    custom = router.custom_of({lead.client_id for lead in leads})
    router.read_referrers(lead.referral_code for lead in leads)
    by_agent: Counter[int | None] = Counter()
    by_rule: Counter[int | None] = Counter()
    for lead in leads:
        router.move_to(lead.captured_at)
        candidate = candidate_of(lead, country=lead.country_guess, custom=custom.get(lead.client_id))
        decision = router.decide(candidate)
        by_agent[decision.agent_id] += 1
        by_rule[decision.rule_id] += 1
    return by_agent, by_rule
