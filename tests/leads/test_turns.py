"""Turns, shares and capacities: exact, whatever is decided at the same time."""

import datetime as dt
import threading
from collections import Counter

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.db.models import Max
from django.utils import timezone
from hypothesis import HealthCheck, example, settings
from hypothesis import given as whatever
from hypothesis import strategies as st

from crm.brand_policies.registry import today
from crm.models import User
from crm.staff.policy_changes import change_policy
from leads import imports
from leads.choices import ImportState, OffShift, RowVerdict, Strategy
from leads.distribution.referrers import _OWNERS
from leads.distribution.turns import count_given
from leads.import_files import applying
from leads.models import Absence, AgentCount, Lead, LeadImport, LeadImportRow, RoutingRule, RuleTurn, Shift
from leads.routing import Candidate, Router, explain
from leads.setup_forms import RoutingRuleForm

GERMAN = Candidate(language="de", country="DE", source="google", campaign="de-search", score=60)
WORKERS = 8


def assign(cast, lead=GERMAN, at=None):
    return Router(cast.brand, at or timezone.now()).assign(lead)


def given(cast, number, lead=GERMAN):
    return [assign(cast, lead).agent_id for _ in range(number)]


def counts():
    return dict(AgentCount.objects.filter(given__gt=0).values_list("agent_id", "given"))


def a_file(cast, lines, first=2):
    batch = LeadImport.objects.create(
        brand=cast.brand, owner=cast.desk_head, file_name="leads.csv", state=ImportState.IMPORTING
    )
    LeadImportRow.objects.bulk_create(
        LeadImportRow(
            batch=batch,
            line=line,
            verdict=RowVerdict.NEW,
            first_name="Eva",
            last_name=f"L{line}",
            email=f"file{line}@web.de",
            email_canonical=f"file{line}@web.de",
            country="DE",
            language="de",
        )
        for line in range(first, first + lines)
    )
    return batch


@pytest.mark.django_db
def test_weighted_shares_are_exact_over_each_round(cast, german_rule, second_agent):
    RoutingRule.objects.update(strategy=Strategy.WEIGHTED, weights={str(second_agent.pk): 3})
    assert Counter(given(cast, 40)) == {cast.agent.pk: 10, second_agent.pk: 30}


@pytest.mark.django_db
def test_only_the_first_rules_agents_are_held_while_it_has_one(cast, german_rule, second_agent):
    """The rest of the brand isn't kept waiting; where the first rule has nobody, all are taken together."""
    german_rule.agents.set([cast.agent])
    RoutingRule.objects.create(
        brand=cast.brand, name="rest", position=90, desk=german_rule.desk, condition=german_rule.condition
    )
    User.objects.filter(pk=cast.agent.pk).update(lead_capacity_per_day=1)
    routers = [Router(cast.brand, timezone.now()) for _ in range(2)]
    assert [router.assign(GERMAN).agent_id for router in routers] == [cast.agent.pk, second_agent.pk]
    assert set(routers[0].counters.agents) == {cast.agent.pk}
    assert set(routers[1].counters.agents) >= {cast.agent.pk, second_agent.pk}
    assert counts() == {cast.agent.pk: 1, second_agent.pk: 1}


@pytest.mark.django_db
def test_the_best_command_of_the_language_comes_first(cast, german_rule, second_agent):
    RoutingRule.objects.update(strategy=Strategy.LANGUAGE)
    User.objects.filter(pk=cast.agent.pk).update(languages=["en", "de"])
    User.objects.filter(pk=second_agent.pk).update(languages=["de-CH"], lead_capacity_per_day=1)
    decisions = [assign(cast) for _ in range(2)]
    assert [decision.agent_id for decision in decisions] == [second_agent.pk, cast.agent.pk]
    assert explain(decisions[0].reasons)[-1] == f"{second_agent} speaks de best"


@pytest.mark.django_db
def test_a_referred_lead_goes_to_who_owns_the_partners_record(cast, german_rule, second_agent, monkeypatch):
    monkeypatch.setattr(
        "leads.distribution.referrers._OWNERS", [lambda _brand, codes: dict.fromkeys(codes, second_agent.pk)]
    )
    assert _OWNERS, "the partners' app has registered its answer"
    RoutingRule.objects.update(strategy=Strategy.REFERRER)
    referred = Candidate(language="de", country="DE", referral_code="abc")
    assert given(cast, 3, referred) == [second_agent.pk] * 3
    assert assign(cast).agent_id == cast.agent.pk, "without a referrer in turn"


