"""Fixtures of the wallet's tests: a running sandbox PSP whose webhooks are caught and handed to us when a test says so."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client as Browser
from django.utils import timezone

from crm import demo, events
from crm.models import FxRate
from tests.sandbox.psp.running import Catcher, RunningPsp, running_psp, wait_until, webhook_catcher
from tests.wallet.factories import house, make_adyen, make_psp, make_stripe
from wallet.ledger import posting
from wallet.models import Account, Psp, WebhookMessage
from wallet.webhooks import processing as inbox

OF_THE_CONNECTION = frozenset({"host", "connection", "content-length", "content-type", "accept-encoding", "user-agent"})


@dataclass
class Outside:
    """The PSP, what it sent, and the means to let it through our door."""

    running: RunningPsp
    catcher: Catcher
    psp: Psp
    delivered: int = 0

    def wait_for(self, count: int) -> None:
        """Waits until so many webhooks have been sent in all."""
        wait_until(lambda: len(self.catcher.received) >= count)

    def deliver(self, *, wait_for: int = 0, process: bool = True) -> list[int]:
        """Hands all webhooks caught since the last time to our address, as they came; returns the status codes."""
        if wait_for:
            self.wait_for(self.delivered + wait_for)
        fresh = self.catcher.received[self.delivered :]
        self.delivered += len(fresh)
        codes = [self.post(headers, body) for headers, body in fresh]
        if process:
            self.process()
        return codes

    def post(self, headers: dict[str, str], body: bytes, code: str = "") -> int:
        return (
            Browser()
            .post(
                f"/webhooks/psp/{code or self.psp.code}/",
                body,
                content_type="application/json",
                headers={name: value for name, value in headers.items() if name not in OF_THE_CONNECTION},
            )
            .status_code
        )

    def process(self) -> None:
        """What the workers would do: act on what waits, deliver the events."""
        waiting = WebhookMessage.objects.filter(state="waiting").order_by("pk")
        waiting.update(due_at=timezone.now())
        for pk in waiting.values_list("pk", flat=True):
            inbox.process_webhook(pk)
        events.drain()


@pytest.fixture
def stripe_outside(outside, cast) -> Outside:
    """Stripe as the sandbox plays it, beside the plain PSP."""
    outside.psp = make_stripe(cast.brand, outside.running.url)
    return outside


@pytest.fixture
def adyen_outside(outside, cast) -> Outside:
    outside.psp = make_adyen(cast.brand, outside.running.url)
    return outside


@pytest.fixture
def outside(cast, tmp_path: Path) -> Iterator[Outside]:
    load_rates()
    with webhook_catcher() as catcher, running_psp(tmp_path / "psp.sqlite", catcher.url) as running:
        yield Outside(running, catcher, make_psp(cast.brand, "northpay", base_url=running.url))


RATES_SINCE = dt.date(2026, 10, 1)
INSERT_RATES = """
INSERT INTO crm_fxrate ("on", currency, rate, source, loaded_at)
SELECT *, %s FROM unnest(%s::date[], %s::text[], %s::numeric[], %s::text[]) ON CONFLICT DO NOTHING
"""
_rates: dict[dt.date, list[str]] = {}  # by the day of today: days, currencies, rates and sources as PostgreSQL's arrays


def load_rates() -> None:
    """The shipped rates, and those of today: what a feed would have brought. Made once per process, then only written."""
    now = timezone.now()
    if columns := _rates.get(now.date()):
        with connection.cursor() as cursor:
            cursor.execute(INSERT_RATES, [now, *columns])
        return
    are_ours = not FxRate.objects.exists()
    demo.load_rates(since=RATES_SINCE, until=now.date())
    rows = list(FxRate.objects.values_list("on", "currency", "rate", "source"))
    if rows and are_ours:
        _rates[now.date()] = [
            "{" + ",".join(f'"{value}"' for value in column) + "}" for column in zip(*rows, strict=True)
        ]


@pytest.fixture
def wallet(cast) -> Account:
    return posting.wallet_of(cast.client, "EUR")


@pytest.fixture
def suspense(cast) -> Account:
    return house(cast.brand)
