"""Every limit of leads: just below, exactly there, just above."""

import datetime as dt
import zoneinfo

import pytest
import time_machine
from django.db import IntegrityError, transaction

from clients.models import Client
from crm import due
from crm.due import KINDS
from crm.errors import DomainError, NotAllowed
from crm.models import User
from leads import dedupe, guard, invitations, queries, scoring, setup, setup_forms, sla, waiting
from leads.capture import clean_email
from leads.distribution.turns import count_given
from leads.models import Lead, RegistrationInvitation, RoutingRule, ScoreRule, Shift
from leads.routing import AgentState, Candidate, Router
from leads.scoring import Rule, Signals
from tests.cast import make_client
from tests.leads.rules import where

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 2, 12, tzinfo=dt.UTC)  # a Monday
TODAY = NOW.date()
SECOND, MINUTE, DAY = dt.timedelta(seconds=1), dt.timedelta(minutes=1), dt.timedelta(days=1)
GERMAN = Candidate(language="de", country="DE", source="google", campaign="de-search", score=60)


# ── is this someone we know ──────────────────────────────────────────────────────────────────────────────────────────
def known(**fields) -> dedupe.Person:
    return dedupe.Person(**{"email": "", "phone": "", "country": "", "last_name": "", **fields})


def is_one(one: dedupe.Person, other: dedupe.Person, **set_by_brand) -> bool:
    weights = dedupe.Weights(**set_by_brand)
    return dedupe.is_one(*dedupe.weigh(one, other, weights), weights.threshold)


ERIKA = {"phone": "+49151", "first_name": "anna"}


@pytest.mark.parametrize(
    ("same", "weight", "is_certain"),
    [
        ({}, 0, False),
        ({"country": "DE", "first_name": "anna", "last_name": "weber"}, 0, False),  # half of Berlin
        ({"phone": "+49151"}, 3, False),
        ({"phone": "+49151", "country": "DE", "last_name": "weber"}, 5, False),  # a household
        (ERIKA, 4, True),
        ({**ERIKA, "country": "DE", "last_name": "weber"}, 6, True),
        ({"email": "a@b.de"}, 4, True),
    ],
)
def test_four_points_and_a_first_name_make_a_match(same, weight, is_certain):
    found, reasons = dedupe.weigh(known(**same), known(**same))
    assert found == weight == sum(reason["weight"] for reason in reasons)
    assert is_one(known(**same), known(**same)) is is_certain


@pytest.mark.parametrize(
    ("one", "other", "is_certain"),
    [
        ({"first_name": "anna"}, {"first_name": "peter"}, False),  # a couple
        ({"first_name": "anna", "last_name": "weber"}, {"first_name": "anna", "last_name": "gruber"}, False),
        ({"first_name": "anna"}, {"first_name": ""}, False),
        ({"first_name": "anna"}, {"first_name": "anna"}, True),
        ({"email": "a@b.de", "first_name": "anna"}, {"email": "a@b.de", "first_name": "peter"}, True),
    ],
)
def test_a_shared_phone_makes_no_two_names_one(one, other, is_certain):
    """Whatever points the brand gives: a household with one phone is never one person."""
    shared = {"phone": "+49151", "country": "DE", "last_name": "weber"}
    for generous in ({}, {"phone": 20, "country": 20, "last_name": 20, "threshold": 1}):
        assert is_one(known(**shared | one), known(**shared | other), **generous) is is_certain


@pytest.mark.parametrize(("threshold", "is_certain"), [(3, True), (4, True), (5, False)])
def test_the_brand_sets_how_many_points_make_a_match(threshold, is_certain):
    assert is_one(known(**ERIKA), known(**ERIKA), threshold=threshold) is is_certain
    assert is_one(known(email="a@b.de"), known(email="a@b.de"), threshold=threshold), "no two clients have one address"


@pytest.mark.parametrize("name", ["email", "phone", "country", "last_name"])
def test_what_nobody_told_is_nothing_in_common(name):
    assert dedupe.weigh(known(), known(**{name: "x"})) == (0, [])
    assert dedupe.weigh(known(**{name: "x"}), known(**{name: "y"})) == (0, [])


