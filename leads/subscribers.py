"""What the leads app does when something happened elsewhere."""

from django.utils import timezone

from clients.choices import SalesStatus, Stage
from clients.models import Client
from crm.due import cancel_many
from crm.events import (
    ClientContacted,
    ClientEnteredSegment,
    ClientLeftSegment,
    ClientMailOpened,
    ClientMoved,
    ClientProfileChanged,
    ClientRegistered,
    ClientsMerged,
    ClientsMergeUndone,
    ClientStageChanged,
    Event,
    LeadCaptured,
    LeadsImported,
    MailReceived,
    SignedIn,
    UnknownMailReceived,
    subscribe,
    subscribe_many,
)
from crm.models import Brand, User
from crm.notices.notify import push_live
from leads import pipeline, sla
from leads.assignment import FIRST_CONTACT, newest_leads
from leads.choices import RuleKind
from leads.duplicates import finding
from leads.inbound.mail_leads import capture_mail
from leads.models import Lead, ScoreRule
from leads.scores.rescoring import await_rescoring
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


@subscribe_many(SignedIn, ClientContacted, ClientMailOpened, MailReceived, ClientProfileChanged)
def score_the_engaged(events: list[Event]) -> None:
    """Score people's leads again after a sign-in, a call, an e-mail opened or received, or a changed detail."""
    await_rescoring(sorted({event.client_id for event in events if event.client_id is not None}))


@subscribe_many(ClientEnteredSegment, ClientLeftSegment)
def score_by_segment(events: list[Event]) -> None:
    """Score people's leads again who entered or left a segment, where a rule asks for segments."""
    if ScoreRule.objects.filter(kind=RuleKind.SEGMENT, valid_to=None).exists():
        await_rescoring(sorted({event.client_id for event in events if event.client_id is not None}))


@subscribe(UnknownMailReceived)
def capture_an_email(event: UnknownMailReceived) -> None:
    """Make a lead of an unknown sender, where the brand says so for the address."""
    if event.is_proved and not event.is_automatic:
        capture_mail(mail_id=event.mail_id)


@subscribe(LeadCaptured)
def look_for_duplicates(event: LeadCaptured) -> None:
    """Compare a person who has just come, or come again with another address or number."""
    assert event.client_id is not None and event.brand_id is not None
    finding.compare(Brand.objects.get(pk=event.brand_id), [event.client_id])


@subscribe(LeadsImported)
def look_for_duplicates_of_a_file(event: LeadsImported) -> None:
    """Compare the people of a file, in passes."""
    assert event.brand_id is not None
    finding.await_comparison(event.brand_id)


@subscribe(ClientRegistered)
def look_for_duplicates_of_a_client(event: ClientRegistered) -> None:
    """Compare a client who has registered: a date of birth is known now."""
    assert event.client_id is not None and event.brand_id is not None
    finding.compare(Brand.objects.get(pk=event.brand_id), [event.client_id])


@subscribe(ClientsMerged)
def note_a_merge(event: ClientsMerged) -> None:
    """Close the pair of two records that were merged."""
    finding.note_merge([event.client_id or 0, event.merged_id])


@subscribe(ClientsMergeUndone)
def note_an_undone_merge(event: ClientsMergeUndone) -> None:
    """List the pair again when its records are two again."""
    finding.note_merge([event.client_id or 0, event.merged_id], is_undone=True)


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
