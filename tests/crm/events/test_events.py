import dataclasses
from decimal import Decimal

import pytest
from django.db import transaction

from crm import events
from crm.choices import DeliveryState
from crm.errors import NotAllowed
from crm.events import bus, delivery
from crm.models import EventDelivery, OutboxEvent

pytestmark = pytest.mark.django_db
SEEN: list[int] = []


@pytest.fixture
def handler(monkeypatch):
    SEEN.clear()
    monkeypatch.setattr(bus, "HANDLERS", {})
    monkeypatch.setattr(bus, "_FUNCTIONS", {})

    def register(function, event_type=events.LeadCaptured):
        return bus.subscribe(event_type)(function)

    return register


def note(event):
    SEEN.append(event.lead_id)


@pytest.mark.django_db(transaction=True)
def test_an_event_is_published_only_inside_a_transaction():
    with pytest.raises(RuntimeError, match="outside a transaction"):
        events.publish(events.LeadCaptured(lead_id=1))


def test_a_rolled_back_change_leaves_no_event():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        events.publish(events.LeadCaptured(lead_id=1))
        _ = 1 / 0
    assert not OutboxEvent.objects.exists()


def test_each_handler_gets_each_event_once(handler):
    handler(note)
    events.publish(events.LeadCaptured(lead_id=5, client_id=9))
    assert events.drain() == 1
    assert events.drain() == 0
    assert SEEN == [5]


def test_a_transaction_wakes_a_worker_once_however_much_it_publishes(handler, django_capture_on_commit_callbacks):
    handler(note)
    with django_capture_on_commit_callbacks() as called:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            events.publish(events.LeadCaptured(lead_id=1))
            _ = 1 / 0
        for number in (2, 3):
            with transaction.atomic():
                events.publish(events.LeadCaptured(lead_id=number))
    assert called.count(bus.wake_worker) == 1


def test_a_failing_handler_is_retried_later_and_its_work_rolled_back(handler):
    def fail(event):
        OutboxEvent.objects.create(name="half done", payload={})
        raise ValueError("the platform is away")

    handler(fail)
    events.publish(events.LeadCaptured(lead_id=5))
    events.deliver_due()
    row = EventDelivery.objects.get()
    assert (row.state, row.attempts) == (DeliveryState.PENDING, 1)
    assert "the platform is away" in row.error
    assert not OutboxEvent.objects.filter(name="half done").exists()


def test_after_the_last_try_a_delivery_is_dead_and_can_be_replayed_by_those_who_may(handler, cast):
    handler(note)
    events.publish(events.LeadCaptured(lead_id=5))
    EventDelivery.objects.update(state=DeliveryState.DEAD, finished_at="2026-01-01T00:00Z", attempts=9)
    row = EventDelivery.objects.get()
    with pytest.raises(NotAllowed, match="Read and replay failed event deliveries"):
        events.replay(delivery_id=row.pk, actor=cast.agent)
    events.replay(delivery_id=row.pk, actor=cast.administrator)
    events.drain()
    assert SEEN == [5]


def test_order_is_kept_per_client_while_another_client_goes_on(handler):
    def stuck_on_first(event):
        if event.lead_id == 1:
            raise ValueError("not yet")
        SEEN.append(event.lead_id)

    handler(stuck_on_first)
    for lead_id, client_id in ((1, 7), (2, 7), (3, 8)):
        events.publish(events.LeadCaptured(lead_id=lead_id, client_id=client_id))
    delivery.deliver_due()
    assert SEEN == [3]


def test_every_event_survives_its_payload():
    for event_type in bus.EVENT_TYPES.values():
        if event_type.__module__ != "crm.events.catalogue":
            continue
        values = {}
        for field in dataclasses.fields(event_type):
            text = str(field.type)
            values[field.name] = (
                7
                if text.startswith("int")
                else True
                if text.startswith("bool")
                else None
                if "None" in text
                else Decimal("1.50")
                if "Decimal" in text
                else (1,)
                if "tuple[int" in text
                else ("a",)
                if "tuple" in text
                else "x"
            )
        event = event_type(**values)
        assert event_type.from_payload(event.to_payload()) == event