@pytest.mark.parametrize("others", [19, 20, 25])
def test_a_mailbox_is_found_behind_many_of_one_telephone(cast, others):
    """A switchboard's number belongs to all of an office; the person's own mailbox must not be cut off behind them."""
    for number in range(others):
        make_client(brand=cast.brand, book=cast.pool, email=f"o{number}@example.com", login=False, phone="+4930123456")
    mine = make_client(brand=cast.brand, book=cast.pool, email="me@example.com", login=False)
    who = dedupe.person(email="me@example.com", phone="+4930123456", country="DE", last_name="Me")
    best = dedupe.find_matches(cast.brand, who)[0]
    assert (best.client, best.is_certain) == (mine, True)


def test_people_of_another_brand_are_strangers(cast):
    who = dedupe.person(email=cast.client.email, phone=cast.client.phone, country="DE", last_name="Weber")
    assert [match.client for match in dedupe.find_matches(cast.brand, who)] == [cast.client]
    assert dedupe.find_matches(cast.other_brand, who) == []


def test_of_equal_matches_an_open_record_comes_first(cast):
    phone = "+4930999999"
    fields = {"brand": cast.brand, "book": cast.pool, "login": False, "phone": phone}
    closed = make_client(email="1@example.com", **fields)
    still = make_client(email="2@example.com", **fields)
    Client.objects.filter(pk=closed.pk).update(stage="closed")
    who = dedupe.person(email="", phone=phone, country="", last_name="")
    assert [match.client for match in dedupe.find_matches(cast.brand, who)] == [still, closed]


@pytest.mark.parametrize(("length", "is_address"), [(253, True), (254, True), (255, False)])
def test_an_address_has_254_letters(length, is_address):
    host = "@" + ".".join(["d" * 60] * 3) + ".example"
    local = "a" * 40
    address = f"{local}{host}"
    address = f"{local}@{'e' * (length - len(address) - 1)}.{host[1:]}"
    assert len(address) == length
    assert (clean_email(address) == address) is is_address


# ── what a lead is worth ─────────────────────────────────────────────────────────────────────────────────────────────
def points(kind: str, seen: Signals, value: int = 10, **parameters) -> int:
    return sum(row["points"] for row in scoring.score(seen, [Rule(1, "R", kind, parameters, value)]).reasons)


@pytest.mark.parametrize(
    ("values", "score"),
    [((-1,), 0), ((0,), 0), ((1,), 1), ((99,), 99), ((60, 40), 100), ((60, 41), 100), ((50, -60), 0)],
)
def test_a_score_stays_between_0_and_100(values, score):
    rules = [Rule(number, f"R{number}", "base", {}, value) for number, value in enumerate(values)]
    assert scoring.score(Signals(), rules).value == score


@pytest.mark.parametrize(
    ("window", "hour", "is_inside"),
    [
        ((8, 20), 7, False),
        ((8, 20), 8, True),
        ((8, 20), 19, True),
        ((8, 20), 20, False),
        ((22, 6), 21, False),
        ((22, 6), 22, True),
        ((22, 6), 5, True),
        ((22, 6), 6, False),
        ((0, 24), 23, True),
        ((8, 8), 8, False),
    ],
)
def test_hours_run_from_the_first_to_before_the_last(window, hour, is_inside):
    seen = Signals(country="GB", at=NOW.replace(hour=hour))  # winter in London is UTC
    assert bool(points("hour", seen, **{"from": window[0], "to": window[1]})) is is_inside


@pytest.mark.parametrize(("times", "at_least", "counts"), [(1, 2, False), (2, 2, True), (3, 2, True), (2, 3, False)])
def test_coming_again_counts_from_its_number(times, at_least, counts):
    assert bool(points("repeat", Signals(times_seen=times), at_least=at_least)) is counts
    assert bool(points("repeat", Signals(times_seen=times))) is (times >= 2)


