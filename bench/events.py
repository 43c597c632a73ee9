"""`bench events`: an import's leads published as a set and handed to three subscribers, beside bare INSERTs of as many rows.

Each subscriber takes lists and writes one notification per event. Memory is what the publishing and the delivering process grew by
at their most; the yardstick writes as many outbox rows, deliveries and notifications with plain INSERT … SELECT.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from django.db import connection, transaction

from bench import web
from bench.harness import Figure, analyze, at_most, in_a_process, own_database, say
from crm import events
from crm.db.bulk import copy_models
from crm.events import bus
from crm.models import EventDelivery, Notification, OutboxEvent
from leads.assignment import publish_assigned
from leads.models import Lead

SIZES = {"tiny": 1_000, "quick": 20_000, "full": 100_000}
AGENTS = 20
SUBSCRIBERS = 3
FAN_OUT_SECONDS = 60
GROWTH_MB = 64
FOREVER = 3_600.0
BARE = """
CREATE TABLE bench_outbox (LIKE crm_outboxevent INCLUDING ALL);
CREATE TABLE bench_delivery (LIKE crm_eventdelivery INCLUDING ALL);
CREATE TABLE bench_notification (LIKE crm_notification INCLUDING ALL);
INSERT INTO bench_outbox SELECT * FROM crm_outboxevent;
INSERT INTO bench_delivery SELECT * FROM crm_eventdelivery;
INSERT INTO bench_notification SELECT * FROM crm_notification WHERE kind LIKE 'bench%';
"""


def _subscriber(number: int) -> Callable[[list[events.LeadAssigned]], None]:
    def write(heard: list[events.LeadAssigned]) -> None:
        copy_models(
            [Notification(user_id=event.agent_id, kind=f"bench{number}", title=str(event.lead_id)) for event in heard]
        )

    write.__qualname__ = f"write_{number}"
    return write


def _publish() -> None:
    """Publish every lead's assignment in the transaction of an import, as its writer does: one statement."""
    with transaction.atomic():
        publish_assigned(Lead.objects.filter(assigned_to__isnull=False), actor=None)


def _deliver() -> None:
    while events.deliver_due(limit=10**9, seconds=FOREVER):
        pass


def run(size: str) -> list[Figure]:
    handlers, functions = dict(bus.HANDLERS), dict(bus._FUNCTIONS)
    try:
        bus.HANDLERS.clear()
        for number in range(SUBSCRIBERS):
            bus.subscribe_many(events.LeadAssigned)(_subscriber(number))
        with own_database("events"):
            return measure(SIZES[size])
    finally:
        bus.HANDLERS.clear()
        bus.HANDLERS.update(handlers)
        bus._FUNCTIONS.clear()
        bus._FUNCTIONS.update(functions)


def measure(leads: int) -> list[Figure]:
    web.make_house(AGENTS)
    say(f"{leads:,} leads of an import")
    web.fill(1, leads)
    count = Lead.objects.count()
    say("published, then delivered")
    publishing, publishing_bytes = in_a_process(_publish)
    analyze()
    delivering, delivering_bytes = in_a_process(_deliver)
    bare = _seconds(partial(_execute, BARE))
    heard = Notification.objects.filter(kind__startswith="bench").count()
    wrong = abs(SUBSCRIBERS * count - heard) + abs(OutboxEvent.objects.count() - count)
    wrong += EventDelivery.objects.exclude(state="done").count()
    mb = 2**20
    return [
        Figure(
            f"{count:,} leads: outbox rows and {SUBSCRIBERS} deliveries each", publishing, "s", bare, "bare INSERTs"
        ),
        Figure(f"{SUBSCRIBERS * count:,} deliveries handled in batches", delivering, "s", bare, "bare INSERTs"),
        at_most(Figure("fan-out: both together", publishing + delivering, "s", bare, "bare INSERTs"), FAN_OUT_SECONDS),
        at_most(Figure("memory grown by publishing", publishing_bytes / mb, "MB"), GROWTH_MB),
        at_most(Figure("memory grown by delivering", delivering_bytes / mb, "MB"), GROWTH_MB),
        at_most(Figure("events lost or handled twice", wrong, "rows"), 0),
    ]


def _execute(statements: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
