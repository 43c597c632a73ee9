import datetime as dt

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from crm import events
from crm.choices import Role
from crm.errors import DomainError, NotAllowed, WrongState
from crm.models import Notification, StaffEmployment
from monitoring import alerts, baselines, tasks, watchlist
from monitoring.choices import AlertState, Severity, Verdict, WatchKind
from monitoring.engine.scoring import LANES
from monitoring.engine.signals import FAMILIES, FEATURES
from monitoring.models import AgentDay, Alert, Baseline, Calibration, DayScore, Decision, Watch
from monitoring.reasons import in_words
from tests.brand_policies import set_policies
from tests.cast import make_staff
from tests.monitoring.factories import DAY, at, look, look_often, ordinary_history

pytestmark = pytest.mark.django_db
AFTERWARDS = dt.datetime.combine(DAY + dt.timedelta(days=1), dt.time(13), tzinfo=dt.UTC)


@pytest.fixture
def desk(cast):
    """Ten agents with six weeks of ordinary days; `cast.agent` is one of them."""
    people = [cast.agent, cast.other_agent] + [
        make_staff(f"agent{n}@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk) for n in range(8)
    ]
    ordinary_history(people, DAY)
    baselines.learn_days(DAY - dt.timedelta(days=45), DAY - dt.timedelta(days=1))
    for person in people[1:]:
        look_often(person, DAY, 14, from_hour=9)
    return people


def close():
    return alerts.raise_alerts(baselines.close_days(now=AFTERWARDS))


@pytest.fixture
def flood(desk, cast):
    """150 records in one afternoon, 61 outside the own book."""
    look_often(cast.agent, DAY, 150, outside=61)
    raised = close()
    assert [alert.agent for alert in raised] == [cast.agent]
    return raised[0]


def test_a_flood_of_opens_raises_one_alert_that_says_why(flood, cast):
    assert (flood.day, flood.state, flood.desk) == (DAY, "open", cast.desk)
    assert flood.severity in (Severity.HIGH, Severity.SEVERE)
    words = " | ".join(in_words(reason) for reason in flood.reasons)
    assert "150" in words and "baseline" in words and "61 clients outside own book" in words
    assert "mostly between 13:2" in words and "peer median that day 14" in words


def test_ordinary_days_raise_nothing(desk, cast):
    look_often(cast.agent, DAY, 14, from_hour=9)
    assert close() == [] and not Alert.objects.exists()


def test_closing_again_finds_nothing_to_do(flood):
    before = Baseline.objects.order_by("pk").values_list("slow_count", flat=True)[0]
    assert baselines.close_days(now=AFTERWARDS) == []
    assert Baseline.objects.order_by("pk").values_list("slow_count", flat=True)[0] == before
    assert Alert.objects.count() == 1 and DayScore.objects.get(agent=flood.agent, day=DAY).is_final


def test_the_head_of_the_desk_is_told_and_nobody_else(flood, cast):
    events.drain()
    told = Notification.objects.filter(kind="monitoring.alert_raised")
    assert [row.user for row in told] == [cast.desk_head]
    assert "150" in told[0].body and told[0].url == flood.get_absolute_url()


def test_the_open_day_is_scored_while_it_runs_and_its_alert_keeps_up(desk, cast):
    look_often(cast.agent, DAY, 230, from_hour=10)
    raised = alerts.raise_alerts(baselines.score_open_days(now=at(17)))
    assert [alert.agent for alert in raised] == [cast.agent]
    look_often(cast.agent, DAY, 20, from_hour=17, first=500)
    assert alerts.raise_alerts(baselines.score_open_days(now=at(18))) == []
    assert Alert.objects.get().reasons[0]["observed"] == 250
    assert not DayScore.objects.get(agent=cast.agent, day=DAY).is_final
    assert Baseline.objects.filter(through__gte=DAY).count() == 0


def test_a_decided_alert_is_not_changed_by_later_figures(flood, cast):
    alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="campaign")
    reasons = Alert.objects.get().reasons
    look_often(cast.agent, DAY, 40, from_hour=19)
    alerts.raise_alerts(baselines.score_open_days(now=at(23)))
    alert = Alert.objects.get()
    assert (alert.state, alert.reasons) == (AlertState.DECIDED, reasons)


