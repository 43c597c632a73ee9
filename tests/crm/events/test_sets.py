"""Many events at once: published by a query inside the database, and handed to their handlers in lists."""

from decimal import Decimal

import pytest
from django.db import transaction
from django.db.models import BooleanField, DateTimeField, DecimalField, F, IntegerField, Value
from django.db.models.functions import Cast

from crm import events
from crm.choices import DeliveryState
from crm.events import bus, delivery
from crm.models import EventDelivery, Notification, OutboxEvent, User

pytestmark = pytest.mark.django_db
SEEN: list[list[int]] = []


@pytest.fixture(autouse=True)
def no_handlers(monkeypatch):
    SEEN.clear()
    monkeypatch.setattr(bus, "HANDLERS", {})
    monkeypatch.setattr(bus, "_FUNCTIONS", {})


def people(cast, *names, **columns):
    """Give one row per person, each as if they were a client of the brand."""
    return (
        User.objects.filter(brand=cast.brand)
        .order_by("pk")
        .values(
            *names,
            client_id=F("pk"),
            lead_id=Cast("pk", IntegerField()),
            agent_id=Cast("pk", IntegerField()),
            **columns,
        )
    )


def publish_people(cast):
    return events.publish_set(events.LeadAssigned, people(cast, "brand_id", rule=Value("50 % of all")))


def note(heard):
    SEEN.append([event.lead_id for event in heard])


def test_a_query_becomes_an_event_and_a_delivery_per_row(cast):
    bus.subscribe_many(events.LeadAssigned)(note)
    count = publish_people(cast)
    ids = list(User.objects.filter(brand=cast.brand).order_by("pk").values_list("pk", flat=True))
    rows = list(OutboxEvent.objects.all())
    assert count == len(ids) > 3
    assert [events.Envelope.of(row).event() for row in rows] == [
        events.LeadAssigned(lead_id=pk, agent_id=pk, client_id=pk, brand_id=cast.brand.pk, rule="50 % of all")
        for pk in ids
    ]
    assert events.drain() == len(ids)
    assert [ids] == SEEN, "one transaction for all of them"
    assert not EventDelivery.objects.exclude(state=DeliveryState.DONE, attempts=1).exists()


def test_amounts_and_instants_are_written_as_publish_writes_them(cast):
    whose = User.objects.filter(pk=cast.agent.pk)
    row = whose.values(
        "brand_id",
        client_id=F("pk"),
        deposit_id=F("pk"),
        amount=Value(Decimal("12.50"), output_field=DecimalField(max_digits=9, decimal_places=2)),
        currency=Value("EUR"),
        psp=Value("northpay"),
        is_first=Value(True, output_field=BooleanField()),
        settled_at=Cast("date_joined", DateTimeField()),
    )
    events.publish_set(events.DepositSettled, row)
    by_query = OutboxEvent.objects.get()
    events.publish(events.Envelope.of(by_query).event())
    assert OutboxEvent.objects.latest("pk").payload == by_query.payload
    assert by_query.payload["amount"] == "12.50"


@pytest.mark.parametrize(
    ("columns", "says"), [({"colour": Value("red")}, "'colour'"), ({"client_id": F("pk")}, "'lead_id'")]
)
def test_a_column_too_many_or_a_field_without_a_column_is_refused(cast, columns, says):
    with pytest.raises(TypeError, match=says):
        events.publish_set(events.LeadCaptured, User.objects.values(**columns))


def test_a_client_without_brand_in_a_set_is_refused_by_the_database(cast):
    with pytest.raises(Exception, match="event_of_a_client_has_a_brand"), transaction.atomic():
        events.publish_set(events.LeadAssigned, people(cast))


def test_one_bad_event_of_a_batch_stops_no_other(cast):
    bad = cast.agent.pk

    def fail_on_one(heard):
        for event in heard:
            Notification.objects.create(user_id=event.agent_id, kind="batch", title=str(event.lead_id))
        if any(event.lead_id == bad for event in heard):
            raise ValueError("not this one")

    bus.subscribe_many(events.LeadAssigned)(fail_on_one)
    count = publish_people(cast)
    delivery.deliver_due()
    left = EventDelivery.objects.get(state=DeliveryState.PENDING)
    assert (left.client_id, left.attempts) == (bad, 1) and "not this one" in left.error
    assert Notification.objects.filter(kind="batch").count() == count - 1


def test_a_batch_keeps_the_order_per_client():
    bus.subscribe_many(events.LeadCaptured)(note)
    events.publish_many(
        events.LeadCaptured(lead_id=lead_id, client_id=client_id, brand_id=1)
        for lead_id, client_id in ((1, 7), (2, 7), (3, 8), (4, 7))
    )
    events.drain()
    assert SEEN == [[1, 3], [2], [4]]


def test_a_batch_holds_events_of_one_type():
    bus.subscribe_many(events.LeadCaptured, events.LeadAssigned)(note)
    events.publish_many(
        [events.LeadCaptured(lead_id=1), events.LeadAssigned(lead_id=2, agent_id=3), events.LeadCaptured(lead_id=4)]
    )
    events.drain()
    assert SEEN == [[1, 4], [2]]


def test_a_batch_is_bounded(monkeypatch):
    monkeypatch.setattr(delivery, "MORE", delivery.MORE.replace(f"LIMIT {delivery.BATCH}", "LIMIT 2"))
    bus.subscribe_many(events.LeadCaptured)(note)
    events.publish_many(events.LeadCaptured(lead_id=number) for number in range(5))
    events.drain()
    assert SEEN == [[0, 1], [2, 3], [4]]