@pytest.mark.parametrize(("quality", "expected"), [(None, 0), (0, 0), (1, 2), (5, 8), (10, 15)])
def test_a_campaign_counts_by_its_quality(quality, expected):
    """The nearest even number at a half: 15 × 0.5 is 7.5, and 8 points."""
    assert points("campaign", Signals(campaign="c", campaign_quality=quality), 15) == expected


@pytest.mark.parametrize(("by", "holds"), [(-1, False), (0, True), (9, True), (10, False)])
def test_a_score_rule_ends_before_its_last_day(cast, by, holds):
    ScoreRule.objects.create(
        brand=cast.brand, name="Spring", kind="base", points=5, valid_from=TODAY, valid_to=TODAY + 10 * DAY
    )
    names = {rule.name for rule in scoring.rules_of(cast.brand.pk, TODAY + by * DAY)}
    assert ("Spring" in names) is holds
    assert "Spring" not in {rule.name for rule in scoring.rules_of(cast.other_brand.pk, TODAY + by * DAY)}


@pytest.mark.parametrize(("value", "is_kept"), [(-101, False), (-100, True), (100, True), (101, False)])
def test_the_database_keeps_points_within_a_hundred(cast, value, is_kept):
    fields = {"brand": cast.brand, "name": "X", "kind": "base", "points": value}
    if is_kept:
        ScoreRule.objects.create(**fields)
    else:
        with pytest.raises(IntegrityError, match="within_a_hundred"), transaction.atomic():
            ScoreRule.objects.create(**fields)


# ── who gets a lead ──────────────────────────────────────────────────────────────────────────────────────────────────
def an_agent(*shifts, zone="UTC") -> AgentState:
    return AgentState(1, "Alice", 1, 1, frozenset(["de"]), zoneinfo.ZoneInfo(zone), 10, shifts)


@pytest.mark.parametrize(
    ("moment", "is_there"),
    [
        (NOW.replace(hour=8, minute=59, second=59), False),
        (NOW.replace(hour=9), True),
        (NOW.replace(hour=17, minute=59, second=59), True),
        (NOW.replace(hour=18), False),
        (NOW.replace(hour=9) + DAY, False),
    ],
)
def test_a_shift_runs_from_its_start_to_before_its_end(moment, is_there):
    agent = an_agent((0, dt.time(9), dt.time(18)))
    assert agent.is_on_shift(moment) is is_there
    assert an_agent().is_on_shift(moment), "without shifts somebody is always there"
    begins = agent.at_work_from(moment)
    assert begins == (
        moment if is_there else NOW.replace(hour=9) + (0 if moment.hour < 9 and moment.day == 2 else 7) * DAY
    )


def test_a_shift_is_the_agents_own_hour():
    agent = an_agent((0, dt.time(9), dt.time(18)), zone="Europe/Berlin")
    assert not agent.is_on_shift(NOW.replace(hour=7, minute=59)) and agent.is_on_shift(NOW.replace(hour=8))


@pytest.mark.parametrize(
    ("language", "country", "score", "fits"),
    [
        ("de", "DE", 50, True),
        ("de-AT", "AT", 60, True),
        ("de", "DE", 49, False),
        ("de", "DE", 61, False),
        ("en", "DE", 55, False),
        ("de", "FR", 55, False),
        ("", "DE", 55, False),
    ],
)
def test_a_rule_wants_all_its_conditions(cast, german_rule, language, country, score, fits):
    german = {"language": ["de"], "country": ["DE", "AT", "CH"]}
    RoutingRule.objects.update(condition=where(**german, score_from=50, score_to=60))
    candidate = Candidate(language=language, country=country, score=score)
    assert (Router(cast.brand, NOW).decide(candidate).rule_id is not None) is fits


def given_lead(cast, agent, at: dt.datetime, **fields) -> Lead:
    client = make_client(
        brand=cast.brand, book=agent.books.get(), email=f"g{Lead.objects.count()}@example.com", login=False
    )
    count_given({agent.pk: 1}, at)
    return Lead.objects.create(
        client=client, brand=cast.brand, channel="landing", assigned_to=agent, assigned_at=at, captured_at=at, **fields
    )


