"""What the leads app does when something happened elsewhere."""

from django.utils import timezone

from clients.choices import SalesStatus, Stage
from clients.models import Client
from crm.due import cancel_many
from crm.events import ClientContacted, ClientMoved, ClientStageChanged, subscribe
from crm.models import User
from crm.notices.notify import push_live
from leads import pipeline, sla
from leads.assignment import FIRST_CONTACT, newest_leads
from leads.models import Lead
from leads.waiting import await_routing


@subscribe(ClientContacted)
def stop_the_clock(event: ClientContacted) -> None:
    """Touch the lead when somebody calls or writes for the first time."""
    assert event.client_id is not None
    sla.touch(client_id=event.client_id, agent_id=event.agent_id)


@subscribe(ClientContacted)
def follow_the_call(event: ClientContacted) -> None:
    """Move the lead by the outcome of a call, and refresh the agent's open page."""
    assert event.client_id is not None
    if event.kind != "call":
        return
    agent = User.objects.filter(pk=event.agent_id).first()
    if pipeline.move_by_call(client_id=event.client_id, agent=agent, outcome=event.outcome):
        push_live(event.agent_id, event="lead", data={"id": event.client_id})


@subscribe(ClientStageChanged)
def convert(event: ClientStageChanged) -> None:
    """Convert a lead who registered, whatever sales noted."""
    assert event.client_id is not None
    if event.after not in (Stage.LEAD, Stage.CLOSED):
        pipeline.change_sales_status(client_id=event.client_id, to=SalesStatus.CONVERTED)
        sla.touch(client_id=event.client_id, agent_id=None)


@subscribe(ClientMoved)
def follow_the_book(event: ClientMoved) -> None:
    """Assign a person's newest lead to whoever owns the person now."""
    assert event.client_id is not None
    owner_id = Client.objects.values_list("owner_id", flat=True).get(pk=event.client_id)
    newest = Lead.objects.filter(pk__in=newest_leads([event.client_id])).exclude(assigned_to_id=owner_id)
    cancel_many(FIRST_CONTACT, newest.values_list("pk", flat=True))
    if owner_id is None:
        newest.filter(assigned_to__isnull=False).update(assigned_to=None, assigned_at=None, sla_due_at=None)
        assert event.brand_id is not None
        await_routing(event.brand_id)
    else:
        newest.update(assigned_to_id=owner_id, assigned_at=timezone.now(), sla_due_at=None)