def test_before_two_weeks_of_history_only_rules_raise_alerts(cast):
    look_often(cast.agent, DAY, 150)
    look(cast.other_agent, at(10), "export", rows=5000, in_book=None)
    raised = close()
    assert [(alert.agent, alert.rules) for alert in raised] == [(cast.other_agent, ["bulk_export"])]
    assert "exported 5,000 rows" in in_words(raised[0].reasons[0])


def test_an_export_within_the_own_custom_is_no_bulk_export(cast):
    AgentDay.objects.create(
        agent=cast.other_agent, day=DAY - dt.timedelta(days=3), exports=1, export_rows=1500, active_hours=5
    )
    look(cast.other_agent, at(10), "export", rows=5000, in_book=None)
    assert close() == []


def test_a_leavers_export_is_an_alert_from_fifty_rows_on(cast):
    watchlist.watch(
        agent_id=cast.agent.pk, kind=WatchKind.NOTICE, from_on=DAY, to_on=DAY, reason="notice", actor=cast.desk_head
    )
    look(cast.agent, at(10), "export", rows=60, in_book=None)
    look(cast.other_agent, at(10), "export", rows=60, in_book=None)
    assert [(alert.agent, alert.rules) for alert in close()] == [(cast.agent, ["leaver_takes"])]


def test_of_a_watched_person_and_a_leaver_less_is_needed(desk, cast):
    look_often(cast.agent, DAY, 22, from_hour=9)
    found = baselines.close_days(now=AFTERWARDS)
    place = list(found[0].agents).index(cast.agent.pk)
    found[0].probability[place], found[0].omnibus[place] = 0.05, 1e-9
    DayScore.objects.filter(agent=cast.agent, day=DAY).update(
        feature_p=[0.001] * len(FEATURES), family_p=[0.004] * len(FAMILIES), probability=0.05
    )
    assert alerts.raise_alerts(found) == []
    with transaction.atomic():
        StaffEmployment.objects.create(user=cast.agent, notice_on=DAY, leaves_on=DAY + dt.timedelta(days=30))
        assert [alert.was_watched for alert in alerts.raise_alerts(found)] == [True]
        set_policies(cast.brand, notice_alert_times=1)
        Alert.objects.all().delete()
        assert alerts.raise_alerts(found) == []
        transaction.set_rollback(True)
    cast.brand.refresh_from_db()
    watchlist.watch(
        agent_id=cast.agent.pk,
        kind=WatchKind.PRIVILEGED,
        from_on=DAY,
        to_on=DAY,
        reason="new rights",
        actor=cast.desk_head,
    )
    raised = alerts.raise_alerts(found)
    assert [alert.was_watched for alert in raised] == [True]


def test_one_alert_per_agent_and_day_is_held_by_the_database(flood):
    with pytest.raises(IntegrityError, match="one_alert_per_agent_and_day"), transaction.atomic():
        Alert.objects.create(
            agent=flood.agent,
            brand=flood.brand,
            day=flood.day,
            severity="high",
            probability=0,
            raised_at=AFTERWARDS,
            updated_at=AFTERWARDS,
        )


# ── reviewing ──────────────────────────────────────────────────────────────────────────────────────────────────────
def test_the_head_takes_reviews_and_decides(flood, cast):
    alerts.take(alert_id=flood.pk, actor=cast.desk_head)
    decision = alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="The webinar list.")
    flood.refresh_from_db()
    assert (flood.state, flood.reviewer, decision.agent) == ("decided", cast.desk_head, cast.agent)
    with pytest.raises(WrongState):
        alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="again")
    assert Decision.objects.count() == 1


def test_a_decision_needs_its_reason(flood, cast):
    with pytest.raises(DomainError, match="Enter a reason"):
        alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="  ")
    flood.refresh_from_db()
    assert flood.state == "open"


def test_what_somebody_else_reviews_is_theirs_until_they_give_it_back(flood, cast):
    alerts.take(alert_id=flood.pk, actor=cast.mlro)
    with pytest.raises(NotAllowed, match="reviewing"):
        alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="x")
    alerts.give_back(alert_id=flood.pk, actor=cast.mlro)
    alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="x")


