"""Workers are killed between commit and delivery, again and again; each event takes effect exactly once."""

import os
import signal
import time
from typing import NoReturn

import pytest
from django.db import transaction

from crm import events
from crm.events import bus, publishing
from crm.models import EventDelivery, Notification
from tests.faults.killing import begun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EVENTS = 60


def leave_a_row(event: events.LeadAssigned) -> None:
    """A handler that is slow enough to be killed in the middle of it."""
    Notification.objects.create(user_id=event.agent_id, kind="killed", title=str(event.lead_id))
    time.sleep(0.01)


leave_a_row.__module__, leave_a_row.__qualname__ = "tests.subscribers", "handle"


def deliver_for_ever() -> NoReturn:
    """The worker process. It has all code loaded: each death costs no start of a new Python."""
    bus.subscribe(events.LeadAssigned)(leave_a_row)
    while True:
        if not events.deliver_due(limit=1):
            time.sleep(0.02)


def test_each_event_is_handled_exactly_once_however_often_a_worker_dies(cast, monkeypatch):
    monkeypatch.setattr(bus, "HANDLERS", {events.LeadAssigned.name: ["tests.subscribers.handle"]})
    monkeypatch.setattr(
        publishing, "enqueue_delivery", lambda: None
    )  # nobody is told: what a crash leaves, the sweeper must find
    for number in range(EVENTS):
        with transaction.atomic():
            events.publish(
                events.LeadAssigned(
                    lead_id=number, agent_id=cast.agent.pk, client_id=number % 7, brand_id=cast.brand.pk
                )
            )
    kills = 0
    deadline = time.monotonic() + 300
    while EventDelivery.objects.filter(state="pending").exists():
        assert time.monotonic() < deadline, "the events were not delivered in time"
        worker = begun(deliver_for_ever)
        time.sleep(0.12 + 0.05 * (kills % 3))
        os.kill(worker, signal.SIGKILL)
        _pid, status = os.waitpid(worker, 0)
        assert os.WIFSIGNALED(status), "the worker ended by itself; its traceback is above"
        kills += 1
    assert kills > 1
    told = sorted(int(title) for title in Notification.objects.filter(kind="killed").values_list("title", flat=True))
    assert told == list(range(EVENTS))