@pytest.mark.parametrize(("capacity", "gets_one"), [(1, False), (2, False), (3, True)])
def test_room_today_is_counted_up_to_the_capacity(cast, german_rule, capacity, gets_one):
    User.objects.filter(pk=cast.agent.pk).update(lead_capacity_per_day=capacity)
    for minute in (1, 2):
        given_lead(cast, cast.agent, NOW - minute * MINUTE)
    given_lead(cast, cast.other_agent, NOW)
    assert (Router(cast.brand, NOW).decide(GERMAN).agent_id == cast.agent.pk) is gets_one


def counted(cast):
    found = Router(cast.brand, NOW)
    found.has_room()  # reads the counters
    (state,) = [agent for agent in found.agents if agent.pk == cast.agent.pk]
    return state


@pytest.mark.parametrize(("at", "counts"), [(NOW.replace(hour=0) - SECOND, False), (NOW.replace(hour=0), True)])
def test_todays_leads_are_those_since_the_agents_midnight(cast, german_rule, at, counts):
    User.objects.filter(pk=cast.agent.pk).update(time_zone="UTC")
    given_lead(cast, cast.agent, at)
    assert counted(cast).today == int(counts)


def test_waiting_leads_are_untouched_captures_of_any_age(cast, german_rule):
    RoutingRule.objects.update(strategy="least_loaded")
    given_lead(cast, cast.agent, NOW - 40 * DAY)
    given_lead(cast, cast.agent, NOW, is_duplicate=True)
    given_lead(cast, cast.agent, NOW, touched_at=NOW)
    assert counted(cast).waiting == 1


def test_a_lead_of_no_rule_waits_in_the_brands_pool(cast):
    decision = Router(cast.brand, NOW).decide(GERMAN)
    assert (decision.agent_id, decision.book_id, decision.due_at) == (None, cast.pool.pk, None)
    assert decision.reasons == [{"code": "no_rule"}]


# ── the clock ────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(("late", "is_taken"), [(-SECOND, False), (0 * SECOND, True), (SECOND, True)])
def test_a_lead_is_taken_when_its_time_is_over(cast, german_rule, second_agent, capture, late, is_taken):
    with time_machine.travel(NOW, tick=False):
        lead = capture().lead
        assert lead.sla_due_at == NOW + dt.timedelta(seconds=600)
    with time_machine.travel(lead.sla_due_at + late, tick=False):
        assert due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]]) == is_taken


@pytest.mark.parametrize(("tried", "goes_on"), [(1, True), (2, True), (3, False)])
def test_after_three_agents_it_goes_back_to_the_pool(cast, german_rule, second_agent, capture, tried, goes_on):
    with time_machine.travel(NOW, tick=False):
        lead = capture().lead
        others = [cast.desk_head.pk, cast.retention.pk][: tried - 1]
        Lead.objects.filter(pk=lead.pk).update(tried_agents=[*others, cast.agent.pk])
    with time_machine.travel(NOW + 11 * MINUTE, tick=False):
        assert due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]]) == 1
    lead.refresh_from_db()
    assert lead.assigned_to == (second_agent if goes_on else None)


@pytest.mark.parametrize("waited", [3 * DAY, 400 * DAY])
def test_a_waiting_lead_is_looked_at_however_old_it_is(cast, german_rule, capture, waited):
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=False)
    with time_machine.travel(NOW, tick=False):
        lead = capture().lead
        assert lead.assigned_to is None
    User.objects.filter(pk=cast.agent.pk).update(is_accepting_leads=True)
    with time_machine.travel(NOW + waited, tick=False):
        assert waiting.route_waiting(brand_id=cast.brand.pk).assigned == 1


def test_a_call_to_one_client_stops_no_other_clock(cast, german_rule, capture):
    mine = capture().lead
    other = capture(email="other@example.com", phone="0151 99999999", last_name="Other").lead
    assert sla.touch(client_id=mine.client_id, agent_id=cast.agent.pk) == 1
    other.refresh_from_db()
    assert other.touched_at is None and other.sla_due_at is not None


