"""Whatever weights the agents have, and wherever an import comes between the other leads: the shares are exact."""

from __future__ import annotations

from collections import Counter

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from crm.choices import Role
from crm.models import Book, User
from leads import imports
from leads.choices import Strategy
from leads.models import Lead, RoutingRule
from leads.routing import Router
from tests.cast import make_cast, make_staff
from tests.leads.rules import where
from tests.leads.test_turns import GERMAN, a_file

pytestmark = pytest.mark.django_db
LEADS_MAX = 12


class Shares(TestCase):
    def setUp(self) -> None:
        self.cast = make_cast()
        fields = {"brand": self.cast.brand, "desk": self.cast.desk}
        self.agents = [self.cast.agent]
        for name in ("anton", "berta"):
            email = f"{name}@meridian.example"
            agent = make_staff(email, Role.AGENT, reaches=self.cast.desk, languages=["de"], **fields)
            Book.objects.create(name=f"Book of {name}", owner=agent, **fields)
            self.agents.append(agent)
        User.objects.filter(pk__in=[agent.pk for agent in self.agents]).update(lead_capacity_per_day=1_000)
        self.rule = RoutingRule.objects.create(
            name="German speakers", position=10, condition=where(language=["de"]), strategy=Strategy.WEIGHTED, **fields
        )

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.lists(st.integers(1, 4), min_size=3, max_size=3),
        st.integers(0, LEADS_MAX),
        st.integers(1, LEADS_MAX),
        st.integers(1, 2),
    )
    def test_shares_are_exact_over_whole_rounds(self, weights, before, in_file, rounds):
        by_agent = {agent.pk: weight for agent, weight in zip(self.agents, weights, strict=True)}
        RoutingRule.objects.filter(pk=self.rule.pk).update(weights={str(pk): weight for pk, weight in by_agent.items()})
        whole = sum(weights)
        total = whole * (rounds + (before + in_file) // whole)
        chosen: Counter[int] = Counter(self._assign() for _number in range(before))
        imports.run(a_file(self.cast, in_file), lambda *_report: None)
        chosen.update(Lead.objects.values_list("assigned_to", flat=True))
        chosen.update(self._assign() for _number in range(total - before - in_file))
        assert chosen == {pk: weight * total // whole for pk, weight in by_agent.items()}

    def _assign(self) -> int:
        agent_id = Router(self.cast.brand, timezone.now()).assign(GERMAN).agent_id
        assert agent_id is not None
        return agent_id
