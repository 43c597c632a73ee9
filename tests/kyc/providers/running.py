"""A running sandbox provider for tests, real sockets on both sides, and a brand that uses it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from django.test import Client as Browser

from crm.models import Brand
from kyc.models import KycProvider, ProviderCheck
from sandbox.kyc.reviews import Reviewer
from sandbox.kyc.server import APP_TOKEN, SECRET_KEY, WEBHOOK_SECRET, KycServer
from sandbox.kyc.store import Store
from tests.kyc.factories import passport_jpeg
from tests.sandbox.psp.running import Catcher, wait_until

KEYS = {"app_token": APP_TOKEN, "secret_key": SECRET_KEY, "webhook_secret": WEBHOOK_SECRET}
SENT_WITH = ("x-payload-digest", "x-payload-digest-alg")


@dataclass
class RunningProvider:
    """The sandbox as a test sees it, and its webhooks, which a test lets through our door."""

    url: str
    store: Store
    catcher: Catcher
    delivered: int = 0

    def fault(self, name: str, value: Any = True, *, times: int | None = 1) -> None:
        self.store.set_fault(name, value, times)

    def play(self, check: ProviderCheck, result: Any = "green", *, pictures: Any = None, **more: Any) -> None:
        """Do at the provider what the client does there, and let the review say `result`."""
        pictures = [{"type": "PASSPORT", "content": passport_jpeg()}] if pictures is None else pictures
        sent = [{**one, "content": base64.b64encode(one["content"]).decode()} for one in pictures]
        info = {**(check.client and {"firstName": check.client.first_name, "lastName": check.client.last_name})}
        if check.client.date_of_birth:
            info["dob"] = check.client.date_of_birth.isoformat()
        body = {"result": result, "pictures": sent, "info": {**info, **more.pop("info", {})}, **more}
        answer = httpx.post(f"{self.url}/_control/applicants/{check.external_id}", json=body, timeout=10)
        answer.raise_for_status()

    def applicant(self, check: ProviderCheck) -> dict[str, Any] | None:
        return self.store.by_external_id(check.external_id)

    def messages(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Wait until so many webhooks have been sent since the last time, and return them."""
        wait_until(lambda: len(self.catcher.received) >= self.delivered + count)
        fresh = self.catcher.received[self.delivered :]
        self.delivered += len(fresh)
        return fresh

    def deliver(self, count: int, *, code: str = "sumsub") -> list[int]:
        return [post(headers, body, code) for headers, body in self.messages(count)]


def post(headers: dict[str, str], body: bytes, code: str = "sumsub") -> int:
    """Hand a webhook to our address as it came; returns the status."""
    kept = {name: value for name, value in headers.items() if name in SENT_WITH}
    return Browser().post(f"/webhooks/kyc/{code}/", body, content_type="application/json", headers=kept).status_code


@contextmanager
def running_provider(state: Path, catcher: Catcher) -> Iterator[RunningProvider]:
    store = Store(state)
    reviewer = Reviewer(store, webhook_url=catcher.url, webhook_secret=WEBHOOK_SECRET)
    server = KycServer(("127.0.0.1", 0), store, reviewer, public_url="", seconds=0.05)
    reviewer.start()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield RunningProvider(f"http://127.0.0.1:{server.server_address[1]}", store, catcher)
    server.shutdown()
    server.server_close()
    reviewer.stop()
    store.close()


def make_provider(brand: Brand, url: str, **fields: Any) -> KycProvider:
    """A connection that was approved long ago."""
    values = {
        "code": "sumsub",
        "name": "Sumsub",
        "adapter": "sumsub",
        "base_url": url,
        "level_name": "basic-kyc-level",
        "sealed_credentials": KycProvider.sealed(KEYS),
    }
    return KycProvider.objects.create(brand=brand, **{**values, **fields})
