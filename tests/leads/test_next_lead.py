"""The next lead: the order, who is left out, why this one, and passing over one."""

import datetime as dt

import pytest

from clients.followups import add_task
from clients.models import Client
from clients.telephony import do_not_call
from clients.telephony.choices import DoNotCallReason
from crm.errors import DomainError, NotAllowed
from crm.models import AccessEvent, AuditEvent
from leads.models import Lead
from leads.next_lead import choosing
from tests.cast import signed_in

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 25, 11, 0, tzinfo=dt.UTC)  # a Wednesday, noon in Berlin


@pytest.fixture
def people(cast, german_rule, capture, time_machine):
    """Three new leads of the agent's: A, B and C, by score alone."""
    time_machine.move_to(NOON, tick=False)
    found = []
    for number, name in enumerate("ABC"):
        client = capture(email=f"{name}@web.de", phone=f"015123456{number}0", first_name=name).client
        Lead.objects.filter(client=client).update(sla_due_at=None, assigned_to=cast.agent)
        Client.objects.filter(pk=client.pk).update(score=50 + number, time_zone="Europe/Berlin")
        found.append(client)
    return found


def names(user):
    order = []
    while (found := choosing.choose(user)).client is not None:
        order.append(found.client.first_name)
        choosing.skip(client_id=found.client.pk, actor=user, reason="later")
    return "".join(order)


def test_the_clock_comes_first_then_the_score(cast, people, django_assert_num_queries):
    first, second, _third = people
    add_task(client_id=second.pk, actor=cast.agent, title="Call back", due_at=NOON + dt.timedelta(minutes=1))
    Lead.objects.filter(client=first).update(sla_due_at=NOON + dt.timedelta(minutes=5))
    found = choosing.choose(cast.agent, NOON + dt.timedelta(minutes=10))
    assert found.client == second and found.reasons[0].startswith("Follow-up due: Call back")
    choosing.choose(cast.agent)  # reach and policies are read once
    with django_assert_num_queries(1):
        found = choosing.choose(cast.agent)
    assert found.client == first and "First contact due" in found.reasons[0]
    assert names(cast.agent) == "ACB", "the follow-up isn't due yet: by score"


def test_who_must_not_be_called_is_left_out(cast, people):
    do_not_call.mark(client_id=people[2].pk, actor=cast.agent, reason=DoNotCallReason.ASKED)
    Client.objects.filter(pk=people[1].pk).update(sales_status="do_not_call")
    assert names(cast.agent) == "A" and choosing.choose(cast.other_agent).client is None


def test_at_night_nobody_is_proposed(cast, people, time_machine):
    time_machine.move_to(NOON + dt.timedelta(hours=12), tick=False)
    found = choosing.choose(cast.agent)
    assert (found.client, found.asleep) == (None, 3)
    assert "3 leads wait" in signed_in(cast.agent).get("/leads/next/").content.decode()


def test_a_skipped_lead_comes_back_after_hours(cast, people, time_machine):
    top = choosing.choose(cast.agent).client
    page = signed_in(cast.agent)
    shown = page.get("/leads/next/").content.decode()
    assert "Why this one" in shown and "New lead, not contacted yet" in shown
    assert AccessEvent.objects.filter(client_id=top.pk, target="leads.next").exists()
    assert page.post(f"/leads/next/{top.pk}/skip/", {"reason": "waiting"}).status_code == 302
    assert choosing.choose(cast.agent).client != top
    assert AuditEvent.objects.filter(action="leads.next_skipped", client_id=top.pk, actor=cast.agent).count() == 1
    with pytest.raises(DomainError):
        choosing.skip(client_id=top.pk, actor=cast.agent, reason="because")
    with pytest.raises(NotAllowed):
        choosing.skip(client_id=top.pk, actor=cast.other_agent, reason="later")
    time_machine.move_to(NOON + choosing.SKIPPED_FOR + dt.timedelta(minutes=1), tick=False)
    assert choosing.choose(cast.agent).client == top