@pytest.mark.django_db
def test_an_absence_is_the_agents_own_days(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(time_zone="Pacific/Auckland")
    Absence.objects.create(agent=cast.agent, starts_on=dt.date(2026, 11, 3), ends_on=dt.date(2026, 11, 3))
    RoutingRule.objects.update(off_shift=OffShift.ASSIGN)
    auckland = dt.timezone(dt.timedelta(hours=13))
    assert assign(cast, at=dt.datetime(2026, 11, 2, 23, 59, tzinfo=auckland)).agent_id == cast.agent.pk
    away = assign(cast, at=dt.datetime(2026, 11, 3, 0, 0, tzinfo=auckland))
    assert away.agent_id is None and "0 of 1 aren't absent today" in explain(away.reasons)
    assert assign(cast, at=dt.datetime(2026, 11, 4, 0, 0, tzinfo=auckland)).agent_id == cast.agent.pk


@pytest.mark.django_db
def test_the_clock_starts_with_the_first_shift_after_an_absence(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(time_zone="UTC")
    RoutingRule.objects.update(off_shift=OffShift.ASSIGN)
    for weekday in range(7):
        Shift.objects.create(agent=cast.agent, weekday=weekday, starts=dt.time(9), ends=dt.time(17))
    Absence.objects.create(agent=cast.agent, starts_on=dt.date(2026, 11, 3), ends_on=dt.date(2026, 11, 5))
    evening = dt.datetime(2026, 11, 2, 20, 0, tzinfo=dt.UTC)
    assert assign(cast, at=evening).clock_from == dt.datetime(2026, 11, 6, 9, 0, tzinfo=dt.UTC)


@pytest.mark.django_db
def test_what_no_shifts_mean_is_the_brands_policy(cast, german_rule):
    assert assign(cast).agent_id == cast.agent.pk
    change_policy(
        brand_id=cast.brand.pk,
        key="lead_agents_without_shifts",
        value="never",
        effective_on=today(cast.brand),
        actor=None,
        reason="Shifts are entered for all",
    )
    cast.brand.refresh_from_db()
    decision = assign(cast)
    assert decision.agent_id is None and "0 of 1 are on shift" in explain(decision.reasons)


@pytest.mark.django_db
def test_leads_given_by_hand_use_the_days_capacity(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(lead_capacity_per_day=2)
    count_given({cast.agent.pk: 1}, timezone.now())
    assert given(cast, 2) == [cast.agent.pk, None]


@pytest.mark.django_db
def test_a_failed_batch_takes_its_turns_with_it(cast, german_rule, second_agent, monkeypatch):
    assert given(cast, 1) == [cast.agent.pk]
    batch = a_file(cast, 5)
    monkeypatch.setattr("leads.import_files.writing.Writer._tell", lambda *_args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        imports.run(batch, lambda *_report: None)
    assert counts() == {cast.agent.pk: 1}
    assert not Lead.objects.exists() and LeadImport.objects.get().written == {}
    assert given(cast, 1) == [second_agent.pk]


@pytest.mark.django_db
def test_a_person_who_came_meanwhile_takes_no_turn_in_the_file(cast, german_rule, second_agent, capture):
    batch = a_file(cast, 3)
    capture(email="file2@web.de")
    imports.run(batch, lambda *_report: None)
    fresh = Lead.objects.filter(is_duplicate=False)
    assert Counter(fresh.values_list("assigned_to", flat=True)) == counts()


@pytest.mark.django_db
def test_leads_of_a_batch_before_count_as_waiting(cast, german_rule, second_agent, monkeypatch):
    RoutingRule.objects.update(strategy=Strategy.LEAST_LOADED)
    monkeypatch.setattr(applying, "BATCH_ROWS", 1)
    imports.run(a_file(cast, 3), lambda *_report: None)
    assert sorted(counts().values()) == [1, 2]
    (busiest,) = [pk for pk, leads in counts().items() if leads == 2]
    assert given(cast, 1) != [busiest]


@pytest.mark.django_db(transaction=True)
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@example(weights=(1, 2), each=15, rounds=30)
@whatever(weights=st.tuples(st.integers(1, 5), st.integers(1, 5)), each=st.integers(1, 5), rounds=st.integers(1, 5))
def test_shares_and_capacities_are_exact_under_eight_workers_with_an_import_between(
    cast, german_rule, second_agent, monkeypatch, weights, each, rounds
):
    """Whatever the weights: eight threads of some leads each, and a file in batches of 20 in the middle of them."""
    monkeypatch.setattr(applying, "BATCH_ROWS", 20)
    agents = [cast.agent.pk, second_agent.pk]
    by_agent = dict(zip(agents, weights, strict=True))
    RoutingRule.objects.update(strategy=Strategy.WEIGHTED, weights={str(pk): weight for pk, weight in by_agent.items()})
    User.objects.filter(pk__in=agents).update(lead_capacity_per_day=1_000)
    for model in (RuleTurn, AgentCount):
        model.objects.all().delete()
    rounds += WORKERS * each // sum(weights)
    newest = Lead.objects.aggregate(pk=Max("pk", default=0))["pk"]
    batch = a_file(cast, rounds * sum(weights) - WORKERS * each, first=newest + 2)
    chosen, failures, start = Counter(), [], threading.Barrier(WORKERS + 1)
    holding = threading.Lock()

    def work(task):
        try:
            start.wait(timeout=60)
            task()
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    def live():
        for _ in range(each):
            with transaction.atomic():
                decision = assign(cast)
            with holding:
                chosen[decision.agent_id] += 1

    tasks = [live] * WORKERS + [lambda: imports.run(batch, lambda *_report: None)]
    threads = [threading.Thread(target=work, args=[task]) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    chosen.update(Lead.objects.filter(pk__gt=newest).values_list("assigned_to", flat=True))
    assert chosen == {pk: weight * rounds for pk, weight in by_agent.items()}
    assert counts() == chosen
    assert RuleTurn.objects.count() == 2 and connection.vendor == "postgresql"


@pytest.mark.django_db(transaction=True)
def test_a_capacity_is_never_exceeded_by_decisions_at_the_same_time(cast, german_rule):
    User.objects.filter(pk=cast.agent.pk).update(lead_capacity_per_day=10)
    chosen, holding = Counter(), threading.Lock()

    def live():
        try:
            for _ in range(4):
                with transaction.atomic():
                    decision = assign(cast)
                with holding:
                    chosen[decision.agent_id] += 1
        finally:
            connections.close_all()

    threads = [threading.Thread(target=live) for _worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert chosen == {cast.agent.pk: 10, None: 22}


@pytest.mark.django_db
def test_shares_and_absences_are_entered_on_the_forms(cast, german_rule, browse):
    """And what overlaps or names a stranger is answered with what to write instead."""
    head = browse(cast.desk_head)
    hours = f"/lead-rules/shifts/{cast.agent.pk}/"
    coming = timezone.localdate() + dt.timedelta(days=30)
    entered = {
        "starts_0": "09:00",
        "ends_0": "17:00",
        "starts_on_0": coming.isoformat(),
        "ends_on_0": coming.isoformat(),
    }
    head.post(hours, entered)
    assert Absence.objects.get().starts_on == coming and Shift.objects.count() == 1
    twice = {**entered, "starts_on_1": coming.isoformat(), "ends_on_1": coming.isoformat()}
    assert "Two absences overlap." in head.post(hours, twice).content.decode()
    head.post(hours, {"starts_0": "09:00", "ends_0": "17:00"})
    assert not Absence.objects.exists()
    form = RoutingRuleForm(instance=german_rule, actor=cast.desk_head)
    assert form.fields["weights"].clean(f"{cast.agent.email} 3") == {str(cast.agent.pk): 3}
    assert form.fields["weights"].prepare_value({str(cast.agent.pk): 3}) == f"{cast.agent.email} 3"
    for wrong in ("stranger@example.com 3", f"{cast.agent.email} 0", cast.agent.email):
        with pytest.raises(ValidationError):
            form.fields["weights"].clean(wrong)
