"""The envelope: who caused an event, when, for which brand; the database holds what code could forget."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from crm import events
from crm.models import OutboxEvent
from crm.security.request_context import RequestContext, acting_in

pytestmark = pytest.mark.django_db


def published(**given):
    with transaction.atomic():
        pk = events.publish(events.LeadCaptured(lead_id=5, client_id=9, brand_id=1, source="web"), **given)
    return events.Envelope.of(OutboxEvent.objects.get(pk=pk))


def test_the_json_form_is_the_documented_one():
    at = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
    envelope = published(occurred_at=at)
    assert envelope.as_json() == {
        "id": envelope.id,
        "name": "lead.captured",
        "version": 1,
        "occurred_at": "2026-03-01T09:30:00Z",
        "actor": {"kind": "system", "id": None},
        "brand": 1,
        "client": 9,
        "data": {"lead_id": 5, "source": "web", "campaign": "", "duplicate": False},
    }
    assert envelope.event() == events.LeadCaptured(lead_id=5, client_id=9, brand_id=1, source="web")


def test_the_actor_given_is_named_before_who_sent_the_request(cast):
    with acting_in(RequestContext(user_id=77, user_kind="client")):
        assert published().actor == events.envelope.EventActor("client", 77)
        assert published(actor=cast.agent).actor == events.envelope.EventActor("staff", cast.agent.pk)
    assert published().actor == events.envelope.EventActor("system", None)


def test_an_event_of_a_client_needs_their_brand():
    with pytest.raises(ValueError, match="needs the client's brand_id"), transaction.atomic():
        events.publish(events.LeadCaptured(lead_id=5, client_id=9))
    with pytest.raises(IntegrityError, match="event_of_a_client_has_a_brand"), transaction.atomic():
        OutboxEvent.objects.create(name="x", payload={}, client_id=9)


@pytest.mark.parametrize("actor", [{"actor_kind": "staff"}, {"actor_id": 4}])
def test_a_person_without_an_id_or_a_system_with_one_is_refused(actor):
    with pytest.raises(IntegrityError, match="event_of_a_person_names_them"), transaction.atomic():
        OutboxEvent.objects.create(name="x", payload={}, **actor)
