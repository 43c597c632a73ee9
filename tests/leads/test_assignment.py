import pytest

from clients.models import Client
from crm import events
from crm.errors import DomainError, NotAllowed
from crm.models import Notification, OutboxEvent
from leads.assignment import assign_leads
from leads.models import Lead

pytestmark = pytest.mark.django_db


@pytest.fixture
def leads(german_rule, capture):
    return [capture(email=f"lead{n}@web.de", phone="").lead for n in range(3)]


def test_a_desk_head_gives_many_leads_to_one_agent(cast, leads, second_agent):
    ids = [lead.client_id for lead in leads]
    assert assign_leads(client_ids=ids, agent_id=second_agent.pk, actor=cast.desk_head, reason="Holiday") == 3
    assert set(Client.objects.filter(pk__in=ids).values_list("owner_id", flat=True)) == {second_agent.pk}
    for lead in Lead.objects.filter(client_id__in=ids):
        assert lead.assigned_to == second_agent and lead.routing_reasons[-1]["code"] == "manual" and lead.sla_due_at
    assert OutboxEvent.objects.filter(name="lead.assigned", payload__agent_id=second_agent.pk).count() == 3
    assert Notification.objects.get(user=second_agent).title == "3 clients are now in your book"
    assert assign_leads(client_ids=ids, agent_id=second_agent.pk, actor=cast.desk_head) == 0


def test_moving_a_client_by_hand_moves_the_lead_too(cast, leads, second_agent):
    from clients.books import move_client

    move_client(client_id=leads[0].client_id, to_book_id=second_agent.books.get().pk, actor=cast.desk_head)
    events.drain()
    assert Lead.objects.get(pk=leads[0].pk).assigned_to == second_agent


@pytest.mark.parametrize("who", ["agent", "other_agent", "marketing", "auditor", "support"])
def test_the_wrong_role_assigns_nothing(cast, leads, second_agent, who):
    with pytest.raises(NotAllowed):
        assign_leads(client_ids=[leads[0].client_id], agent_id=second_agent.pk, actor=getattr(cast, who))
    assert Lead.objects.get(pk=leads[0].pk).assigned_to == cast.agent


def test_nobody_gives_away_people_out_of_reach(cast, leads, second_agent):
    with pytest.raises(NotAllowed, match="don't have access"):
        assign_leads(client_ids=[cast.other_client.pk], agent_id=second_agent.pk, actor=cast.desk_head)


def test_an_agent_without_a_book_takes_nobody(cast, leads):
    with pytest.raises(DomainError, match="no book"):
        assign_leads(client_ids=[leads[0].client_id], agent_id=cast.retention.pk, actor=cast.desk_head)