# ── links, forms, shifts ─────────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def lead_client(cast):
    return make_client(brand=cast.brand, book=cast.book, email="lead@example.com", login=False)


@pytest.mark.parametrize(("wait", "is_sent"), [(59, False), (60, True), (61, True)])
def test_a_link_is_sent_once_a_minute(cast, lead_client, wait, is_sent):
    other = make_client(brand=cast.brand, book=cast.book, email="other@example.com", login=False)
    with time_machine.travel(NOW, tick=False):
        first, _token = invitations.invite(client_id=lead_client.pk, actor=cast.agent)
    with time_machine.travel(NOW + wait * SECOND, tick=False):
        invitations.invite(client_id=other.pk, actor=cast.agent)
        if is_sent:
            invitations.invite(client_id=lead_client.pk, actor=cast.agent)
        else:
            with pytest.raises(DomainError, match="just been sent"):
                invitations.invite(client_id=lead_client.pk, actor=cast.agent)
    first.refresh_from_db()
    assert (first.revoked_at is not None) is is_sent
    assert RegistrationInvitation.objects.filter(revoked_at=None).count() == 2


@pytest.mark.parametrize(("left", "why"), [(SECOND, None), (0 * SECOND, "expired"), (-SECOND, "expired")])
def test_a_link_holds_for_seven_days(cast, lead_client, left, why):
    with time_machine.travel(NOW, tick=False):
        invitation, token = invitations.invite(client_id=lead_client.pk, actor=cast.agent)
        assert invitation.expires_at == NOW + 7 * DAY
    with time_machine.travel(NOW + 7 * DAY - left, tick=False):
        if why is None:
            assert invitations.look_at(token) == invitation
            return
        with pytest.raises(invitations.LinkUnusable) as told:
            invitations.look_at(token)
        assert told.value.why == why


@pytest.mark.parametrize(("age", "why"), [(0, "early"), (2, "early"), (3, ""), (86_400, ""), (86_401, "late")])
def test_a_form_is_filled_in_between_two_seconds_and_a_day(age, why):
    with time_machine.travel(NOW, tick=False):
        stamp = guard.new_stamp()
    with time_machine.travel(NOW + age * SECOND, tick=False):
        found = guard.read_stamp(stamp)
    assert (found.why, found.is_good) == (why, not why)
    assert guard.read_stamp(stamp + "x").why == "forged"


def test_eight_forms_in_ten_minutes_and_not_nine(cast):
    sent = [guard.may_submit(cast.brand.pk, "192.0.2.7") for _time in range(9)]
    assert sent == [True] * 8 + [False]
    assert guard.may_submit(cast.brand.pk, "192.0.2.8") and guard.may_submit(cast.other_brand.pk, "192.0.2.7")


@pytest.mark.parametrize(("count", "is_within"), [(39, True), (40, True), (41, False)])
def test_forty_a_day_and_not_one_more(count, is_within):
    answers = [guard.is_within_limit("test", limit=guard.PER_DAY, seconds=86_400) for _time in range(count)]
    assert answers[-1] is is_within


def hours(*pairs, day=0) -> list[tuple[int, dt.time, dt.time]]:
    return [(day, dt.time(start), dt.time(end)) for start, end in pairs]


@pytest.mark.parametrize(
    ("shifts", "refusal"),
    [
        (hours((9, 13), (13, 18)), None),
        (hours((9, 14), (13, 18)), "overlap"),
        (hours((9, 13)) + hours((9, 13), day=1), None),
        (hours((9, 9)), "end after it starts"),
        (hours((18, 9)), "end after it starts"),
        ([(day, dt.time(hour), dt.time(hour + 1)) for day in range(7) for hour in (8, 12, 16)], None),
        (
            [(day, dt.time(hour), dt.time(hour + 1)) for day in range(7) for hour in (8, 12, 16)] + hours((20, 21)),
            "three",
        ),
    ],
)
def test_shifts_of_a_day_touch_but_do_not_overlap(cast, shifts, refusal):
    if refusal is None:
        setup.set_shifts(agent_id=cast.agent.pk, actor=cast.desk_head, shifts=shifts)
    else:
        with pytest.raises(DomainError, match=refusal):
            setup.set_shifts(agent_id=cast.agent.pk, actor=cast.desk_head, shifts=shifts)
    assert Shift.objects.count() == (0 if refusal else len(shifts))


