"""Deciding an alert: what each verdict teaches, and what the page says."""

import pytest
from django.urls import reverse

from crm import approvals
from crm.models import AuditEvent
from monitoring import alerts
from monitoring.choices import AlertState, Verdict
from monitoring.models import AgentDay, Baseline, ConfirmationProposal, Decision
from tests.monitoring.factories import DAY, at, make_alert

pytestmark = pytest.mark.django_db


@pytest.fixture
def habits(cast):
    """Two agents with a counted day and a habit each."""
    for agent in (cast.agent, cast.other_agent):
        AgentDay.objects.create(agent=agent, day=DAY, active_hours=8, clients=90)
        Baseline.objects.create(
            agent=agent,
            feature="views",
            slow_count=500,
            slow_hours=200,
            fast_count=50,
            fast_hours=20,
            spread=40,
            spread_weight=30,
            days=60,
            through=DAY,
        )
    return make_alert(cast.agent)


def excluded(agent) -> bool:
    return AgentDay.objects.get(agent=agent, day=DAY).is_excluded


def confirmed(alert, cast, text="Sold the list."):
    """Found by compliance, confirmed by an administrator."""
    alerts.decide(alert_id=alert.pk, actor=cast.mlro, verdict=Verdict.CONFIRMED, text=text)
    item = ConfirmationProposal.objects.get(state="pending")
    return approvals.approve(ConfirmationProposal, item.pk, actor=cast.administrator)


@pytest.mark.parametrize("verdict", Verdict)
def test_what_a_verdict_teaches_the_baseline(habits, cast, verdict):
    if verdict == Verdict.CONFIRMED:
        confirmed(habits, cast)
    else:
        alerts.decide(alert_id=habits.pk, actor=cast.mlro, verdict=verdict, text="Asked and answered.")
    mine, others = (Baseline.objects.get(agent=agent) for agent in (cast.agent, cast.other_agent))
    assert mine.slow_hours == (20 if verdict == Verdict.CHANGE else 200)
    assert (mine.fast_hours, mine.days) == ((0, 6) if verdict == Verdict.CHANGE else (20, 60))
    assert excluded(cast.agent) is (verdict == Verdict.CONFIRMED)
    assert (others.slow_hours, others.fast_hours, excluded(cast.other_agent)) == (200, 20, False)


def test_a_confirmed_misuse_excludes_that_day_only(habits, cast):
    AgentDay.objects.create(agent=cast.agent, day=DAY.replace(day=9), active_hours=8)
    confirmed(habits, cast)
    assert list(AgentDay.objects.filter(is_excluded=True).values_list("agent_id", "day")) == [(cast.agent.pk, DAY)]


def test_a_decision_keeps_who_when_and_why(habits, cast):
    decision = alerts.decide(
        alert_id=habits.pk, actor=cast.mlro, verdict=Verdict.TASK, text="  The webinar list. ", at=at(23, 30)
    )
    habits.refresh_from_db()
    assert (habits.state, habits.reviewer, habits.decided_at) == (AlertState.DECIDED, cast.mlro, at(23, 30))
    assert (decision.text, decision.verdict, decision.decided_at) == ("The webinar list.", "task", at(23, 30))
    event = AuditEvent.objects.get(action="monitoring.alert_decided")
    assert (event.actor_id, event.brand_id) == (cast.mlro.pk, cast.brand.pk)


def test_the_form_is_sent_back_when_somebody_else_reviews(habits, cast, browse):
    alerts.take(alert_id=habits.pk, actor=cast.mlro)
    address = reverse("monitoring_decide", args=[habits.pk])
    page = browse(cast.desk_head).post(address, {"verdict": "task", "text": "mine"}).content.decode()
    assert "Mlro Tester is reviewing this alert." in page
    assert not Decision.objects.exists()


@pytest.mark.parametrize(("length", "is_kept"), [(1, True), (2000, True), (2001, False)])
def test_a_reason_has_up_to_two_thousand_letters(habits, cast, browse, length, is_kept):
    address = reverse("monitoring_decide", args=[habits.pk])
    browse(cast.desk_head).post(address, {"verdict": "task", "text": "w" * length})
    assert Decision.objects.exists() is is_kept


@pytest.mark.parametrize("verdict", ["", "fired"])
def test_an_unknown_verdict_decides_nothing(habits, cast, browse, verdict):
    address = reverse("monitoring_decide", args=[habits.pk])
    response = browse(cast.desk_head).post(address, {"verdict": verdict, "text": "kept words"})
    assert "kept words" in response.content.decode() and not Decision.objects.exists()


def test_the_next_alert_shows_the_earlier_ones_of_that_person(habits, cast, browse):
    earlier = make_alert(cast.agent, day=DAY.replace(day=3))
    of_another = make_alert(cast.other_agent, day=DAY.replace(day=4))
    page = browse(cast.mlro).get(habits.get_absolute_url()).content.decode()
    assert earlier.get_absolute_url() in page and of_another.get_absolute_url() not in page
