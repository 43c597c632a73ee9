import dataclasses
import datetime as dt
import json
from decimal import Decimal
from typing import get_args, get_type_hints

import pytest
from django.db import transaction
from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from crm import events, tasks
from crm.choices import DeliveryState
from crm.errors import NotAllowed
from crm.events import bus, delivery, publishing
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
    events.publish(events.LeadCaptured(lead_id=5, client_id=9, brand_id=1))
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
    assert called.count(publishing.enqueue_delivery) == 1


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
    with pytest.raises(NotAllowed, match="Resend and skip failed events"):
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
        events.publish(events.LeadCaptured(lead_id=lead_id, client_id=client_id, brand_id=1))
    delivery.deliver_due()
    assert SEEN == [3]


def test_a_backlog_goes_behind_what_waits_for_the_same_worker(handler, monkeypatch):
    """A worker that works until all is delivered keeps a client's e-mail waiting for minutes."""
    handler(lambda event: SEEN.append(event.lead_id))
    for lead_id in (1, 2):
        events.publish(events.LeadCaptured(lead_id=lead_id, client_id=lead_id, brand_id=1))
    behind = []
    monkeypatch.setattr(tasks, "enqueue_delivery", lambda: behind.append(list(SEEN)))
    monkeypatch.setattr(delivery, "DELIVER_SECONDS", 0)
    tasks.deliver_events()
    assert behind == [[1]]
    monkeypatch.setattr(delivery, "DELIVER_SECONDS", 60)
    tasks.deliver_events()
    assert (SEEN, behind) == ([1, 2], [[1]])


EXAMPLES = {
    int: 7,
    bool: True,
    str: "x",
    Decimal: Decimal("1.50"),
    dt.datetime: dt.datetime(2026, 3, 1, 9, 30, 0, 250, tzinfo=dt.UTC),
    dt.date: dt.date(2026, 3, 1),
    tuple[int, ...]: (1, 2),
    tuple[str, ...]: ("a", "b"),
}


def example_of(event_type):
    """Make an event whose every field holds something, the optional ones too."""
    hints = get_type_hints(event_type)
    hints.pop("name")
    hints.pop("version")
    hints.pop("label")
    sorts = {key: next(sort for sort in (hint, *get_args(hint)) if sort in EXAMPLES) for key, hint in hints.items()}
    return event_type(**{key: EXAMPLES[sort] for key, sort in sorts.items()})


@pytest.mark.parametrize("event_type", bus.EVENT_TYPES.values(), ids=lambda kind: kind.name)
def test_every_event_survives_its_payload(event_type):
    event = example_of(event_type)
    stored = json.loads(event.to_payload())
    assert not {"client_id", "brand_id"} & set(stored), "they are columns of the row"
    whose = {"client_id": event.client_id, "brand_id": event.brand_id}
    assert event_type.from_payload(stored, **whose) == event
    assert event_type.from_payload({**stored, "of_a_newer_schema": 1}, **whose) == event


def test_an_event_is_declared_by_subclassing_alone():
    event = events.WithdrawalSettled(withdrawal_id=1, amount=Decimal("2.50"), currency="EUR", client_id=3)
    assert (event.withdrawal_id, event.client_id, event.brand_id) == (1, 3, None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.amount = Decimal(3)
    with pytest.raises(TypeError, match="positional"):
        events.WithdrawalApproved(1)
    with pytest.raises(TypeError, match="needs a name of its own"):
        type("Nameless", (bus.Event,), {})
    with pytest.raises(TypeError, match="needs a name of its own"):
        type("Heir", (events.WithdrawalSettled,), {})
    with pytest.raises(TypeError, match=r"two events are called 'lead\.captured'"):
        type("Double", (bus.Event,), {"name": "lead.captured"})


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("deposit_id", "seven", "deposit_id"),
        ("deposit_id", "7", "deposit_id"),
        ("amount", "a lot", "amount"),
        ("amount", None, "amount"),
        ("currency", 978, "currency"),
        ("settled_at", "yesterday", "settled_at"),
        ("is_first", "yes", "is_first"),
    ],
)
def test_a_payload_of_the_wrong_type_is_refused_by_name(field, value, says):
    stored = json.loads(example_of(events.DepositSettled).to_payload())
    with pytest.raises(ValidationError, match=says):
        events.DepositSettled.from_payload({**stored, field: value})
    del stored["deposit_id"]
    with pytest.raises(ValidationError, match=r"deposit_id\n +Field required"):
        events.DepositSettled.from_payload(stored)


def test_an_event_that_nobody_could_read_is_not_published():
    wrong = events.DepositSettled(deposit_id="seven", amount=Decimal(1), currency="EUR", psp="x")
    with pytest.raises(PydanticSerializationError, match="deposit_id"), transaction.atomic():
        events.publish(wrong)
    assert not OutboxEvent.objects.exists()
