"""A running sandbox vendor for tests, real sockets on both sides, and a brand that asks it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from django.test import Client as Browser

from compliance.brand_policies import SCREENED_BY
from compliance.models import ScreeningVendor, WatchlistSource
from compliance.vendors import asking, notices
from crm import events
from crm.models import Brand, EventDelivery
from sandbox.screening.server import API_KEY, WEBHOOK_SECRET, ScreeningServer
from tests.sandbox.psp.running import Catcher, wait_until

KEYS = {"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET}
SENT_WITH = ("webhook-id", "webhook-timestamp", "webhook-signature")


@dataclass
class RunningVendor:
    """The sandbox as a test sees it, and its webhooks, which a test lets through our door."""

    url: str
    server: ScreeningServer
    catcher: Catcher
    delivered: int = 0

    def fault(self, name: str, value: Any = True, *, times: int | None = 1) -> None:
        self.server.set_fault(name, value, times)

    def put(self, entity_id: str, name: str, schema: str = "Person", **more: Any) -> None:
        """Add somebody to the vendor's data, or change one."""
        properties = {"name": [name], "topics": ["sanction"], **more}
        properties = {"name": [name], "topics": ["sanction"], **more}
        self._control("entities", {"id": entity_id, "schema": schema, "properties": properties})

    def delist(self, entity_id: str) -> None:
        self._control("delist", {"id": entity_id})

    def merge(self, entity_id: str, into: str) -> None:
        self._control("merge", {"id": entity_id, "into": into})

    def _control(self, what: str, body: dict[str, Any]) -> None:
        httpx.post(f"{self.url}/_control/{what}", json=body, timeout=10).raise_for_status()

    def messages(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Wait until so many webhooks have been sent since the last time, and return them."""
        wait_until(lambda: len(self.catcher.received) >= self.delivered + count)
        fresh = self.catcher.received[self.delivered :]
        self.delivered += len(fresh)
        return fresh

    def deliver(self, count: int, *, code: str = "opensanctions") -> list[int]:
        return [post(headers, body, code) for headers, body in self.messages(count)]

    @property
    def queries(self) -> list[dict[str, Any]]:
        """What was asked, in order."""
        return [query for batch in self.server.batches for query in batch["queries"].values()]


def post(headers: dict[str, str], body: bytes, code: str = "opensanctions") -> int:
    """Hand a webhook to our address as it came; returns the status."""
    kept = {name: value for name, value in headers.items() if name in SENT_WITH}
    path = f"/webhooks/screening/{code}/"
    return Browser().post(path, body, content_type="application/json", headers=kept).status_code


@contextmanager
def running_vendor(catcher: Catcher) -> Iterator[RunningVendor]:
    server = ScreeningServer(("127.0.0.1", 0), webhook_url=catcher.url)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield RunningVendor(f"http://127.0.0.1:{server.server_address[1]}", server, catcher)
    server.shutdown()
    server.server_close()


def make_vendor(brand: Brand, url: str, **fields: Any) -> ScreeningVendor:
    """A connection that was approved long ago."""
    source = WatchlistSource.objects.create(
        code="vendor-opensanctions", name="OpenSanctions", publisher="OpenSanctions", licence="", is_active=False
    )
    values = {
        "code": "opensanctions",
        "name": "OpenSanctions",
        "adapter": "yente",
        "base_url": url,
        "dataset": "default",
        "mode_followed": SCREENED_BY.of(brand),
        "sealed_credentials": ScreeningVendor.sealed(KEYS),
    }
    return ScreeningVendor.objects.create(brand=brand, source=source, **{**values, **fields})


def settle() -> None:
    """Let everything in the background happen that is due."""
    for _ in range(4):
        events.drain()
        if not asking.ask_due() and not notices.process_due():
            break
    events.drain()
    failed = EventDelivery.objects.exclude(error="").values_list("handler", "error")
    assert not failed, list(failed)
