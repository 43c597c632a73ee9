"""A day that is closed late, after an outage or from a restored log, is judged as on its own day."""

import datetime as dt

import pytest
from django.utils import timezone

from crm.choices import Role
from monitoring import alerts, baselines, rules
from monitoring.choices import Rule, WatchKind
from monitoring.models import AgentDay, Alert, Calibration, Watch
from tests.cast import make_staff
from tests.monitoring.factories import at, look, ordinary_history

pytestmark = pytest.mark.django_db
LONG_AGO = dt.date(2024, 9, 12)  # a Thursday, further back than scores are remembered


@pytest.fixture
def people(cast):
    made = [make_staff(f"agent{n}@meridian.example", Role.AGENT, brand=cast.brand, desk=cast.desk) for n in range(9)]
    ordinary_history([cast.agent, *made], LONG_AGO, days=70)
    return [cast.agent, *made]


def days_before(count: int) -> dt.date:
    return LONG_AGO - dt.timedelta(days=count)


def test_tails_are_fitted_to_the_days_before_the_closed_one(people):
    baselines.learn_days(days_before(70), days_before(8))
    fitted = Calibration.objects.latest("fitted_on")
    assert fitted.agent_days >= 400
    baselines.learn_days(days_before(7), days_before(1))
    later = Calibration.objects.latest("fitted_on")
    assert later.fitted_on > fitted.fitted_on
    assert later.agent_days > fitted.agent_days, "the past was not lost because it is long ago"


def test_tails_that_were_fitted_later_judge_no_earlier_day(people):
    groups = baselines.groups_of_agents()
    Calibration.objects.create(
        family="volume", fitted_on=timezone.now().date(), threshold=9.0, scale=1.0, agent_days=500
    )
    assert baselines.load_scorer(groups, before=LONG_AGO).tails == {}
    assert baselines.load_scorer(groups, before=timezone.now().date() + dt.timedelta(days=1)).tails


def test_whoever_was_watched_on_the_day_is_though_it_ended_since(cast, people):
    Watch.objects.create(
        agent=cast.agent,
        kind=WatchKind.NOTICE,
        from_on=days_before(3),
        to_on=LONG_AGO + dt.timedelta(days=30),
        reason="Leaves",
        made_by=cast.administrator,
        ended_at=at(12, 0, LONG_AGO + dt.timedelta(days=5)),
    )
    baselines.learn_days(days_before(70), days_before(1))
    look(cast.agent, at(10, 0, LONG_AGO), "export", rows=60)
    raised = alerts.raise_alerts(baselines.close_days(now=at(13, 0, LONG_AGO + dt.timedelta(days=1))))
    assert [alert.rules for alert in raised] == [[Rule.LEAVER_TAKES]]
    assert Alert.objects.get().was_watched
    after = LONG_AGO + dt.timedelta(days=6)
    AgentDay.objects.create(agent=cast.agent, day=after, export_rows=60)
    assert rules.broken_on(after, baselines.groups_of_agents()) == {}
