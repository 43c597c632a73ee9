"""Two people on confirmed misuse, and what it takes out of the baseline."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from crm import approvals
from crm.errors import NotAllowed, WrongState
from monitoring import alerts, baselines
from monitoring.choices import Verdict
from monitoring.models import AgentDay, Alert, Baseline, ConfirmationProposal, Decision
from tests.monitoring.factories import DAY, at, make_alert, ordinary_history

pytestmark = pytest.mark.django_db


def find(alert: Alert, actor) -> ConfirmationProposal:
    alerts.decide(alert_id=alert.pk, actor=actor, verdict=Verdict.CONFIRMED, text="Sold the list.")
    return ConfirmationProposal.objects.get(state="pending")


def test_one_person_alone_confirms_nothing(cast):
    alert = make_alert(cast.agent)
    item = find(alert, cast.desk_head)
    assert not Decision.objects.exists() and Alert.objects.get().state == "in_review"
    for verb in (alerts.give_back, lambda **given: alerts.decide(verdict=Verdict.TASK, text="x", **given)):
        with pytest.raises(NotAllowed, match="awaits second approval"):
            verb(alert_id=alert.pk, actor=cast.desk_head)
    for person in (cast.desk_head, cast.agent, cast.other_agent, cast.finance):
        with pytest.raises(NotAllowed):
            approvals.approve(ConfirmationProposal, item.pk, actor=person)
    approvals.approve(ConfirmationProposal, item.pk, actor=cast.mlro)
    decision = Decision.objects.get()
    assert (decision.reviewer, decision.second, decision.text) == (cast.desk_head, cast.mlro, "Sold the list.")
    assert Alert.objects.get().state == "decided"
    with pytest.raises(WrongState):
        approvals.approve(ConfirmationProposal, item.pk, actor=cast.mlro)


def test_a_rejected_finding_goes_back_to_its_reviewer(cast):
    alert = make_alert(cast.agent)
    item = find(alert, cast.desk_head)
    approvals.reject(ConfirmationProposal, item.pk, actor=cast.mlro, note="He was asked to do it.")
    decision = alerts.decide(alert_id=alert.pk, actor=cast.desk_head, verdict=Verdict.TASK, text="A task.")
    assert decision is not None and not AgentDay.objects.filter(is_excluded=True).exists()


def test_the_database_refuses_misuse_confirmed_by_one(cast):
    alert = make_alert(cast.agent)
    for second in (None, cast.mlro, cast.agent):
        with pytest.raises(IntegrityError, match="confirmed_misuse_has_a_second_person"), transaction.atomic():
            Decision.objects.create(
                alert=alert,
                agent=cast.agent,
                reviewer=cast.mlro,
                second=second,
                verdict="confirmed",
                text="x",
                decided_at=at(23),
            )


def test_days_of_confirmed_misuse_never_train_the_baseline(cast):
    """Two people with the same days: what one did on two bad ones leaves no more in the baseline than ordinary days."""
    people = [cast.agent, cast.other_agent]
    ordinary_history(people, DAY + dt.timedelta(days=2), days=40)
    same = {row.day: row for row in AgentDay.objects.filter(agent=cast.agent)}
    for row in AgentDay.objects.filter(agent=cast.other_agent):
        for name in ("clients", "views", "active_hours"):
            setattr(row, name, getattr(same[row.day], name))
        row.save()
    bad = [DAY - dt.timedelta(days=1), DAY]
    AgentDay.objects.filter(agent=cast.agent, day__in=bad).update(clients=300, views=350)
    baselines.learn_days(DAY - dt.timedelta(days=38), DAY + dt.timedelta(days=1))

    def clients_of(agent):
        return Baseline.objects.get(agent=agent, feature="clients")

    learned, usual = clients_of(cast.agent).slow_count, clients_of(cast.other_agent).slow_count
    alert = make_alert(cast.agent, day=bad[0], last_day=bad[1])
    approvals.approve(ConfirmationProposal, find(alert, cast.desk_head).pk, actor=cast.mlro)
    after = clients_of(cast.agent)
    assert set(AgentDay.objects.filter(is_excluded=True).values_list("agent_id", "day")) == {
        (cast.agent.pk, day) for day in bad
    }
    assert learned > usual * 1.02 and abs(after.slow_count - usual) < (learned - usual) / 3
    baselines.exclude(agent_id=cast.agent.pk, first=bad[0], last=bad[1])
    assert clients_of(cast.agent).slow_count == after.slow_count, "taken out once only"
