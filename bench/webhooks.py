"""`bench webhooks`: events to ten receivers of which one hangs, beside bare POSTs; and from commit to the first delivery.

Workers run as threads here: one delivers events, two send. The receivers are ten addresses of `python -m sandbox.receiver` in a
process of its own. What the broker's wake takes (milliseconds) isn't in the figures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from guardian.shortcuts import assign_perm

from bench.harness import Figure, at_most, own_database, say
from crm import events
from crm.choices import UserKind
from crm.events import delivery
from crm.models import Brand, User, WebhookDelivery
from crm.outbound import sending
from crm.outbound.endpoints import EndpointDetails, create_endpoint
from crm.outside.calls import call

SIZES = {"tiny": (40, 5), "quick": (1_112, 100), "full": (1_112, 400)}
RECEIVERS, SECONDS_MAX, LATENCY_MAX, WAIT_MAX = 10, 60, 1, 300
BARE_POSTS, CHUNK = 500, 100


def run(size: str) -> list[Figure]:
    with own_database("webhooks"), receiver() as url:
        return measure(size, url)


def measure(size: str, url: str) -> list[Figure]:
    many, few = SIZES[size]
    brand = _webhooks(url)
    control(url, "faults", {"name": "slow", "value": 30, "path": "/0", "times": 1_000_000})
    bare = _bare(url) / BARE_POSTS * many * (RECEIVERS - 1)
    say(f"{many * (RECEIVERS - 1):,} webhooks to nine receivers, and {many:,} to one that hangs")
    started = time.perf_counter()
    for first in range(0, many, CHUNK):
        _publish(brand, range(first, min(first + CHUNK, many)))
    with workers():
        _wait(many * (RECEIVERS - 1))
        taken = time.perf_counter() - started
        say(f"{few} single events")
        published = _one_by_one(brand, many, few)
        _wait((many + few) * (RECEIVERS - 1))
    received = json.loads(urllib.request.urlopen(f"{url}/_control/received").read())
    arrived: dict[int, float] = {}
    for item in received:
        if item["path"] not in ("/0", "/bare"):
            number = item["body"]["data"]["lead_id"]
            arrived[number] = min(item["at"], arrived.get(number, item["at"]))
    waits = sorted(arrived[number] - at for number, at in published.items())
    lost = many * (RECEIVERS - 1) - WebhookDelivery.objects.filter(state="delivered", event_id__lte=many).count()
    name = f"{many * (RECEIVERS - 1):,} webhooks delivered to nine receivers while a tenth hangs"
    return [
        at_most(Figure(name, taken, "s", bare, "bare POSTs of as many"), SECONDS_MAX),
        at_most(Figure("event committed to first delivery, p95", waits[int(len(waits) * 0.95) - 1], "s"), LATENCY_MAX),
        Figure("event committed to first delivery, median", waits[len(waits) // 2], "s"),
        at_most(Figure("webhooks lost", max(lost, 0), "webhooks"), 0),
    ]


@contextmanager
def receiver() -> Iterator[str]:
    """Run the sandbox's receiver in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.receiver", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().rsplit(" ", 1)[-1].strip()
    finally:
        process.terminate()
        process.wait()


@contextmanager
def workers() -> Iterator[None]:
    """Run one worker that delivers events and two that send."""
    over = threading.Event()

    def repeat(work: Callable[[], object]) -> None:
        while not over.is_set():
            work()
            over.wait(0.01)
        connection.close()

    threads = [
        threading.Thread(target=repeat, args=(work,))
        for work in (delivery.deliver_due, lambda: sending.send_due(seconds=20), lambda: sending.send_due(seconds=30))
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def control(url: str, what: str, given: dict[str, Any]) -> None:
    body = json.dumps(given).encode()
    urllib.request.urlopen(urllib.request.Request(f"{url}/_control/{what}", data=body)).read()


def _webhooks(url: str) -> Brand:
    brand = Brand.objects.create(code="bench", name="Bench", base_currency="EUR")
    person = User.objects.create(username="bench", kind=UserKind.STAFF, brand=brand, is_superuser=True)
    assign_perm("crm.access_brand", person, brand)
    for place in range(RECEIVERS):
        details = EndpointDetails(f"Receiver {place}", f"{url}/{place}", ["lead.assigned"])
        create_endpoint(brand_id=brand.pk, actor=person, details=details)
    return brand


@transaction.atomic
def _publish(brand: Brand, numbers: range) -> None:
    events.publish_many(
        events.LeadAssigned(lead_id=number, agent_id=1, client_id=number + 1, brand_id=brand.pk) for number in numbers
    )


def _one_by_one(brand: Brand, first: int, count: int) -> dict[int, float]:
    published = {}
    for number in range(first, first + count):
        _publish(brand, range(number, number + 1))
        published[number] = time.time()
        time.sleep(0.05)
    return published


def _wait(count: int) -> None:
    deadline = time.monotonic() + WAIT_MAX
    while WebhookDelivery.objects.filter(state="delivered").count() < count and time.monotonic() < deadline:
        time.sleep(0.1)


def _bare(url: str) -> float:
    """Post as many by the same number of threads, signed by nobody and written down nowhere."""
    body = b'{"data": {"lead_id": 1}}'
    started = time.perf_counter()
    with ThreadPoolExecutor(sending.AT_ONCE) as pool:
        list(
            pool.map(
                lambda _place: call("POST", f"{url}/bare", bounds=sending.BOUNDS, headers={}, content=body),
                range(BARE_POSTS),
            )
        )
    return time.perf_counter() - started
