"""A burst raises its alert within a minute: whose running day is looked at again, and what comes of it."""

import datetime as dt

import pytest

from monitoring import alerts, baselines, bursts
from monitoring.models import AgentDay
from tests.monitoring.factories import DAY, at, look
from tests.monitoring.test_alerts import desk

__all__ = ["desk"]
pytestmark = pytest.mark.django_db
NOW = at(14)


def open_clients(user, count, *, until=NOW, outside=True):
    for n in range(count):
        look(user, until - dt.timedelta(seconds=2 + 3 * n), client=50_000 + 13 * n, in_book=not outside)


def test_ordinary_work_is_no_burst(cast):
    open_clients(cast.agent, bursts.CLIENTS - 1)
    look(cast.agent, NOW, "export", rows=bursts.ROWS - 1)
    assert bursts.agents_in_a_burst(now=NOW) == []


@pytest.mark.parametrize(("kind", "rows", "times"), [("export", 200, 1), ("reveal", 1, 6), ("view", 100, 2)])
def test_much_of_one_kind_is_a_burst(cast, kind, rows, times):
    for n in range(times):
        look(cast.agent, NOW - dt.timedelta(seconds=n), kind, rows=rows)
    assert bursts.agents_in_a_burst(now=NOW) == [cast.agent.pk]


def test_a_burst_that_is_over_is_not_looked_at_again(cast):
    open_clients(cast.agent, 40, until=NOW - dt.timedelta(minutes=2))
    assert bursts.agents_in_a_burst(now=NOW) == []


def test_a_burst_raises_its_alert_while_the_session_runs(desk, cast):
    baselines.score_open_days(now=NOW)
    others = dict(AgentDay.objects.filter(day=DAY).exclude(agent=cast.agent).values_list("agent", "clients"))
    open_clients(cast.agent, 70)
    assert bursts.agents_in_a_burst(now=NOW) == [cast.agent.pk]
    raised = alerts.raise_alerts(baselines.score_open_days(now=NOW, agent_ids=[cast.agent.pk]), at=NOW)
    assert [alert.agent for alert in raised] == [cast.agent] and raised[0].day == DAY
    assert AgentDay.objects.get(agent=cast.agent, day=DAY).clients == 70
    assert dict(AgentDay.objects.filter(day=DAY).exclude(agent=cast.agent).values_list("agent", "clients")) == others
