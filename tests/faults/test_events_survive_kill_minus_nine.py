"""Workers are killed between commit and delivery, again and again; each event takes effect exactly once."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings
from django.db import transaction

from crm import events
from crm.events import bus
from crm.models import EventDelivery, Notification

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EVENTS = 60
# The worker process: delivers with a handler that leaves a row, slowly enough to be killed in the middle of it.
WORKER = """
import os, time, django
django.setup()
from django.db import connection
from crm import events
from crm.events import bus
from crm.models import Notification

def handle(event):
    Notification.objects.create(user_id=event.agent_id, kind="killed", title=str(event.lead_id))
    time.sleep(0.01)

handle.__module__, handle.__qualname__ = "tests.subscribers", "handle"
bus.subscribe(events.LeadAssigned)(handle)
bus._adapter(events.LeadAssigned)  # made when first needed, which may take longer than this worker lives
print("ready", flush=True)
while True:
    if not events.deliver_due(limit=1):
        time.sleep(0.02)
"""


def start_worker() -> subprocess.Popen:
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    assert worker.stdout is not None and worker.stdout.readline() == "ready\n"
    return worker


def test_each_event_is_handled_exactly_once_however_often_a_worker_dies(cast, monkeypatch):
    monkeypatch.setattr(bus, "HANDLERS", {events.LeadAssigned.name: ["tests.subscribers.handle"]})
    monkeypatch.setattr(
        bus, "enqueue_delivery", lambda: None
    )  # nobody is told: what a crash leaves, the sweeper must find
    for number in range(EVENTS):
        with transaction.atomic():
            events.publish(events.LeadAssigned(lead_id=number, agent_id=cast.agent.pk, client_id=number % 7))
    kills = 0
    deadline = time.monotonic() + 300
    while EventDelivery.objects.filter(state="pending").exists():
        assert time.monotonic() < deadline, "the events were not delivered in time"
        worker = start_worker()
        time.sleep(0.12 + 0.05 * (kills % 3))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        worker.stdout.close()
        kills += 1
    assert kills > 1
    told = sorted(int(title) for title in Notification.objects.filter(kind="killed").values_list("title", flat=True))
    assert told == list(range(EVENTS))
