import pytest
from django.db import DatabaseError, connection, transaction

from clients.choices import SalesStatus, Stage
from clients.facts import FACTS, differences
from clients.models import Client, TimelineEntry
from clients.stages import move_stage
from crm import events
from crm.errors import NotAllowed, WrongState
from leads.choices import SALES_TRANSITIONS
from leads.models import SalesStatusChange
from leads.pipeline import change_sales_status, next_statuses

pytestmark = pytest.mark.django_db


@pytest.fixture
def lead(german_rule, capture):
    return capture().lead


def test_a_step_is_kept_told_and_stops_the_clock(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent, reason="Wants a demo")
    assert Client.objects.get(pk=lead.client_id).sales_status == "contacted"
    step = SalesStatusChange.objects.get()
    assert (step.before, step.after, step.actor, step.reason) == ("new", "contacted", cast.agent, "Wants a demo")
    assert TimelineEntry.objects.filter(client_id=lead.client_id, title="Status: New → Contacted").count() == 1
    lead.refresh_from_db()
    assert lead.touched_by == cast.agent and lead.sla_due_at is None


def test_the_same_step_twice_is_one(cast, lead):
    for _ in range(2):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    assert SalesStatusChange.objects.count() == 1


def test_a_step_the_pipeline_does_not_have_is_refused(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.INTERESTED, actor=cast.agent)
    with pytest.raises(WrongState, match="no step"):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.NEW, actor=cast.agent)


def test_only_who_may_lift_it_calls_again_who_asked_not_to_be_called(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.DO_NOT_CALL, actor=cast.agent)
    client = Client.objects.get(pk=lead.client_id)
    assert next_statuses(cast.agent, client) == []
    with pytest.raises(NotAllowed):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.NOT_INTERESTED, actor=cast.agent)
    assert next_statuses(cast.desk_head, client) == [SalesStatus.NOT_INTERESTED]
    change_sales_status(client_id=lead.client_id, to=SalesStatus.NOT_INTERESTED, actor=cast.desk_head)


@pytest.mark.parametrize("who", ["other_agent", "auditor", "support", "kyc_officer", "marketing"])
def test_the_wrong_role_moves_nothing(cast, lead, who):
    with pytest.raises(NotAllowed):
        change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=getattr(cast, who))
    assert not SalesStatusChange.objects.exists()


def test_registering_converts_from_every_status(cast, lead):
    for status in SalesStatus:
        assert status == SalesStatus.CONVERTED or SalesStatus.CONVERTED in SALES_TRANSITIONS[status]
    change_sales_status(client_id=lead.client_id, to=SalesStatus.DO_NOT_CALL, actor=cast.agent)
    move_stage(client_id=lead.client_id, to=Stage.REGISTERED)
    events.drain()
    assert Client.objects.get(pk=lead.client_id).sales_status == SalesStatus.CONVERTED


def test_the_database_refuses_to_change_the_history(cast, lead):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE leads_salesstatuschange SET after = 'new'")


def test_rebuilding_the_facts_finds_nothing_to_change(cast, lead, capture):
    change_sales_status(client_id=lead.client_id, to=SalesStatus.CONTACTED, actor=cast.agent)
    capture(source="facebook", email="erika+2@web.de")
    for name in ("score", "sales_status", "source", "campaign", "last_contact_at"):
        assert list(differences(FACTS[name])) == [], name
    Client.objects.filter(pk=lead.client_id).update(score=1)
    assert len(list(differences(FACTS["score"]))) == 1


def test_every_status_can_be_left_or_is_an_end():
    for status, targets in SALES_TRANSITIONS.items():
        assert status not in targets
        assert targets or status == SalesStatus.CONVERTED
