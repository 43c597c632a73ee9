import datetime as dt
from collections import Counter

import pytest
import time_machine
from django.utils import timezone

from crm.choices import Role
from crm.errors import DomainError
from crm.models import Book, User
from leads.choices import OffShift, Strategy
from leads.distribution.turns import count_given
from leads.models import Lead, RoutingRule, Shift
from leads.routing import Candidate, Router, explain
from leads.setup import save_routing_rule
from tests.cast import make_client, make_staff
from tests.leads.rules import where

pytestmark = pytest.mark.django_db
GERMAN = Candidate(language="de", country="DE", source="google", campaign="de-search", score=60)
MONDAY_NOON = dt.datetime(2026, 11, 2, 12, 0, tzinfo=dt.UTC)


def router(cast):
    return Router(cast.brand, timezone.now())


def given_lead(cast, agent, *, touched=False, ago=dt.timedelta(hours=1)):
    client = make_client(
        brand=cast.brand, book=agent.books.get(), email=f"l{Lead.objects.count()}@example.com", login=False
    )
    now = timezone.now()
    count_given({agent.pk: 1}, now - ago)
    return Lead.objects.create(
        client=client,
        brand=cast.brand,
        channel="landing",
        assigned_to=agent,
        assigned_at=now - ago,
        captured_at=now - ago,
        touched_at=now if touched else None,
    )


def test_agents_take_turns(cast, german_rule, second_agent):
    turns = router(cast)
    assert [turns.decide(GERMAN).agent_id for _ in range(4)] == [
        cast.agent.pk,
        second_agent.pk,
        cast.agent.pk,
        second_agent.pk,
    ]


def test_the_turn_goes_on_in_the_next_transaction(cast, german_rule, second_agent):
    given = [router(cast).assign(GERMAN).agent_id for _ in range(4)]
    assert given == [cast.agent.pk, second_agent.pk, cast.agent.pk, second_agent.pk]


def test_whoever_was_away_does_not_catch_up(cast, german_rule, second_agent):
    User.objects.filter(pk=second_agent.pk).update(is_accepting_leads=False)
    for _ in range(5):
        router(cast).assign(GERMAN)
    User.objects.filter(pk=second_agent.pk).update(is_accepting_leads=True)
    given = [router(cast).assign(GERMAN).agent_id for _ in range(4)]
    assert given == [second_agent.pk, cast.agent.pk, second_agent.pk, cast.agent.pk]


def test_the_least_loaded_has_the_fewest_untouched_leads(cast, german_rule, second_agent):
    RoutingRule.objects.update(strategy=Strategy.LEAST_LOADED)
    given_lead(cast, cast.agent, touched=True)
    given_lead(cast, cast.agent, touched=True)
    given_lead(cast, second_agent)
    assert router(cast).decide(GERMAN).agent_id == cast.agent.pk


def test_who_is_full_for_today_gets_no_more(cast, german_rule, second_agent):
    User.objects.filter(pk=cast.agent.pk).update(lead_capacity_per_day=2)
    turns = router(cast)
    given = [turns.decide(GERMAN).agent_id for _ in range(6)]
    assert given.count(cast.agent.pk) == 2


def test_who_is_not_accepting_or_not_active_gets_none(cast, german_rule, second_agent):
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=False)
    assert {router(cast).decide(GERMAN).agent_id for _ in range(3)} == {second_agent.pk}
    User.objects.filter(pk=second_agent.pk).update(is_active=False)
    decision = router(cast).decide(GERMAN)
    assert decision.agent_id is None and decision.book_id == cast.pool.pk


