"""Why a lead goes where it goes: each reason is said where it decided, and nowhere else."""

import datetime as dt
import zoneinfo
from dataclasses import replace

import pytest

from crm.conditions import everything, read
from crm.models import Book, User
from leads import routing
from leads.choices import NoAgent, OffShift, Strategy
from leads.models import RoutingRule, Shift
from leads.routing import AgentState, Candidate, Decision, Router, Rule
from leads.vocabulary import LEAD
from tests.leads.rules import where
from tests.leads.test_limits import GERMAN, NOW, counted, given_lead

pytestmark = pytest.mark.django_db
ANY = Rule(
    pk=1,
    name="Any",
    condition=everything(),
    desk_id=1,
    desk_name="Berlin",
    agent_ids=frozenset(),
    strategy=Strategy.ROUND_ROBIN,
    needs_language=False,
    off_shift=OffShift.WAIT,
    sla_seconds=600,
)


@pytest.mark.parametrize(
    ("fields", "met"),
    [
        ({}, {}),
        ({"language": ["de"]}, {"language": "de"}),
        ({"country": ["DE"]}, {"country": "DE"}),
        ({"source": ["google"]}, {"source": "google"}),
        ({"campaign": ["de-search"]}, {"campaign": "de-search"}),
        ({"score_from": 1}, {"score": 60}),
        ({"score_to": 99}, {"score": 60}),
    ],
)
def test_a_rule_names_the_conditions_that_it_has(fields, met):
    assert routing._why(replace(ANY, condition=read(where(**fields), LEAD)), GERMAN) == met
    said = routing.explain([{"code": "rule", "rule": "Any", "desk": "Berlin", **met}])
    words = f" ({', '.join(str(value) for value in met.values())})" if met else ""
    assert said == [f"Rule “Any” routes the lead to Berlin{words}"]


def test_each_reason_is_a_sentence():
    codes = {
        "no_rule": {},
        "language": {"left": 1, "of": 2, "value": "de"},
        "tried": {"left": 1, "of": 2},
        "capacity": {"left": 1, "of": 2},
        "shift": {"left": 1, "of": 2},
        "off_shift_all_the_same": {},
        "pool": {},
        "round_robin": {"agent": "Alice"},
        "least_loaded": {"agent": "Alice", "waiting": 3},
        "owner": {"agent": "Alice"},
        "manual": {"agent": "Alice"},
        "sla": {"agent": "Alice", "minutes": 10},
        "sla_pool": {},
        "own_book": {"agent": "Alice"},
    }
    said = routing.explain([{"code": code, **fields} for code, fields in codes.items()])
    assert len(set(said)) == len(codes) and all("%" not in line for line in said)
    assert routing.explain([{"code": "of an older version"}]) == []


def agents(*names: str) -> list[AgentState]:
    return [
        AgentState(number, name, number, 1, frozenset(["de"]), zoneinfo.ZoneInfo("UTC"), 10, ())
        for number, name in enumerate(names, start=1)
    ]


@pytest.fixture
def router(cast) -> Router:
    found = Router(cast.brand, NOW)
    found.agents = agents("Alice", "Bob")
    found.pools = {1: 71, None: 70}
    return found


def codes(decision: Decision) -> list[str]:
    return [reason["code"] for reason in decision.reasons]


def test_what_left_nobody_out_is_not_said(router):
    router.rules = [ANY]
    assert codes(router.decide(GERMAN)) == ["rule", "round_robin"]


def test_who_had_it_is_full_or_off_shift_is_counted(router):
    first, second = router.agents
    router.rules = [replace(ANY, needs_language=True)]
    first.capacity, second.shifts = 0, ((6, dt.time(9), dt.time(18)),)
    decision = router.decide(GERMAN, without=[])
    assert codes(decision) == ["rule", "language", "capacity", "shift", "pool"]
    assert [(row["left"], row["of"]) for row in decision.reasons if "left" in row] == [(2, 2), (1, 2), (0, 1)]
    assert (decision.book_id, decision.agent_id, decision.due_at) == (71, None, None)
    assert codes(router.decide(replace(GERMAN, language=""), without=[1])) == ["rule", "tried", "shift", "pool"]


def test_without_an_agent_the_next_matching_rule_is_tried(router):
    """And the reasons say both; the pool is the first rule's."""
    nobody = replace(ANY, name="Nobody", agent_ids=frozenset([99]))
    router.rules = [nobody, replace(ANY, pk=2)]
    decision = router.decide(GERMAN)
    assert (decision.rule_id, codes(decision)[0], codes(decision)[-1]) == (2, "rule", "round_robin")
    assert [reason["rule"] for reason in decision.reasons if reason["code"] == "rule"] == ["Nobody", "Any"]
    router.rules = [nobody, replace(nobody, pk=2, name="Nobody either")]
    decision = router.decide(GERMAN)
    assert (decision.agent_id, decision.rule_id, codes(decision).count("pool")) == (None, 1, 1)


def test_a_rule_that_waits_for_its_desk_hides_the_next_one(router):
    router.rules = [replace(ANY, agent_ids=frozenset([99]), no_agent=NoAgent.WAIT), replace(ANY, pk=2)]
    decision = router.decide(GERMAN)
    assert (decision.agent_id, decision.rule_id, codes(decision)) == (None, 1, ["rule", "pool"])