@pytest.mark.parametrize("who", ["agent", "finance", "auditor"])
def test_others_decide_nothing_and_nothing_changed(flood, cast, who):
    with pytest.raises(NotAllowed):
        alerts.decide(alert_id=flood.pk, actor=getattr(cast, who), verdict=Verdict.TASK, text="x")
    assert not Decision.objects.exists()


def test_nobody_reviews_their_own_alert_nor_that_of_their_head(cast):
    alert = Alert.objects.create(
        agent=cast.desk_head,
        brand=cast.brand,
        desk=cast.desk,
        day=DAY,
        severity="high",
        probability=0,
        raised_at=AFTERWARDS,
        updated_at=AFTERWARDS,
    )
    second = make_staff("deputy@meridian.example", Role.DESK_HEAD, brand=cast.brand, desk=cast.desk, reaches=cast.desk)
    for person, told in ((cast.desk_head, "about yourself"), (second, "head of your own desk")):
        with pytest.raises(NotAllowed, match=told):
            alerts.take(alert_id=alert.pk, actor=person)
    alerts.take(alert_id=alert.pk, actor=cast.mlro)


def test_the_database_refuses_a_decision_on_oneself_and_any_change_of_one(flood, cast):
    with pytest.raises(IntegrityError, match="nobody_decides_on_themselves"), transaction.atomic():
        Decision.objects.create(
            alert=flood, agent=cast.agent, reviewer=cast.agent, verdict="task", text="x", decided_at=AFTERWARDS
        )
    decision = alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="campaign")
    decision.text = "else"
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        decision.save()


def test_a_changed_role_starts_a_new_habit(flood, cast):
    before = Baseline.objects.get(agent=cast.agent, feature="views").slow_hours
    alerts.decide(alert_id=flood.pk, actor=cast.desk_head, verdict=Verdict.CHANGE, text="retention now")
    after = Baseline.objects.get(agent=cast.agent, feature="views")
    assert after.slow_hours == pytest.approx(before * 0.1) and after.fast_hours == 0


# ── the watchlist, the tasks ─────────────────────────────────────────────────────────────────────────────────────────
def test_one_watch_at_a_time_with_a_reason_and_an_end(cast):
    fields = {"agent_id": cast.agent.pk, "kind": WatchKind.NOTICE, "from_on": DAY, "to_on": DAY + dt.timedelta(days=9)}
    first = watchlist.watch(**fields, reason="notice", actor=cast.desk_head)
    with pytest.raises(WrongState, match="already"):
        watchlist.watch(**fields, reason="again", actor=cast.desk_head)
    with pytest.raises(DomainError, match="before the start date"):
        watchlist.watch(**{**fields, "to_on": DAY - dt.timedelta(days=1)}, reason="x", actor=cast.desk_head)
    watchlist.end_watch(watch_id=first.pk, actor=cast.desk_head, reason="stays after all")
    watchlist.watch(**fields, reason="again", actor=cast.desk_head)
    assert Watch.objects.count() == 2


def test_nobody_watches_people_of_another_desk_or_themselves(cast):
    fields = {"kind": WatchKind.NOTICE, "from_on": DAY, "to_on": DAY, "reason": "x"}
    with pytest.raises(NotAllowed, match="desk"):
        watchlist.watch(agent_id=cast.other_agent.pk, actor=cast.desk_head, **fields)
    with pytest.raises(NotAllowed, match="yourself"):
        watchlist.watch(agent_id=cast.desk_head.pk, actor=cast.desk_head, **fields)
    with pytest.raises(NotAllowed):
        watchlist.watch(agent_id=cast.other_agent.pk, actor=cast.agent, **fields)


def test_the_tasks_do_their_round_on_an_empty_house_and_again(cast):
    for _time in range(2):
        assert tasks.close_days() == 0
        assert tasks.score_open_days() == 0


def test_closing_a_day_costs_the_same_number_of_queries_however_many_agents(desk, django_assert_max_num_queries):
    with django_assert_max_num_queries(31):
        baselines.close_days(now=AFTERWARDS)


def test_tails_are_fitted_once_there_are_enough_days(cast):
    people = [make_staff(f"p{n}@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk) for n in range(10)]
    ordinary_history(people, DAY, days=60)
    baselines.learn_days(DAY - dt.timedelta(days=60), DAY)
    assert Calibration.objects.values("family").distinct().count() == len(LANES) + 1