def test_only_those_who_speak_the_language(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(languages=["en"])
    decision = router(cast).decide(GERMAN)
    assert decision.agent_id is None
    assert "0 of 1 agents speak de" in explain(decision.reasons)


def test_retention_and_desk_heads_get_no_leads(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=False)
    for person in (cast.retention, cast.desk_head):
        User.objects.filter(pk=person.pk).update(languages=["de"])
        Book.objects.create(brand=cast.brand, desk=cast.desk, name=f"{person}'s book", owner=person)
    assert router(cast).decide(GERMAN).agent_id is None


@pytest.mark.parametrize(
    ("fields", "hit"),
    [
        ({"condition": where(language=["es"], country=["DE"])}, False),
        ({"condition": where(country=["AT"])}, False),
        ({"condition": where(source=["google"])}, True),
        ({"condition": where(source=["facebook"])}, False),
        ({"condition": where(campaign=["de-search"])}, True),
        ({"condition": where(campaign=["other"])}, False),
        ({"condition": where(score_from=60, score_to=60)}, True),
        ({"condition": where(score_from=61)}, False),
        ({"condition": where(score_to=59)}, False),
        ({"condition": {"version": 1, "not": where(country=["AT"])["all"][0]}}, True),
        ({"condition": {"version": 1, "all": [{"field": "shoe_size", "is": "ge", "value": 1}]}}, False),
        ({"is_active": False}, False),
    ],
)
def test_a_rule_applies_only_when_all_its_conditions_hold(cast, german_rule, fields, hit):
    RoutingRule.objects.filter(pk=german_rule.pk).update(**fields)
    assert (router(cast).decide(GERMAN).rule_id == german_rule.pk) is hit


def test_the_first_rule_that_fits_decides(cast, german_rule):
    RoutingRule.objects.create(
        brand=cast.brand,
        name="High scores",
        position=1,
        condition=where(score_from=50),
        desk=cast.other_desk,
        needs_language=False,
    )
    decision = router(cast).decide(GERMAN)
    assert decision.rule_name == "High scores" and decision.agent_id == cast.other_agent.pk


def test_a_rule_may_name_its_agents(cast, german_rule, second_agent):
    german_rule.agents.add(second_agent)
    assert {router(cast).decide(GERMAN).agent_id for _ in range(2)} == {second_agent.pk}


def test_a_rule_may_keep_its_leads_in_a_pool_of_its_own(cast, german_rule):
    pool = Book.objects.create(brand=cast.brand, desk=cast.desk, name="Webinar", is_pool=True)
    foreign = Book.objects.create(brand=cast.other_brand, name="Elsewhere", is_pool=True)
    fields = {"brand": cast.brand, "desk": cast.desk, "name": "Webinars", "position": 1, "strategy": Strategy.POOL}
    with pytest.raises(DomainError):
        save_routing_rule(actor=cast.desk_head, pool=foreign, **fields)
    save_routing_rule(actor=cast.desk_head, pool=pool, **fields)
    decision = router(cast).assign(GERMAN)
    assert (decision.agent_id, decision.book_id, decision.rule_name) == (None, pool.pk, "Webinars")
    Book.objects.filter(pk=pool.pk).update(archived_at=timezone.now())
    assert router(cast).decide(GERMAN).book_id == cast.pool.pk, "a pool that was archived gets no more leads"


def test_another_brands_agents_are_never_asked(cast, german_rule):
    foreign = make_staff(
        "x@southern.example",
        Role.AGENT,
        brand=cast.other_brand,
        desk=cast.desk,
        reaches=cast.other_brand,
        languages=["de"],
    )
    Book.objects.create(brand=cast.other_brand, name="Foreign", owner=foreign)
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=False)
    assert router(cast).decide(GERMAN).agent_id is None


class TestShifts:
    @pytest.fixture(autouse=True)
    def office_hours(self, cast, german_rule):
        User.objects.filter(pk=cast.agent.pk).update(time_zone="Europe/Berlin")
        for weekday in range(5):
            Shift.objects.create(agent=cast.agent, weekday=weekday, starts=dt.time(9), ends=dt.time(18))

    @time_machine.travel(MONDAY_NOON, tick=False)
    def test_on_shift_gets_it_and_the_clock_runs_from_now(self, cast):
        decision = router(cast).decide(GERMAN)
        assert decision.agent_id == cast.agent.pk
        assert decision.due_at == MONDAY_NOON + dt.timedelta(seconds=600)

    @time_machine.travel(MONDAY_NOON.replace(hour=20), tick=False)
    def test_off_shift_it_waits_in_the_pool(self, cast):
        decision = router(cast).decide(GERMAN)
        assert decision.agent_id is None and decision.book_id == cast.pool.pk and decision.due_at is None
        assert explain(decision.reasons)[-2:] == [
            "0 of 1 are on shift",
            "No agent is available: the lead waits in the desk's pool",
        ]

    @time_machine.travel(MONDAY_NOON.replace(hour=20), tick=False)
    def test_a_rule_may_assign_all_the_same_and_the_clock_starts_with_the_shift(self, cast, german_rule):
        RoutingRule.objects.update(off_shift=OffShift.ASSIGN)
        decision = router(cast).decide(GERMAN)
        assert decision.agent_id == cast.agent.pk
        assert decision.due_at == dt.datetime(2026, 11, 3, 8, 10, tzinfo=dt.UTC)  # Tuesday 9:10 in Berlin

    @time_machine.travel(dt.datetime(2026, 11, 6, 20, 0, tzinfo=dt.UTC), tick=False)
    def test_over_the_weekend_the_clock_starts_on_monday(self, cast):
        RoutingRule.objects.update(off_shift=OffShift.ASSIGN)
        assert router(cast).decide(GERMAN).due_at == dt.datetime(2026, 11, 9, 8, 10, tzinfo=dt.UTC)

    @time_machine.travel(MONDAY_NOON.replace(hour=20), tick=False)
    def test_a_colleague_on_shift_comes_before_assigning_all_the_same(self, cast, second_agent):
        RoutingRule.objects.update(off_shift=OffShift.ASSIGN)
        assert router(cast).decide(GERMAN).agent_id == second_agent.pk


def test_ten_thousand_leads_of_one_batch_are_shared_fairly(cast, german_rule, second_agent):
    User.objects.filter(pk__in=[cast.agent.pk, second_agent.pk]).update(lead_capacity_per_day=100_000)
    turns = router(cast)
    chosen = Counter(turns.decide(GERMAN).agent_id for _ in range(10_000))
    assert chosen == {cast.agent.pk: 5_000, second_agent.pk: 5_000}