def test_off_shift_all_the_same_is_said_where_a_rule_assigns_nonetheless(router):
    for agent in router.agents:
        agent.shifts = ((6, dt.time(9), dt.time(18)),)
    router.rules = [replace(ANY, off_shift=OffShift.ASSIGN)]
    decision = router.decide(GERMAN)
    assert codes(decision) == ["rule", "off_shift_all_the_same", "round_robin"]
    assert decision.due_at == dt.datetime(2026, 11, 8, 9, 10, tzinfo=dt.UTC), "Sunday's shift"
    for agent in router.agents:
        agent.capacity = 0
    assert codes(router.decide(GERMAN)) == ["rule", "capacity", "pool"]


@pytest.mark.parametrize("language", ["de", "de-AT"])
def test_a_language_counts_by_its_first_two_letters(router, language):
    router.agents[0].languages = frozenset(["en"])
    router.rules = [replace(ANY, needs_language=True, condition=read(where(language=["de"]), LEAD))]
    assert router.decide(Candidate(language=language)).agent_id == 2


def test_the_least_loaded_counts_those_waiting_then_the_turn(router):
    first, second = router.agents
    router.rules = [replace(ANY, strategy=Strategy.LEAST_LOADED)]
    first.waiting, second.waiting = 1, 2
    given = [router.decide(GERMAN).agent_id for _ in range(4)]
    assert given == [1, 2, 1, 2]  # 2:2 after the first; then whose last one is longer ago
    assert (first.waiting, second.waiting, first.today, second.today) == (3, 4, 2, 2)


@pytest.mark.parametrize(
    ("fields", "due"),
    [
        ({}, NOW + dt.timedelta(seconds=600)),
        ({"agent_id": None}, None),
        ({"sla_seconds": 0}, None),
        ({"clock_from": None}, None),
    ],
)
def test_a_clock_runs_for_an_agent_by_a_rule_that_has_one(fields, due):
    assert Decision(**{"book_id": 1, "agent_id": 1, "sla_seconds": 600, "clock_from": NOW, **fields}).due_at == due


def test_the_desks_pool_then_the_brands_then_any_then_a_new_one(cast, router):
    router.rules = []
    router.pools = {1: 71, None: 70}
    assert (router._pool(1), router._pool(2), router._pool(None)) == (71, 70, 70)
    router.pools = {2: 72, 1: 71}
    assert (router._pool(1), router._pool(None)) == (71, 72)
    router.pools = {}
    made = Book.objects.get(pk=router._pool(1))
    assert (made.is_pool, made.brand, router.pools) == (True, cast.brand, {None: made.pk})


def test_rules_and_pools_of_another_brand_are_not_read(cast, german_rule):
    RoutingRule.objects.create(brand=cast.other_brand, name="Theirs", position=0, desk=cast.other_desk)
    theirs = Book.objects.create(brand=cast.other_brand, name="Their pool", is_pool=True)
    found = Router(cast.brand, NOW)
    assert [rule.name for rule in found.rules] == [german_rule.name]
    assert theirs.pk not in found.pools.values() and found.pools
    german_rule.agents.add(cast.agent)
    (rule,) = Router(cast.brand, NOW).rules
    assert (rule.agent_ids, rule.condition.stored()) == ({cast.agent.pk}, german_rule.condition)
    assert rule.fits(replace(GERMAN, language="de-AT"), NOW)


def test_a_rule_whose_field_is_gone_fits_no_lead_and_the_page_says_why(cast, german_rule, browse):
    gone = {"version": 1, "all": [{"field": "shoe_size", "is": "ge", "value": 1}]}
    RoutingRule.objects.filter(pk=german_rule.pk).update(condition=gone)
    (rule,) = Router(cast.brand, NOW).rules
    assert not rule.fits(GERMAN, NOW) and routing._why(rule, GERMAN) == {}
    page = browse(cast.desk_head).get("/lead-rules/").content.decode()
    assert "no longer exists" in page and "shoe_size" in page


def test_agents_are_read_with_their_own_shifts_and_zone(cast, german_rule, second_agent):
    User.objects.filter(pk=cast.agent.pk).update(languages=["de-CH"], time_zone="Nowhere/At_all")
    Shift.objects.create(agent=cast.agent, weekday=0, starts=dt.time(9), ends=dt.time(18))
    Shift.objects.create(agent=cast.agent, weekday=1, starts=dt.time(10), ends=dt.time(11))
    found = {agent.pk: agent for agent in Router(cast.brand, NOW).agents}
    assert sorted(found[cast.agent.pk].shifts) == [(0, dt.time(9), dt.time(18)), (1, dt.time(10), dt.time(11))]
    assert found[second_agent.pk].shifts == ()
    assert (found[cast.agent.pk].zone.key, found[cast.agent.pk].languages) == ("UTC", ("de",))


@pytest.mark.parametrize(("zone", "today"), [("UTC", 0), ("Asia/Tokyo", 1)])
def test_today_begins_at_the_agents_own_midnight(cast, german_rule, zone, today):
    User.objects.filter(pk=cast.agent.pk).update(time_zone=zone)
    given_lead(cast, cast.agent, NOW.replace(hour=0) - dt.timedelta(minutes=30))
    assert counted(cast).today == today
