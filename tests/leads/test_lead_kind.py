"""Leads of another system, through the importer: scored, assigned, with the status that they had there."""

import datetime as dt

import pytest

from clients.models import Client, TimelineEntry
from crm.models import ExternalReference, Notification, OutboxEvent, OutgoingMail
from leads.models import Campaign, Lead
from tests.crm.imports.files import checked, imported, reasons, row

pytestmark = pytest.mark.django_db
HEAD = "Lead ID,First name,Last name,Email,Phone,Country,Lead status,Owner email,Created at,Campaign,Ref,Notes\n"
MAPPING = {
    "fields": {
        "external_id": "Lead ID",
        "first_name": "First name",
        "last_name": "Last name",
        "email": "Email",
        "phone": "Phone",
        "country": "Country",
        "status": {"column": "Lead status", "values": {"Hot": "interested", "DNC": "do_not_call"}},
        "agent": "Owner email",
        "registered_at": "Created at",
        "campaign": "Campaign",
        "partner": "Ref",
        "message": "Notes",
    }
}


def take_in(cast, lines):
    return imported(cast, HEAD + lines, MAPPING, kind="leads")


def test_lead_comes_in_with_agent_status_date_and_partner(cast):
    cast.book.owner = cast.agent
    cast.book.save()
    Campaign.objects.create(brand=cast.brand, code="spring", name="Spring", source="google")
    batch = take_in(
        cast, f"1,Rosa,Luz,rosa@example.com,,ES,Hot,{cast.agent.email},2024-05-01 10:00,Spring,abc,Wants a demo\n"
    )
    lead = Lead.objects.get(client__email="rosa@example.com")
    client = lead.client
    assert (client.stage, client.sales_status, client.book, client.owner) == (
        "lead",
        "interested",
        cast.book,
        cast.agent,
    )
    assert lead.captured_at == lead.touched_at == client.created_at == dt.datetime(2024, 5, 1, 10, tzinfo=dt.UTC)
    assert (lead.assigned_to, lead.channel, lead.source, lead.referral_code) == (cast.agent, "import", "google", "abc")
    assert lead.score > 0 and client.score == lead.score and client.campaign == "spring"
    change = client.sales_status_changes.get()
    assert (change.before, change.after, change.actor) == ("new", "interested", cast.administrator)
    assert TimelineEntry.objects.get(client=client, kind="lead").body == "Wants a demo"
    assert ExternalReference.objects.get(batch=batch).object_id == client.pk
    assert client.identifiers.count() == 1
    events = set(OutboxEvent.objects.filter(client_id=client.pk).values_list("name", flat=True))
    assert events == {"lead.assigned", "client.imported"}
    assert Notification.objects.get(user=cast.agent).title == "New leads from an import: 1"
    assert not OutgoingMail.objects.exists()


def test_lead_who_must_not_be_called_is_not_routed(cast):
    take_in(cast, "1,Rosa,Luz,rosa@example.com,,ES,DNC,,,,,\n")
    lead = Lead.objects.get(client__email="rosa@example.com")
    assert (lead.assigned_to, lead.client.sales_status, lead.client.book) == (None, "do_not_call", cast.pool)


def test_known_people_are_linked_and_get_no_second_lead(cast):
    before = Lead.objects.count()
    text = f"1,Other,Name,{cast.client.email},,DE,,,,,,\n2,A,B,new@example.com,,DE,,,,,,\n3,A,B,new@example.com,,DE,,,,,,\n"
    batch = take_in(cast, text)
    assert batch.counts == {"new": 1, "changed": 1, "repeated": 1} and Lead.objects.count() == before + 1
    assert ExternalReference.objects.get(external_id="1").object_id == cast.client.pk
    again = checked(cast, HEAD + text, MAPPING, kind="leads")
    assert again.counts == {"same": 1, "changed": 1, "repeated": 1}


def test_same_phone_is_the_same_person_with_the_same_first_name(cast):
    Client.objects.filter(pk=cast.client.pk).update(phone="+4915123456789", country="DE", last_name="Weber")
    text = "1,Clara,Other,,+4915123456789,DE,,,,,,\n2,CLARA,WEBER,,+4915123456789,AT,,,,,,\n3,Paul,Weber,,+4915123456789,DE,,,,,,\n"
    batch = checked(cast, HEAD + text, MAPPING, kind="leads")
    assert [row(batch, line).verdict for line in (2, 3, 4)] == ["new", "changed", "new"]


def test_bad_values_are_named_by_column(cast):
    text = "1,A,B,a@example.com,,DE,Cold,,,,,\n2,A,B,b@example.com,,DE,,,,nothing,,\n3,A,B,c@example.com,,KP,,,,,,\n"
    batch = checked(cast, HEAD + text, MAPPING, kind="leads")
    assert batch.counts == {"refused": 3}
    assert reasons(batch)[2][0].startswith("Unknown value “Cold”. Translate it to one of: new, no_answer, contacted")
    assert reasons(batch)[3] == ["Unknown campaign “nothing”"]
    assert "doesn't accept leads from" in reasons(batch)[4][0]


def test_notes_find_their_lead_by_its_number(cast):
    take_in(cast, "77,Rosa,Luz,rosa@example.com,,ES,,,,,,\n")
    imported(cast, "client,body\n77,Called twice\n", kind="notes")
    assert Client.objects.get(email="rosa@example.com").notes.get().body == "Called twice"