def test_shifts_of_another_desks_agent_are_not_ours(cast):
    with pytest.raises(NotAllowed, match="desk"):
        setup.set_shifts(agent_id=cast.other_agent.pk, actor=cast.desk_head, shifts=hours((9, 17)))


@pytest.mark.parametrize(("age", "versions"), [(0, 1), (1, 2)])
def test_a_rule_of_today_is_changed_in_place(cast, age, versions):
    fields = {"brand": cast.brand, "name": "X", "kind": "base"}
    with time_machine.travel(NOW - age * DAY, tick=False):
        rule = setup.save_score_rule(actor=cast.marketing, points=5, **fields)
    with time_machine.travel(NOW, tick=False):
        setup.save_score_rule(actor=cast.marketing, rule=rule, points=7, **fields)
    mine = ScoreRule.objects.filter(brand=cast.brand, name="X").order_by("valid_from")
    assert [row.points for row in mine] == [5, 7][2 - versions :]
    assert mine.last().valid_to is None


@pytest.mark.parametrize(("ended", "is_refused"), [(-1, True), (0, True), (1, False)])
@time_machine.travel(NOW, tick=False)
def test_a_version_that_ended_is_not_changed(cast, ended, is_refused):
    fields = {"brand": cast.brand, "name": "X", "kind": "base"}
    rule = ScoreRule.objects.create(**fields, points=5, valid_from=TODAY - 10 * DAY, valid_to=TODAY + ended * DAY)
    if is_refused:
        with pytest.raises(DomainError, match="has ended"):
            setup.save_score_rule(actor=cast.marketing, rule=rule, points=7, **fields)
    else:
        setup.save_score_rule(actor=cast.marketing, rule=rule, points=7, **fields)
    assert ScoreRule.objects.filter(brand=cast.brand).count() == (1 if is_refused else 2)


@pytest.mark.parametrize(
    ("kind", "words", "parameters"),
    [
        ("hour", ["0", "24"], {"from": 0, "to": 24}),
        ("hour", ["0", "25"], None),
        ("hour", ["8"], None),
        ("hour", ["8", "x"], None),
        ("repeat", ["1"], None),
        ("repeat", ["2"], {"at_least": 2}),
        ("repeat", ["3"], {"at_least": 3}),
        ("repeat", ["2", "3"], None),
        ("country", [], None),
        ("country", ["de", "at"], {"countries": ["DE", "AT"]}),
        ("source", ["Google"], {"sources": ["google"]}),
        ("email", ["FREE"], {"is": "free"}),
        ("email", ["free", "own"], None),
        ("phone", ["valid"], {"is": "valid"}),
        ("phone", ["landline"], None),
        ("base", ["x"], {}),
    ],
)
def test_the_words_of_a_score_rule(kind, words, parameters):
    if parameters is None:
        with pytest.raises(ValueError):
            setup_forms.parameters_of(kind, words)
    else:
        assert setup_forms.parameters_of(kind, words) == parameters


@pytest.mark.parametrize(("people", "has_more"), [(2, False), (3, False), (4, True)])
def test_a_column_of_the_board_has_its_most(cast, monkeypatch, people, has_more):
    monkeypatch.setattr(queries, "CARDS_PER_COLUMN", 3)
    for number in range(people):
        make_client(brand=cast.brand, book=cast.book, email=f"b{number}@example.com", login=False)
    make_client(brand=cast.brand, book=cast.other_book, email="else@example.com", login=False)
    column = queries.board(cast.agent)[0]
    assert (len(column.cards), column.has_more) == (min(people, 3), has_more)


def test_a_router_reads_only_its_brands_rules(cast, german_rule):
    assert [rule.pk for rule in Router(cast.brand, NOW).rules] == [german_rule.pk]
    assert Router(cast.other_brand, NOW).rules == []
