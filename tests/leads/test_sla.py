import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from clients.calls import CallDetails, log_call
from clients.choices import CallOutcome, Stage
from clients.models import Client
from clients.stages import move_stage
from crm import due, events
from crm.due import KINDS
from crm.models import AuditEvent, Notification, User
from leads import sla, waiting
from leads.models import Lead, RoutingRule, Shift

pytestmark = pytest.mark.django_db


def later(minutes=11):
    return time_machine.travel(timezone.now() + dt.timedelta(minutes=minutes), tick=True)


def test_an_untouched_lead_goes_to_the_next_agent(cast, german_rule, second_agent, capture):
    lead = capture().lead
    with later():
        assert due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]]) == 1
        assert due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]]) == 0  # its new clock has just started
    lead.refresh_from_db()
    client = Client.objects.get(pk=lead.client_id)
    assert (lead.assigned_to, client.owner, client.book.owner) == (second_agent, second_agent, second_agent)
    assert lead.sla_missed == 1 and lead.tried_agents == [cast.agent.pk, second_agent.pk]
    assert lead.routing_reasons[3]["code"] == "sla"
    assert AuditEvent.objects.filter(action="leads.rerouted").count() == 1
    assert Notification.objects.filter(user=second_agent, kind="leads.assigned").count() == 1
    assert Notification.objects.filter(user=cast.agent, kind="leads.taken").count() == 1
    events.drain()
    lead.refresh_from_db()
    assert lead.assigned_to == second_agent and lead.sla_due_at is not None


def test_when_everyone_let_it_lie_it_goes_to_the_pool_and_the_desk_head_is_told(
    cast, german_rule, second_agent, capture
):
    lead = capture().lead
    for minutes in (11, 22, 33):
        with later(minutes):
            due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]])
    lead.refresh_from_db()
    assert lead.assigned_to is None and lead.sla_due_at is None
    assert Client.objects.get(pk=lead.client_id).book == cast.pool
    told = Notification.objects.get(kind="leads.nobody_touched")
    assert told.user == cast.desk_head
    assert waiting.route_waiting(brand_id=cast.brand.pk).assigned == 0  # a person decides now


def test_a_call_stops_the_clock(cast, german_rule, second_agent, capture):
    lead = capture().lead
    log_call(client_id=lead.client_id, actor=cast.agent, details=CallDetails(CallOutcome.NO_ANSWER))
    events.drain()
    lead.refresh_from_db()
    assert lead.touched_by == cast.agent and lead.sla_due_at is None
    with later():
        assert due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]]) == 0


def test_who_registers_without_a_call_is_not_chased(cast, german_rule, second_agent, capture):
    lead = capture().lead
    move_stage(client_id=lead.client_id, to=Stage.REGISTERED)
    with later():
        due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]])
    assert Lead.objects.get(pk=lead.pk).assigned_to == cast.agent
    events.drain()
    assert Client.objects.get(pk=lead.client_id).sales_status == "converted"


def test_a_lead_in_the_pool_is_routed_when_the_shift_begins(cast, german_rule, capture):
    RoutingRule.objects.update(needs_language=False)
    User.objects.filter(pk=cast.agent.pk).update(time_zone="UTC")
    for weekday in range(7):
        Shift.objects.create(agent=cast.agent, weekday=weekday, starts=dt.time(9), ends=dt.time(17))
    with time_machine.travel(dt.datetime(2026, 11, 3, 7, 0, tzinfo=dt.UTC)):
        lead = capture().lead
        assert lead.assigned_to is None
        assert waiting.route_waiting(brand_id=cast.brand.pk).assigned == 0
    with time_machine.travel(dt.datetime(2026, 11, 3, 9, 1, tzinfo=dt.UTC)):
        assert waiting.route_waiting(brand_id=cast.brand.pk).assigned == 1
        assert waiting.route_waiting(brand_id=cast.brand.pk).assigned == 0
    lead.refresh_from_db()
    assert lead.assigned_to == cast.agent
    assert Client.objects.get(pk=lead.client_id).book == cast.book
    assert Notification.objects.filter(user=cast.agent, kind="leads.assigned").count() == 1


def test_a_rule_without_a_clock_never_takes_a_lead_back(cast, german_rule, second_agent, capture):
    RoutingRule.objects.update(sla_seconds=0)
    lead = capture().lead
    assert lead.sla_due_at is None
    with later(600):
        assert due.sweep(kinds=[KINDS[sla.FIRST_CONTACT]]) == 0
    assert Lead.objects.get(pk=lead.pk).assigned_to == cast.agent
